// A birth as data: what each process will do. Pure: the same for `create` and for `explain`.

package import Cgroups
package import Configuration
package import Confinement
package import Diagnostics
internal import KernelTypes

/// The lists of one birth.
package struct LaunchPlan: Equatable, Sendable {
    package let runtime: [RuntimeStep]
    /// Empty when there is no intermediate process.
    package let intermediate: [IntermediateStep]
    package let initial: [InitStep]
    /// What was asked for and cannot be had, one sentence each.
    package let warnings: [String]

    /// - Parameters:
    ///   - capabilities: What the runtime could pass on.
    ///   - hardLimits: The runtime's own, by the kernel's number.
    ///   - cgroups: What the cgroup driver will make.
    /// - Throws: When something is asked for that this machine cannot do at all.
    package init(
        _ c: ContainerConfiguration,
        _ f: HostFacts,
        _ r: LaunchRequest,
        capabilities: CapabilityFacts,
        hardLimits: [UInt64],
        cgroups: CgroupDirectories
    ) throws(Failure) {
        let confinement = try Self.confinement(
            c,
            f,
            r,
            capabilities,
            entersUserNamespace: c.namespaces.isSeparate(.user)
        )
        let limits = LimitPlan(c, capabilities, hardLimits: hardLimits)
        runtime = Birth.runtimeSteps(c, f, r, limits, cgroups: cgroups)
        intermediate = Birth.intermediateSteps(c, f, r)
        initial = Birth.initSteps(c, f, r, limits, confinement)
        warnings = (confinement?.warnings ?? []) + limits.warnings
    }

    static func confinement(
        _ c: ContainerConfiguration,
        _ f: HostFacts,
        _ r: LaunchRequest,
        _ capabilities: CapabilityFacts,
        entersUserNamespace: Bool
    ) throws(Failure) -> ConfinementPlan? {
        guard var process = c.process else { return nil }
        // The runtime sets it, from outside, where the power to lower it is.
        process.oomScoreAdjustment = nil
        var request = ConfinementRequest(containerID: r.id, process: process, host: f, capabilities: capabilities)
        request.sysctls = c.sysctls
        request.seccomp = c.seccomp
        request.personality = c.personality
        request.memoryPolicy = c.memoryPolicy
        request.joinsSessionKeyring = !r.noNewKeyring
        request.keepsOriginalGroups = c.value(of: .keepsOriginalGroups) == "1"
        request.entersUserNamespace = entersUserNamespace
        return try ConfinementPlan(request)
    }
}

/// The directories of a container's cgroups, in words.
package struct CgroupDirectories: Equatable, Sendable {
    /// On v2, where init is born.
    package let unified: [String]
    /// In the hierarchies of v1.
    package let legacy: [String]

    package init(unified: [String], legacy: [String]) {
        self.unified = unified
        self.legacy = legacy
    }

    package init(_ placement: CgroupPlacement) {
        unified = placement.locations.filter(\.isUnified).map(\.directory)
        legacy = placement.locations.filter { !$0.isUnified }.map(\.directory)
    }

    var all: [String] { unified + legacy }
}
