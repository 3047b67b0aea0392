// How cgroups are mounted on this machine. The usual layouts are recognised from /sys/fs/cgroup alone, because
// /proc/self/mountinfo grows with every container; it is read only where those do not answer. Called once, in the
// runtime process, before anything is planned; never changes anything.

package import Configuration
package import Diagnostics
internal import KernelTypes
internal import LinuxSystem

/// One mounted hierarchy.
package struct CgroupHierarchy: Equatable, Sendable {
    /// As /proc/self/cgroup calls it: `cpu,cpuacct`, `name=systemd`; empty for v2.
    package let name: String
    package let mountPoint: String
    /// The runtime's own cgroup, as a path from the mount point: `/` or `/user.slice`.
    package let ownPath: String

    package init(name: String, mountPoint: String, ownPath: String) {
        self.name = name
        self.mountPoint = mountPoint
        self.ownPath = ownPath
    }

    package var isUnified: Bool { name.isEmpty }
}

/// The mounted hierarchies.
package struct CgroupLayout: Equatable, Sendable {
    package let mode: HostFacts.CgroupMode
    package let hierarchies: [CgroupHierarchy]

    /// Where every distribution mounts cgroups.
    package static let usualRoot = "/sys/fs/cgroup"

    package init(hierarchies: [CgroupHierarchy]) {
        self.hierarchies = hierarchies
        switch (hierarchies.contains { $0.isUnified }, hierarchies.contains { !$0.isUnified }) {
        case (true, true): mode = .hybrid
        case (true, false): mode = .unified
        case (false, true): mode = .legacy
        case (false, false): mode = .none
        }
    }

    /// The usual v1 or hybrid layout: one directory for each hierarchy below one directory.
    /// - Parameters:
    ///   - entries: Names of the directories below `/sys/fs/cgroup`.
    ///   - memberships: /proc/self/cgroup.
    /// - Returns: `nil` when a directory is there that no hierarchy explains: something is mounted unusually.
    package static func usual(entries: [String], memberships: [CgroupMembership]) -> CgroupLayout? {
        var hierarchies: [CgroupHierarchy] = []
        // A handful of names: an array needs no hashing, whose first use alone costs a container's birth more.
        var unexplained = entries
        for membership in memberships {
            let directory = usualDirectory(of: membership.hierarchy)
            guard let index = unexplained.firstIndex(of: directory) else { continue }
            unexplained.remove(at: index)
            hierarchies.append(
                CgroupHierarchy(
                    name: membership.hierarchy,
                    mountPoint: "\(usualRoot)/\(directory)",
                    ownPath: membership.path
                )
            )
        }
        return unexplained.isEmpty ? CgroupLayout(hierarchies: hierarchies) : nil
    }

    private static func usualDirectory(of hierarchy: String) -> String {
        if hierarchy.isEmpty { return "unified" }
        return hierarchy.hasPrefix("name=") ? String(hierarchy.dropFirst(5)) : hierarchy
    }

    /// Any layout, from both tables. A hierarchy that is mounted twice is taken where it is usually mounted, else where
    /// it was mounted first.
    package static func any(mounts: [CgroupMount], memberships: [CgroupMembership]) -> CgroupLayout {
        let hierarchies = memberships.compactMap { membership -> CgroupHierarchy? in
            let candidates = mounts.filter { $0.shows(membership.hierarchy) }
            let isUsual = { (mount: CgroupMount) in
                mount.mountPoint == usualRoot || mount.mountPoint.hasPrefix(usualRoot + "/")
            }
            guard let mount = candidates.first(where: isUsual) ?? candidates.first else { return nil }
            return CgroupHierarchy(
                name: membership.hierarchy,
                mountPoint: mount.mountPoint,
                ownPath: path(membership.path, below: mount.root)
            )
        }
        return CgroupLayout(hierarchies: hierarchies)
    }

    /// A mount may show only a part of its hierarchy (in a container); what is outside that part appears as its root.
    private static func path(_ path: String, below root: String) -> String {
        if root == "/" { return path }
        if path.hasPrefix(root + "/") { return String(path.dropFirst(root.utf8.count)) }
        return "/"
    }

    /// Looks at the machine.
    /// - Parameters:
    ///   - controllers: Controllers that must be found if they are mounted anywhere.
    ///   - needsOwnPaths: Whether `ownPath` must be right where a mount shows a part of its hierarchy.
    package static func discover(controllers: [String], needsOwnPaths: Bool) throws(Failure) -> CgroupLayout {
        let type = fileSystemTypeOfUsualRoot()
        if type == FileSystemType.cgroup2 && !needsOwnPaths {
            return CgroupLayout(hierarchies: [CgroupHierarchy(name: "", mountPoint: usualRoot, ownPath: "/")])
        }
        let memberships = CgroupMembership.parse(try read("/proc/self/cgroup"))
        if type == FileSystemType.tmpfs && !needsOwnPaths {
            let root = try attempt("open \(usualRoot)", .open) { () throws(Errno) in
                try BorrowedFD.workingDirectory.open(usualRoot, [.directory])
            }
            let entries = try attempt("list \(usualRoot)", .getdents) { () throws(Errno) in
                try root.borrowed.entries()
            }
            // A hierarchy may be mounted for others only, and its directory be empty here.
            let directories = entries.compactMap { $0.isDirectory ? $0.name : nil }
                .filter { isCgroup($0, root.borrowed) }
            if let layout = usual(entries: directories, memberships: memberships),
                controllers.allSatisfy(layout.offers)
            {
                return layout
            }
        }
        return any(mounts: CgroupMount.parse(try read("/proc/self/mountinfo")), memberships: memberships)
    }

    private static func isCgroup(_ name: String, _ root: BorrowedFD) -> Bool {
        (try? root.facts(of: "\(name)/cgroup.procs")) != nil
    }

    private static func fileSystemTypeOfUsualRoot() -> UInt64? {
        do throws(Errno) {
            let root = try BorrowedFD.workingDirectory.open(usualRoot, [.path, .directory])
            return try root.borrowed.fileSystem().type
        } catch {
            return nil
        }
    }

    private static func read(_ path: String) throws(Failure) -> [UInt8] {
        try attempt("read \(path)", .read) { () throws(Errno) in
            let file = try BorrowedFD.workingDirectory.open(path, .readOnly)
            return try file.borrowed.readToEnd(limit: 64 << 20)
        }
    }

    /// Whether a v1 hierarchy with this controller is mounted, or the v2 hierarchy is the only one.
    package func offers(_ controller: String) -> Bool {
        mode == .unified || hierarchies.contains { $0.name.parts(separatedBy: ",").contains(controller) }
    }
}
