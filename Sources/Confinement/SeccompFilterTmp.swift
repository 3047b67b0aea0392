package import Configuration
package import Diagnostics
package struct SeccompFilter: Sendable {
    package let warnings: [String] = []
    static func load(_ f: SeccompFilter?) throws(Failure) -> CInt? { nil }
}
extension SeccompConfiguration { var usesNotification: Bool { rules.contains { $0.action == .notify } } }
