// What cgroup v1 counts: one directory a controller. See the kernel's Documentation/admin-guide/cgroup-v1.

internal import Diagnostics
internal import LinuxSystem

extension LegacyDriver {
    func statistics() throws(Failure) -> CgroupStatistics {
        var found = CgroupStatistics()
        if let cpuacct = try member("cpuacct")?.open() { try addUsage(from: cpuacct, to: &found.cpu) }
        for (name, value) in try member("cpu")?.open()?.counts("cpu.stat") ?? [] {
            switch name {
            case "nr_periods": found.cpu.periods = value
            case "nr_throttled": found.cpu.throttledPeriods = value
            case "throttled_time": found.cpu.throttledTime = value
            default: continue
            }
        }
        if let cpuset = try member("cpuset")?.open() { found.cpuset = try placement(of: cpuset) }
        if let memory = try member("memory")?.open() { found.memory = try self.memory(of: memory) }
        if let pids = try member("pids")?.open() {
            found.pids.current = try pids.count("pids.current")
            let limit = try pids.count("pids.max")
            found.pids.limit = limit == .max ? 0 : limit
        }
        if let blkio = try member("blkio")?.open() { found.blockIO = try blockIO(of: blkio) }
        if let hugetlb = try member("hugetlb")?.open() {
            for size in try StatisticsText.hugepageSizes() {
                found.hugepages.append((size, try counter("hugetlb.\(size)", in: hugetlb)))
            }
        }
        return found
    }

    private func addUsage(
        from directory: CgroupDirectory,
        to cpu: inout CgroupStatistics.CPU
    ) throws(Failure) {
        cpu.total = try directory.count("cpuacct.usage")
        // A heading, then a line a processor: its number, user time, system time.
        for line in try directory.readIfPresent("cpuacct.usage_all")?.split(separator: "\n" as Character) ?? [] {
            let words = line.split(separator: " " as Character)
            guard words.count == 3, let user = UInt64(words[1]), let kernel = UInt64(words[2]) else { continue }
            cpu.userPerProcessor.append(user)
            cpu.kernelPerProcessor.append(kernel)
        }
        cpu.perProcessor =
            try directory.readIfPresent("cpuacct.usage_percpu")?.split(separator: " " as Character)
            .compactMap { UInt64($0) } ?? []
        // In ticks, which for user space are always hundredths of a second; unlike the above they agree with the total.
        for (name, ticks) in try directory.counts("cpuacct.stat") {
            let nanoseconds = ticks.multipliedReportingOverflow(by: 10_000_000).partialValue
            if name == "user" { cpu.user = nanoseconds }
            if name == "system" { cpu.kernel = nanoseconds }
        }
    }

    private func placement(of directory: CgroupDirectory) throws(Failure) -> CgroupStatistics.Cpuset {
        var found = CgroupStatistics.Cpuset()
        found.cpus = try directory.numbers("cpuset.cpus")
        found.mems = try directory.numbers("cpuset.mems")
        for name in CgroupStatistics.Cpuset.switchNames {
            found.switches[name] = try directory.readIfPresent("cpuset.\(name)").flatMap { Int64($0) }
        }
        return found
    }

    private func memory(of directory: CgroupDirectory) throws(Failure) -> CgroupStatistics.Memory {
        var found = CgroupStatistics.Memory()
        found.raw = try directory.counts("memory.stat")
        found.cache = found.raw.first { $0.name == "cache" }?.value ?? 0
        found.usage = try counter("memory", in: directory)
        found.swap = try counter("memory.memsw", in: directory)
        found.kernel = try counter("memory.kmem", in: directory)
        found.kernelTCP = try counter("memory.kmem.tcp", in: directory)
        return found
    }

    private func counter(
        _ prefix: String,
        in directory: CgroupDirectory
    ) throws(Failure) -> CgroupStatistics.Counter {
        var counter = CgroupStatistics.Counter()
        counter.usage = try directory.count("\(prefix).usage_in_bytes")
        counter.peak = try directory.count("\(prefix).max_usage_in_bytes")
        counter.failures = try directory.count("\(prefix).failcnt")
        counter.limit = try directory.count("\(prefix).limit_in_bytes")
        return counter
    }

    /// BFQ counts what it schedules; the throttling layer counts in any case.
    private func blockIO(of directory: CgroupDirectory) throws(Failure) -> CgroupStatistics.BlockIO {
        func entries(_ file: String) throws(Failure) -> [CgroupStatistics.BlockEntry] {
            for layer in ["bfq", "throttle"] {
                let text = try directory.readIfPresent("blkio.\(layer).\(file)_recursive") ?? ""
                let found = StatisticsText.legacyBlockEntries(text)
                if !found.isEmpty { return found }
            }
            return []
        }
        var found = CgroupStatistics.BlockIO()
        found.bytes = try entries("io_service_bytes")
        found.operations = try entries("io_serviced")
        return found
    }
}

extension CgroupStatistics.Cpuset {
    /// In the order of printing.
    package static let switchNames = [
        "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
        "memory_spread_slab", "memory_pressure", "sched_load_balance", "sched_relax_domain_level",
    ]
}
