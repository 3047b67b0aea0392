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
        case links(LinkHandling)
    }

    /// A word and its effect.
    private struct Row {
        let word: String
        let effect: Effect

        init(_ word: String, _ effect: Effect) {
            self.word = word
            self.effect = effect
        }
    }

    /// The names in alphabetical order.
    package static var names: [String] {
        rows.flatMap { row in
            row.effect.recursive == nil ? [row.word] : [row.word, "r" + row.word]
        }.sorted()
    }

    /// What `word` does; `nil` if it is no mount option.
    ///
    /// The table is searched from end to end, where the usual words are: making a dictionary of it takes longer than a
    /// container's few words.
    package static func effect(of word: String) -> Effect? {
        if word.utf8.contains(UInt8(ascii: "=")) { return nil }
        if let row = rows.first(where: { $0.word == word }) { return row.effect }
        guard word.utf8.first == UInt8(ascii: "r") else { return nil }
        let plain = word.dropFirst()
        return rows.first { $0.word == plain }?.effect.recursive
    }

    private static let rows: [Row] = [
        Row("nosuid", .setting(.noSetID)), Row("suid", .clearing(.noSetID)),
        Row("nodev", .setting(.noDevices)), Row("dev", .clearing(.noDevices)),
        Row("noexec", .setting(.noExecute)), Row("exec", .clearing(.noExecute)),
        Row("ro", .setting(.readOnly)), Row("rw", .clearing(.readOnly)),
        Row("defaults", .nothing), Row("bind", .bind(recursive: false)), Row("rbind", .bind(recursive: true)),
        Row("remount", .remount), Row("tmpcopyup", .copyUp),
        Row("idmap", .idMap(recursive: false)), Row("ridmap", .idMap(recursive: true)),
        Row("copy-symlink", .links(.copiesSource)), Row("src-nofollow", .links(.keepsSource)),
        Row("dest-nofollow", .links(.keepsDestination)),
        Row("nodiratime", .setting(.noDirectoryAccessTime)), Row("diratime", .clearing(.noDirectoryAccessTime)),
        Row("nosymfollow", .setting(.noSymlinkFollow)), Row("symfollow", .clearing(.noSymlinkFollow)),

        Row("noatime", .accessTime(.noAccessTime)), Row("atime", .accessTime([])),
        Row("relatime", .accessTime([])), Row("norelatime", .accessTime([])),
        Row("strictatime", .accessTime(.strictAccessTime)), Row("nostrictatime", .accessTime([])),

        Row("private", .spreading(.private)), Row("shared", .spreading(.shared)),
        Row("slave", .spreading(.slave)), Row("unbindable", .spreading(.unbindable)),

        Row("sync", .fileSystem(.synchronous, isSet: true)), Row("async", .fileSystem(.synchronous, isSet: false)),
        Row("dirsync", .fileSystem(.synchronousDirectories, isSet: true)),
        Row("mand", .fileSystem(.mandatoryLocks, isSet: true)),
        Row("nomand", .fileSystem(.mandatoryLocks, isSet: false)),
        Row("lazytime", .fileSystem(.lazyTimes, isSet: true)), Row("nolazytime", .fileSystem(.lazyTimes, isSet: false)),
        Row("iversion", .fileSystem(.inodeVersion, isSet: true)),
        Row("noiversion", .fileSystem(.inodeVersion, isSet: false)),
        Row("silent", .fileSystem(.silent, isSet: true)), Row("loud", .fileSystem(.silent, isSet: false)),
    ]
}

extension MountOptionTable.Effect {
    fileprivate static func setting(_ attribute: MountAttributes) -> Self {
        .attributes(set: attribute, cleared: [], recursive: false)
    }

    fileprivate static func clearing(_ attribute: MountAttributes) -> Self {
        .attributes(set: [], cleared: attribute, recursive: false)
    }

    /// The access-time mode is one field: each of its words replaces it as a whole. Taking a mode away leaves the kernel's
    /// default, which is relatime.
    fileprivate static func accessTime(_ mode: MountAttributes) -> Self {
        .attributes(set: mode, cleared: .accessTimeField, recursive: false)
    }

    fileprivate static func spreading(_ propagation: MountPropagation) -> Self {
        .propagation(PropagationChange(propagation, recursive: false))
    }

    /// The same on the mounts below, too: what the word with an `r` before it means; `nil` where that is no word.
    fileprivate var recursive: Self? {
        switch self {
        case .attributes(let set, let cleared, recursive: false):
            .attributes(set: set, cleared: cleared, recursive: true)
        case .propagation(let change): .propagation(PropagationChange(change.propagation, recursive: true))
        default: nil
        }
    }
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
        case .links(let handling):
            links.formUnion(handling)
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
