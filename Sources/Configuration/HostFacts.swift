// What this machine is, as far as decisions depend on it. An input to the pure planners, so that they can be tested;
// filled from the kernel by Launch/HostProbe.swift.

/// Facts about the machine and about this process.
package struct HostFacts: Equatable, Sendable {
    /// How cgroups are mounted.
    package enum CgroupMode: String, Sendable {
        /// Only v1 hierarchies.
        case legacy
        /// v1 hierarchies, and a v2 one beside them.
        case hybrid
        /// Only v2.
        case unified
        /// No cgroup file system is mounted.
        case none
    }

    package var effectiveUserID: UInt32
    package var effectiveGroupID: UInt32
    /// Whether this process is in a user namespace other than the machine's first.
    package var isInUserNamespace: Bool
    package var cgroupMode: CgroupMode
    package var appArmorIsEnabled: Bool
    /// Whether this process itself is under an AppArmor profile.
    package var isConfinedByAppArmor: Bool
    package var seLinuxIsEnabled: Bool

    package init(
        effectiveUserID: UInt32 = 0,
        effectiveGroupID: UInt32 = 0,
        isInUserNamespace: Bool = false,
        cgroupMode: CgroupMode = .unified,
        appArmorIsEnabled: Bool = false,
        isConfinedByAppArmor: Bool = false,
        seLinuxIsEnabled: Bool = false
    ) {
        self.effectiveUserID = effectiveUserID
        self.effectiveGroupID = effectiveGroupID
        self.isInUserNamespace = isInUserNamespace
        self.cgroupMode = cgroupMode
        self.appArmorIsEnabled = appArmorIsEnabled
        self.isConfinedByAppArmor = isConfinedByAppArmor
        self.seLinuxIsEnabled = seLinuxIsEnabled
    }

    /// Whether the runtime lacks the powers of the machine's root.
    package var isRootless: Bool { effectiveUserID != 0 || isInUserNamespace }
}
