// Where the container's cgroups are, in the words that Rootfs mounts them by: the two rooms do not know each other.

package import Cgroups
internal import LinuxSystem
package import Rootfs

extension CgroupPlacement {
    /// What a mount of type `cgroup` shows of this container.
    /// - Returns: Without those that an ordinary user could not make and does without.
    package func mountSources() -> [CgroupMountSource] {
        let made = locations.filter { location in
            // systemd makes all of its own, later.
            !isRootless || scope != nil || (try? BorrowedFD.workingDirectory.facts(of: location.directory)) != nil
        }
        return made.map { location in
            let name = location.mountPoint.cut(atLast: "/").after
            if location.isUnified {
                return CgroupMountSource(
                    version: .unified,
                    name: name,
                    parameters: [],
                    links: [],
                    path: location.directory
                )
            }
            let controllers = location.hierarchy.parts(separatedBy: ",")
            let isNamed = location.hierarchy.hasPrefix("name=")
            return CgroupMountSource(
                version: .legacy,
                name: name,
                parameters: isNamed ? ["none", location.hierarchy] : controllers,
                links: controllers.count > 1 ? controllers : [],
                path: location.directory
            )
        }
    }
}
