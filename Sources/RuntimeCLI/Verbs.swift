// The verbs: each one calls Lifecycle and prints what it answers. No decisions about containers here.

internal import Configuration
internal import Confinement
internal import Diagnostics
internal import Launch
internal import Lifecycle
internal import LinuxSystem
internal import OCISpec
internal import Records

/// Carrying out a command.
struct Verbs {
    private let globals: GlobalOptions
    private let log: Log
    private let arguments: [String]

    init(_ globals: GlobalOptions, _ log: Log, _ arguments: [String]) {
        self.globals = globals
        self.log = log
        self.arguments = arguments
    }

    func perform(_ command: Command) throws(Failure) -> ExitStatus {
        switch command {
        case .create(let options, let id): try create(options, id)
        case .run(let options, let id): return try run(options, id)
        case .exec(let options): return try exec(options)
        case .start(let id): try start(id)
        case .state(let id): try state(id)
        case .kill(let options): try kill(options)
        case .delete(let options): try delete(options)
        case .list(let options): try list(options)
        case .pause(let id): try Pause.pause(id: try checked(id), try context())
        case .resume(let id): try Pause.resume(id: try checked(id), try context())
        case .ps(let options): try ps(options)
        case .update(let options): try update(options)
        case .events(let options): try events(options)
        case .checkpoint(let settings, let id): try Checkpoint.run(id: try checked(id), settings, try context())
        case .restore(let options, let settings, let id): return try restore(options, settings, id)
        case .spec(let options): try spec(options)
        case .explain(let options): try explain(options)
        case .features: try features()
        case .version: try print(Version.text(libseccomp: SeccompFilter.libraryVersion))
        case .text(let text): try print(text)
        }
        return .success
    }

    func print(_ text: String) throws(Failure) {
        log.begin(act: "print")
        defer { log.end(.runtime) }
        try attempt("write to standard output", .write) { () throws(Errno) in try BorrowedFD.standardOutput.write(text)
        }
    }

    func checked(_ id: String) throws(Failure) -> String {
        do throws(ConfigurationProblem) {
            _ = try ContainerID(id)
        } catch {
            throw Failure(error.description, .usage, subject: id)
        }
        return id
    }

    func context() throws(Failure) -> RuntimeContext {
        let driver: LaunchRequest.CgroupDriver
        switch globals.cgroupManager {
        case .cgroupfs: driver = .cgroupfs
        case .disabled: driver = .disabled
        case .systemd: driver = .systemd
        }
        return RuntimeContext(
            stateRoot: StateRoot(path: try AbsolutePath.of(globals.root)),
            log: log,
            cgroupDriver: driver,
            toleratesMissingCgroups: globals.rootless.answer,
            criu: globals.criu
        )
    }

    /// As `context`, for the verbs that make processes of a container: from here on this runs sealed.
    private func sealedContext() throws(Failure) -> RuntimeContext {
        let context = try context()
        log.begin(act: "checkSeal")
        defer { log.end(.runtime) }
        try SealedSelf.ensure(arguments: arguments)
        return context
    }

    private func spec(_ options: SpecOptions) throws(Failure) {
        log.begin(act: "writeSpec", options.bundle)
        defer { log.end(.runtime) }
        try SpecFile.write(options)
    }

    private func features() throws(Failure) {
        log.begin(act: "collectFeatures")
        let text = try FeaturesReport.text(libseccomp: SeccompFilter.libraryVersion)
        log.end(.runtime)
        try print(text)
    }

    private func start(_ id: String) throws(Failure) {
        let manager = try NotifySocket.address(in: Processes.environment)
        try Start.run(id: try checked(id), notifySocket: manager, try context())
    }

    private func request(_ options: CreateOptions, _ id: String) throws(Failure) -> CreateRequest {
        let listen = ListenDescriptors(Processes.environment)
        var request = CreateRequest(id: try checked(id), bundle: options.bundle)
        request.configFile = options.configFile
        request.consoleSocket = options.consoleSocket
        request.pidFile = options.pidFile
        request.pidfdSocket = options.pidfdSocket
        request.noPivot = options.noPivot
        request.noNewKeyring = options.noNewKeyring
        request.preservedDescriptors = options.preserveFDs + listen.count
        request.listenEnvironment = listen.environment
        request.notifySocket = try NotifySocket.address(in: Processes.environment)
        return request
    }

    private func create(_ options: CreateOptions, _ id: String) throws(Failure) {
        let request = try request(options, id)
        try Create.run(request, try sealedContext())
    }

    private func run(_ options: RunOptions, _ id: String) throws(Failure) -> ExitStatus {
        let request = try request(options.create, id)
        return Self.status(of: try Run.run(request, options.settings, try sealedContext()))
    }

    private func restore(
        _ options: RunOptions,
        _ settings: CheckpointSettings,
        _ id: String
    ) throws(Failure) -> ExitStatus {
        let request = try request(options.create, id)
        return Self.status(of: try Restore.run(request, settings, options.settings, try sealedContext()))
    }

    private func exec(_ options: ExecOptions) throws(Failure) -> ExitStatus {
        let listen = ListenDescriptors(Processes.environment)
        _ = try checked(options.id)
        var request = ExecRequest(options)
        request.preservedDescriptors = options.preserveFDs + listen.count
        request.listenEnvironment = listen.environment
        for name in options.unknownCapabilities {
            log.warning("--cap: \"\(name)\" is left out: it is no capability; give a name such as CAP_NET_ADMIN")
        }
        return Self.status(of: try Exec.run(request, try sealedContext()))
    }

    private static func status(of end: LinuxSystem.ExitStatus?) -> ExitStatus {
        switch end {
        case .exited(let code)?: .exited(code)
        case .signalled(let signal)?: .killed(by: signal)
        case nil: .success
        }
    }

    private func state(_ id: String) throws(Failure) {
        let summary = try Query.state(id: try checked(id), try context())
        try print(Listing.text(of: ContainerListing(summary, owner: "")))
    }

    private func list(_ options: ListOptions) throws(Failure) {
        let containers = try Query.list(try context()).map { ContainerListing($0, owner: UserNames.name(of: $0.owner)) }
        try print(Listing.text(of: containers, options))
    }

    private func kill(_ options: KillOptions) throws(Failure) {
        let context = try context()
        // 0 sends nothing and asks whether there is a process; see kill(2).
        let number = options.signal == "0" ? 0 : SignalNumber(options.signal)?.rawValue
        guard let number else {
            throw Failure(
                "signal \"\(options.signal)\": expected a name such as TERM or SIGTERM, or a number from 1 to 64",
                .usage,
                subject: options.signal
            )
        }
        for id in try ids(options.containers, context) {
            try Kill.run(id: id, signal: number, all: options.all, context)
        }
    }

    private func delete(_ options: DeleteOptions) throws(Failure) {
        let context = try context()
        var last: Failure?
        for id in try ids(options.containers, context) {
            do throws(Failure) {
                try Delete.run(id: id, force: options.force, context)
            } catch {
                // The others are deleted all the same, and each failure is told.
                if let last { log.warning(last.line) }
                last = error
            }
        }
        if let last { throw last }
    }

    private func ids(_ selection: ContainerSelection, _ context: RuntimeContext) throws(Failure) -> [String] {
        switch selection {
        case .ids(let ids):
            for id in ids { _ = try checked(id) }
            return ids
        case .matching(let expression):
            let known = try context.stateRoot.identifiers()
            guard let pattern = ExtendedPattern(expression) else {
                throw Failure(
                    "--regex \"\(expression)\": expected a POSIX extended regular expression",
                    .usage,
                    subject: "--regex"
                )
            }
            return known.filter { pattern.matches($0) }
        }
    }

    private func explain(_ options: ExplainOptions) throws(Failure) {
        var request = CreateRequest(id: "ID", bundle: options.bundle)
        request.configFile = options.configFile
        request.notifySocket = try NotifySocket.address(in: Processes.environment)
        try print(ExplainText.text(of: try Explain.run(request, try context()), options.format))
    }
}

extension RunOptions {
    fileprivate var settings: Run.Options {
        var run = Run.Options()
        run.detach = detach
        run.keep = keep
        run.noSubreaper = create.noSubreaper
        return run
    }
}

extension ExecRequest {
    init(_ options: ExecOptions) {
        switch options.program {
        case .file(let path, let tty): self.init(id: options.id, program: .file(path, terminal: tty))
        case .command(let words, let given):
            var changes = ProcessChanges()
            changes.terminal = given.tty
            changes.workingDirectory = given.cwd
            changes.environment = given.environment
            changes.userID = given.userID
            changes.groupID = given.groupID
            changes.additionalGroups = given.additionalGroups
            changes.capabilities = given.capabilities
            changes.noNewPrivileges = given.noNewPrivileges
            changes.apparmorProfile = given.apparmorProfile
            changes.selinuxLabel = given.selinuxLabel
            self.init(id: options.id, program: .command(words, changes))
        }
        detach = options.detach
        consoleSocket = options.consoleSocket
        pidFile = options.pidFile
        pidfdSocket = options.pidfdSocket
        cgroups = options.cgroups.map { ($0.controllers, $0.path) }
        ignoresPause = options.ignorePaused
    }
}

extension ContainerListing {
    init(_ summary: ContainerSummary, owner: String) {
        self.init(
            ociVersion: summary.ociVersion,
            id: summary.id,
            pid: Int(summary.pid),
            status: summary.status,
            bundle: summary.bundle,
            rootfs: summary.rootfs,
            created: summary.created,
            annotations: OrderedMap(summary.annotations.map { (key: $0.key, value: $0.value) }),
            owner: owner
        )
    }
}
