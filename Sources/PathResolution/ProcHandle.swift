// A procfs that nobody else can mount over. Every read or write of a /proc file that matters for security (labels,
// sysctls, id maps of init) goes through a handle of this kind; the string "/proc/" is spelt nowhere else in the rooms
// that run inside the container's namespaces.

package import Diagnostics
internal import KernelTypes
package import LinuxSystem

/// A verified root of procfs.
package struct ProcHandle: ~Copyable {
    private let root: OwnedFD

    /// What the handle shows.
    package enum Scope: Sendable {
        /// Only `self` and the process directories: enough for labels and links.
        case processes
        /// Also `sys`: for sysctls; to be held briefly.
        case all
    }

    /// Makes a private procfs of this process's pid namespace, or takes a private copy of the one at /proc where the
    /// kernel refuses that (an unprivileged user namespace whose host hides parts of /proc).
    package init(_ scope: Scope) throws(Failure) {
        root = try Self.verified(try Self.find(scope))
    }

    private static func find(_ scope: Scope) throws(Failure) -> OwnedFD {
        if let own = try? makePrivate(scope) { return own }
        return try attempt("get a procfs that is not covered", .openTree) { () throws(Errno) in
            try MountAPI.cloneTree(at: .workingDirectory, "/proc", recursive: false)
        }
    }

    private static func makePrivate(_ scope: Scope) throws(Errno) -> OwnedFD {
        let context = try MountAPI.openFileSystem("proc")
        if scope == .processes {
            try MountAPI.setString(context.borrowed, "subset", "pid")
        }
        try MountAPI.create(context.borrowed)
        return try MountAPI.mount(context.borrowed, [.noSetID, .noDevices, .noExecute])
    }

    private static func verified(_ root: consuming OwnedFD) throws(Failure) -> OwnedFD {
        let (type, inode) = try attempt("check the procfs handle", .statfs) { () throws(Errno) in
            (try root.borrowed.fileSystem().type, try root.borrowed.facts().inode)
        }
        guard type == FileSystemType.proc, inode == 1 else {
            throw Failure("what is mounted on /proc is not the root of a procfs: it was replaced")
        }
        return root
    }

    /// Opens a file below this procfs and nowhere else: no link, no other mount.
    package func open(_ path: String, _ flags: OpenFlags) throws(Failure) -> OwnedFD {
        try attempt("open \(path) of procfs", .openat2) { () throws(Errno) in
            try root.borrowed.open(
                path,
                flags.union(.noFollow),
                resolve: [.beneath, .noCrossingMounts, .noMagicLinks]
            )
        }
    }

    /// Writes a value whole to a file below this procfs.
    package func write(_ value: String, to path: String) throws(Failure) {
        let file = try open(path, [.writeOnly])
        try attempt("write \(path) of procfs", .write) { () throws(Errno) in
            try file.borrowed.writeOnce(Array(value.utf8))
        }
    }
}
