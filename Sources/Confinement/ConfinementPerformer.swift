// Performs one step of confinement in the calling process: init, which has one thread and will soon be the
// container's. After loadSeccomp the successful path neither allocates nor makes a call that its step does not name;
// on failure texts are built, which may cost the process its life under a strict filter, and then the runtime's
// breadcrumb tells which step it was.

package import Diagnostics
internal import LinuxSystem
package import PathResolution

extension ConfinementStep {
    /// Performs the step.
    /// - Parameters:
    ///   - proc: A procfs handle that the caller has anyway; without one, steps that need one make their own.
    ///   - filter: What `SeccompFilter.prepare` returned; required by `loadSeccomp`.
    /// - Returns: The number of the seccomp listener's descriptor in this process, from `loadSeccomp` with a listener.
    @discardableResult
    package func perform(proc: borrowing ProcHandle? = nil, filter: SeccompFilter? = nil) throws(Failure) -> CInt? {
        switch self {
        case .setKeyringLabel(let label): try SELinux.setKeyLabel(label, proc)
        case .joinSessionKeyring(let name, let search): try SessionKeyring.join(name, search)
        case .setOOMScoreAdjustment(let score): try OOMScore.set(score, proc)
        case .setSysctls(let settings): try Sysctls.set(settings)
        case .setAppArmorProfile(let profile, let stacked):
            try AppArmor.setExecProfile(profile, stacked: stacked, proc)
        case .setNoNewPrivileges: try Scheduling.setNoNewPrivileges()
        case .setScheduler(let attributes): try Scheduling.set(attributes)
        case .setIOPriority(let value): try Scheduling.setIOPriority(value)
        case .setPersonality(let domain): try Scheduling.setPersonality(domain)
        case .setMemoryPolicy(let policy): try Scheduling.setMemoryPolicy(policy)
        case .setSELinuxLabel(let label): try SELinux.setExecLabel(label, proc)
        case .loadSeccomp: return try SeccompFilter.load(filter)
        case .ownStandardStreams(let uid): try UserIdentity.ownStandardStreams(uid)
        case .dropBoundingSet(let set): try UserIdentity.dropBounding(set)
        case .keepCapabilities(let keep): try UserIdentity.keepCapabilities(keep)
        case .setGroups(let groups, let denial): try UserIdentity.setGroups(groups, denial)
        case .setGroup(let gid): try UserIdentity.setGroup(gid)
        case .setUser(let uid): try UserIdentity.setUser(uid)
        case .setUmask(let mask): WorkingDirectory.setCreationMask(mask)
        case .setCapabilities(let effective, let permitted, let inheritable):
            try UserIdentity.setCapabilities(effective, permitted, inheritable)
        case .setAmbientSet(let set): try UserIdentity.setAmbient(set)
        }
        return nil
    }
}
