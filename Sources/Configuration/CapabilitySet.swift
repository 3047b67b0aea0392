// Capabilities by name and number. See capabilities(7).

/// A set of capabilities, one bit each, in the kernel's numbering.
package struct CapabilitySet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Of a literal; the protocol's own way costs a tenth of a millisecond of metadata at its first use.
    package init(arrayLiteral elements: CapabilitySet...) {
        rawValue = elements.reduce(0) { $0 | $1.rawValue }
    }

    /// Every capability known here, in the kernel's numbering from 0.
    package static let names: [String] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
        "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
        "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE",
        "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]

    /// The capability called `name`; `nil` when there is none.
    package init?(name: String) {
        guard let number = Self.names.firstIndex(of: name) else { return nil }
        rawValue = 1 << UInt64(number)
    }

    /// The numbers of the members, ascending.
    package var numbers: [UInt8] {
        (0..<UInt8(Self.names.count)).filter { rawValue & (1 << UInt64($0)) != 0 }
    }

    /// The names of the members, in the kernel's order.
    package var memberNames: [String] {
        numbers.map { Self.names[Int($0)] }
    }
}
