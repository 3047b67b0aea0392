// What cgroup v2 counts, in the units of v1. See the kernel's Documentation/admin-guide/cgroup-v2.rst.

internal import Diagnostics
internal import LinuxSystem

extension CgroupStatistics {
    /// Of one v2 cgroup and all below it. A controller that is not enabled there counts nothing.
    init(unified directory: CgroupDirectory) throws(Failure) {
        try addCPU(directory)
        cpuset.cpus = try directory.numbers("cpuset.cpus.effective")
        cpuset.mems = try directory.numbers("cpuset.mems.effective")
        try addMemory(directory)
        pids.current = try directory.count("pids.current")
        let limit = try directory.count("pids.max")
        pids.limit = limit == .max ? 0 : limit
        blockIO = StatisticsText.unifiedBlockEntries(try directory.readIfPresent("io.stat") ?? "")
        blockIO.pressure = try directory.pressure("io.pressure")
        for size in try StatisticsText.hugepageSizes() {
            guard try directory.readIfPresent("hugetlb.\(size).max") != nil else { continue }
            var counter = Counter()
            counter.usage = try directory.count("hugetlb.\(size).current")
            counter.limit = try directory.count("hugetlb.\(size).max")
            counter.failures = try directory.number("max", of: "hugetlb.\(size).events") ?? 0
            hugepages.append((size, counter))
        }
    }

    private mutating func addCPU(_ directory: CgroupDirectory) throws(Failure) {
        for (name, value) in try directory.counts("cpu.stat") {
            let nanoseconds = value.multipliedReportingOverflow(by: 1000).partialValue
            switch name {
            case "usage_usec": cpu.total = nanoseconds
            case "user_usec": cpu.user = nanoseconds
            case "system_usec": cpu.kernel = nanoseconds
            case "nr_periods": cpu.periods = value
            case "nr_throttled": cpu.throttledPeriods = value
            case "throttled_usec": cpu.throttledTime = nanoseconds
            default: continue
            }
        }
        cpu.pressure = try directory.pressure("cpu.pressure")
    }

    private mutating func addMemory(_ directory: CgroupDirectory) throws(Failure) {
        memory.raw = try directory.counts("memory.stat")
        memory.cache = memory.raw.first { $0.name == "file" }?.value ?? 0
        memory.usage.usage = try directory.count("memory.current")
        memory.usage.peak = try directory.count("memory.peak")
        memory.usage.limit = try directory.count("memory.max")
        memory.usage.failures = try directory.number("max", of: "memory.events") ?? 0
        // v2 counts swap alone.
        memory.swap = memory.usage
        memory.swap.peak = 0
        memory.swap.usage += try directory.count("memory.swap.current")
        let (limit, overflow) = memory.usage.limit.addingReportingOverflow(try directory.count("memory.swap.max"))
        memory.swap.limit = overflow ? .max : limit
        memory.swap.failures = try directory.number("max", of: "memory.swap.events") ?? 0
        memory.pressure = try directory.pressure("memory.pressure")
    }
}
