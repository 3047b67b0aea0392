// Learns once, in the runtime process and before planning, what the decisions depend on.

package import Configuration
internal import Confinement
internal import LinuxSystem

/// Filling `HostFacts` from the kernel.
package enum HostProbe {
    package static func facts() -> HostFacts {
        let appArmorIsEnabled = AppArmor.isEnabled
        return HostFacts(
            effectiveUserID: Processes.effectiveUserID,
            effectiveGroupID: Processes.effectiveGroupID,
            isInUserNamespace: Processes.isInUserNamespace,
            cgroupMode: cgroupMode,
            appArmorIsEnabled: appArmorIsEnabled,
            isConfinedByAppArmor: appArmorIsEnabled && AppArmor.confinesThisProcess,
            seLinuxIsEnabled: SELinux.isEnabled
        )
    }

    /// The runtime's own hard limits, by the kernel's number.
    package static func hardLimits() -> [UInt64] {
        (0..<CInt(16)).map { (try? Limits.get($0).hard) ?? .max }
    }

    private static var cgroupMode: HostFacts.CgroupMode {
        switch fileSystemType("/sys/fs/cgroup") {
        case FileSystemType.cgroup2: .unified
        case FileSystemType.tmpfs:
            fileSystemType("/sys/fs/cgroup/unified") == FileSystemType.cgroup2 ? .hybrid : .legacy
        default: .none
        }
    }

    private static func fileSystemType(_ path: String) -> UInt64? {
        guard let directory = try? BorrowedFD.workingDirectory.open(path, [.path, .directory]) else { return nil }
        return try? directory.borrowed.fileSystem().type
    }
}
