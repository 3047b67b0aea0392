// Executes init's steps, in the process that becomes the container's. It never returns: it ends in execve or in a
// reported failure. Each case calls one function; what to do is decided in Birth.swift.

internal import Cgroups
internal import Configuration
internal import Confinement
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import PathResolution
internal import Rootfs

/// Init, from its first instruction to the program's.
final class InitSide {
    private let configuration: ContainerConfiguration
    private let request: LaunchRequest
    private let resources: LaunchResources
    private let steps: [InitStep]
    private let hookState: HookState
    private let log: Log
    /// Until the log's descriptor is closed with the others.
    private var logsSteps: Bool
    private let cgroupPlacement: CgroupPlacement
    private var rootfs: RootfsExecutor?
    private var listener: CInt = -1
    private var environment: [String]
    private var program: PreparedExec?
    private var isInWorkingDirectory = false
    /// Who hears of a failure: the creating runtime until it was told `ready`, then the starter.
    private var listenerOfFailures: SyncChannel
    /// Init's ends of the start gate; the channel itself when it is the gate.
    private let starter: SyncChannel
    private let reporter: SyncChannel

    init(
        _ configuration: ContainerConfiguration,
        _ facts: HostFacts,
        _ request: LaunchRequest,
        _ resources: LaunchResources,
        steps: [InitStep],
        cgroups: CgroupPlacement,
        log: Log
    ) {
        self.log = log
        logsSteps = true
        self.configuration = configuration
        self.request = request
        self.resources = resources
        self.steps = steps
        hookState = HookState(configuration, request)
        environment = configuration.process?.environment ?? []
        cgroupPlacement = cgroups
        listenerOfFailures = resources.childChannel
        starter = SyncChannel(resources.gate.isEmpty ? resources.childChannel.descriptor : resources.gate[0])
        reporter = SyncChannel(resources.gate.isEmpty ? resources.childChannel.descriptor : resources.gate[1])
    }

    /// Performs every step; reports the one that fails.
    func live() -> Never {
        resources.closeRuntimeSide()
        try? Processes.setName("apus:[2:INIT]")
        for (index, step) in steps.enumerated() {
            resources.breadcrumb[.initial] = index + 1
            log.begin(.initial, index + 1, of: steps.count, step.name, step.detail, writes: logsSteps)
            do throws(Failure) {
                defer { log.end(.initial) }
                try perform(step)
            } catch {
                let failure = error.stamped(StepName(index: index + 1, name: step.name), .initial, about: step.subject)
                listenerOfFailures.report(failure)
                if case .execute = step { sayInPlaceOfProgram(failure) }
                Processes.exit(1)
            }
        }
        Processes.exit(0)
    }

    private func perform(_ step: InitStep) throws(Failure) {
        switch step {
        case .dieWithParent: try dieWithParent()
        case .surviveParent: try surviveParent()
        case .resetSignals: try resetSignals()
        case .newSession: try newSession()
        case .becomeUntraceable: try Untraceable.become()
        case .enterNamespace(let kind): try NamespaceEntry.enter(kind, resources)
        case .joinContainer(let kinds): try NamespaceEntry.joinContainer(kinds, resources)
        case .newNamespaces(let kinds): try NamespaceEntry.make(kinds)
        case .becomeRoot: try NamespaceEntry.becomeRoot()
        case .joinCgroup: try joinCgroup()
        case .setAffinity(let cpus): try Affinity.set(cpus, "final")
        case .newCgroupNamespace: try newCgroupNamespace()
        case .setHostname(let name): try setHostname(name)
        case .setDomainname(let name): try setDomainname(name)
        case .bringUpLoopback: try bringUpLoopback()
        case .rootfs(let step): try perform(step)
        case .makeConsole: try makeConsole()
        case .makeTerminal: try makeTerminal()
        case .hook(let point, let index, let hook): try runHook(hook, point, index)
        case .confine(let step): listener = try step.perform(filter: resources.filter) ?? listener
        case .closeDescriptors: try closeDescriptors()
        case .setLimit(let limit): try limit.set(ofProcess: 0)
        case .makeWorkingDirectory(let path): try WorkingDirectorySetup.make(path)
        case .changeDirectory(let path, let allowRefusal):
            if isInWorkingDirectory { return }
            isInWorkingDirectory = try WorkingDirectorySetup.change(to: path, allowRefusal: allowRefusal)
        case .verifyWorkingDirectory: try WorkingDirectorySetup.verify()
        case .completeEnvironment: completeEnvironment()
        case .findProgram(let name): try findProgram(name)
        case .announceListener: try resources.childChannel.tell(.listenerReady, number: listener)
        case .waitForStart: try waitForStart()
        case .execute(let name): try execute(name)
        case .tell(let message): try resources.childChannel.tell(message)
        case .waitFor(let message): try wait(for: message)
        }
    }
}

// MARK: - Acts that belong to no other room

extension InitSide {
    private static let SIGKILL: CInt = 9

    private func dieWithParent() throws(Failure) {
        try ParentDeath.follow(resources)
    }

    private func surviveParent() throws(Failure) {
        try attempt("outlive the runtime", .prctl) { () throws(Errno) in try Processes.setParentDeathSignal(0) }
    }

    private func resetSignals() throws(Failure) {
        try attempt("reset the signals", .sigaction) { () throws(Errno) in try Signals.reset() }
    }

    private func newSession() throws(Failure) {
        try attempt("start a session", .setsid) { () throws(Errno) in try Processes.newSession() }
    }

    private func joinCgroup() throws(Failure) {
        try resources.cgroupEntry?.join.enter(bornInUnified: true)
    }

    private func newCgroupNamespace() throws(Failure) {
        try attempt("make a cgroup namespace", .unshare) { () throws(Errno) in try Namespaces.unshare(.cgroup) }
    }

    private func setHostname(_ name: String) throws(Failure) {
        try attempt("set the hostname to \(name)", .sethostname) { () throws(Errno) in try Machine.setHostName(name) }
    }

    private func setDomainname(_ name: String) throws(Failure) {
        try attempt("set the domainname to \(name)", .setdomainname) { () throws(Errno) in
            try Machine.setDomainName(name)
        }
    }

    private func bringUpLoopback() throws(Failure) {
        try attempt("bring the loopback interface up", .ioctl) { () throws(Errno) in
            try Sockets.bringUp(interface: "lo")
        }
    }

    private func perform(_ step: RootfsStep) throws(Failure) {
        if rootfs == nil {
            rootfs = try RootfsExecutor(
                rootPath: configuration.root.path,
                sources: resources.mountSources.take() ?? MountSources(),
                cgroups: cgroupPlacement.mountSources()
            )
        }
        try rootfs?.perform(step)
    }

    private var terminalOwner: UInt32 { configuration.process?.user.uid ?? 0 }
    private var terminalSize: TerminalSize? {
        configuration.process?.consoleSize.map { TerminalSize(rows: $0.rows, columns: $0.columns) }
    }

    private func makeConsole() throws(Failure) {
        guard let console = try rootfs?.makeConsole(owner: terminalOwner, size: terminalSize) else {
            throw Failure("make the console: there is no root filesystem")
        }
        try use(console)
    }

    private func makeTerminal() throws(Failure) {
        let directory = try attempt("open the container's root", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open("/", [.path, .directory])
        }
        let root = RootHandle(directory, name: "the container's root")
        try use(try Console(in: root, owner: terminalOwner, size: terminalSize))
    }

    /// Sends the terminal away and takes its other side as the standard streams.
    private func use(_ console: borrowing Console) throws(Failure) {
        try attempt("send the terminal to the console socket", .sendmsg) { () throws(Errno) in
            // Receivers read a name with the descriptor.
            let name = Array("/dev/pts/\(try console.primary.borrowed.terminalNumber())".utf8)
            try resources.console[0].send(name, descriptors: [console.primary.borrowed])
        }
        try attempt("make the terminal the standard streams", .ioctl) { () throws(Errno) in
            try console.peer.borrowed.makeControllingTerminal()
            for stream in 0..<CInt(3) { try console.peer.borrowed.duplicate(onto: stream) }
        }
    }

    private func runHook(_ hook: Hook, _ point: HookPoint, _ index: Int) throws(Failure) {
        let status = point == .startContainer ? "created" : "creating"
        // In the container's root the runtime's own environment is nobody's business.
        let inherited = point == .startContainer ? environment : HostProgram.inheritedEnvironment
        try HookRunner.run(
            hook,
            point,
            index: index,
            of: hookState,
            status: status,
            pid: Processes.currentID,
            environment: inherited
        )
    }

    /// Closed and not only marked, because the program's path is looked up before execve closes what is marked
    /// (CVE-2024-21626).
    private func closeDescriptors() throws(Failure) {
        let first = CInt(truncatingIfNeeded: 3 + request.preservedDescriptors)
        var kept = [resources.childChannel.descriptor]
        if !resources.gate.isEmpty { kept += [resources.gate[0], resources.gate[1]] }
        let places = try DescriptorCleanup.closeAll(from: first, but: kept)
        logsSteps = false
        resources.childChannel.move(to: places[0])
        starter.move(to: places.count > 1 ? places[1] : places[0])
        reporter.move(to: places.count > 2 ? places[2] : places[0])
    }

    private func completeEnvironment() {
        environment = HomeDirectory.complete(environment, uid: configuration.process?.user.uid ?? 0)
        environment += request.listenEnvironment.map { variable in
            // Who looks at the sockets compares it with its own pid, which is 1 only at the head of a pid namespace.
            variable.hasPrefix("LISTEN_PID=") ? "LISTEN_PID=\(Processes.currentID)" : variable
        }
    }

    private func findProgram(_ name: String) throws(Failure) {
        let path = try ExecutableLookup.find(name, environment: environment)
        program = PreparedExec(
            path: path,
            arguments: configuration.process?.arguments ?? [],
            environment: environment
        )
    }

    private func waitForStart() throws(Failure) {
        if resources.gate.isEmpty {
            guard try resources.childChannel.wait(for: .start) != nil else { Processes.exit(1) }
            return
        }
        listenerOfFailures = reporter
        // The byte's value says nothing; a signal may interrupt the wait, which is repeated.
        _ = try attempt("wait for the start", .read) { () throws(Errno) in try starter.descriptor.read(upTo: 1) }
    }

    private func execute(_ name: String) throws(Failure) {
        guard let program else { throw Failure("execute \(name): it was not looked up") }
        // On the channel nobody needs to be woken for it: the runtime sees in the shared page how far this came.
        if !resources.gate.isEmpty { try reporter.tell(.executing) }
        // All but the report, which the program's start closes: its end is the news that it worked.
        for channel in [resources.childChannel, starter] where channel.descriptor != listenerOfFailures.descriptor {
            Descriptors.close(channel.descriptor)
        }
        throw Failure("exec \(program.file)", .execve, program.execute())
    }

    /// After its start this process counts as the program, as in runc and crun: its standard error tells why it ends, its
    /// exit status is 1. See `Failure.isOfProgram`.
    private func sayInPlaceOfProgram(_ failure: Failure) {
        guard let errno = failure.errno, let program else { return }
        try? BorrowedFD.standardError.write("exec \(program.file): \(errno.sentence)\n")
    }

    private func wait(for message: SyncMessage) throws(Failure) {
        if message == .placed { return try receiveCgroups() }
        // The runtime is gone: nobody is left to report to, and nothing of this may stay.
        guard try resources.childChannel.wait(for: message) != nil else { Processes.exit(1) }
    }

    private func receiveCgroups() throws(Failure) {
        guard let (mask, files) = try resources.childChannel.waitForDescriptors(.placed) else { Processes.exit(1) }
        let join = CgroupJoin(received: files, mask: UInt32(bitPattern: mask), cgroupPlacement)
        resources.cgroupEntry = CgroupEntry(join)
    }
}
