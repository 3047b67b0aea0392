// The mount calls, new (detached mounts, moved by descriptor) and old (`mount(2)`), one function each.

internal import CLinux
internal import Glibc
package import KernelTypes

/// Mount system calls.
package enum MountAPI {
    /// Clones the mount at `path` into a detached mount, with its submounts when `recursive`.
    /// The corresponding system call is `open_tree(2)` with `OPEN_TREE_CLONE`.
    package static func cloneTree(
        at directory: BorrowedFD,
        _ path: String,
        recursive: Bool,
        following: Bool = true
    ) throws(Errno) -> OwnedFD {
        var flags: UInt32 = 1 | UInt32(O_CLOEXEC) | UInt32(emptyPath)
        if recursive { flags |= 0x8000 }
        if !following { flags |= UInt32(AT_SYMLINK_NOFOLLOW) }
        return OwnedFD(try check(unsafe clinux_open_tree(directory.rawValue, path, flags)))
    }

    /// Attaches the detached mount `tree` on the object behind `target`. The corresponding call is `move_mount(2)`.
    package static func attach(_ tree: BorrowedFD, onto target: BorrowedFD) throws(Errno) {
        try check(unsafe clinux_move_mount(tree.rawValue, "", target.rawValue, "", 0x04 | 0x40))
    }

    /// Attaches the detached mount `tree` at `path`, relative to `directory`.
    package static func attach(_ tree: BorrowedFD, at directory: BorrowedFD, _ path: String) throws(Errno) {
        try check(unsafe clinux_move_mount(tree.rawValue, "", directory.rawValue, path, 0x04))
    }

    /// Starts a file system context. The corresponding system call is `fsopen(2)`.
    package static func openFileSystem(_ type: String) throws(Errno) -> OwnedFD {
        OwnedFD(try check(unsafe clinux_fsopen(type, 1)))
    }

    /// `FSCONFIG_SET_FLAG` of `fsconfig(2)`.
    package static func setFlag(_ context: BorrowedFD, _ key: String) throws(Errno) {
        try check(unsafe clinux_fsconfig(context.rawValue, 0, key, nil, 0))
    }

    /// `FSCONFIG_SET_STRING` of `fsconfig(2)`.
    package static func setString(_ context: BorrowedFD, _ key: String, _ value: String) throws(Errno) {
        let result = unsafe value.withCString { text in unsafe clinux_fsconfig(context.rawValue, 1, key, text, 0) }
        try check(result)
    }

    /// `FSCONFIG_CMD_CREATE` of `fsconfig(2)`: makes or finds the superblock.
    package static func create(_ context: BorrowedFD) throws(Errno) {
        try check(clinux_fsconfig(context.rawValue, 6, nil, nil, 0))
    }

    /// What the kernel wrote into the context's log, one message a line, newest last; empty when there is none.
    package static func messages(of context: BorrowedFD) -> String {
        var lines: [String] = []
        while lines.count < 8, let bytes = try? context.read(upTo: 1024), !bytes.isEmpty {
            // Each begins with its severity: `e tmpfs: Unknown parameter 'sizee'`.
            let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").joined(separator: "; ")
            lines.append(["e ", "w ", "i "].contains { text.hasPrefix($0) } ? String(text.dropFirst(2)) : text)
        }
        return lines.joined(separator: "; ")
    }

    /// A detached mount of the context's file system. The corresponding system call is `fsmount(2)`.
    package static func mount(_ context: BorrowedFD, _ attributes: MountAttributes) throws(Errno) -> OwnedFD {
        OwnedFD(try check(clinux_fsmount(context.rawValue, 1, UInt32(truncatingIfNeeded: attributes.rawValue))))
    }

    /// Changes attributes, propagation or id mapping of a mount. The corresponding call is `mount_setattr(2)`.
    /// - Parameter userNamespace: With `idMapped` in `setting`: whose mappings to use.
    package static func setAttributes(
        _ mount: BorrowedFD,
        recursive: Bool = false,
        setting: MountAttributes = [],
        clearing: MountAttributes = [],
        propagation: MountPropagation? = nil,
        userNamespace: BorrowedFD? = nil
    ) throws(Errno) {
        var attributes = clinux_mount_attr(
            attr_set: setting.rawValue,
            attr_clr: clearing.rawValue,
            propagation: UInt64(propagation?.flag.rawValue ?? 0),
            userns_fd: UInt64(userNamespace?.rawValue ?? 0)
        )
        let flags = UInt32(emptyPath) | (recursive ? 0x8000 : 0)
        try check(unsafe clinux_mount_setattr(mount.rawValue, "", flags, &attributes))
    }

    /// The corresponding system call is `mount(2)`.
    package static func legacyMount(
        source: String? = nil,
        target: String,
        type: String? = nil,
        flags: MountFlags = [],
        data: String? = nil
    ) throws(Errno) {
        try check(unsafe clinux_mount(source, target, type, flags.rawValue, data))
    }

    /// Detaches the mount at `path` from the tree. The corresponding system call is `umount2(2)`, `MNT_DETACH`.
    package static func detach(_ path: String) throws(Errno) {
        try check(unsafe clinux_umount2(path, 2))
    }

    /// The corresponding system call is `pivot_root(2)`.
    package static func pivotRoot(_ newRoot: String, _ putOld: String) throws(Errno) {
        try check(unsafe clinux_pivot_root(newRoot, putOld))
    }
}
