// Masked and read-only paths, done from inside the container's root: every path is opened once and mounted on by
// descriptor, so that it cannot be led elsewhere between a look and the mount.

internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import PathResolution

extension RootfsExecutor {
    /// Mounts a read-only copy of the path's mount on it; a path that is not there is skipped.
    /// Runtime-spec: config-linux.md, Readonly Paths.
    mutating func makeReadonly(_ path: String) throws(Failure) {
        guard let target = try root.openIfPresent(path, [.path]) else { return }
        let tree = try attempt("copy the mount of the read-only path \(path)", .openTree) { () throws(Errno) in
            try MountAPI.cloneTree(at: target.borrowed, "", recursive: true)
        }
        try attempt("make the path \(path) read-only", .mountSetattr) { () throws(Errno) in
            try change(tree.borrowed, MountChange(set: .readOnly))
        }
        try attempt("mount the read-only path \(path)", .moveMount) { () throws(Errno) in
            try place(tree.borrowed, onto: target.borrowed)
        }
    }

    /// Covers a file by the null device and a directory by an empty one; a path that is not there is skipped.
    /// Runtime-spec: config-linux.md, Masked Paths.
    mutating func mask(_ path: String, mountLabel: String?) throws(Failure) {
        guard let target = try root.openIfPresent(path, [.path]) else { return }
        let facts = try attempt("look at the masked path \(path)", .statx) { () throws(Errno) in
            try target.borrowed.facts()
        }
        if facts.kind == .directory {
            try coverDirectory(path, target.borrowed, mountLabel)
        } else {
            try coverFile(path, target.borrowed)
        }
    }

    private mutating func coverFile(_ path: String, _ target: BorrowedFD) throws(Failure) {
        let null = try verifiedNullDevice()
        let tree = try attempt("copy the mount of /dev/null", .openTree) { () throws(Errno) in
            try MountAPI.cloneTree(at: null, "", recursive: false)
        }
        try attempt("mask the file \(path)", .moveMount) { () throws(Errno) in
            try MountAPI.attach(tree.borrowed, onto: target)
        }
    }

    /// The container's own /dev/null, if that is what it is: an image's link or file of that name would uncover what
    /// is to be masked, or show something else in its place.
    private mutating func verifiedNullDevice() throws(Failure) -> BorrowedFD {
        if let known = nullDevice?.borrowed { return known }
        let opened = try root.open("/dev/null", [.path, .noFollow])
        let facts = try attempt("look at /dev/null of the container", .statx) { () throws(Errno) in
            try opened.borrowed.facts()
        }
        guard facts.kind == .character, facts.deviceMajor == 1, facts.deviceMinor == 3 else {
            throw Failure(
                "/dev/null of the container is \(facts.kind.words), not the null device: files cannot be masked with it"
            )
        }
        let view = opened.borrowed
        nullDevice = consume opened
        return view
    }

    /// One empty directory serves all: a superblock for each would be paid for when the container ends.
    private mutating func coverDirectory(
        _ path: String,
        _ target: BorrowedFD,
        _ mountLabel: String?
    ) throws(Failure) {
        if let empty = emptyDirectory?.borrowed {
            return try attempt("mask the directory \(path)", .moveMount) { () throws(Errno) in
                let copy = try MountAPI.cloneTree(at: empty, "", recursive: false)
                try MountAPI.attach(copy.borrowed, onto: target)
            }
        }
        // Attached itself before it is copied: older kernels copy attached mounts only.
        let empty = try makeEmptyDirectory(mountLabel)
        try attempt("mask the directory \(path)", .moveMount) { () throws(Errno) in
            try MountAPI.attach(empty.borrowed, onto: target)
        }
        emptyDirectory = consume empty
    }

    private func makeEmptyDirectory(_ mountLabel: String?) throws(Failure) -> OwnedFD {
        do throws(FileSystemRefusal) {
            return try emptyDirectoryRequest(inodes: 1, mountLabel).makeTree(.readOnly)
        } catch {
            // Some kernels count the root's own inode.
        }
        do throws(FileSystemRefusal) {
            return try emptyDirectoryRequest(inodes: 2, mountLabel).makeTree(.readOnly)
        } catch {
            throw Failure(
                "make the empty directory that masks directories",
                error.call,
                error.errno,
                detail: error.messages.isEmpty ? nil : "the kernel says: \(error.messages)"
            )
        }
    }

    private func emptyDirectoryRequest(inodes: Int, _ mountLabel: String?) -> FileSystemRequest {
        var parameters = [
            FileSystemRequest.Parameter("nr_blocks", "1"),
            FileSystemRequest.Parameter("nr_inodes", String(inodes)),
        ]
        if let mountLabel { parameters.append(FileSystemRequest.Parameter("context", mountLabel)) }
        return FileSystemRequest(type: "tmpfs", source: "tmpfs", parameters: parameters)
    }
}
