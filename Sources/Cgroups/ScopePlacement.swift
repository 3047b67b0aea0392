// Where a container's cgroups are when systemd makes them. Pure but for the look at how cgroups are mounted.

package import Configuration
package import Diagnostics
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
