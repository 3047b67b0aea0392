// Resource limits, scheduling, I/O priority, memory policy, execution domain.

internal import CLinux
package import KernelTypes

/// Limits and scheduling system calls.
package enum Limits {
    /// Sets one limit of a process (0: this one). The corresponding system call is `prlimit(2)`.
    package static func set(_ resource: CInt, ofProcess pid: CInt, soft: UInt64, hard: UInt64) throws(Errno) {
        try check(clinux_prlimit(pid, resource, soft, hard))
    }

    /// This process's limit. The corresponding system call is `prlimit(2)`.
    package static func get(_ resource: CInt) throws(Errno) -> (soft: UInt64, hard: UInt64) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        try check(unsafe clinux_get_rlimit(resource, &soft, &hard))
        return (soft, hard)
    }

    /// Sets this process's scheduling. The corresponding system call is `sched_setattr(2)`.
    package static func setScheduler(_ attributes: SchedulerAttributes) throws(Errno) {
        var raw = clinux_sched_attr()
        raw.size = UInt32(MemoryLayout<clinux_sched_attr>.size)
        raw.sched_policy = attributes.policy
        raw.sched_flags = attributes.flags
        raw.sched_nice = attributes.nice
        raw.sched_priority = attributes.priority
        raw.sched_runtime = attributes.runtime
        raw.sched_deadline = attributes.deadline
        raw.sched_period = attributes.period
        try check(unsafe clinux_sched_setattr(0, &raw))
    }

    /// Sets the CPUs on which this process may run. The corresponding system call is `sched_setaffinity(2)`.
    /// - Parameter cpus: Bit mask, 64 CPUs an element.
    package static func setAffinity(_ cpus: [UInt]) throws(Errno) {
        try check(unsafe clinux_sched_setaffinity(0, cpus, cpus.count * MemoryLayout<UInt>.size))
    }

    /// Sets this process group's I/O priority: class in bits 13 up, level below. The call is `ioprio_set(2)`.
    package static func setIOPriority(_ value: CInt) throws(Errno) {
        try check(clinux_ioprio_set(2, 0, value))
    }

    /// The corresponding system call is `set_mempolicy(2)`.
    /// - Parameter nodes: Bit mask, 64 nodes an element.
    package static func setMemoryPolicy(mode: CInt, nodes: [UInt]) throws(Errno) {
        let maximum = UInt(nodes.count * UInt.bitWidth)
        if nodes.isEmpty {
            try check(clinux_set_mempolicy(mode, nil, 0))
        } else {
            // The kernel reads one bit less than it is told.
            try check(unsafe clinux_set_mempolicy(mode, nodes, maximum + 1))
        }
    }

    /// The corresponding system call is `personality(2)`.
    package static func setPersonality(_ domain: UInt) throws(Errno) {
        try check(clinux_personality(domain))
    }
}
