// Sets the limits of init from outside, when it only waits for `start`. Called by RuntimeSide.swift. The limits are the
// process's own affair from then on: nothing here looks at them again.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem

enum ProcessLimits {
    /// Sets one entry of process.rlimits. See prlimit(2).
    static func set(
        _ limit: ResourceLimit,
        of pid: CInt,
        _ configuration: ContainerConfiguration
    ) throws(Failure) {
        do throws(Errno) {
            try set(limit, of: pid, user: configuration.namespaces.isSeparate(.user) ? nil : configuration.process?.user)
        } catch {
            throw Failure("set \(limit.name) of process.rlimits to \(limit.soft):\(limit.hard)", .prlimit, error)
        }
    }

    /// Init has its final ids by now, and prlimit(2) lets a caller without CAP_SYS_RESOURCE, as in a container itself,
    /// touch only processes of its own real ids.
    /// - Parameter user: Whose ids init has on the host; `nil` when they differ from those in the configuration.
    private static func set(_ limit: ResourceLimit, of pid: CInt, user: UserConfiguration?) throws(Errno) {
        do throws(Errno) {
            try Limits.set(limit.resource, ofProcess: pid, soft: limit.soft, hard: limit.hard)
        } catch {
            guard error == .EPERM, let user, user.uid != 0 || user.gid != 0 else { throw error }
            try Credentials.withRealIDs(user: user.uid, group: user.gid) { () throws(Errno) in
                try Limits.set(limit.resource, ofProcess: pid, soft: limit.soft, hard: limit.hard)
            }
        }
    }
}
