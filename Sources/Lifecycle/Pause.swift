// `pause` and `resume`: every process of the container stands still, or runs again. That a container is paused is not
// stored: its cgroup says so (see ContainerStatus), also after a `pause` that was killed half way.

internal import Cgroups
package import Diagnostics
internal import LinuxSystem
internal import OCISpec
internal import Records

/// `pause` and `resume`.
package enum Pause {
    /// How long all processes may take to stand still. One that waits for a device takes part only when that answers.
    private static let limit: Int64 = 5_000_000_000

    /// Stops all processes of a created or running container; when it throws, they run.
    package static func pause(id: String, _ context: RuntimeContext) throws(Failure) {
        let (directory, record) = try openForChange(id, context)
        switch try context.status(of: record, in: directory, isLocked: true) {
        case .paused: throw Failure("container already paused: \(id)", .wrongState, subject: id)
        case .created, .running: break
        case let other: throw Failure("container not running: \(id) is \(other.rawValue)", .wrongState, subject: id)
        }
        context.log.begin(act: "freeze")
        defer { context.log.end(.runtime) }
        let cgroup = record.cgroups.placement.makeManager()
        try cgroup.freeze(deadline: Machine.monotonicNanoseconds() + limit)
    }

    /// Lets the processes of a paused container run again.
    package static func resume(id: String, _ context: RuntimeContext) throws(Failure) {
        let (directory, record) = try openForChange(id, context)
        let status = try context.status(of: record, in: directory, isLocked: true)
        guard status == .paused else {
            throw Failure("container not paused: \(id) is \(status.rawValue)", .wrongState, subject: id)
        }
        context.log.begin(act: "thaw")
        defer { context.log.end(.runtime) }
        let cgroup = record.cgroups.placement.makeManager()
        try cgroup.thaw()
        if try cgroup.isFrozen() {
            throw Failure(
                "resume container \(id): its processes still stand still",
                .wrongState,
                subject: id,
                hint: "a cgroup above the container's own is frozen"
            )
        }
    }

    /// Opens a container whose creation is not cut off, and locks it.
    static func openForChange(
        _ id: String,
        _ context: RuntimeContext
    ) throws(Failure) -> (ContainerDirectory, ContainerRecord) {
        let directory = try context.open(id, lock: .exclusive)
        guard let record = try context.record(in: directory) else {
            throw Failure(
                "container not running: the creation of \(id) was interrupted",
                .wrongState,
                subject: id,
                hint: "apus delete --force \(id)"
            )
        }
        return (directory, record)
    }
}
