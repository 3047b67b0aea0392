// `kill`: a signal for the container's process, through a pidfd whose identity was checked.

internal import Cgroups
package import Diagnostics
internal import Launch
internal import LinuxSystem
internal import Records

/// `kill`.
package enum Kill {
    private static let SIGKILL: CInt = 9

    /// Sends a signal to a created or running container.
    /// - Parameter all: To every process of the container's cgroup.
    package static func run(id: String, signal: CInt, all: Bool, _ context: RuntimeContext) throws(Failure) {
        let directory = try context.open(id, lock: nil)
        guard let record = try context.record(in: directory) else {
            throw Failure(
                "container not running: the creation of \(id) was interrupted",
                .wrongState,
                subject: id,
                hint: "apus delete --force \(id)"
            )
        }
        let cgroup = record.cgroups.placement.makeManager()
        context.log.begin(act: "sendSignal", "\(signal)")
        defer { context.log.end(.runtime) }
        if all {
            // Also after the first process has ended, where others of a shared pid namespace may be left. Else nobody is, and
            // who is in the cgroup is another container's.
            if record.ownsPIDNamespace || record.pid == 0, try ProcessIdentity.open(record) == nil { return }
            return try signalAll(signal, cgroup)
        }
        guard let pidfd = try ProcessIdentity.open(record) else {
            throw Failure("container not running: \(id)", .wrongState, subject: id)
        }
        if signal == SIGKILL && !record.ownsPIDNamespace && !cgroup.placement.locations.isEmpty {
            return try signalAll(signal, cgroup)
        }
        do throws(Errno) {
            try Processes.signal(pidfd.borrowed, signal)
        } catch .ESRCH {
            throw Failure("container not running: \(id)", .wrongState, subject: id)
        } catch {
            throw Failure(
                "send signal \(signal) to process \(record.pid) of container \(id)",
                .pidfdSendSignal,
                error,
                subject: id
            )
        }
        if signal == SIGKILL { try cgroup.thawToKill() }
    }

    private static func signalAll(_ signal: CInt, _ cgroup: any CgroupManager) throws(Failure) {
        guard signal == SIGKILL, !cgroup.placement.locations.isEmpty else { return try cgroup.signalAll(signal) }
        // Not once one by one: who is being born meanwhile would live.
        try cgroup.killAll(deadline: Deadline.cleanup)
    }
}
