// `create`, and the first half of `run`: from a bundle to a process that waits at its gate.

internal import Cgroups
internal import Configuration
package import Diagnostics
internal import KernelTypes
internal import Launch
internal import LinuxSystem
internal import Records
internal import Systemd

/// `create`.
package enum Create {
    /// How the container's streams and start are to be handled.
    enum Mode {
        /// Another command starts it.
        case create
        /// This command starts it and goes.
        case detached
        /// This command starts it and stays.
        case foreground
    }

    /// Creates a container; its program is started by `start`.
    package static func run(_ request: CreateRequest, _ context: RuntimeContext) throws(Failure) {
        let birth = try prepare(request, .create, context)
        try birth.create()
    }

    /// Everything up to the first change of anything.
    static func prepare(
        _ request: CreateRequest,
        _ mode: Mode,
        _ context: RuntimeContext
    ) throws(Failure) -> RuntimeSide {
        let facts = context.hostFacts()
        let bundle = try Bundle(
            at: request.bundle,
            configFile: request.configFile,
            facts: facts,
            filters: context.stateRoot,
            context.log
        )
        try bundle.checkRoot()
        let launch = try launchRequest(request, mode, bundle, context)
        let configuration = configuration(bundle, request, context)
        context.log.begin(act: "plan")
        defer { context.log.end(.runtime) }
        let cgroup = try Self.cgroup(configuration, launch, facts, context)
        var record = ContainerRecord(
            id: request.id,
            configuration: configuration,
            bundle: bundle.path,
            created: Timestamp.text(of: Machine.wallClock()),
            owner: facts.effectiveUserID,
            bootID: try ProcessIdentity.bootID(),
            cgroups: cgroup.placement
        )
        if request.noNewKeyring { record.keepsKeyring = true }
        record.notifySocket = request.notifySocket
        return try RuntimeSide(
            configuration,
            configurationBytes: bundle.bytes,
            facts,
            launch,
            stateRoot: context.stateRoot,
            cgroup: cgroup,
            record: record,
            log: context.log
        )
    }

    /// The bundle's, with what the caller's surroundings add; the same for `explain`.
    static func configuration(
        _ bundle: Bundle,
        _ request: CreateRequest,
        _ context: RuntimeContext
    ) -> ContainerConfiguration {
        guard request.notifySocket != nil else { return bundle.configuration }
        let source = ContainerDirectory.noticeDirectory(of: request.id, in: context.stateRoot)
        return bundle.configuration.notifying(from: source)
    }

    static func cgroup(
        _ configuration: ContainerConfiguration,
        _ launch: LaunchRequest,
        _ facts: HostFacts,
        _ context: RuntimeContext
    ) throws(Failure) -> any CgroupManager {
        guard launch.cgroupDriver == .systemd else {
            return try placement(configuration, launch, facts, context).notingMissingParents().makeManager()
        }
        return try SystemdDriver.plan(
            try scope(configuration, launch, facts),
            resources: configuration.resources,
            isRootless: context.toleratesMissingCgroups ?? facts.isRootless
        )
    }

    private static func scope(
        _ configuration: ContainerConfiguration,
        _ launch: LaunchRequest,
        _ facts: HostFacts
    ) throws(Failure) -> ScopePlacement {
        let instance = SystemdInstance.ofThisProcess(isRootless: facts.isRootless)
        let name = try ScopeName(cgroupsPath: configuration.cgroupsPath, id: launch.id, isUser: instance.isUser)
        return ScopePlacement(name: name, instance: instance)
    }

    /// Where the container's cgroups will be, for `explain`: systemd is not asked where its own are.
    static func placement(
        _ configuration: ContainerConfiguration,
        _ launch: LaunchRequest,
        _ facts: HostFacts,
        _ context: RuntimeContext
    ) throws(Failure) -> CgroupPlacement {
        if launch.cgroupDriver == .disabled { return .disabled }
        if launch.cgroupDriver == .systemd {
            let scope = try scope(configuration, launch, facts)
            return try CgroupPlacement.plan(
                scope: scope,
                controlGroup: scope.instance.usualControlGroup,
                resources: configuration.resources,
                isRootless: context.toleratesMissingCgroups ?? facts.isRootless
            )
        }
        return try CgroupPlacement.plan(
            cgroupsPath: configuration.cgroupsPath,
            id: launch.id,
            resources: configuration.resources,
            isRootless: context.toleratesMissingCgroups ?? facts.isRootless
        )
    }

    static func launchRequest(
        _ request: CreateRequest,
        _ mode: Mode,
        _ bundle: Bundle,
        _ context: RuntimeContext
    ) throws(Failure) -> LaunchRequest {
        var launch = LaunchRequest(id: request.id, bundle: bundle.path)
        launch.gate = mode == .create ? .fifo : .channel
        launch.console = try console(bundle.configuration.process, mode, socket: request.consoleSocket)
        launch.cgroupDriver = context.cgroupDriver
        launch.unitProperties = try unitProperties(bundle.configuration, context)
        launch.noPivot = request.noPivot
        launch.noNewKeyring = request.noNewKeyring
        launch.preservedDescriptors = request.preservedDescriptors
        launch.listenEnvironment = request.listenEnvironment
        launch.pidFile = try request.pidFile.map { path throws(Failure) in try AbsolutePath.of(path) }
        launch.pidfdSocket = request.pidfdSocket
        launch.notifies = request.notifySocket != nil
        return launch
    }

    /// Without the systemd driver such annotations are nobody's business.
    static func unitProperties(
        _ configuration: ContainerConfiguration,
        _ context: RuntimeContext
    ) throws(Failure) -> [UnitProperty] {
        guard context.cgroupDriver == .systemd else { return [] }
        var properties: [UnitProperty] = []
        for annotation in configuration.annotations {
            if let property = try UnitProperty(annotation: annotation.key, annotation.value) {
                properties.append(property)
            }
        }
        return properties
    }

    /// Where the terminal of a process goes; the same for `exec`.
    static func console(
        _ process: ProcessConfiguration?,
        _ mode: Mode,
        socket: String?
    ) throws(Failure) -> LaunchRequest.Console {
        let hasTerminal = process?.terminal ?? false
        switch (hasTerminal, mode, socket) {
        case (false, _, nil): return .none
        case (true, .foreground, nil): return .foreground
        case (true, .create, let path?), (true, .detached, let path?): return .socket(path: path)
        case (true, _, nil):
            throw Failure(
                "cannot allocate tty if apus will detach without setting console socket (process.terminal is true)",
                .usage,
                subject: "process.terminal"
            )
        case (_, _, _?):
            throw Failure(
                "cannot use console socket if apus will not detach or allocate tty (process.terminal is \(hasTerminal))",
                .usage,
                subject: "process.terminal"
            )
        }
    }
}
