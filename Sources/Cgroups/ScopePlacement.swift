// Where a container's cgroups are when systemd makes them. Pure but for the look at how cgroups are mounted.

package import Configuration
package import Diagnostics
internal import LinuxSystem
package import Systemd

/// The unit that a container's cgroups belong to.
package struct ScopePlacement: Equatable, Sendable {
    /// The unit and its slice.
    package let name: ScopeName
    package let instance: SystemdInstance

    package init(name: ScopeName, instance: SystemdInstance) {
        self.name = name
        self.instance = instance
    }
}

extension CgroupPlacement {
    /// Whether only systemd can put one of this process's children into the cgroups: a user's runtime is outside of what
    /// was delegated to the user. Who moves a process writes, so to speak, also to the closest cgroup that is above both
    /// places: cgroups(7), "Delegation containment".
    package func needsSystemdToEnter() -> Bool {
        guard isRootless, mode == .unified, scope?.instance.isUser == true, let location = locations.first,
            let bytes = try? BorrowedFD.workingDirectory.contents(of: "/proc/self/cgroup", limit: 65_536),
            let own = CgroupMembership.parse(bytes).first(where: { $0.hierarchy.isEmpty })
        else { return false }
        let pairs = zip(Self.components(of: own.path), Self.components(of: location.path))
        let common = pairs.prefix { $0 == $1 }.map { "/\($0.0)" }.joined()
        let file = "\(location.mountPoint)\(common)/cgroup.procs"
        return (try? BorrowedFD.workingDirectory.checkWritable(file)) == nil
    }

    /// The placement in a scope, on this machine.
    /// - Parameters:
    ///   - controlGroup: The manager's own cgroup, as it says; empty for the root.
    ///   - isRootless: As in `init`; the files are a user's only as far as systemd gave them.
    package static func plan(
        scope: ScopePlacement,
        controlGroup: String,
        resources: ResourceConfiguration,
        isRootless: Bool
    ) throws(Failure) -> CgroupPlacement {
        let layout = try CgroupLayout.discover(
            controllers: ResourceTranslation.legacyControllers(of: resources),
            needsOwnPaths: false
        )
        let path = components(of: "\(controlGroup)/\(scope.name.path)").joined(separator: "/")
        return CgroupPlacement(
            mode: layout.mode,
            locations: layout.hierarchies.map {
                CgroupLocation(hierarchy: $0.name, mountPoint: $0.mountPoint, path: path)
            },
            isRootless: isRootless,
            scope: scope
        )
    }
}
