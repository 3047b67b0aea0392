// What criu answers. The numbers are those of criu's rpc.proto.

/// criu's version, `3.17.1`.
package struct CRIUVersion: Equatable, Comparable, Sendable, CustomStringConvertible {
    package var major: Int32
    package var minor: Int32
    package var patch: Int32

    package init(_ major: Int32, _ minor: Int32, _ patch: Int32 = 0) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    package var description: String { patch == 0 ? "\(major).\(minor)" : "\(major).\(minor).\(patch)" }

    package static func < (left: CRIUVersion, right: CRIUVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}

/// One message of criu's.
package struct CRIUResponse: Equatable, Sendable {
    /// `criu_req_type`: of the request that this answers, or 6 for a notification.
    private var type: Int32 = 0
    package private(set) var success = false
    /// The restored tree's root, or that of a notification; as criu's pid namespace sees it.
    package private(set) var pid: Int32?
    /// What criu has come to: `setup-namespaces`, `post-restore`, ...
    package private(set) var stage: String?
    package private(set) var errno: Int32?
    package private(set) var message: String?
    package private(set) var version: CRIUVersion?
    package private(set) var tracksMemory = false

    package var isNotification: Bool { type == RequestType.notify.rawValue }

    /// - Returns: `nil` for what is no such message.
    package init?(_ bytes: [UInt8]) {
        do throws(MalformedMessage) {
            try read(MessageReader(bytes[...]))
        } catch {
            return nil
        }
    }

    private mutating func read(_ fields: MessageReader) throws(MalformedMessage) {
        var fields = fields
        while let (field, value) = try fields.next() {
            switch field {
            case 1: type = value.integer ?? 0
            case 2: success = value.integer == 1
            case 4: pid = try Self.member(1, of: value)?.integer
            case 5:
                stage = try Self.member(1, of: value)?.text
                pid = try Self.member(2, of: value)?.integer
            case 7: errno = value.integer
            case 8: tracksMemory = try Self.member(1, of: value)?.integer == 1
            case 9: message = value.text
            case 10:
                version = CRIUVersion(
                    try Self.member(1, of: value)?.integer ?? 0,
                    try Self.member(2, of: value)?.integer ?? 0,
                    try Self.member(4, of: value)?.integer ?? 0
                )
            default: continue
            }
        }
    }

    private static func member(
        _ wanted: UInt64,
        of value: MessageReader.Value
    ) throws(MalformedMessage) -> MessageReader.Value? {
        guard var fields = value.message else { throw MalformedMessage() }
        while let (field, value) = try fields.next() {
            if field == wanted { return value }
        }
        return nil
    }
}
