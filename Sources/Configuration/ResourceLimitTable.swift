// Resource limits of a process by name and number. See getrlimit(2) and the kernel's asm-generic/resource.h.

/// The limits that the kernel knows.
package enum ResourceLimitTable {
    /// The names with the kernel's numbers, which are the same on x86, ARM, RISC-V, POWER and s390.
    package static let entries: [(name: String, value: Int32)] = [
        ("RLIMIT_CPU", 0), ("RLIMIT_FSIZE", 1), ("RLIMIT_DATA", 2), ("RLIMIT_STACK", 3), ("RLIMIT_CORE", 4),
        ("RLIMIT_RSS", 5), ("RLIMIT_NPROC", 6), ("RLIMIT_NOFILE", 7), ("RLIMIT_MEMLOCK", 8), ("RLIMIT_AS", 9),
        ("RLIMIT_LOCKS", 10), ("RLIMIT_SIGPENDING", 11), ("RLIMIT_MSGQUEUE", 12), ("RLIMIT_NICE", 13),
        ("RLIMIT_RTPRIO", 14), ("RLIMIT_RTTIME", 15),
    ]
}
