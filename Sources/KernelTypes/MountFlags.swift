// Flags of the two mount interfaces. The raw values are the kernel's; see mount(2), fsmount(2), mount_setattr(2).

/// `MS_*` flags of `mount(2)`.
package struct MountFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt
    package init(rawValue: UInt) { self.rawValue = rawValue }

    /// Of a literal; the protocol's own way costs a tenth of a millisecond of metadata at its first use.
    package init(arrayLiteral elements: MountFlags...) {
        rawValue = elements.reduce(0) { $0 | $1.rawValue }
    }

    package static let readOnly = MountFlags(rawValue: 1)
    package static let noSetID = MountFlags(rawValue: 2)
    package static let noDevices = MountFlags(rawValue: 4)
    package static let noExecute = MountFlags(rawValue: 8)
    package static let synchronous = MountFlags(rawValue: 16)
    package static let remount = MountFlags(rawValue: 32)
    package static let mandatoryLocks = MountFlags(rawValue: 64)
    package static let synchronousDirectories = MountFlags(rawValue: 128)
    package static let noSymlinkFollow = MountFlags(rawValue: 256)
    package static let noAccessTime = MountFlags(rawValue: 1024)
    package static let noDirectoryAccessTime = MountFlags(rawValue: 2048)
    package static let bind = MountFlags(rawValue: 4096)
    package static let move = MountFlags(rawValue: 8192)
    package static let recursive = MountFlags(rawValue: 16384)
    package static let silent = MountFlags(rawValue: 32768)
    package static let unbindable = MountFlags(rawValue: 1 << 17)
    package static let `private` = MountFlags(rawValue: 1 << 18)
    package static let slave = MountFlags(rawValue: 1 << 19)
    package static let shared = MountFlags(rawValue: 1 << 20)
    package static let relativeAccessTime = MountFlags(rawValue: 1 << 21)
    package static let inodeVersion = MountFlags(rawValue: 1 << 23)
    package static let strictAccessTime = MountFlags(rawValue: 1 << 24)
    package static let lazyTimes = MountFlags(rawValue: 1 << 25)
}

/// `MOUNT_ATTR_*` attributes of `fsmount(2)` and `mount_setattr(2)`.
package struct MountAttributes: OptionSet, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Of a literal; the protocol's own way costs a tenth of a millisecond of metadata at its first use.
    package init(arrayLiteral elements: MountAttributes...) {
        rawValue = elements.reduce(0) { $0 | $1.rawValue }
    }

    package static let readOnly = MountAttributes(rawValue: 0x1)
    package static let noSetID = MountAttributes(rawValue: 0x2)
    package static let noDevices = MountAttributes(rawValue: 0x4)
    package static let noExecute = MountAttributes(rawValue: 0x8)
    /// The field that holds the access-time mode; `relatime` is its zero.
    package static let accessTimeField = MountAttributes(rawValue: 0x70)
    package static let noAccessTime = MountAttributes(rawValue: 0x10)
    package static let strictAccessTime = MountAttributes(rawValue: 0x20)
    package static let noDirectoryAccessTime = MountAttributes(rawValue: 0x80)
    package static let idMapped = MountAttributes(rawValue: 0x100000)
    package static let noSymlinkFollow = MountAttributes(rawValue: 0x200000)

    /// As in mount(8): `ro,nosuid,nodev`.
    package var description: String {
        let names: [(MountAttributes, String)] = [
            (.readOnly, "ro"), (.noSetID, "nosuid"), (.noDevices, "nodev"), (.noExecute, "noexec"),
            (.noAccessTime, "noatime"), (.strictAccessTime, "strictatime"), (.noDirectoryAccessTime, "nodiratime"),
            (.idMapped, "idmap"), (.noSymlinkFollow, "nosymfollow"),
        ]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: ",")
    }
}

/// Propagation of mount events; see mount_namespaces(7).
package enum MountPropagation: String, Hashable, Sendable {
    case shared, slave, `private`, unbindable

    /// The `MS_*` flag, which is also `mount_setattr(2)`'s propagation value.
    package var flag: MountFlags {
        switch self {
        case .shared: .shared
        case .slave: .slave
        case .private: .private
        case .unbindable: .unbindable
        }
    }
}
