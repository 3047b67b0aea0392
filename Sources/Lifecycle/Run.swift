// `run`: create, start and, in the foreground, stay: forward signals, carry the terminal, reap, and end with the
// program's status.

internal import Cgroups
internal import Configuration
package import Diagnostics
internal import Launch
package import LinuxSystem
internal import Records

/// `run`.
package enum Run {
    /// What `run` does beside creating.
    package struct Options: Sendable {
        package var detach = false
        /// Leaves the container's state behind when it ends.
        package var keep = false
        package var noSubreaper = false

        package init() {}
    }

    /// Creates and starts a container.
    /// - Returns: How its program ended; `nil` when detached.
    package static func run(
        _ request: CreateRequest,
        _ options: Options,
        _ context: RuntimeContext
    ) throws(Failure) -> ExitStatus? {
        let birth = try Create.prepare(request, options.detach ? .detached : .foreground, context)
        if options.detach {
            try birth.create()
            let notices: NotifyProxy?
            do throws(Failure) {
                notices = try listenForNotices(birth, context)
            } catch {
                throw birth.rollBack(after: error)
            }
            try start(birth, context)
            try waitForReadiness(birth, notices, context)
            return nil
        }
        // Signals wait from here on, so that none is lost between the clone and the first reading.
        try attempt("block signals", .sigprocmask) { () throws(Errno) in try Signals.blockAll() }
        if !options.noSubreaper {
            try attempt("become the reaper of the container's orphans", .prctl) { () throws(Errno) in
                try Processes.becomeSubreaper()
            }
        }
        try birth.create()
        let foreground: Foreground
        do throws(Failure) {
            // Before the start: the program must see the terminal's size from its first instruction on.
            foreground = try Foreground(
                process: birth.initDescriptor,
                pid: birth.currentRecord.pid,
                terminal: birth.hasForegroundTerminal ? try birth.receiveTerminal() : nil,
                notices: try listenForNotices(birth, context)
            )
        } catch {
            throw birth.rollBack(after: error)
        }
        try start(birth, context)
        let inode = birth.directoryInode
        birth.releaseLock()
        let status = try foreground.stay(context.log)
        // A limit too low for the program ends it before its first word.
        if status == .signalled(9), birth.ranOutOfMemory { context.log.warning(outOfMemory(request.id)) }
        if !options.keep { try remove(birth.currentRecord, inode, context, cgroup: birth.cgroupFiles) }
        return status
    }

    /// Of a program that signal 9 ended.
    static func outOfMemory(_ id: String) -> String {
        "the program was OOM-killed: the memory limit of container \(id) was reached"
    }

    private static func start(_ birth: RuntimeSide, _ context: RuntimeContext) throws(Failure) {
        do throws(Failure) {
            guard birth.currentRecord.hasProcess else {
                throw Failure(
                    "cannot run container \(birth.currentRecord.id): its config.json has no process section",
                    .configInvalid,
                    subject: "process"
                )
            }
            context.log.begin(act: "startProgram")
            defer { context.log.end(.runtime) }
            guard try birth.start() else { return }
        } catch {
            throw birth.rollBack(after: error)
        }
        try runPoststartHooks(birth, context)
    }

    /// - Returns: `nil` when there is no service manager to tell anything.
    private static func listenForNotices(_ birth: RuntimeSide, _ context: RuntimeContext) throws(Failure)
        -> NotifyProxy?
    {
        let record = birth.currentRecord
        guard let address = record.notifySocket else { return nil }
        return try NotifyProxy(in: try context.open(record.id, lock: nil), address: address, context.log)
    }

    private static func waitForReadiness(
        _ birth: RuntimeSide,
        _ notices: NotifyProxy?,
        _ context: RuntimeContext
    ) throws(Failure) {
        guard let notices else { return }
        // Others must be able to end a container that never becomes ready.
        birth.releaseLock()
        let pid = birth.currentRecord.pid
        if try !notices.waitForReadiness(process: birth.initDescriptor, pid: pid) {
            context.log.warning(NotifyProxy.warning(birth.currentRecord.id))
        }
    }

    private static func runPoststartHooks(_ birth: RuntimeSide, _ context: RuntimeContext) throws(Failure) {
        let record = birth.currentRecord
        for (index, hook) in record.poststart.map(\.hook).enumerated() {
            do throws(Failure) {
                context.log.begin(act: "hook", "poststart[\(index)] \(hook.path)")
                defer { context.log.end(.runtime) }
                try HookRunner.run(
                    hook,
                    .poststart,
                    index: index,
                    of: record.hookState,
                    status: "running",
                    pid: record.pid
                )
            } catch {
                throw birth.rollBack(after: error.stamped(StepName(index: index + 1, name: "hook"), .runtime))
            }
        }
    }

    static func remove(
        _ record: ContainerRecord,
        _ inode: UInt64,
        _ context: RuntimeContext,
        cgroup: (any CgroupManager)? = nil
    ) throws(Failure) {
        // Somebody else may have deleted it meanwhile, and even made another of that name.
        guard let directory = try context.openIfPresent(record.id, lock: .exclusive),
            directory.inode == inode
        else { return }
        try Deletion(record, directory, context.log, cgroup: cgroup).run()
    }
}
