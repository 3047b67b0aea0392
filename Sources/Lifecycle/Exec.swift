// `exec`: a further process in a container that runs, or that was created and waits.

internal import Cgroups
internal import Configuration
package import Diagnostics
internal import KernelTypes
internal import Launch
package import LinuxSystem
internal import OCISpec
internal import Records

/// `exec`.
package enum Exec {
    /// Runs a process in a container.
    /// - Returns: How it ended; `nil` when detached.
    package static func run(_ request: ExecRequest, _ context: RuntimeContext) throws(Failure) -> ExitStatus? {
        let exec = try prepare(request, context)
        if request.detach {
            try exec.enter()
            try exec.start()
            return nil
        }
        // Signals wait from here on, so that none is lost between the clone and the first reading.
        try attempt("block signals", .sigprocmask) { () throws(Errno) in try Signals.blockAll() }
        try exec.enter()
        let foreground: Foreground
        do throws(Failure) {
            // Before the start: the program must see the terminal's size from its first instruction on.
            foreground = try Foreground(
                process: exec.descriptor,
                pid: exec.pid,
                terminal: exec.hasForegroundTerminal ? try exec.receiveTerminal() : nil
            )
        } catch {
            throw exec.rollBack(after: error)
        }
        do throws(Failure) {
            try exec.start()
        } catch {
            foreground.restoreTerminal()
            throw error
        }
        let status = try foreground.stay(context.log)
        if status == .signalled(9), exec.ranOutOfMemory { context.log.warning(Run.outOfMemory(request.id)) }
        return status
    }

    /// Everything up to the first change of anything.
    private static func prepare(_ request: ExecRequest, _ context: RuntimeContext) throws(Failure) -> ExecSide {
        let directory = try context.open(request.id, lock: nil)
        guard let record = try context.record(in: directory) else {
            throw Failure(
                "cannot exec in a container that is being created or deleted",
                .wrongState,
                subject: request.id
            )
        }
        let cgroup = record.cgroups.placement.makeManager()
        let pidfd = try enterable(record, directory, cgroup, ignoringPause: request.ignoresPause, context)
        context.log.begin(act: "plan")
        defer { context.log.end(.runtime) }
        let facts = HostProbe.facts()
        let configuration: ContainerConfiguration
        let subgroups: [CgroupSubgroup]
        let placement: CgroupPlacement
        let entry: ContainerEntry
        do throws(Failure) {
            configuration = try Self.configuration(request, record, directory, facts, context.stateRoot)
            subgroups = try Self.subgroups(request, cgroup.placement)
            placement = try subgroups.isEmpty ? nested(cgroup.placement, record.pid) : cgroup.placement
            entry = ContainerEntry(
                kinds: try ContainerEntry.kinds(of: record.pid, made: configuration.namespaces.created),
                cgroups: placement.locations.map(\.directory),
                isPlacedBySystemd: subgroups.isEmpty && placement.needsSystemdToEnter(),
                facts
            )
        } catch {
            // The files of a container that ended, and its directories in /proc, may be gone.
            throw try lives(pidfd.borrowed) ? error : stopped(request.id)
        }
        // What was looked at by its pid was the container's process, if that is still there.
        guard try lives(pidfd.borrowed) else { throw stopped(request.id) }
        return try ExecSide(
            configuration,
            facts,
            try launchRequest(request, record, configuration),
            entry,
            container: pidfd,
            containerPID: record.pid,
            stateRoot: context.stateRoot,
            cgroup: placement == cgroup.placement ? cgroup : placement.makeManager(),
            subgroups: subgroups,
            log: context.log
        )
    }

    /// The container's process, if it can be joined now.
    private static func enterable(
        _ record: ContainerRecord,
        _ directory: ContainerDirectory,
        _ cgroup: any CgroupManager,
        ignoringPause: Bool,
        _ context: RuntimeContext
    ) throws(Failure) -> OwnedFD {
        context.log.begin(act: "findStatus", record.id)
        defer { context.log.end(.runtime) }
        if record.phase == .creating {
            guard try ContainerStatus.of(record, in: directory, isLocked: false) == .creating else {
                throw stopped(record.id)
            }
            throw Failure("cannot exec in a container that is being created", .wrongState, subject: record.id)
        }
        guard let pidfd = try ProcessIdentity.open(record) else { throw stopped(record.id) }
        if !ignoringPause, try cgroup.isFrozen() {
            throw Failure(
                "cannot exec in a paused container (use --ignore-paused to override)",
                .wrongState,
                subject: record.id
            )
        }
        return pidfd
    }

    private static func stopped(_ id: String) -> Failure {
        Failure("cannot exec in a stopped container", .wrongState, subject: id)
    }

    private static func lives(_ pidfd: BorrowedFD) throws(Failure) -> Bool {
        try attempt("look whether the container lives", .poll) { () throws(Errno) in
            try Polling.wait(for: pidfd, .readable, deadline: 0) == nil
        }
    }

    /// The container's configuration, with the new process in the place of its own. Its sysctls are set already.
    private static func configuration(
        _ request: ExecRequest,
        _ record: ContainerRecord,
        _ directory: ContainerDirectory,
        _ facts: HostFacts,
        _ stateRoot: StateRoot
    ) throws(Failure) -> ContainerConfiguration {
        let kept = try KeptConfiguration.readForProcess(directory, record, facts, filters: stateRoot)
        var configuration = kept.configuration
        // Said already when the container was created; a probe that comes every second would say it every second. A process
        // file names the same places without the section that they are in.
        let known = configuration.warnings
        configuration.warnings = []
        var warnings: [String] = []
        configuration.process = try request.process(
            besides: kept.spec.process,
            in: configuration,
            facts: facts,
            warnings: &warnings
        )
        configuration.warnings = warnings.filter { warning in !known.contains { $0.hasSuffix(warning) } }
        configuration.sysctls = []
        return configuration
    }

    private static func launchRequest(
        _ request: ExecRequest,
        _ record: ContainerRecord,
        _ configuration: ContainerConfiguration
    ) throws(Failure) -> LaunchRequest {
        var launch = LaunchRequest(id: record.id, bundle: record.bundle)
        launch.gate = .channel
        launch.console = try Create.console(
            configuration.process,
            request.detach ? .detached : .foreground,
            socket: request.consoleSocket
        )
        launch.noNewKeyring = record.keepsKeyring ?? false
        launch.preservedDescriptors = request.preservedDescriptors
        launch.listenEnvironment = request.listenEnvironment
        launch.pidFile = try request.pidFile.map { path throws(Failure) in try AbsolutePath.of(path) }
        launch.pidfdSocket = request.pidfdSocket
        return launch
    }
}

// MARK: - Cgroups

extension Exec {
    /// `--cgroup`, against what the container has.
    private static func subgroups(
        _ request: ExecRequest,
        _ placement: CgroupPlacement
    ) throws(Failure) -> [CgroupSubgroup] {
        if !request.cgroups.isEmpty && placement.locations.isEmpty {
            throw Failure("--cgroup: the container has no cgroup of its own", .usage, subject: "--cgroup")
        }
        var subgroups: [CgroupSubgroup] = []
        for (controllers, path) in request.cgroups {
            for controller in controllers {
                if placement.mode == .unified {
                    throw Failure(
                        "--cgroup \(controller):\(path): cgroup v2 has no controllers of their own place",
                        .usage,
                        subject: "--cgroup"
                    )
                }
                guard placement.locations.contains(where: { $0.carries(controller) }) else {
                    throw Failure(
                        "--cgroup \(controller):\(path): the container has no cgroup of this controller",
                        .usage,
                        subject: "--cgroup"
                    )
                }
            }
            subgroups.append(CgroupSubgroup(controllers: controllers, path: path))
        }
        return subgroups
    }

    /// A v2 cgroup whose children have controllers may hold no process itself: then init has moved below it, and that is
    /// where others can be.
    private static func nested(_ placement: CgroupPlacement, _ pid: CInt) throws(Failure) -> CgroupPlacement {
        guard placement.mode == .unified, let location = placement.locations.first else { return placement }
        let file = "\(location.directory)/cgroup.subtree_control"
        guard let enabled = try? BorrowedFD.workingDirectory.contents(of: file, limit: 4096),
            enabled.contains(where: { $0 > UInt8(ascii: " ") })
        else { return placement }
        let bytes = try attempt("read /proc/\(pid)/cgroup", .read) { () throws(Errno) in
            try BorrowedFD.workingDirectory.contents(of: "/proc/\(pid)/cgroup", limit: 65_536)
        }
        return placement.following(CgroupMembership.parse(bytes))
    }
}
