// Changes of a mount's flags and propagation, with mount_setattr(2), or with mount(2) on kernels before 5.12, which
// cannot change a mount before it is attached.

internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem

/// What is to change of a mount.
struct MountChange: Equatable {
    var set: MountAttributes = []
    var cleared: MountAttributes = []
    var propagation: MountPropagation?
    /// Also of the mounts below it.
    var recursive = false
}

extension RootfsExecutor {
    /// Changes a mount, or notes the change for when the mount is attached.
    mutating func change(_ mount: BorrowedFD, _ change: MountChange) throws(Errno) {
        // The access-time mode is a field: it is cleared whole before a value is put in.
        let clearsAccessTime = !change.set.union(change.cleared).isDisjoint(with: .accessTimeField)
        do throws(Errno) {
            try MountAPI.setAttributes(
                mount,
                recursive: change.recursive,
                setting: change.set,
                clearing: clearsAccessTime ? change.cleared.union(.accessTimeField) : change.cleared,
                propagation: change.propagation
            )
        } catch .ENOSYS {
            do throws(Errno) {
                try change.applyLegacy(to: mount)
            } catch .EINVAL {
                changesWhenAttached.append(change)
            }
        }
    }

    /// Attaches the detached mount `tree` and makes the changes that had to wait for it.
    mutating func place(_ tree: BorrowedFD, onto target: BorrowedFD) throws(Errno) {
        try MountAPI.attach(tree, onto: target)
        try finishChanges(of: tree)
    }

    /// What had to wait until `mount` was attached.
    mutating func finishChanges(of mount: BorrowedFD) throws(Errno) {
        let changes = changesWhenAttached
        changesWhenAttached = []
        for change in changes { try change.applyLegacy(to: mount) }
    }
}

extension MountChange {
    /// - Throws: `EINVAL` for a mount that is not attached; `ENOSYS` for what `mount(2)` cannot do.
    fileprivate func applyLegacy(to mount: BorrowedFD) throws(Errno) {
        if !set.isEmpty || !cleared.isEmpty {
            if recursive { throw .ENOSYS }
            let kept = MountFlags(statFlags: try mount.fileSystem().flags).subtracting(cleared.legacyFlags)
            try MountAPI.legacyMount(
                target: mount.procPath,
                flags: kept.union(set.legacyFlags).union([.remount, .bind])
            )
        }
        if let propagation {
            try MountAPI.legacyMount(
                target: mount.procPath,
                flags: recursive ? [propagation.flag, .recursive] : propagation.flag
            )
        }
    }
}

extension MountFlags {
    /// From the `ST_*` flags of `statfs(2)`, which say how a mount is; a remount says all of it again.
    init(statFlags: UInt64) {
        // The first four, and the access-time flags, have the same values in both.
        let same: MountFlags = [
            .readOnly, .noSetID, .noDevices, .noExecute, .noAccessTime, .noDirectoryAccessTime,
        ]
        self = MountFlags(rawValue: UInt(statFlags)).intersection(same)
        if statFlags & 0x1000 != 0 { formUnion(.relativeAccessTime) }
        if statFlags & 0x2000 != 0 { formUnion(.noSymlinkFollow) }
    }
}

extension MountAttributes {
    /// The same as `MS_*` flags.
    var legacyFlags: MountFlags {
        let pairs: [(MountAttributes, MountFlags)] = [
            (.readOnly, .readOnly), (.noSetID, .noSetID), (.noDevices, .noDevices), (.noExecute, .noExecute),
            (.noAccessTime, .noAccessTime), (.strictAccessTime, .strictAccessTime),
            (.noDirectoryAccessTime, .noDirectoryAccessTime), (.noSymlinkFollow, .noSymlinkFollow),
        ]
        return pairs.reduce(into: []) { flags, pair in
            if contains(pair.0) { flags.formUnion(pair.1) }
        }
    }
}
