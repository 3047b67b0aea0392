// Which acts of confinement a process undergoes, and in which order: pure. Called by Launch/Birth.swift, which places
// the groups among its other steps. create and exec differ only in the request.

package import Configuration
package import Diagnostics

/// What is asked of confinement, and the facts that decide.
package struct ConfinementRequest: Equatable, Sendable {
    package var containerID: String
    package var process: ProcessConfiguration
    /// Empty for exec: they are the container's, not the process's.
    package var sysctls: [SysctlSetting] = []
    package var seccomp: SeccompSection?
    package var personality: PersonalityDomain?
    package var memoryPolicy: MemoryPolicy?
    /// Whether the process gets a session keyring of its own (not with `--no-new-keyring`).
    package var joinsSessionKeyring = true
    /// Annotation `run.oci.keep_original_groups=1`: the caller's groups stay.
    package var keepsOriginalGroups = false
    /// Whether the process enters a user namespace that the runtime is not in. It then holds every capability there.
    package var entersUserNamespace = false
    package var host: HostFacts
    package var capabilities: CapabilityFacts

    package init(containerID: String, process: ProcessConfiguration, host: HostFacts, capabilities: CapabilityFacts) {
        self.containerID = containerID
        self.process = process
        self.host = host
        self.capabilities = capabilities
    }
}

/// The ordered lists. A list may be empty; the order of the lists is the order of the properties.
package struct ConfinementPlan: Equatable, Sendable {
    /// Before the root filesystem is built. The score must be written while the process is dumpable.
    package let beforeRootfs: [ConfinementStep]
    /// Inside the new root, before paths are masked or made read-only.
    package let insideRootfs: [ConfinementStep]
    /// Once the root is complete: no_new_privs, scheduling, execution domain, memory policy, exec label.
    package let restrictions: [ConfinementStep]
    /// The filter, when no_new_privs is off: loading it needs CAP_SYS_ADMIN, which the next list gives up.
    package let filterBeforeDrop: [ConfinementStep]
    /// Bounding set, groups, ids, capabilities.
    package let privilegeDrop: [ConfinementStep]
    /// The filter, when no_new_privs is on: as late as can be, so that it need not allow what comes before.
    package let filterLast: [ConfinementStep]
    /// What was asked for and cannot be had, one sentence each.
    package let warnings: [String]

    /// Every step in order.
    package var steps: [ConfinementStep] {
        beforeRootfs + insideRootfs + restrictions + filterBeforeDrop + privilegeDrop + filterLast
    }

    /// Computes the lists.
    /// - Throws: When a label is asked for and its security module is not active on this host.
    package init(_ request: ConfinementRequest) throws(Failure) {
        let process = request.process
        try AppArmor.check(process.apparmorProfile, isEnabled: request.host.appArmorIsEnabled)
        try SELinux.check(process.selinuxLabel, isEnabled: request.host.seLinuxIsEnabled)
        let facts = request.entersUserNamespace ? request.capabilities.insideNewUserNamespace : request.capabilities
        let grant = CapabilityGrant(of: process.capabilities, facts)

        beforeRootfs = Self.keyring(request) + Self.score(process)
        insideRootfs = Self.inside(request)
        restrictions = Self.restrict(request)
        privilegeDrop = Self.drop(request, facts, grant)
        let filter = Self.filter(request)
        filterBeforeDrop = process.noNewPrivileges ? [] : filter
        filterLast = process.noNewPrivileges ? filter : []
        warnings = grant.warnings
    }

    private static func keyring(_ request: ConfinementRequest) -> [ConfinementStep] {
        guard request.joinsSessionKeyring else { return [] }
        let search: ConfinementStep.KeySearch = request.entersUserNamespace ? .others : .owner
        let join = ConfinementStep.joinSessionKeyring(name: "_ses.\(request.containerID)", search: search)
        guard let label = request.process.selinuxLabel, !label.isEmpty else { return [join] }
        // ORDER: the label is for the keyring alone; keys that the container makes later follow the policy.
        return [.setKeyringLabel(label), join, .setKeyringLabel("")]
    }

    private static func score(_ process: ProcessConfiguration) -> [ConfinementStep] {
        process.oomScoreAdjustment.map { [.setOOMScoreAdjustment($0)] } ?? []
    }

    private static func inside(_ request: ConfinementRequest) -> [ConfinementStep] {
        var steps: [ConfinementStep] = []
        if let profile = request.process.apparmorProfile, !profile.isEmpty, request.host.appArmorIsEnabled {
            // With no_new_privs the kernel refuses to leave a profile, but lets another be stacked upon it.
            let stacked = request.process.noNewPrivileges && request.host.isConfinedByAppArmor
            steps.append(.setAppArmorProfile(profile, stacked: stacked))
        }
        if !request.sysctls.isEmpty { steps.append(.setSysctls(request.sysctls)) }
        return steps
    }

    private static func restrict(_ request: ConfinementRequest) -> [ConfinementStep] {
        let process = request.process
        var steps: [ConfinementStep] = []
        if let mask = process.user.umask { steps.append(.setUmask(mask)) }
        if process.noNewPrivileges { steps.append(.setNoNewPrivileges) }
        if let attributes = process.scheduler { steps.append(.setScheduler(attributes)) }
        if let priority = process.ioPriority { steps.append(.setIOPriority(priority)) }
        if let domain = request.personality { steps.append(.setPersonality(domain)) }
        if let policy = request.memoryPolicy { steps.append(.setMemoryPolicy(policy)) }
        if let label = process.selinuxLabel, !label.isEmpty { steps.append(.setSELinuxLabel(label)) }
        return steps
    }

    private static func filter(_ request: ConfinementRequest) -> [ConfinementStep] {
        request.seccomp.map { [.loadSeccomp(listener: $0.notifies)] } ?? []
    }

    private static func drop(
        _ request: ConfinementRequest,
        _ facts: CapabilityFacts,
        _ grant: CapabilityGrant
    ) -> [ConfinementStep] {
        let user = request.process.user
        var steps: [ConfinementStep] = []
        let excess = facts.bounding.subtracting(grant.bounding)
        // ORDER: dropping needs CAP_SETPCAP, which the change of user takes out of the effective set.
        if !excess.isEmpty { steps.append(.dropBoundingSet(excess)) }
        steps.append(.keepCapabilities(true))
        steps.append(.ownStandardStreams(uid: user.uid))
        // ORDER: groups before ids: afterwards the right to set them is gone. Always, also to none: the caller's
        // groups must not leak in (CVE-2022-36109 and its kin).
        if !request.keepsOriginalGroups {
            let mayBeDenied =
                user.additionalGroups.isEmpty && (request.entersUserNamespace || request.host.isInUserNamespace)
            steps.append(.setGroups(user.additionalGroups, denial: mayBeDenied ? .tolerated : .fails))
        }
        steps += [.setGroup(user.gid), .setUser(user.uid), .keepCapabilities(false)]
        steps.append(
            .setCapabilities(
                effective: grant.effective,
                permitted: grant.permitted,
                inheritable: grant.inheritable
            )
        )
        // ORDER: the kernel lets into the ambient set only what is permitted and inheritable.
        steps.append(.setAmbientSet(grant.ambient))
        return steps
    }
}
