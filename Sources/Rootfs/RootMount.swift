// The root mount itself: what it shares with the host before anything is mounted, how it becomes a mount of its own,
// how it is entered and what it is made at the end.

internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import PathResolution

extension RootfsExecutor {
    /// Of every mount that the new namespace was born with.
    func setPropagation(_ propagation: MountPropagation) throws(Failure) {
        try attempt("make all mounts \(propagation.rawValue)", .mount) { () throws(Errno) in
            try MountAPI.legacyMount(target: "/", flags: [propagation.flag, .recursive])
        }
    }

    /// Puts a copy, private unless it `followsHost`, of the root filesystem's mount over itself and works in that from now on.
    mutating func bindRoot(_ path: String, parentIsShared: Bool, followsHost: Bool) throws(Failure) {
        if parentIsShared { try makeMountPrivate(holding: path) }
        let place = root.directory
        let tree = try attempt("copy the mount of the root filesystem \(path)", .openTree) { () throws(Errno) in
            try MountAPI.cloneTree(at: place, "", recursive: true)
        }
        if !followsHost {
            try attempt("make the root filesystem \(path) private", .mountSetattr) { () throws(Errno) in
                try change(tree.borrowed, MountChange(propagation: .private))
            }
        }
        try attempt("mount the root filesystem on \(path)", .moveMount) { () throws(Errno) in
            try self.place(tree.borrowed, onto: place)
        }
        root = RootHandle(tree, name: "the root filesystem")
    }

    /// `pivot_root(2)` refuses a root whose parent is shared. Which mount holds `path` is found by asking upwards: the
    /// kernel answers `EINVAL` for what is not the root of a mount. (The mount table may change while it is read.)
    private func makeMountPrivate(holding path: String) throws(Failure) {
        var components = RootHandle.components(of: path)
        while true {
            let candidate = "/" + components.text(separatedBy: "/")
            do throws(Errno) {
                return try MountAPI.legacyMount(target: candidate, flags: .private)
            } catch .EINVAL where !components.isEmpty {
                components.removeLast()
            } catch {
                throw Failure("make the mount \(candidate), which holds the root filesystem, private", .mount, error)
            }
        }
    }

    /// Makes the root filesystem the root directory; the old root is stacked on it, cut off when shared, and let go.
    /// The corresponding system call is `pivot_root(2)`.
    func pivot(oldRootIsShared: Bool) throws(Failure) {
        let oldRoot = try attempt("open the old root directory", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open("/", [.path, .directory])
        }
        try attempt("enter the root filesystem", .fchdir) { () throws(Errno) in
            try root.directory.changeDirectory()
        }
        try attempt("make the root filesystem the root directory", .pivotRoot) { () throws(Errno) in
            try MountAPI.pivotRoot(".", ".")
        }
        try attempt("return to the old root directory", .fchdir) { () throws(Errno) in
            try oldRoot.borrowed.changeDirectory()
        }
        if oldRootIsShared {
            try attempt("cut the old root off from the host's mounts", .mount) { () throws(Errno) in
                try MountAPI.legacyMount(target: ".", flags: [.slave, .recursive])
            }
        }
        try attempt("let the old root directory go", .umount) { () throws(Errno) in try MountAPI.detach(".") }
        try attempt("change to the new root directory", .chdir) { () throws(Errno) in
            try WorkingDirectory.change(to: "/")
        }
    }

    /// Moves the root mount over the old root. The host's mounts stay below it, out of every lookup's reach but not
    /// out of the kernel's: it lets a process mount procfs and sysfs anew when there is an uncovered one. Those of the
    /// host are therefore unmounted, or covered where that is refused.
    func moveRoot(_ path: String) throws(Failure) {
        for place in try MountTable.kernelFileSystems(outside: path) {
            do throws(Errno) {
                try MountAPI.legacyMount(target: place, flags: [.slave, .recursive])
                try MountAPI.detach(place)
            } catch .EINVAL {
                // Not a mount of this namespace's own, or it is gone with one above it.
                try cover(place)
            } catch .EPERM {
                try cover(place)
            } catch .ENOENT {
                continue
            } catch {
                throw Failure("unmount the host's \(place)", .umount, error)
            }
        }
        try attempt("enter the root filesystem", .fchdir) { () throws(Errno) in
            try root.directory.changeDirectory()
        }
        try attempt("move the root filesystem over the root directory", .mount) { () throws(Errno) in
            try MountAPI.legacyMount(source: ".", target: "/", flags: .move)
        }
        try attempt("change the root directory", .chroot) { () throws(Errno) in
            try WorkingDirectory.changeRoot(to: ".")
            try WorkingDirectory.change(to: "/")
        }
    }

    private func cover(_ place: String) throws(Failure) {
        do throws(Errno) {
            try MountAPI.legacyMount(source: "tmpfs", target: place, type: "tmpfs", flags: .readOnly)
        } catch .ENOENT {
            return
        } catch {
            throw Failure("cover the host's \(place)", .mount, error)
        }
    }

    /// `linux.rootfsPropagation`, once nothing is mounted any more.
    mutating func setRootPropagation(_ propagation: MountPropagation) throws(Failure) {
        let mount = root.directory
        try attempt("make the root mount \(propagation.rawValue)", .mountSetattr) { () throws(Errno) in
            try change(mount, MountChange(propagation: propagation))
        }
    }

    /// `root.readonly`.
    mutating func makeRootReadonly() throws(Failure) {
        let mount = root.directory
        try attempt("make the root mount read-only", .mountSetattr) { () throws(Errno) in
            try change(mount, MountChange(set: .readOnly))
        }
    }
}
