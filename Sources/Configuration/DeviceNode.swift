// Device nodes of the container, and the rules on which devices it may use.

/// A node to be in the container's /dev.
package struct DeviceNode: Equatable, Sendable {
    package enum Kind: String, Sendable { case character = "c", block = "b", fifo = "p" }

    package let kind: Kind
    /// Absolute, in the container.
    package let path: String
    package let major: UInt32
    package let minor: UInt32
    /// Permission bits.
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32

    package init(kind: Kind, path: String, major: UInt32, minor: UInt32, mode: UInt32, uid: UInt32, gid: UInt32) {
        self.kind = kind
        self.path = path
        self.major = major
        self.minor = minor
        self.mode = mode
        self.uid = uid
        self.gid = gid
    }

    /// Runtime-spec: config-linux.md, Default Devices. `/dev/console` and `/dev/ptmx` are made otherwise.
    package static let defaults: [DeviceNode] = [
        everybodys("/dev/null", 1, 3), everybodys("/dev/zero", 1, 5), everybodys("/dev/full", 1, 7),
        everybodys("/dev/random", 1, 8), everybodys("/dev/urandom", 1, 9), everybodys("/dev/tty", 5, 0),
    ]

    private static func everybodys(_ path: String, _ major: UInt32, _ minor: UInt32) -> DeviceNode {
        DeviceNode(kind: .character, path: path, major: major, minor: minor, mode: 0o666, uid: 0, gid: 0)
    }
}

/// One entry of `linux.resources.devices`.
package struct DeviceRule: Equatable, Sendable {
    package enum Kind: String, Sendable { case all = "a", character = "c", block = "b" }

    package struct Access: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Of a literal; the protocol's own way costs a tenth of a millisecond of metadata at its first use.
        package init(arrayLiteral elements: Access...) {
            rawValue = elements.reduce(0) { $0 | $1.rawValue }
        }
        package static let makeNode = Access(rawValue: 1)
        package static let read = Access(rawValue: 2)
        package static let write = Access(rawValue: 4)
        package static let everything: Access = [.makeNode, .read, .write]
    }

    package let allow: Bool
    package let kind: Kind
    /// `nil`: any.
    package let major: UInt32?
    package let minor: UInt32?
    package let access: Access

    package init(allow: Bool, kind: Kind, major: UInt32?, minor: UInt32?, access: Access) {
        self.allow = allow
        self.kind = kind
        self.major = major
        self.minor = minor
        self.access = access
    }

    /// What every container may use: making any node (not using it), and the default devices with their terminals.
    package static let defaults: [DeviceRule] =
        [
            DeviceRule(allow: true, kind: .character, major: nil, minor: nil, access: .makeNode),
            DeviceRule(allow: true, kind: .block, major: nil, minor: nil, access: .makeNode),
        ]
        + [(1, 3), (1, 8), (1, 7), (5, 0), (1, 5), (1, 9), (5, 2)].map {
            DeviceRule(allow: true, kind: .character, major: $0.0, minor: $0.1, access: .everything)
        }
        + [DeviceRule(allow: true, kind: .character, major: 136, minor: nil, access: .everything)]
}
