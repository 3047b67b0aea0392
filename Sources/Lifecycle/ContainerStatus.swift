// What a container is doing now: derived from the record and from the kernel, never stored, so that it cannot be stale.
// Runtime-spec: runtime.md, State.

internal import Cgroups
internal import Diagnostics
internal import LinuxSystem
internal import OCISpec
internal import Records

extension ContainerStatus {
    /// What the container is doing now.
    /// - Parameter isLocked: Whether this command itself holds the container's lock.
    static func of(
        _ record: ContainerRecord,
        in directory: ContainerDirectory,
        isLocked: Bool
    ) throws(Failure) -> ContainerStatus {
        let lives = try ProcessIdentity.open(record) != nil
        if record.phase == .creating {
            // A creation that was interrupted leaves nothing running, or something that must not be called stopped.
            return lives || (!isLocked && !directory.isUnlocked) ? .creating : .stopped
        }
        guard lives else { return .stopped }
        if try record.cgroups.placement.makeManager().isFrozen() { return .paused }
        return directory.isGateHeld ? .created : .running
    }
}
