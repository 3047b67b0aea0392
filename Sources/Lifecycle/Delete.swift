// `delete`: removes everything that a container has, from whatever point its life was cut off at. It is also the
// recovery from every crash: nothing but the record is needed, and it can be run again until it succeeds.

internal import Cgroups
internal import Configuration
package import Diagnostics
internal import JSON
internal import KernelTypes
internal import Launch
internal import LinuxSystem
internal import OCISpec
internal import Records
internal import Systemd

/// `delete`.
package enum Delete {
    /// Removes a container.
    /// - Parameter force: Also a running one; and one that does not exist is no error.
    package static func run(id: String, force: Bool, _ context: RuntimeContext) throws(Failure) {
        guard let directory = try context.openIfPresent(id, lock: .exclusive) else {
            if force { return }
            throw Failure(
                "container does not exist: \(id) (state root \(context.stateRoot.path))",
                .containerNotFound,
                subject: id
            )
        }
        let record: ContainerRecord?
        do throws(Failure) {
            record = try context.record(in: directory)
        } catch  where force {
            return try removeUnreadable(directory, context)
        }
        // A creation that was cut off before its first word made nothing but the directory.
        guard let record else { return try directory.remove() }
        if !force {
            let status = try context.status(of: record, in: directory, isLocked: true)
            guard status != .running && status != .paused else {
                throw Failure(
                    "cannot delete container \(id) that is not stopped: \(status.rawValue)",
                    .wrongState,
                    subject: id,
                    hint: "apus delete --force \(id)"
                )
            }
        }
        try Deletion(record, directory, context.log).run()
    }

    /// A record that cannot be read: the cgroup is found again from the kept config.json, and holds every process.
    private static func removeUnreadable(_ directory: ContainerDirectory, _ context: RuntimeContext) throws(Failure) {
        context.log.begin(act: "removeUnreadable", directory.id)
        defer { context.log.end(.runtime) }
        let facts = HostProbe.facts()
        var cgroupsPath: String?
        if let bytes = try? directory.readConfiguration(),
            let spec = try? JSONDecoder().decode(RuntimeSpec.self, from: bytes)
        {
            cgroupsPath = spec.linux?.cgroupsPath
        }
        let cgroup = try cgroup(cgroupsPath, id: directory.id, facts, context).makeManager()
        try cgroup.killAll(deadline: Deadline.cleanup)
        try cgroup.remove(deadline: Deadline.cleanup)
        try directory.remove()
        for warning in cgroup.warnings { context.log.warning(warning) }
        context.log.warning("the record of container \(directory.id) was damaged: its poststop hooks were not run")
    }

    /// Where the cgroups of a container must be of which only the path is known.
    private static func cgroup(
        _ cgroupsPath: String?,
        id: String,
        _ facts: HostFacts,
        _ context: RuntimeContext
    ) throws(Failure) -> CgroupPlacement {
        let instance = SystemdInstance.ofThisProcess(isRootless: facts.isRootless)
        if cgroupsPath != nil || context.cgroupDriver == .systemd,
            let name = try? ScopeName(cgroupsPath: cgroupsPath, id: id, isUser: instance.isUser)
        {
            return try CgroupPlacement.plan(
                scope: ScopePlacement(name: name, instance: instance),
                controlGroup: instance.usualControlGroup,
                resources: ResourceConfiguration(),
                isRootless: facts.isRootless
            )
        }
        return try CgroupPlacement(
            layout: try CgroupLayout.discover(controllers: [], needsOwnPaths: true),
            cgroupsPath: cgroupsPath,
            id: id,
            isRootless: facts.isRootless
        )
    }
}

/// Performs the steps of `delete`.
final class Deletion {
    private static let SIGKILL: CInt = 9

    private let record: ContainerRecord
    private let directory: ContainerDirectory
    private let cgroup: any CgroupManager
    private let log: Log

    /// - Parameter cgroup: Where this process made the container, so that its files are still open.
    init(
        _ record: ContainerRecord,
        _ directory: ContainerDirectory,
        _ log: Log,
        cgroup: (any CgroupManager)? = nil
    ) {
        self.record = record
        self.directory = directory
        self.log = log
        self.cgroup = cgroup ?? record.cgroups.placement.makeManager()
    }

    func run() throws(Failure) {
        let steps = Birth.deletionSteps(poststop: record.poststop.map(\.hook))
        for (index, step) in steps.enumerated() {
            log.begin(.runtime, index + 1, of: steps.count, step.name, step.detail)
            do throws(Failure) {
                defer { log.end(.runtime) }
                try perform(step)
            } catch {
                throw error.stamped(StepName(index: index + 1, name: step.name), .runtime, about: step.subject)
            }
        }
    }

    private func perform(_ step: DeletionStep) throws(Failure) {
        switch step {
        case .endProcesses: try endProcesses()
        case .removeCgroup: try removeCgroup()
        case .hook(let point, let index, let hook): runHook(hook, point, index)
        case .removeRecord: try directory.remove()
        }
    }

    private func endProcesses() throws(Failure) {
        let deadline = Deadline.cleanup
        if let pidfd = try ProcessIdentity.open(record) {
            do throws(Errno) {
                try Processes.signal(pidfd.borrowed, Self.SIGKILL)
            } catch .ESRCH {
            } catch {
                throw Failure("kill the container's process \(record.pid)", .pidfdSendSignal, error)
            }
            try cgroup.thawToKill()
            let ended = try attempt("wait for process \(record.pid) to end", .poll) { () throws(Errno) in
                try Polling.wait(for: pidfd.borrowed, .readable, deadline: deadline)
            }
            guard ended != nil else {
                throw Failure(
                    "container init still running: process \(record.pid) did not end within 10 s of SIGKILL",
                    .timeout
                )
            }
        }
        if mayHaveLeftProcesses { try cgroup.killAll(deadline: deadline) }
    }

    /// Whether processes in the cgroup can be the container's although its first one has ended: those of a pid namespace that
    /// it shared. Everything else ended with the first process, or, until that is on record, with the runtime; who is in
    /// the cgroup now is somebody else, to whom the path was given, too.
    private var mayHaveLeftProcesses: Bool {
        guard record.pid != 0, (try? ProcessIdentity.bootID()) == record.bootID else { return false }
        return !record.ownsPIDNamespace
    }

    private func removeCgroup() throws(Failure) {
        // What a runtime that was killed has left in cgroups without a scope is waited for, and named if it does not end.
        let isUnfinished = record.pid == 0 && record.cgroups.placement.scope == nil
        // Nearly always nobody is left, and the processes need not be listed.
        if !isUnfinished, !mayHaveLeftProcesses, try !cgroup.removeIfUnused(),
            let others = try? cgroup.processes(), !others.isEmpty
        {
            log.warning("the cgroup of container \(record.id) stays: \(others.count) process(es) of others are in it")
            return
        }
        try cgroup.remove(deadline: Deadline.cleanup)
        for warning in cgroup.warnings { log.warning(warning) }
    }

    /// Runtime-spec: runtime.md, Lifecycle: a poststop hook that fails is a warning, and the next one runs.
    private func runHook(_ hook: Configuration.Hook, _ point: HookPoint, _ index: Int) {
        do throws(Failure) {
            try HookRunner.run(hook, point, index: index, of: record.hookState, status: "stopped", pid: nil)
        } catch {
            log.warning(error.line)
        }
    }
}
