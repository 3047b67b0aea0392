// `events`: what a container uses, again and again, and each time that it ran out of memory, until it ends. One loop
// over what the kernel says and the clock.

internal import Cgroups
package import Diagnostics
internal import LinuxSystem
internal import OCISpec
internal import Records

/// `events`.
package final class EventStream {
    private let id: String
    private let pid: CInt
    private let process: OwnedFD
    private let cgroup: any CgroupManager
    private let log: Log

    /// - Throws: When the container does not exist or has ended.
    package init(id: String, _ context: RuntimeContext) throws(Failure) {
        let directory = try context.open(id, lock: nil)
        guard let record = try context.record(in: directory), record.phase == .created,
            let process = try ProcessIdentity.open(record)
        else { throw Failure("container with id \(id) is not running", .wrongState, subject: id) }
        self.id = id
        log = context.log
        self.process = process
        pid = record.pid
        cgroup = record.cgroups.placement.makeManager()
    }

    /// One line with what the container uses now.
    package func statistics() throws(Failure) -> String {
        log.begin(act: "readStatistics")
        defer { log.end(.runtime) }
        return StatisticsDocument.line(id: id, try cgroup.statistics(), try NetworkInterface.all(ofProcess: pid))
    }

    private func wait(
        for wanted: [(BorrowedFD, PollEvents)],
        until deadline: Int64
    ) throws(Failure) -> [PollEvents]? {
        log.begin(act: "waitForNews")
        defer { log.end(.runtime) }
        return try attempt("wait for the container", .poll) { () throws(Errno) in
            try Polling.wait(for: wanted, deadline: deadline)
        }
    }

    /// Until the container ends.
    /// - Parameters:
    ///   - interval: Between two statistics, in nanoseconds.
    ///   - emit: Gets each line as soon as there is one.
    package func run(interval: Int64, emit: (String) throws(Failure) -> Void) throws(Failure) {
        let memory = try cgroup.watchMemory()
        var next = Machine.monotonicNanoseconds() + interval
        while true {
            var wanted: [(BorrowedFD, PollEvents)] = [(process.borrowed, .readable)]
            if let memory { wanted.append(memory.wanted) }
            let ready = try wait(for: wanted, until: next)
            // Also when the process has ended: it may have been killed for lack of memory.
            if ready != nil, let memory, try memory.hasNews() {
                try emit(StatisticsDocument.outOfMemory(id: id))
            }
            if let ready, !ready[0].isEmpty { return }
            guard ready == nil else { continue }
            try emit(try statistics())
            next = max(next + interval, Machine.monotonicNanoseconds())
        }
    }
}
