// temporary
package import Configuration
package import Diagnostics
internal import LinuxSystem

package enum ConfinementStep: Equatable, Sendable {
    case setNoNewPrivileges
    case dropBoundingSet(keep: CapabilitySet)
    case setIdentity(UserConfiguration)
    case setCapabilities(CapabilitySets)
    package var name: String { "\(self)".split(separator: "(").first.map(String.init) ?? "" }
    package var detail: String { "" }
}
package enum ConfinementPlan {
    package static func keyring(_ c: ContainerConfiguration, id: String) -> [ConfinementStep] { [] }
    package static func kernelSettings(_ c: ContainerConfiguration) -> [ConfinementStep] { [] }
    package static func beforeIdentity(_ c: ContainerConfiguration, _ f: HostFacts) -> [ConfinementStep] { c.process?.noNewPrivileges == true ? [.setNoNewPrivileges] : [] }
    package static func identity(_ c: ContainerConfiguration, _ f: HostFacts) -> [ConfinementStep] {
        guard let p = c.process else { return [] }
        return [.dropBoundingSet(keep: p.capabilities.bounding), .setIdentity(p.user), .setCapabilities(p.capabilities)]
    }
    package static func filter(_ c: ContainerConfiguration) -> [ConfinementStep] { [] }
}
package struct ConfinementExecutor {
    package let listener: Int32 = -1
    package init(filter: [UInt8]) {}
    package func perform(_ step: ConfinementStep) throws(Failure) {
        switch step {
        case .setNoNewPrivileges: try attempt("nnp", .prctl) { () throws(Errno) in try Processes.setNoNewPrivileges() }
        case .dropBoundingSet(let keep): try attempt("bound", .prctl) { () throws(Errno) in for n in 0..<UInt8(41) where !keep.numbers.contains(n) { try Credentials.dropBounding(n) }; try Credentials.setKeepCapabilities(true) }
        case .setIdentity(let u): try attempt("id", .setgroups) { () throws(Errno) in try Credentials.setSupplementaryGroups(u.additionalGroups); try Credentials.setGroup(u.gid); try Credentials.setUser(u.uid) }
        case .setCapabilities(let s): try attempt("caps", .capset) { () throws(Errno) in try Credentials.setCapabilities(effective: s.effective.rawValue, permitted: s.permitted.rawValue, inheritable: s.inheritable.rawValue) }
        }
    }
}
package enum SeccompProgram {
    package static func make(_ s: SeccompConfiguration, cacheDirectory: String, annotations: [Annotation]) throws(Failure) -> (bytes: [UInt8], warnings: [String]) { ([], []) }
    package static var libraryVersion: String { "2.5.4" }
}
package enum AppArmor { package static var isEnabled: Bool { false } }
package enum SELinux { package static var isEnabled: Bool { false } }
