// The vocabulary of confinement: one case per act that takes power away from a process. Plain values, computed by
// ConfinementPlan.swift, printed by `apus explain`, executed by ConfinementPerformer.swift in init. Nothing here acts.

package import Configuration
package import KernelTypes

/// One act of confinement.
package enum ConfinementStep: Equatable, Sendable {
    /// Sets the SELinux context of keys made from now on; empty goes back to the policy's choice.
    case setKeyringLabel(String)
    /// Leaves the caller's session keyring for a new one.
    case joinSessionKeyring(name: String, search: KeySearch)
    /// -1000 to 1000; see proc_pid_oom_score_adj(5).
    case setOOMScoreAdjustment(Int)
    case setSysctls([SysctlSetting])
    /// Sets the profile that the next execve brings: instead of the runtime's own one, or stacked upon it.
    case setAppArmorProfile(String, stacked: Bool)
    case setNoNewPrivileges
    case setScheduler(SchedulerAttributes)
    /// Class in bits 13 up, level below; see ioprio_set(2).
    case setIOPriority(Int32)
    case setPersonality(PersonalityDomain)
    case setMemoryPolicy(MemoryPolicy)
    case setSELinuxLabel(String)
    /// Installs the filter that the runtime prepared; after it, acts may neither allocate nor make unforeseen calls.
    case loadSeccomp(listener: Bool)
    /// Makes the open files 0, 1 and 2 belong to the user.
    case ownStandardStreams(uid: UInt32)
    /// Removes these from the bounding set.
    case dropBoundingSet(CapabilitySet)
    /// Whether the permitted set survives the change of user.
    case keepCapabilities(Bool)
    case setGroups([UInt32], denial: GroupDenial)
    case setGroup(UInt32)
    case setUser(UInt32)
    case setUmask(UInt32)
    case setCapabilities(effective: CapabilitySet, permitted: CapabilitySet, inheritable: CapabilitySet)
    /// Clears the ambient set, then raises these.
    case setAmbientSet(CapabilitySet)

    /// Who else may find keys in the new session keyring.
    package enum KeySearch: String, Sendable {
        /// Its owner: root of the container is the owner.
        case owner
        /// Everyone: in a user namespace root of the container is not the owner.
        case others
    }

    /// What a refused `setgroups(2)` means.
    package enum GroupDenial: Equatable, Sendable {
        /// The step fails.
        case fails
        /// Nothing: the user namespace forbids changing groups (user_namespaces(7)) and none were asked for.
        case tolerated
    }
}

extension ConfinementStep {
    /// The step's name in lists and messages: the case's own.
    package var name: String {
        switch self {
        case .setKeyringLabel: "setKeyringLabel"
        case .joinSessionKeyring: "joinSessionKeyring"
        case .setOOMScoreAdjustment: "setOOMScoreAdjustment"
        case .setSysctls: "setSysctls"
        case .setAppArmorProfile: "setAppArmorProfile"
        case .setNoNewPrivileges: "setNoNewPrivileges"
        case .setScheduler: "setScheduler"
        case .setIOPriority: "setIOPriority"
        case .setPersonality: "setPersonality"
        case .setMemoryPolicy: "setMemoryPolicy"
        case .setSELinuxLabel: "setSELinuxLabel"
        case .loadSeccomp: "loadSeccomp"
        case .ownStandardStreams: "ownStandardStreams"
        case .dropBoundingSet: "dropBoundingSet"
        case .keepCapabilities: "keepCapabilities"
        case .setGroups: "setGroups"
        case .setGroup: "setGroup"
        case .setUser: "setUser"
        case .setUmask: "setUmask"
        case .setCapabilities: "setCapabilities"
        case .setAmbientSet: "setAmbientSet"
        }
    }

    /// The step's values, in one line; empty when there are none.
    package var detail: String {
        switch self {
        case .setKeyringLabel(let label): label.isEmpty ? "of the policy" : label
        case .joinSessionKeyring(let name, let search): "\(name), searchable by \(search.rawValue)"
        case .setOOMScoreAdjustment(let score): "\(score)"
        case .setSysctls(let settings): settings.map { "\($0.path)=\($0.value)" }.joined(separator: " ")
        case .setAppArmorProfile(let profile, let stacked): stacked ? "\(profile), stacked" : profile
        case .setNoNewPrivileges: ""
        case .setScheduler(let attributes): attributes.confinementText
        case .setIOPriority(let value): "class \(value >> 13), level \(value & 0x1fff)"
        case .setPersonality(let domain): "\(domain)"
        case .setMemoryPolicy(let policy): policy.confinementText
        case .setSELinuxLabel(let label): label
        case .loadSeccomp(let listener): listener ? "with a listener" : ""
        case .ownStandardStreams(let uid): "user \(uid)"
        case .dropBoundingSet(let set): set.confinementText
        case .keepCapabilities(let keep): keep ? "on" : "off"
        case .setGroups(let groups, let denial):
            (groups.isEmpty ? "none" : groups.map(String.init).joined(separator: " "))
                + (denial == .tolerated ? ", unless denied" : "")
        case .setGroup(let gid): "\(gid)"
        case .setUser(let uid): "\(uid)"
        case .setUmask(let mask): "0" + String(mask, radix: 8)
        case .setCapabilities(let effective, let permitted, let inheritable):
            "effective \(effective.confinementText); permitted \(permitted.confinementText); "
                + "inheritable \(inheritable.confinementText)"
        case .setAmbientSet(let set): set.confinementText
        }
    }
}

extension CapabilitySet {
    /// Names separated by spaces; bits that this program has no name for by number, as the kernel does; `none`.
    var confinementText: String {
        var names = memberNames
        for number in Self.names.count..<64 where rawValue & (1 << UInt64(number)) != 0 {
            names.append("\(number)")
        }
        return names.isEmpty ? "none" : names.joined(separator: " ")
    }
}

extension SchedulerAttributes {
    /// The policy's kernel number and what is not zero.
    fileprivate var confinementText: String {
        var text = "policy \(policy)"
        if nice != 0 { text += ", nice \(nice)" }
        if priority != 0 { text += ", priority \(priority)" }
        if flags != 0 { text += ", flags 0x\(String(flags, radix: 16))" }
        if runtime != 0 || deadline != 0 || period != 0 {
            text += ", runtime \(runtime) ns, deadline \(deadline) ns, period \(period) ns"
        }
        return text
    }
}

extension MemoryPolicy {
    /// The mode's kernel number and the nodes.
    fileprivate var confinementText: String {
        var numbers: [String] = []
        for (index, word) in nodes.enumerated() {
            for bit in 0..<UInt.bitWidth where word & (1 << UInt(bit)) != 0 {
                numbers.append("\(index * UInt.bitWidth + bit)")
            }
        }
        return "mode \(mode), nodes \(numbers.isEmpty ? "none" : numbers.joined(separator: ","))"
    }
}
