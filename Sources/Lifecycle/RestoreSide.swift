// Executes the steps of a restore, and takes them back when one fails.

package import CRIU
package import Cgroups
internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import Launch
internal import LinuxSystem
internal import Records

/// One restore.
final class RestoreSide {
    static let logFile = "restore.log"

    private let configuration: ContainerConfiguration
    private let configurationBytes: [UInt8]
    private let facts: HostFacts
    private let request: LaunchRequest
    private let settings: CheckpointSettings
    private let program: CRIUProgram
    private let directories: CheckpointDirectories
    private let cgroup: any CgroupManager
    private let context: RuntimeContext
    private let steps: [RestoreStep]

    private(set) var record: ContainerRecord
    private(set) var directory: ContainerDirectory?
    private let namespaces = FDTable()
    private let console = FDTable()
    /// The terminal's primary, in the foreground.
    let terminal = FDTable()
    private var cgroupEntry: CgroupEntry?
    private var criu: CRIUProcess?
    private var stagePID: CInt = 0
    private let process = FDTable()
    /// Only then are the processes in it this container's.
    private var madeCgroup = false
    /// Of systemd, which may have begun to make it.
    private var mayHaveScope = false
    private var pidFile: String?

    init(
        _ bundle: Bundle,
        _ facts: HostFacts,
        _ request: LaunchRequest,
        _ settings: CheckpointSettings,
        cgroup: any CgroupManager,
        record: ContainerRecord,
        _ context: RuntimeContext
    ) throws(Failure) {
        configuration = bundle.configuration
        configurationBytes = bundle.bytes
        self.facts = facts
        self.request = request
        self.settings = settings
        self.cgroup = cgroup
        self.record = record
        self.context = context
        program = try CRIUProgram(context.criu)
        directories = try CheckpointDirectories(settings, makes: false)
        steps = RestoreStep.list(
            configuration,
            request,
            cgroups: cgroup.placement.locations.map(\.directory)
        )
    }

    /// The container's process.
    var processDescriptor: BorrowedFD { process[0] }

    /// Performs every step. When one fails, takes back those before it.
    func restore() throws(Failure) {
        for (index, step) in steps.enumerated() {
            let name = StepName(index: index + 1, name: step.name)
            context.log.begin(.runtime, name.index, of: steps.count, step.name, step.detail)
            do throws(Failure) {
                defer { context.log.end(.runtime) }
                try perform(step)
            } catch {
                throw rollBack(after: error.stamped(name, .runtime, about: step.subject))
            }
        }
        for warning in configuration.warnings { context.log.warning(warning) }
        context.log.quietWarnings(configuration.customaryWarnings)
    }

    private func perform(_ step: RestoreStep) throws(Failure) {
        switch step {
        case .reserveID(let id): directory = try context.stateRoot.reserve(id)
        case .recordPlan: try recordPlan()
        case .openNamespace(_, let path): try openNamespace(path)
        case .connectConsole(let path): try connectConsole(path)
        case .createCgroup: try createCgroup()
        case .openCgroup: cgroupEntry = CgroupEntry(try cgroup.openJoin(subgroups: []))
        case .makeMountPoints: try MountPointMaker.make(configuration)
        case .startCRIU: try startCRIU()
        case .startScope: try startScope()
        case .waitFor(let stage): try wait(for: stage)
        case .recordInit: try recordInit()
        case .hook(let point, let index, let hook): try runHook(hook, point, index)
        case .limitResources: try cgroup.apply(configuration.resources)
        case .waitForEnd: try wait(for: nil)
        case .recordCreated: try recordCreated()
        case .writePIDFile(let path):
            try PIDFile.write(record.pid, to: path)
            pidFile = path
        }
    }
}

// MARK: - Acts

extension RestoreSide {
    private func recordPlan() throws(Failure) {
        try directory?.keepConfiguration(configurationBytes)
        try directory?.write(record)
    }

    private func openNamespace(_ path: String) throws(Failure) {
        namespaces.add(
            try attempt("open the namespace \(path) of linux.namespaces", .open) { () throws(Errno) in
                try BorrowedFD.workingDirectory.open(path, .readOnly)
            }
        )
    }

    private func connectConsole(_ path: String) throws(Failure) {
        console.add(
            try attempt("connect to the console socket \(path)", .connect) { () throws(Errno) in
                try Sockets.connect(toStreamAt: path)
            }
        )
    }

    private func createCgroup() throws(Failure) {
        // It takes back what it made when it throws; and processes that were there are not this container's.
        try cgroup.create()
        madeCgroup = true
    }

    private func startCRIU() throws(Failure) {
        let entry = cgroupEntry
        let directories = directories
        let birthplace = entry?.join.birthplace
        let root = configuration.root.path
        criu = try program.start(.restore(try options()), namespaces: [.mount], cgroup: birthplace) {
            () throws(Failure) in
            try entry?.join.enter(bornInUnified: birthplace != nil)
            // Both go with criu's mount namespace: nothing of them is ever seen outside.
            try attempt("keep criu's mounts from the host", .mount) { () throws(Errno) in
                try MountAPI.legacyMount(target: "/", flags: [.slave, .recursive])
            }
            try attempt("make the root filesystem \(root) a mount", .mount) { () throws(Errno) in
                try MountAPI.legacyMount(source: root, target: root, flags: [.bind, .recursive])
            }
            try directories.reopen()
        }
        cgroupEntry = nil
    }

    private func startScope() throws(Failure) {
        guard let criu else { return }
        mayHaveScope = true
        try cgroup.startScope(
            ScopeRequest(
                process: criu.pid,
                id: request.id,
                resources: configuration.resources,
                properties: request.unitProperties
            )
        )
        madeCgroup = true
    }

    private func options() throws(Failure) -> CRIUOptions {
        var options = settings.options(configuration, directories, logFile: Self.logFile)
        options.restoresSibling = true
        options.lsmProfile = settings.lsmProfile
        options.lsmMountContext = settings.lsmMountContext
        options.external = try ExternalMount.list(configuration, facts, cgroup.placement).restored()
        options.inherited = try StandardStreams(in: directories.images).inherited
        for (namespace, descriptor) in zip(ExternalNamespace.list(configuration), namespaces.descriptors) {
            options.inherited.append(CRIUResource(namespace.name, descriptor))
        }
        options.cgroupRoots = cgroup.placement.criuRoots
        if options.cgroupRoots.isEmpty { options.cgroupMode = .ignore }
        return options
    }

    /// - Parameter wanted: `nil` waits for criu to be done.
    private func wait(for wanted: String?) throws(Failure) {
        guard let criu else { return }
        while let stage = try criu.next() {
            if let pid = stage.pid { stagePID = pid }
            let name = stage.name
            if name == "orphan-pts-master" {
                try pass(stage)
            } else if name == wanted {
                return
            }
        }
        if let wanted { throw Failure("criu ended without having come to its stage \(wanted)") }
    }

    /// Sends a terminal's primary to where the caller wants it.
    private func pass(_ stage: CRIUProcess.Stage) throws(Failure) {
        guard let descriptor = stage.descriptors.take() else {
            throw Failure("criu reported the container's terminal without its descriptor")
        }
        if request.console == .foreground { return terminal.add(descriptor) }
        guard !console.isEmpty else {
            throw Failure("the images have a terminal, but config.json has process.terminal false")
        }
        try attempt("send the terminal to the console socket", .sendmsg) { () throws(Errno) in
            let name = Array("/dev/pts/\(try descriptor.borrowed.terminalNumber())".utf8)
            try console[0].send(name, descriptors: [descriptor.borrowed])
        }
    }

    private func recordInit() throws(Failure) {
        let pid = stagePID
        process.add(
            try attempt("open a pidfd for process \(pid), which criu made", .pidfdOpen) { () throws(Errno) in
                try Processes.open(pid: pid)
            }
        )
        guard let facts = try ProcessIdentity.facts(pid: pid) else {
            throw Failure("process \(pid), which criu made, ended at once")
        }
        record.pid = pid
        record.startTime = facts.startTime
        try directory?.recordProcess(pid: pid, startTime: facts.startTime)
    }

    private func runHook(_ hook: Hook, _ point: HookPoint, _ index: Int) throws(Failure) {
        try HookRunner.run(hook, point, index: index, of: record.hookState, status: "creating", pid: record.pid)
    }

    private func recordCreated() throws(Failure) {
        record.phase = .created
        try directory?.markCreated()
    }
}

// MARK: - The way back

extension RestoreSide {
    /// Takes everything back.
    func rollBack(after failure: Failure) -> Failure {
        var failure = failure
        // criu first: it ends what it has made so far.
        criu?.abandon()
        if failure.step?.name == "hook" { runPoststopHooks() }
        do throws(Failure) {
            try endProcesses()
            if madeCgroup || mayHaveScope { try cgroup.remove(deadline: Deadline.cleanup) }
            try directory?.remove()
            if let pidFile { try PIDFile.remove(pidFile) }
        } catch {
            failure = failure.hinting("cleaning up failed too: \(error.line)")
        }
        return failure
    }

    /// Runtime-spec: runtime.md, Lifecycle: when a hook fails, those of the end run.
    private func runPoststopHooks() {
        for (index, hook) in record.poststop.map(\.hook).enumerated() {
            do throws(Failure) {
                try HookRunner.run(hook, .poststop, index: index, of: record.hookState, status: "stopped", pid: nil)
            } catch {
                context.log.warning(error.line)
            }
        }
    }

    private func endProcesses() throws(Failure) {
        if !process.isEmpty {
            try? Processes.signal(process[0], 9)
            // Reaped by criu when it failed.
            _ = try? Processes.reap(pidfd: process[0])
        }
        if madeCgroup { try cgroup.killAll(deadline: Deadline.cleanup) }
    }

    /// Tells the container's state directory from a later one of the same name.
    var directoryInode: UInt64 { directory?.inode ?? 0 }

    /// Gives up the lock on the container, so that other commands can work on it.
    func releaseLock() {
        directory = nil
    }
}

extension CgroupPlacement {
    /// Where the container's cgroups are, in the words of criu's `--cgroup-root`.
    package var criuRoots: [CRIUOptions.CgroupRoot] {
        locations.flatMap { location in
            if location.isUnified {
                return mode == .unified ? [CRIUOptions.CgroupRoot(controller: nil, path: "/\(location.path)")] : []
            }
            return location.hierarchy.split(separator: "," as Character).map {
                CRIUOptions.CgroupRoot(controller: String($0), path: "/\(location.path)")
            }
        }
    }
}
