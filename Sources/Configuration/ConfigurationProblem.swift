// What is wrong with a config.json, in one sentence.

/// A value that breaks a rule.
package struct ConfigurationProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// `linux.namespaces[2].path`.
    package let keyPath: String
    /// What was found and what is accepted: `expected an absolute path, found "proc/1/ns/net"`.
    package let message: String

    package init(_ keyPath: String, _ message: String) {
        self.keyPath = keyPath
        self.message = message
    }

    package var description: String { "\(keyPath): \(message)" }
}
