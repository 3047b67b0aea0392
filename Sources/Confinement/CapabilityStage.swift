// Which capabilities this kernel knows and this process holds (libcap answers), and which of the configured ones can
// therefore be granted (pure). The acts themselves are raw calls of LinuxSystem, because libcap reports through errno
// and the sets must stay one 64-bit mask. The only file that imports libcap.

internal import CCap
package import Configuration
package import Diagnostics
internal import LinuxSystem

/// What the kernel knows and what this process could pass on. See capabilities(7).
package struct CapabilityFacts: Equatable, Sendable {
    /// Every capability of this kernel, also those that this program has no name for.
    package var known: CapabilitySet
    package var bounding: CapabilitySet
    package var permitted: CapabilitySet
    package var inheritable: CapabilitySet

    package init(
        known: CapabilitySet,
        bounding: CapabilitySet,
        permitted: CapabilitySet,
        inheritable: CapabilitySet = CapabilitySet()
    ) {
        self.known = known
        self.bounding = bounding
        self.permitted = permitted
        self.inheritable = inheritable
    }

    /// Asks about this process; to be done in the runtime, before the first clone.
    package static func ofThisProcess() throws(Failure) -> CapabilityFacts {
        let count = UInt64(clamping: max(0, min(63, cap_max_bits())))
        let held = try attempt("read the runtime's capabilities", .capget) { () throws(Errno) in
            try Credentials.capabilities()
        }
        var bounding: UInt64 = 0
        for number in 0..<count where cap_get_bound(cap_value_t(number)) == 1 {
            bounding |= 1 << number
        }
        return CapabilityFacts(
            known: CapabilitySet(rawValue: (1 << count) - 1),
            bounding: CapabilitySet(rawValue: bounding),
            permitted: CapabilitySet(rawValue: held.permitted),
            inheritable: CapabilitySet(rawValue: held.inheritable)
        )
    }

    /// What a process holds that has just entered a user namespace: everything, in that namespace.
    package var insideNewUserNamespace: CapabilityFacts {
        CapabilityFacts(known: known, bounding: known, permitted: known)
    }
}

/// The capability sets that a process gets: what was asked for, without what cannot be had.
package struct CapabilityGrant: Equatable, Sendable {
    package let bounding: CapabilitySet
    package let effective: CapabilitySet
    package let permitted: CapabilitySet
    package let inheritable: CapabilitySet
    package let ambient: CapabilitySet
    /// One sentence a capability that was left out. Runtime-spec: config.md, Linux Process: a capability that cannot
    /// be granted is warned about and must not make the container fail.
    package let warnings: [String]

    /// Applies the kernel's own rules (capabilities(7), "Capability bounding set" and "Programmatically adjusting
    /// capability sets") ahead of the calls that would refuse the whole set.
    package init(of wanted: CapabilitySets, _ facts: CapabilityFacts) {
        bounding = wanted.bounding.intersection(facts.bounding).intersection(facts.known)
        permitted = wanted.permitted.intersection(facts.permitted).intersection(facts.known)
        effective = wanted.effective.intersection(permitted)
        // After the change of user CAP_SETPCAP is not effective: what is raised must be held and not yet dropped.
        inheritable = wanted.inheritable.intersection(
            facts.inheritable.union(facts.permitted.intersection(bounding))
        ).intersection(facts.known)
        ambient = wanted.ambient.intersection(permitted).intersection(inheritable)

        warnings = Self.warnings(
            facts,
            [
                wanted.bounding.subtracting(bounding), wanted.effective.subtracting(effective),
                wanted.inheritable.subtracting(inheritable), wanted.permitted.subtracting(permitted),
                wanted.ambient.subtracting(ambient),
            ]
        )
    }

    /// - Parameter missing: Of the bounding, effective, inheritable, permitted and ambient set.
    private static func warnings(_ facts: CapabilityFacts, _ missing: [CapabilitySet]) -> [String] {
        let all = missing.reduce(CapabilitySet()) { $0.union($1) }
        if all.isEmpty { return [] }
        let names = ["bounding", "effective", "inheritable", "permitted", "ambient"]
        return (0..<UInt64(64)).map { CapabilitySet(rawValue: 1 << $0) }.filter { all.contains($0) }.map { bit in
            let keys = zip(names, missing).filter { $1.contains(bit) }.map { "process.capabilities.\($0.0)" }
            return "\(keys.joined(separator: ", ")): \(bit.confinementText) is left out: \(Self.reason(bit, facts))"
        }
    }

    private static func reason(_ bit: CapabilitySet, _ facts: CapabilityFacts) -> String {
        if !facts.known.contains(bit) { return "this kernel does not have it" }
        if !facts.permitted.contains(bit) { return "the runtime itself does not hold it" }
        if !facts.bounding.contains(bit) { return "it is not in the runtime's own bounding set" }
        return "effective needs permitted, inheritable needs bounding, ambient needs permitted and inheritable"
    }
}
