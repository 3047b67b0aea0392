// What the kernel counts in a container's cgroups, in the units that `events` prints. Filled by the drivers, each from
// its own version's files; what a machine does not count stays empty. Printed by Lifecycle.

/// A container's use of resources at one moment.
package struct CgroupStatistics: Sendable {
    package var cpu = CPU()
    package var cpuset = Cpuset()
    package var memory = Memory()
    package var pids = Pids()
    package var blockIO = BlockIO()
    /// By page size, as in the names of the kernel's files: `2MB`.
    package var hugepages: [(size: String, counter: Counter)] = []

    /// Nanoseconds.
    package struct CPU: Sendable {
        package var total: UInt64 = 0
        package var kernel: UInt64 = 0
        package var user: UInt64 = 0
        /// v1 only; one a processor.
        package var perProcessor: [UInt64] = []
        package var kernelPerProcessor: [UInt64] = []
        package var userPerProcessor: [UInt64] = []
        package var periods: UInt64 = 0
        package var throttledPeriods: UInt64 = 0
        package var throttledTime: UInt64 = 0
        package var pressure: Pressure?
    }

    /// Where the processes may run, and the switches of cgroup v1.
    package struct Cpuset: Sendable {
        package var cpus: [Int] = []
        package var mems: [Int] = []
        /// By the name of the file without `cpuset.`; empty on v2.
        package var switches: [String: Int64] = [:]
    }

    /// One resource with a limit. A limit of `UInt64.max` is none.
    package struct Counter: Sendable {
        package var usage: UInt64 = 0
        /// The most that was ever used.
        package var peak: UInt64 = 0
        /// How often the limit was reached.
        package var failures: UInt64 = 0
        package var limit: UInt64 = 0
    }

    /// Bytes.
    package struct Memory: Sendable {
        package var cache: UInt64 = 0
        package var usage = Counter()
        /// Memory and swap together, as v1 counts it.
        package var swap = Counter()
        /// v1 only.
        package var kernel = Counter()
        package var kernelTCP = Counter()
        /// `memory.stat`, in the kernel's order.
        package var raw: [(name: String, value: UInt64)] = []
        package var pressure: Pressure?
    }

    /// Tasks; a limit of 0 is none.
    package struct Pids: Sendable {
        package var current: UInt64 = 0
        package var limit: UInt64 = 0
    }

    /// What one kind of operation on one device came to.
    package struct BlockEntry: Sendable {
        package let major: UInt64
        package let minor: UInt64
        /// `Read`, `Write`, ...; empty where the kernel does not tell them apart.
        package let operation: String
        package let value: UInt64
    }

    /// Of the container and all cgroups below it.
    package struct BlockIO: Sendable {
        package var bytes: [BlockEntry] = []
        package var operations: [BlockEntry] = []
        package var pressure: Pressure?
    }

    /// Stall information; see the kernel's Documentation/accounting/psi.rst.
    package struct Pressure: Sendable {
        package struct Line: Sendable {
            /// Per cent.
            package var average10 = 0.0
            package var average60 = 0.0
            package var average300 = 0.0
            /// Microseconds.
            package var total: UInt64 = 0
        }

        package var some = Line()
        package var full = Line()
    }

    package init() {}
}
