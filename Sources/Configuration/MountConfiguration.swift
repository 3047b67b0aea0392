// One entry of `mounts`, with every option turned into what the kernel is to be asked.

package import KernelTypes

/// A mount of the container.
package struct MountConfiguration: Equatable, Sendable {
    /// What kind of mount it is.
    package enum Kind: Equatable, Sendable {
        /// `bind` or `rbind` is among the options, whatever `type` says.
        case bind(recursive: Bool)
        /// Type `cgroup` or `cgroup2`: what the container may see of its cgroup.
        case cgroup
        /// A file system of its own.
        case fileSystem(type: String)
        /// `remount` without bind: changes the mount that is at the destination.
        case remount
    }

    package var kind: Kind
    /// Absolute, in the container; without `.`, `..` and doubled slashes.
    package var destination: String
    /// For a bind: absolute, in the runtime's mount namespace. Else the file system's source, or `nil`.
    package var source: String?
    package var options: MountOptions
    /// The spec's words, for messages and `explain`.
    package var optionWords: [String]

    package init(kind: Kind, destination: String, source: String?, options: MountOptions, optionWords: [String]) {
        self.kind = kind
        self.destination = destination
        self.source = source
        self.options = options
        self.optionWords = optionWords
    }
}

/// The options of a mount by what they act on.
package struct MountOptions: Equatable, Sendable {
    /// Of this mount alone.
    package var set: MountAttributes = []
    package var cleared: MountAttributes = []
    /// Of this mount and the mounts below it (`rro`, `rnosuid`, ...).
    package var recursivelySet: MountAttributes = []
    package var recursivelyCleared: MountAttributes = []
    /// Of the file system (`sync`, `dirsync`, `mand`, `lazytime`, `iversion`, `silent`).
    package var fileSystemFlags: MountFlags = []
    package var fileSystemFlagsCleared: MountFlags = []
    /// In the order given.
    package var propagation: [PropagationChange] = []
    /// For the file system: words that are no mount option (`size=64k`).
    package var data: [String] = []
    /// Copy what the image has at the destination into the new tmpfs.
    package var copiesUp = false
    package var links: LinkHandling = []
    package var idMap: IDMapRequest?

    package init() {}
}

/// Where links are not followed; options of crun's (crun(1), Extensions).
package struct LinkHandling: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `copy-symlink`: a source that is a link is made anew in the container instead of being mounted.
    package static let copiesSource = LinkHandling(rawValue: 1)
    /// `src-nofollow`: a source that is a link is itself mounted.
    package static let keepsSource = LinkHandling(rawValue: 2)
    /// `dest-nofollow`: a destination that is a link is itself mounted on.
    package static let keepsDestination = LinkHandling(rawValue: 4)

    /// Whether the source is opened as what it is.
    package var stopsAtSource: Bool { !isDisjoint(with: [.copiesSource, .keepsSource]) }
}

/// `shared`, `rslave` and so on.
package struct PropagationChange: Equatable, Sendable {
    package let propagation: MountPropagation
    package let recursive: Bool

    package init(_ propagation: MountPropagation, recursive: Bool) {
        self.propagation = propagation
        self.recursive = recursive
    }
}

/// `idmap`, `ridmap`, or mappings of the mount's own.
package struct IDMapRequest: Equatable, Sendable {
    package let recursive: Bool
    /// Both empty: the container's own user namespace.
    package let uidMappings: [IDMapping]
    package let gidMappings: [IDMapping]

    package init(recursive: Bool, uidMappings: [IDMapping], gidMappings: [IDMapping]) {
        self.recursive = recursive
        self.uidMappings = uidMappings
        self.gidMappings = gidMappings
    }
}
