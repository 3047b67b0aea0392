// Who sets the program's resource limits, and to what. Pure.
//
// With CAP_SYS_RESOURCE the runtime sets them from outside when init only waits, so that a low limit never hits the
// work in init. Without it the kernel lets only init itself set them, and nobody raise a hard limit: such a limit is
// lowered to what there is, with a warning, as the spec wants for what cannot be granted.

internal import Configuration
internal import Confinement

/// `process.rlimits`, as they can be had.
struct LimitPlan {
    enum Setter { case runtime, initial }

    let setter: Setter
    let limits: [ResourceLimit]
    /// One sentence each.
    let warnings: [String]

    /// - Parameter hardLimits: The runtime's own, by the kernel's number.
    init(_ c: ContainerConfiguration, _ capabilities: CapabilityFacts, hardLimits: [UInt64]) {
        let wanted = c.process?.limits ?? []
        if capabilities.permitted.memberNames.contains("CAP_SYS_RESOURCE") {
            setter = .runtime
            limits = wanted
            warnings = []
            return
        }
        setter = .initial
        var warnings: [String] = []
        limits = wanted.map { limit in
            let index = Int(limit.resource)
            guard hardLimits.indices.contains(index), limit.hard > hardLimits[index] else { return limit }
            let most = hardLimits[index]
            warnings.append(
                "process.rlimits: \(limit.name) \(limit.soft):\(limit.hard) needs CAP_SYS_RESOURCE; "
                    + "the hard limit stays \(most)"
            )
            return ResourceLimit(name: limit.name, resource: limit.resource, soft: min(limit.soft, most), hard: most)
        }
        self.warnings = warnings
    }
}
