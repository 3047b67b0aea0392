// To whom the container's cgroup is given. Runtime-spec: config-linux.md, Cgroup ownership. Pure.

internal import Configuration
internal import KernelTypes

extension ContainerConfiguration {
    /// The user, as the host counts, that is to own the container's cgroup: who executes the program, if that user can
    /// write to the cgroup at all and it is v2, where giving it away is safe. `nil` when it stays the runtime's.
    func cgroupOwner(_ f: HostFacts) -> UInt32? {
        guard f.cgroupMode == .unified, !f.isRootless, namespaces.creates(.cgroup), let process else { return nil }
        let isWritable = mounts.contains {
            $0.kind == .cgroup && $0.source == "cgroup" && $0.destination == "/sys/fs/cgroup"
                && !$0.options.set.contains(.readOnly)
        }
        guard isWritable, let owner = hostUser(process.user.uid), owner != f.effectiveUserID else { return nil }
        return owner
    }

    /// `nil` where only the kernel knows: in a user namespace that somebody else made.
    private func hostUser(_ uid: UInt32) -> UInt32? {
        if namespaces.joins(.user) { return nil }
        guard namespaces.creates(.user) else { return uid }
        let mapping = uidMappings.first { $0.containerID <= uid && uid - $0.containerID < $0.size }
        return mapping.map { $0.hostID + (uid - $0.containerID) }
    }
}
