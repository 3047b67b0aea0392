// From `linux.resources` to values for files of cgroup v2. Pure. The spec's numbers are those of v1; what has another
// scale in v2 is converted, and what v2 does not have is refused by name.

package import Configuration
package import Diagnostics
internal import Glibc
internal import LinuxSystem

extension ResourceTranslation {
    /// All limits but devices, in the order of writing.
    package static func unified(_ resources: ResourceConfiguration) throws(Failure) -> [CgroupWrite] {
        try refuseLegacyOnly(resources)
        try checkSwap(resources.memory)
        var writes = cpuset(resources.cpu)
        writes += unifiedCPU(resources.cpu)
        writes += try unifiedMemory(resources.memory)
        writes += pids(resources.pidsLimit)
        writes += unifiedBlockIO(resources.blockIO)
        writes += hugepages(resources.hugepages, suffix: "max")
        writes += rdma(resources.rdma)
        // Last: what is asked for by the file's name wins.
        writes += try raw(resources.unified)
        return writes
    }

    private static func refuseLegacyOnly(_ resources: ResourceConfiguration) throws(Failure) {
        let memory = resources.memory
        func refuse(_ isAsked: Bool, _ key: @autoclosure () -> String) throws(Failure) {
            if isAsked {
                throw Failure(
                    "\(key()): this machine has cgroup v2, which has no such setting",
                    .unsupported,
                    subject: key()
                )
            }
        }
        try refuse(given(memory.kernelTCP) != nil, "\(memoryKey).kernelTCP")
        try refuse(memory.swappiness != nil, "\(memoryKey).swappiness")
        try refuse(memory.disableOOMKiller == true, "\(memoryKey).disableOOMKiller")
        try refuse(memory.useHierarchy == false, "\(memoryKey).useHierarchy")
        try refuse(given(resources.cpu.realtimeRuntime) != nil, "\(cpuKey).realtimeRuntime")
        try refuse(given(resources.cpu.realtimePeriod) != nil, "\(cpuKey).realtimePeriod")
        try refuse(given(resources.blockIO.leafWeight) != nil, "\(blockIOKey).leafWeight")
        for (index, device) in resources.blockIO.weightDevices.enumerated() {
            try refuse(given(device.leafWeight) != nil, "\(blockIOKey).weightDevice[\(index)].leafWeight")
        }
        try refuse(resources.network.classID != nil, "linux.resources.network.classID")
        try refuse(!resources.network.priorities.isEmpty, "linux.resources.network.priorities")
    }

    // MARK: cpu

    /// From shares (2 to 262144, usually 1024) to a weight (1 to 10000, usually 100): the curve through these three
    /// points on which runc and crun agree, 10 to the power of (l² + 125 l) / 612 - 7/34 with l the binary logarithm.
    package static func weight(ofShares shares: UInt64) -> UInt64 {
        if shares <= 2 { return 1 }
        if shares >= 262_144 { return 10_000 }
        let l = log2(Double(shares))
        return UInt64(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34).rounded(.up))
    }

    private static func unifiedCPU(_ cpu: CPUResources) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        func add(_ file: String, _ value: String, _ field: String) {
            writes.append(CgroupWrite("cpu", file, value, key: "\(cpuKey).\(field)", isInterdependent: true))
        }
        if let shares = given(cpu.shares) {
            add("cpu.weight", "\(weight(ofShares: shares))", "shares")
        }
        let quota = given(cpu.quota)
        let period = given(cpu.period)
        if quota != nil || period != nil {
            let limit = quota.map { $0 > 0 ? "\($0)" : "max" } ?? "max"
            // The kernel keeps the present period when there is none here.
            let value = [limit, period.map { "\($0)" }].compactMap { $0 }.joined(separator: " ")
            add("cpu.max", value, quota == nil ? "period" : "quota")
        }
        if let burst = cpu.burst {
            add("cpu.max.burst", "\(burst)", "burst")
        }
        if let idle = cpu.idle {
            add("cpu.idle", "\(idle)", "idle")
        }
        return writes
    }

    // MARK: memory

    private static func unifiedMemory(_ memory: MemoryResources) throws(Failure) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        let limit = given(memory.limit)
        if let swap = try swapAlone(memory) {
            // Where swap is off, nothing has to be forbidden.
            let ignorable: [Errno] = swap == "max" || swap == "0" ? [.ENOENT] : []
            writes.append(
                CgroupWrite("memory", "memory.swap.max", swap, key: "\(memoryKey).swap", ignorable: ignorable)
            )
        }
        if let limit {
            writes.append(
                CgroupWrite(
                    "memory",
                    [CgroupWrite.Choice("memory.max", bytes(limit))],
                    key: "\(memoryKey).limit",
                    usageFile: memory.checkBeforeUpdate && limit > 0 ? "memory.current" : nil
                )
            )
        }
        if let reservation = given(memory.reservation) {
            writes.append(CgroupWrite("memory", "memory.low", bytes(reservation), key: "\(memoryKey).reservation"))
        }
        return writes
    }

    private static func bytes(_ number: Int64) -> String {
        number < 0 ? "max" : "\(number)"
    }

    /// The spec limits memory and swap together, v2 limits swap alone.
    static func swapAlone(_ memory: MemoryResources) throws(Failure) -> String? {
        let limit = given(memory.limit)
        guard let swap = given(memory.swap) else { return limit == -1 ? "max" : nil }
        if swap < 0 { return "max" }
        guard let limit else {
            throw Failure(
                "\(memoryKey).swap: cgroup v2 needs linux.resources.memory.limit beside it to tell swap from memory",
                .configInvalid,
                subject: "\(memoryKey).swap"
            )
        }
        return "\(swap - limit)"
    }

    // MARK: io

    /// From a weight of 10 to 1000 to one of 1 to 10000.
    static func ioWeight(_ weight: UInt16) -> UInt64 {
        1 + (UInt64(max(weight, 10)) - 10) * 9999 / 990
    }

    private static func unifiedBlockIO(_ blockIO: BlockIOResources) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        // The BFQ scheduler has a file and a scale of its own.
        func addWeight(_ weight: UInt16, _ device: String, _ key: String) {
            let choices = [
                CgroupWrite.Choice("io.bfq.weight", "\(device)\(weight)"),
                CgroupWrite.Choice("io.weight", "\(device)\(ioWeight(weight))"),
            ]
            writes.append(CgroupWrite("io", choices, key: "\(blockIOKey).\(key)"))
        }
        if let weight = given(blockIO.weight) {
            addWeight(weight, "", "weight")
        }
        for (index, device) in blockIO.weightDevices.enumerated() {
            guard let weight = given(device.weight) else { continue }
            addWeight(weight, "\(device.major):\(device.minor) ", "weightDevice[\(index)].weight")
        }
        func addRates(_ word: String, _ rates: [BlockIOResources.DeviceRate], _ key: String) {
            for (index, rate) in rates.enumerated() {
                let limit = rate.rate == 0 ? "max" : "\(rate.rate)"
                let value = "\(rate.major):\(rate.minor) \(word)=\(limit)"
                writes.append(CgroupWrite("io", "io.max", value, key: "\(blockIOKey).\(key)[\(index)]"))
            }
        }
        addRates("rbps", blockIO.readBytes, "throttleReadBpsDevice")
        addRates("wbps", blockIO.writeBytes, "throttleWriteBpsDevice")
        addRates("riops", blockIO.readOperations, "throttleReadIOPSDevice")
        addRates("wiops", blockIO.writeOperations, "throttleWriteIOPSDevice")
        return writes
    }

    // MARK: unified

    private static func raw(_ settings: [UnifiedSetting]) throws(Failure) -> [CgroupWrite] {
        var writes: [CgroupWrite] = []
        for setting in settings {
            let key = "linux.resources.unified.\(setting.file)"
            guard !setting.file.utf8.contains(UInt8(ascii: "/")),
                let controller = setting.file.split(separator: ".", omittingEmptySubsequences: false).first,
                !controller.isEmpty, controller.utf8.count < setting.file.utf8.count
            else {
                throw Failure(
                    "\(key): expected the name of a cgroup file, as in memory.high",
                    .configInvalid,
                    subject: key
                )
            }
            let owner = controller == "cgroup" ? "" : String(controller)
            writes.append(CgroupWrite(owner, setting.file, setting.value, key: key))
        }
        return writes
    }
}
