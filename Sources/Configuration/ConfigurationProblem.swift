// What is wrong with a config.json, in one sentence, and where.

/// A value that breaks a rule.
package struct ConfigurationProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// `linux.namespaces[2].path`; empty for the document as a whole.
    package let keyPath: String
    /// What was found and what is accepted: `expected an absolute path, found "proc/1/ns/net"`.
    package let message: String

    package init(_ keyPath: String, _ message: String) {
        self.keyPath = keyPath
        self.message = message
    }

    package var description: String { keyPath.isEmpty ? message : "\(keyPath): \(message)" }
}

/// Returns `text` in double quotes, fit for one line of a message: control characters are escaped, and what comes after
/// 120 characters is left out.
func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars.prefix(120) {
        switch scalar {
        case "\"": quoted += "\\\""
        case "\\": quoted += "\\\\"
        case "\n": quoted += "\\n"
        case "\t": quoted += "\\t"
        case _ where scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value:
            quoted += "\\u{\(String(scalar.value, radix: 16))}"
        default: quoted.unicodeScalars.append(scalar)
        }
    }
    return quoted + (text.unicodeScalars.count > 120 ? "\"..." : "\"")
}
