// From `linux.cgroupsPath` to one directory in each hierarchy. Pure; called before anything is made, so that the
// container's record can name every directory first.

package import Configuration
package import Diagnostics
internal import LinuxSystem

/// A cgroup in one hierarchy.
package struct CgroupLocation: Equatable, Sendable {
    /// As /proc/self/cgroup calls the hierarchy: `cpu,cpuacct`, `name=systemd`; empty for v2.
    package let hierarchy: String
    package let mountPoint: String
    /// From the mount point, at least one component, without `.`, `..` and a slash at either end: `user.slice/web1`.
    package let path: String

    /// How many of the cgroups right above it were not there before; they go with it, unless they are in use by then.
    package var missingParents: Int

    package init(hierarchy: String, mountPoint: String, path: String, missingParents: Int = 0) {
        self.hierarchy = hierarchy
        self.mountPoint = mountPoint
        self.path = path
        self.missingParents = missingParents
    }

    package var isUnified: Bool { hierarchy.isEmpty }

    /// The cgroup's directory on the host.
    package var directory: String { "\(mountPoint)/\(path)" }

    /// Whether a v1 hierarchy holds this controller.
    package func carries(_ controller: String) -> Bool {
        hierarchy == controller
            || hierarchy.utf8.contains(UInt8(ascii: ",")) && hierarchy.parts(separatedBy: ",").contains(controller)
    }
}

/// Where a container's cgroups are: what its record keeps, and all that a manager needs to find them again.
package struct CgroupPlacement: Equatable, Sendable {
    package let mode: HostFacts.CgroupMode
    package let locations: [CgroupLocation]
    /// Whether a cgroup that may not be made is left out, as long as nothing is asked of it.
    package let isRootless: Bool
    /// The unit of systemd that they belong to; `nil` when the runtime makes them itself.
    package let scope: ScopePlacement?

    package init(
        mode: HostFacts.CgroupMode,
        locations: [CgroupLocation],
        isRootless: Bool,
        scope: ScopePlacement? = nil
    ) {
        self.mode = mode
        self.locations = locations
        self.isRootless = isRootless
        self.scope = scope
    }

    /// The placement for a machine.
    /// - Parameters:
    ///   - cgroupsPath: Absolute: from the root of each hierarchy. Relative: on v1 below the runtime's own cgroup, on v2
    ///     beside it, since a v2 cgroup with processes cannot have limited children. Absent: the container's id, from
    ///     the root, or for a rootless runtime as a relative path. Runtime-spec: config-linux.md, Cgroups Path.
    ///   - id: The container's.
    package init(
        layout: CgroupLayout,
        cgroupsPath: String?,
        id: String,
        isRootless: Bool
    ) throws(Failure) {
        let path = cgroupsPath ?? (isRootless ? id : "/\(id)")
        let isAbsolute = path.utf8.first == UInt8(ascii: "/")
        let inner = Self.components(of: path)
        guard !inner.isEmpty else {
            throw Failure(
                "linux.cgroupsPath: \"\(path)\" names the root of the hierarchy; a container needs a cgroup of its own",
                .configInvalid,
                subject: "linux.cgroupsPath"
            )
        }
        mode = layout.mode
        scope = nil
        self.isRootless = isRootless
        locations = layout.hierarchies.map { hierarchy in
            var outer = isAbsolute ? [] : Self.components(of: hierarchy.ownPath)
            if !outer.isEmpty && layout.mode == .unified {
                outer.removeLast()
            }
            return CgroupLocation(
                hierarchy: hierarchy.name,
                mountPoint: hierarchy.mountPoint,
                path: (outer + inner).text(separatedBy: "/")
            )
        }
    }

    /// The placement on this machine, which is looked at; see `init`.
    /// - Parameter resources: Hierarchies that these need are looked for also outside `/sys/fs/cgroup`.
    package static func plan(
        cgroupsPath: String?,
        id: String,
        resources: ResourceConfiguration,
        isRootless: Bool
    ) throws(Failure) -> CgroupPlacement {
        let layout = try CgroupLayout.discover(
            controllers: ResourceTranslation.legacyControllers(of: resources),
            needsOwnPaths: needsOwnPaths(cgroupsPath: cgroupsPath, isRootless: isRootless)
        )
        return try CgroupPlacement(layout: layout, cgroupsPath: cgroupsPath, id: id, isRootless: isRootless)
    }

    /// The same hierarchies, but the cgroups that a process of the container is in now: where `exec` may go when init
    /// moved itself below the container's own cgroup, which then may hold no process any more.
    /// - Parameter memberships: /proc/PID/cgroup of that process. One that is not below the container's own cgroup is
    ///   not followed.
    package func following(_ memberships: [CgroupMembership]) -> CgroupPlacement {
        let moved = locations.map { location in
            guard let path = memberships.first(where: { $0.hierarchy == location.hierarchy })?.path,
                path.hasPrefix("/\(location.path)/"),
                !path.parts(separatedBy: "/").contains("..")
            else { return location }
            return CgroupLocation(
                hierarchy: location.hierarchy,
                mountPoint: location.mountPoint,
                path: String(path.dropFirst())
            )
        }
        return CgroupPlacement(mode: mode, locations: moved, isRootless: isRootless, scope: scope)
    }

    /// The same placement, knowing which cgroups above the container's are not there yet: `create` makes those too, and
    /// whoever removes the container's can remove them with it.
    package func notingMissingParents() -> CgroupPlacement {
        CgroupPlacement(
            mode: mode,
            locations: locations.map { location in
                var location = location
                var parents = location.path.cut(atLast: "/").before
                while !parents.isEmpty {
                    let directory = "\(location.mountPoint)/\(parents)"
                    if (try? BorrowedFD.workingDirectory.facts(of: directory)) != nil { break }
                    location.missingParents += 1
                    parents = parents.cut(atLast: "/").before
                }
                return location
            },
            isRootless: isRootless,
            scope: scope
        )
    }

    /// Whether the layout's own paths matter for this `cgroupsPath`.
    package static func needsOwnPaths(cgroupsPath: String?, isRootless: Bool) -> Bool {
        cgroupsPath.map { $0.utf8.first != UInt8(ascii: "/") } ?? isRootless
    }

    /// Components without `.`; `..` takes the one before away and stops at the top.
    static func components(of path: String) -> [String] {
        var components: [String] = []
        for component in path.parts(separatedBy: "/") where component != "." {
            if component == ".." {
                _ = components.popLast()
            } else {
                components.append(component)
            }
        }
        return components
    }
}
