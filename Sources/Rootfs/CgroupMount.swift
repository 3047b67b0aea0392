// What the container sees of its cgroup: file systems of its own cgroup namespace, or its own directories bound.
// Never more than its own subtree, even without a cgroup namespace.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem

/// The container's own cgroup in one hierarchy.
package struct CgroupMountSource: Equatable, Sendable {
    package enum Version: Sendable { case legacy, unified }

    package let version: Version
    /// The hierarchy's directory below the mount: `memory`, `cpu,cpuacct`, `systemd`, `unified`. Not used on a machine
    /// with version 2 alone.
    package let name: String
    /// What version 1 is mounted with: `cpu`, `cpuacct`; or `none`, `name=systemd`.
    package let parameters: [String]
    /// Further names of the hierarchy, made as links: `cpu` and `cpuacct` of `cpu,cpuacct`.
    package let links: [String]
    /// The container's directory in this hierarchy, absolute, as the host sees it.
    package let path: String

    package init(version: Version, name: String, parameters: [String], links: [String], path: String) {
        self.version = version
        self.name = name
        self.parameters = parameters
        self.links = links
        self.path = path
    }
}

extension RootfsExecutor {
    mutating func mountCgroup(_ mount: PlannedMount, _ view: PlannedMount.CgroupView) throws(Failure) {
        let target = try directoryTarget(mount)
        if view.isUnified {
            let source = cgroups.first { $0.version == .unified }
            let tree = try cgroupTree(source, isUnified: true, mount, hasOwnNamespace: view.hasOwnNamespace)
            try setPropagation(of: tree.borrowed, mount)
            return try attach(tree.borrowed, onto: target.borrowed, mount)
        }
        let request = FileSystemRequest(
            type: "tmpfs",
            source: "tmpfs",
            parameters: [FileSystemRequest.Parameter("mode", "755")]
        )
        let directory: OwnedFD
        do throws(FileSystemRefusal) {
            directory = try request.makeTree(mount.options.set.subtracting(.readOnly))
        } catch {
            throw failure(mount, request, error)
        }
        try setPropagation(of: directory.borrowed, mount)
        try attach(directory.borrowed, onto: target.borrowed, mount)
        for source in cgroups {
            try mountHierarchy(source, in: directory.borrowed, mount, hasOwnNamespace: view.hasOwnNamespace)
        }
        if mount.options.set.contains(.readOnly) {
            try setAttributes(.readOnly, recursive: false, of: directory.borrowed, mount)
        }
    }

    /// One hierarchy in the directory of hierarchies, which nobody else can reach yet.
    private mutating func mountHierarchy(
        _ source: CgroupMountSource,
        in directory: BorrowedFD,
        _ mount: PlannedMount,
        hasOwnNamespace: Bool
    ) throws(Failure) {
        let isUnified = source.version == .unified
        let tree = try cgroupTree(source, isUnified: isUnified, mount, hasOwnNamespace: hasOwnNamespace)
        try attempt("mount the cgroup hierarchy \(source.name) of \(mount.key)", .moveMount) { () throws(Errno) in
            try directory.makeDirectory(source.name, mode: 0o755)
            try MountAPI.attach(tree.borrowed, at: directory, source.name)
            try finishChanges(of: tree.borrowed)
        }
        for link in source.links where link != source.name {
            do throws(Errno) {
                try directory.makeSymlink(link, to: source.name)
            } catch .EEXIST {
                continue
            } catch {
                throw Failure("link \(link) to the cgroup hierarchy \(source.name)", .symlink, error)
            }
        }
    }

    /// A file system of the container's cgroup namespace; where there is none, or the kernel does not let this user
    /// namespace mount one, the container's own directory.
    private mutating func cgroupTree(
        _ source: CgroupMountSource?,
        isUnified: Bool,
        _ mount: PlannedMount,
        hasOwnNamespace: Bool
    ) throws(Failure) -> OwnedFD {
        if hasOwnNamespace {
            let request = FileSystemRequest(
                type: isUnified ? "cgroup2" : "cgroup",
                source: "cgroup",
                parameters: (source?.parameters ?? []).map { FileSystemRequest.Parameter(word: $0) }
            )
            do throws(FileSystemRefusal) {
                return try request.makeTree(mount.options.set)
            } catch  where source != nil && (error.errno == .EPERM || error.errno == .EBUSY) {
                // Below: bound.
            } catch {
                throw failure(mount, request, error)
            }
        }
        guard let source else {
            throw Failure(
                "\(mount.key): the container has no cgroup of its own, and no cgroup namespace, to show there"
            )
        }
        let tree = try attempt("copy the mount of the container's cgroup \(source.path)", .openTree) {
            () throws(Errno) in
            try MountAPI.cloneTree(at: .workingDirectory, source.path, recursive: false)
        }
        try setAttributes(mount.options.set, recursive: false, of: tree.borrowed, mount)
        return tree
    }
}
