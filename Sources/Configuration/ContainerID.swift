// What a container may be called. The name becomes a directory of the state root and part of cgroup and unit names,
// so it is checked before anything else looks at it.

/// The checked name of a container.
package struct ContainerID: Hashable, Sendable, CustomStringConvertible {
    /// The name.
    package let text: String

    /// The longest name, in bytes: it is the name of a directory, see NAME_MAX in pathname(7).
    package static let maximumLength = 255

    /// Checks `text`: letters, digits and `_+.-`, not `.` or `..`, at most `maximumLength` bytes.
    package init(_ text: String) throws(ConfigurationProblem) {
        let bytes = text.utf8
        let accepted = "letters, digits and _ + . -, 1 to \(Self.maximumLength) of them, and neither . nor .."
        guard 1...Self.maximumLength ~= bytes.count, text != ".", text != "..", bytes.allSatisfy(Self.isAccepted) else {
            throw ConfigurationProblem("", "invalid container ID format: \(quoted(text)); expected \(accepted)")
        }
        self.text = text
    }

    package var description: String { text }

    private static func isAccepted(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }
}
