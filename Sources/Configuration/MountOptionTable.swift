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
    package static var names: [String] {
        let attributes = switches.flatMap { [$0.0, $0.1] } + accessTimes.map(\.0) + propagations.map(\.rawValue)
        let flags = fileSystemFlags.flatMap { [$0.0] + ($0.1.map { [$0] } ?? []) }
        return (kinds.map(\.0) + attributes + attributes.map { "r" + $0 } + flags).sorted()
    }

    /// What `word` does; `nil` if it is no mount option.
    ///
    /// The tables are searched from end to end: making a dictionary of them takes longer than a container's few words.
    package static func effect(of word: String) -> Effect? {
        if let kind = kinds.first(where: { $0.0 == word }) { return kind.1 }
        for (set, cleared, flag) in fileSystemFlags {
            if word == set { return .fileSystem(flag, isSet: true) }
            if word == cleared { return .fileSystem(flag, isSet: false) }
        }
        if let effect = attributeEffect(of: word, recursive: false) { return effect }
        guard word.utf8.first == UInt8(ascii: "r") else { return nil }
        return attributeEffect(of: String(word.dropFirst()), recursive: true)
    }

    private static func attributeEffect(of word: String, recursive: Bool) -> Effect? {
        for (set, cleared, attribute) in switches {
            if word == set { return .attributes(set: attribute, cleared: [], recursive: recursive) }
            if word == cleared { return .attributes(set: [], cleared: attribute, recursive: recursive) }
        }
        for (name, mode) in accessTimes where word == name {
            return .attributes(set: mode, cleared: .accessTimeField, recursive: recursive)
        }
        for propagation in propagations where word == propagation.rawValue {
            return .propagation(PropagationChange(propagation, recursive: recursive))
        }
        return nil
    }

    private static let kinds: [(String, Effect)] = [
        ("defaults", .nothing), ("bind", .bind(recursive: false)), ("rbind", .bind(recursive: true)),
        ("remount", .remount), ("tmpcopyup", .copyUp),
        ("idmap", .idMap(recursive: false)), ("ridmap", .idMap(recursive: true)),
    ]

    private static let propagations: [MountPropagation] = [.private, .shared, .slave, .unbindable]

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
