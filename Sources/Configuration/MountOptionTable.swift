// What each word among a mount's options means. Runtime-spec: config.md, Linux mount options.
// Used by the mount checks, and by `features`, which prints the names.

package import KernelTypes

/// The mount options by name. A word that is not here belongs to the file system.
package enum MountOptionTable {
    /// What an option does.
    package enum Effect: Equatable, Sendable {
        /// Nothing: `defaults`.
        case nothing
        /// Sets `set` on the mount after clearing `cleared`; `recursive`: on the mounts below it, too.
        case attributes(set: MountAttributes, cleared: MountAttributes, recursive: Bool)
        /// Sets or clears a flag of the file system.
        case fileSystem(MountFlags, isSet: Bool)
        case bind(recursive: Bool)
        case remount
        case propagation(PropagationChange)
        case copyUp
        case idMap(recursive: Bool)
    }

    /// The names in alphabetical order.
    package static let names: [String] = effects.keys.sorted()

    /// What `word` does; `nil` if it is no mount option.
    package static func effect(of word: String) -> Effect? {
        effects[word]
    }

    private static let effects: [String: Effect] = {
        var table: [String: Effect] = [
            "defaults": .nothing,
            "bind": .bind(recursive: false), "rbind": .bind(recursive: true),
            "remount": .remount,
            "tmpcopyup": .copyUp,
            "idmap": .idMap(recursive: false), "ridmap": .idMap(recursive: true),
        ]
        for (set, cleared, attribute) in switches {
            table[set] = .attributes(set: attribute, cleared: [], recursive: false)
            table[cleared] = .attributes(set: [], cleared: attribute, recursive: false)
            table["r" + set] = .attributes(set: attribute, cleared: [], recursive: true)
            table["r" + cleared] = .attributes(set: [], cleared: attribute, recursive: true)
        }
        for (name, mode) in accessTimes {
            table[name] = .attributes(set: mode, cleared: .accessTimeField, recursive: false)
            table["r" + name] = .attributes(set: mode, cleared: .accessTimeField, recursive: true)
        }
        for (set, cleared, flag) in fileSystemFlags {
            table[set] = .fileSystem(flag, isSet: true)
            if let cleared { table[cleared] = .fileSystem(flag, isSet: false) }
        }
        for propagation in [MountPropagation.private, .shared, .slave, .unbindable] {
            let name = propagation.rawValue
            table[name] = .propagation(PropagationChange(propagation, recursive: false))
            table["r" + name] = .propagation(PropagationChange(propagation, recursive: true))
        }
        return table
    }()

    private static let switches: [(String, String, MountAttributes)] = [
        ("ro", "rw", .readOnly), ("nosuid", "suid", .noSetID), ("nodev", "dev", .noDevices),
        ("noexec", "exec", .noExecute), ("nodiratime", "diratime", .noDirectoryAccessTime),
        ("nosymfollow", "symfollow", .noSymlinkFollow),
    ]

    /// The access-time mode is one field: each of these words replaces it as a whole. Taking a mode away leaves the
    /// kernel's default, which is relatime.
    private static let accessTimes: [(String, MountAttributes)] = [
        ("noatime", .noAccessTime), ("atime", []), ("relatime", []), ("norelatime", []),
        ("strictatime", .strictAccessTime), ("nostrictatime", []),
    ]

    private static let fileSystemFlags: [(String, String?, MountFlags)] = [
        ("sync", "async", .synchronous), ("dirsync", nil, .synchronousDirectories),
        ("mand", "nomand", .mandatoryLocks), ("lazytime", "nolazytime", .lazyTimes),
        ("iversion", "noiversion", .inodeVersion), ("silent", "loud", .silent),
    ]
}

extension MountOptions {
    /// Adds what the words of a mount's `options` do; a later word prevails over an earlier one.
    ///
    /// `bind`, `remount` and `idmap` are no options of the mount but say what it is: the mount checks look at them.
    mutating func add(_ effect: MountOptionTable.Effect) {
        switch effect {
        case .attributes(let set, let cleared, recursive: false):
            Self.change(&self.set, &self.cleared, set: set, cleared: cleared)
        case .attributes(let set, let cleared, recursive: true):
            Self.change(&recursivelySet, &recursivelyCleared, set: set, cleared: cleared)
        case .fileSystem(let flag, isSet: true):
            fileSystemFlags.insert(flag)
            fileSystemFlagsCleared.remove(flag)
        case .fileSystem(let flag, isSet: false):
            fileSystemFlags.remove(flag)
            fileSystemFlagsCleared.insert(flag)
        case .propagation(let change):
            propagation.append(change)
        case .copyUp:
            copiesUp = true
        case .nothing, .bind, .remount, .idMap:
            break
        }
    }

    /// A field is both cleared and set, as `mount_setattr(2)` wants it; a single bit is one or the other.
    private static func change(
        _ old: inout MountAttributes,
        _ oldCleared: inout MountAttributes,
        set: MountAttributes,
        cleared: MountAttributes
    ) {
        old.subtract(cleared)
        old.formUnion(set)
        if cleared.isEmpty { oldCleared.subtract(set) }
        oldCleared.formUnion(cleared)
    }
}
