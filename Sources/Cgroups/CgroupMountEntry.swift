// What a mount of type cgroup in the container has to show, as plain values for Rootfs, which knows nothing of cgroups.

internal import LinuxSystem

/// One hierarchy of a container's /sys/fs/cgroup.
package struct CgroupMountEntry: Equatable, Sendable {
    /// The directory's name below /sys/fs/cgroup: `cpu,cpuacct`; for the only hierarchy of a v2 machine it is not used.
    package let name: String
    /// Links to it: `cpu` and `cpuacct`.
    package let links: [String]
    /// The container's own cgroup on the host, to be bound where there is no cgroup namespace.
    package let hostDirectory: String
    /// `cgroup` or `cgroup2`, to be mounted in a cgroup namespace of its own.
    package let fileSystem: String
    /// The mount's data: `cpu,cpuacct`, `none,name=systemd`; empty for v2.
    package let data: String
}

extension CgroupPlacement {
    /// All hierarchies, in the order of the locations.
    package var mountEntries: [CgroupMountEntry] {
        locations.map { location in
            let name = location.mountPoint.cut(atLast: "/").after
            let controllers = location.hierarchy.parts(separatedBy: ",")
            return CgroupMountEntry(
                name: name,
                links: controllers.count > 1 ? controllers.filter { $0 != name } : [],
                hostDirectory: location.directory,
                fileSystem: location.isUnified ? "cgroup2" : "cgroup",
                data: location.hierarchy.hasPrefix("name=") ? "none,\(location.hierarchy)" : location.hierarchy
            )
        }
    }
}
