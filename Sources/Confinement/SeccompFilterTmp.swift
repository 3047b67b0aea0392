package import Configuration
package import Diagnostics
package struct SeccompFilter: Sendable {
    package static let libraryVersion = "2.5.4"
    package static func prepare(_ s: SeccompConfiguration, cacheDirectory: String) throws(Failure) -> SeccompFilter { SeccompFilter() }
    package let warnings: [String] = []
    static func load(_ f: SeccompFilter?) throws(Failure) -> CInt? { nil }
}
extension SeccompConfiguration { var usesNotification: Bool { rules.contains { $0.action == .notify } } }
