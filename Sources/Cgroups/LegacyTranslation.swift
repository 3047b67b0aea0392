// From `linux.resources` to values for files of cgroup v1. Pure.

package import Configuration
package import Diagnostics
internal import LinuxSystem

extension ResourceTranslation {
    /// All limits but devices, in the order of writing.
    package static func legacy(_ resources: ResourceConfiguration) throws(Failure) -> [CgroupWrite] {
        if let setting = resources.unified.first {
            throw Failure(
                "linux.resources.unified.\(setting.file): this machine's controllers are on cgroup v1",
                .unsupported
            )
        }
        try checkSwap(resources.memory)
        try checkShares(resources.cpu)
        var writes = cpuset(resources.cpu)
        writes += legacyCPU(resources.cpu)
        writes += legacyMemory(resources.memory)
        writes += pids(resources.pidsLimit)
        writes += legacyBlockIO(resources.blockIO)
        writes += hugepages(resources.hugepages, suffix: "limit_in_bytes")
        writes += legacyNetwork(resources.network)
        writes += rdma(resources.rdma)
        return writes
    }

    /// The v1 controllers that these limits need; none where `legacy` refuses them.
    static func legacyControllers(of resources: ResourceConfiguration) -> [String] {
        var controllers: [String] = []
        for write in (try? legacy(resources)) ?? [] where !controllers.contains(write.controller) {
            controllers.append(write.controller)
        }
        return controllers
    }

    private static func legacyMemory(_ memory: MemoryResources) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        let limit = given(memory.limit)
        if let limit {
            writes.append(
                CgroupWrite(
                    "memory",
                    [CgroupWrite.Choice("memory.limit_in_bytes", "\(limit)")],
                    key: "\(memoryKey).limit",
                    isInterdependent: true,
                    usageFile: memory.checkBeforeUpdate && limit > 0 ? "memory.usage_in_bytes" : nil
                )
            )
        }
        // No limit on memory alone means none on memory and swap either: the kernel wants the two to agree.
        let swap = given(memory.swap) ?? (limit == -1 ? -1 : nil)
        if let swap {
            writes.append(
                CgroupWrite(
                    "memory",
                    "memory.memsw.limit_in_bytes",
                    "\(swap)",
                    key: "\(memoryKey).swap",
                    // Without swap accounting nothing limits swap.
                    ignorable: swap == -1 ? [.ENOENT] : [],
                    isInterdependent: true
                )
            )
        }
        if let reservation = given(memory.reservation) {
            let key = "\(memoryKey).reservation"
            writes.append(CgroupWrite("memory", "memory.soft_limit_in_bytes", "\(reservation)", key: key))
        }
        if let limit = given(memory.kernelTCP) {
            let key = "\(memoryKey).kernelTCP"
            writes.append(CgroupWrite("memory", "memory.kmem.tcp.limit_in_bytes", "\(limit)", key: key))
        }
        if let swappiness = memory.swappiness {
            writes.append(CgroupWrite("memory", "memory.swappiness", "\(swappiness)", key: "\(memoryKey).swappiness"))
        }
        if let disable = memory.disableOOMKiller {
            let key = "\(memoryKey).disableOOMKiller"
            writes.append(CgroupWrite("memory", "memory.oom_control", disable ? "1" : "0", key: key))
        }
        if let hierarchy = memory.useHierarchy {
            let key = "\(memoryKey).useHierarchy"
            writes.append(CgroupWrite("memory", "memory.use_hierarchy", hierarchy ? "1" : "0", key: key))
        }
        return writes
    }

    /// The kernel would take the nearest number that it can do, and say nothing; callers look for these words of runc's.
    private static func checkShares(_ cpu: CPUResources) throws(Failure) {
        let (least, most): (UInt64, UInt64) = (2, 1 << 18)
        guard let shares = given(cpu.shares), !(least...most).contains(shares) else { return }
        let limit = shares < least ? "minimum allowed cpu-shares is \(least)" : "maximum allowed cpu-shares is \(most)"
        let key = "\(cpuKey).shares"
        throw Failure("\(key): the \(limit), found \(shares)", .configInvalid, subject: key)
    }

    private static func legacyCPU(_ cpu: CPUResources) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        func add(_ file: String, _ value: String?, _ field: String) {
            guard let value else { return }
            writes.append(CgroupWrite("cpu", file, value, key: "\(cpuKey).\(field)", isInterdependent: true))
        }
        add("cpu.rt_period_us", given(cpu.realtimePeriod).map { "\($0)" }, "realtimePeriod")
        add("cpu.rt_runtime_us", given(cpu.realtimeRuntime).map { "\($0)" }, "realtimeRuntime")
        add("cpu.shares", given(cpu.shares).map { "\($0)" }, "shares")
        add("cpu.cfs_period_us", given(cpu.period).map { "\($0)" }, "period")
        add("cpu.cfs_quota_us", given(cpu.quota).map { "\($0)" }, "quota")
        add("cpu.cfs_burst_us", cpu.burst.map { "\($0)" }, "burst")
        add("cpu.idle", cpu.idle.map { "\($0)" }, "idle")
        return writes
    }

    private static func legacyBlockIO(_ blockIO: BlockIOResources) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        // The file's name depends on the I/O scheduler that the kernel was built with.
        func add(_ files: [String], _ value: String, _ key: String) {
            let choices = files.map { CgroupWrite.Choice($0, value) }
            writes.append(CgroupWrite("blkio", choices, key: "\(blockIOKey).\(key)"))
        }
        if let weight = given(blockIO.weight) {
            add(["blkio.weight", "blkio.bfq.weight"], "\(weight)", "weight")
        }
        if let weight = given(blockIO.leafWeight) {
            add(["blkio.leaf_weight"], "\(weight)", "leafWeight")
        }
        for (index, device) in blockIO.weightDevices.enumerated() {
            let key = "weightDevice[\(index)]"
            if let weight = given(device.weight) {
                let value = "\(device.major):\(device.minor) \(weight)"
                add(["blkio.weight_device", "blkio.bfq.weight_device"], value, "\(key).weight")
            }
            if let weight = given(device.leafWeight) {
                add(["blkio.leaf_weight_device"], "\(device.major):\(device.minor) \(weight)", "\(key).leafWeight")
            }
        }
        func addRates(_ file: String, _ rates: [BlockIOResources.DeviceRate], _ key: String) {
            for (index, rate) in rates.enumerated() {
                add([file], "\(rate.major):\(rate.minor) \(rate.rate)", "\(key)[\(index)]")
            }
        }
        addRates("blkio.throttle.read_bps_device", blockIO.readBytes, "throttleReadBpsDevice")
        addRates("blkio.throttle.write_bps_device", blockIO.writeBytes, "throttleWriteBpsDevice")
        addRates("blkio.throttle.read_iops_device", blockIO.readOperations, "throttleReadIOPSDevice")
        addRates("blkio.throttle.write_iops_device", blockIO.writeOperations, "throttleWriteIOPSDevice")
        return writes
    }

    private static func legacyNetwork(_ network: NetworkResources) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        if let classID = network.classID {
            writes.append(
                CgroupWrite("net_cls", "net_cls.classid", "\(classID)", key: "linux.resources.network.classID")
            )
        }
        for (index, priority) in network.priorities.enumerated() {
            writes.append(
                CgroupWrite(
                    "net_prio",
                    "net_prio.ifpriomap",
                    "\(priority.interface) \(priority.priority)",
                    key: "linux.resources.network.priorities[\(index)]"
                )
            )
        }
        return writes
    }
}
