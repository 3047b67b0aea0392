// Versions in the form of Semantic Versioning 2.0.0, and which of them this model can read.
// Used by Configuration for `ociVersion`, and by the features document.

/// A version of the runtime specification.
public struct SpecVersion: Equatable, Sendable, CustomStringConvertible {
    /// Counts incompatible changes.
    public var major: UInt
    /// Counts compatible additions.
    public var minor: UInt
    /// Counts corrections.
    public var patch: UInt
    /// What stands behind the hyphen, such as `rc.1` or `dev`; nil for a release.
    public var prerelease: String?
    /// What stands behind the plus sign; without meaning for order.
    public var build: String?

    /// The version that this model describes.
    public static let current = SpecVersion(major: 1, minor: 3, patch: 0)

    /// The oldest version that is accepted.
    public static let oldest = SpecVersion(major: 1, minor: 0, patch: 0)

    /// Creates the version of a release.
    public init(major: UInt, minor: UInt, patch: UInt) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Parses a version such as `1.0.2-dev`; nil if `text` is not of the form that semver.org 2.0.0 defines.
    public init?(_ text: String) {
        var rest = Substring(text)
        if let plus = rest.utf8.firstIndex(of: UInt8(ascii: "+")) {
            let build = rest[rest.utf8.index(after: plus)...]
            guard Self.isIdentifierList(build, allowsLeadingZeros: true) else { return nil }
            self.build = String(build)
            rest = rest[..<plus]
        }
        if let hyphen = rest.utf8.firstIndex(of: UInt8(ascii: "-")) {
            let prerelease = rest[rest.utf8.index(after: hyphen)...]
            guard Self.isIdentifierList(prerelease, allowsLeadingZeros: false) else { return nil }
            self.prerelease = String(prerelease)
            rest = rest[..<hyphen]
        }
        let numbers = rest.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard numbers.count == 3, let major = Self.number(numbers[0]), let minor = Self.number(numbers[1]),
            let patch = Self.number(numbers[2])
        else { return nil }
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Whether a document of this version can be read: any 1.x.y, pre-releases included.
    ///
    /// The specification promises compatibility within a major version in both directions; properties of a later
    /// 1.x are unknown names, which are ignored.
    public var isAccepted: Bool { major == 1 }

    /// The version as SemVer writes it.
    public var description: String {
        var text = "\(major).\(minor).\(patch)"
        if let prerelease { text += "-\(prerelease)" }
        if let build { text += "+\(build)" }
        return text
    }

    private static func number(_ digits: Substring.UTF8View) -> UInt? {
        guard !digits.isEmpty, digits.allSatisfy({ 0x30...0x39 ~= $0 }), !hasLeadingZero(digits) else { return nil }
        return UInt(Substring(digits))
    }

    private static func hasLeadingZero(_ digits: Substring.UTF8View) -> Bool {
        digits.count > 1 && digits.first == UInt8(ascii: "0")
    }

    /// Whether `text` is a list of identifiers of letters, digits and hyphens, with dots between them.
    private static func isIdentifierList(_ text: Substring, allowsLeadingZeros: Bool) -> Bool {
        text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { identifier in
            let isNumber = identifier.allSatisfy { 0x30...0x39 ~= $0 }
            guard allowsLeadingZeros || !isNumber || !hasLeadingZero(identifier) else { return false }
            return !identifier.isEmpty
                && identifier.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
                    default: false
                    }
                }
        }
    }
}
