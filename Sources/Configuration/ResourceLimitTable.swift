// Resource limits of a process by name and number. See getrlimit(2) and the kernel's asm-generic/resource.h.

/// The limits that the kernel knows.
package enum ResourceLimitTable {
    /// The names. Each one's place is the kernel's number, which is the same on x86, ARM, RISC-V, POWER and s390.
    package static let names: [String] = [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC",
        "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE",
        "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    ]
}
