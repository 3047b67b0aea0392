// Limits over limits: what `update` is asked for, laid over what the container has. The whole is checked as create
// checks it, and kept; what was asked for is what the kernel is told. Pure.

internal import Configuration
internal import OCISpec

extension Resources {
    /// Without the members that only stand for "not asked for": zeros and empty texts, as in `Validator.resources`.
    func withoutPlaceholders(version: SpecVersion) -> Resources {
        func real<Number: BinaryInteger>(_ number: Number?) -> Number? { number == 0 ? nil : number }
        func real(_ text: String?) -> String? { text?.isEmpty == true ? nil : text }
        var result = self
        if var memory {
            memory.limit = real(memory.limit)
            memory.reservation = real(memory.reservation)
            memory.swap = real(memory.swap)
            memory.kernel = real(memory.kernel)
            memory.kernelTCP = real(memory.kernelTCP)
            result.memory = memory
        }
        if var cpu {
            cpu.shares = real(cpu.shares)
            cpu.quota = real(cpu.quota)
            cpu.period = real(cpu.period)
            cpu.realtimeRuntime = real(cpu.realtimeRuntime)
            cpu.realtimePeriod = real(cpu.realtimePeriod)
            cpu.cpus = real(cpu.cpus)
            cpu.mems = real(cpu.mems)
            result.cpu = cpu
        }
        if version.minor < 3 { result.pids?.limit = real(pids?.limit) }
        result.blockIO?.weight = real(blockIO?.weight)
        result.blockIO?.leafWeight = real(blockIO?.leafWeight)
        return result
    }

    /// These limits with those of `new` in the place of their own.
    func overlaid(by new: Resources) -> Resources {
        var result = self
        take(new.devices, &result.devices)
        if let limit = new.pids?.limit { result.pids = PidsResources(limit: limit) }
        if let memory = new.memory { result.memory = (result.memory ?? .init()).overlaid(by: memory) }
        if let cpu = new.cpu { result.cpu = (result.cpu ?? .init()).overlaid(by: cpu) }
        if let blockIO = new.blockIO { result.blockIO = (result.blockIO ?? .init()).overlaid(by: blockIO) }
        merge(new.hugepageLimits, &result.hugepageLimits) { $0.pageSize == $1.pageSize }
        if let network = new.network {
            var old = result.network ?? .init()
            take(network.classID, &old.classID)
            merge(network.priorities, &old.priorities) { $0.name == $1.name }
            result.network = old
        }
        for (device, limit) in new.rdma ?? [:] {
            if result.rdma == nil { result.rdma = [:] }
            result.rdma?[device] = limit
        }
        for (file, value) in new.unified ?? [:] {
            if result.unified == nil { result.unified = [:] }
            result.unified?[file] = value
        }
        return result
    }
}

private func take<Value>(_ new: Value?, _ old: inout Value?) {
    if let new { old = new }
}

/// Entries of the same subject are replaced, others stay.
private func merge<Entry>(_ new: [Entry]?, _ old: inout [Entry]?, _ isSame: (Entry, Entry) -> Bool) {
    guard let new else { return }
    old = (old ?? []).filter { entry in !new.contains { isSame($0, entry) } } + new
}

extension OCISpec.MemoryResources {
    fileprivate func overlaid(by new: OCISpec.MemoryResources) -> OCISpec.MemoryResources {
        var result = self
        // No limit on memory alone ends the one on memory and swap, too.
        if new.limit == -1 { result.swap = nil }
        take(new.limit, &result.limit)
        take(new.reservation, &result.reservation)
        take(new.swap, &result.swap)
        take(new.kernel, &result.kernel)
        take(new.kernelTCP, &result.kernelTCP)
        take(new.swappiness, &result.swappiness)
        take(new.disableOOMKiller, &result.disableOOMKiller)
        take(new.useHierarchy, &result.useHierarchy)
        take(new.checkBeforeUpdate, &result.checkBeforeUpdate)
        return result
    }
}

extension OCISpec.CPUResources {
    fileprivate func overlaid(by new: OCISpec.CPUResources) -> OCISpec.CPUResources {
        var result = self
        take(new.shares, &result.shares)
        take(new.quota, &result.quota)
        take(new.burst, &result.burst)
        take(new.period, &result.period)
        take(new.realtimeRuntime, &result.realtimeRuntime)
        take(new.realtimePeriod, &result.realtimePeriod)
        take(new.cpus, &result.cpus)
        take(new.mems, &result.mems)
        take(new.idle, &result.idle)
        return result
    }
}

extension OCISpec.BlockIOResources {
    fileprivate func overlaid(by new: OCISpec.BlockIOResources) -> OCISpec.BlockIOResources {
        func isSame(_ one: ThrottleDevice, _ two: ThrottleDevice) -> Bool {
            one.major == two.major && one.minor == two.minor
        }
        var result = self
        take(new.weight, &result.weight)
        take(new.leafWeight, &result.leafWeight)
        merge(new.weightDevice, &result.weightDevice) { $0.major == $1.major && $0.minor == $1.minor }
        merge(new.throttleReadBpsDevice, &result.throttleReadBpsDevice, isSame)
        merge(new.throttleWriteBpsDevice, &result.throttleWriteBpsDevice, isSame)
        merge(new.throttleReadIOPSDevice, &result.throttleReadIOPSDevice, isSame)
        merge(new.throttleWriteIOPSDevice, &result.throttleWriteIOPSDevice, isSame)
        return result
    }
}

extension ResourceConfiguration {
    /// Of the checked whole, what `given` asks for. Two limits that bound each other go together: the kernel takes a
    /// quota with its period, and what memory and swap may be together depends on the limit of memory.
    func restricted(to given: Resources) -> ResourceConfiguration {
        var result = ResourceConfiguration()
        func give<Value>(_ isGiven: Bool, _ member: WritableKeyPath<ResourceConfiguration, Value>) {
            if isGiven { result[keyPath: member] = self[keyPath: member] }
        }
        let isMemoryGiven = given.memory?.limit != nil || given.memory?.swap != nil
        give(isMemoryGiven, \.memory.limit)
        give(isMemoryGiven, \.memory.swap)
        give(given.memory?.reservation != nil, \.memory.reservation)
        give(given.memory?.kernel != nil, \.memory.kernel)
        give(given.memory?.kernelTCP != nil, \.memory.kernelTCP)
        give(given.memory?.swappiness != nil, \.memory.swappiness)
        give(given.memory?.disableOOMKiller != nil, \.memory.disableOOMKiller)
        give(given.memory?.useHierarchy != nil, \.memory.useHierarchy)
        give(true, \.memory.checkBeforeUpdate)
        let isQuotaGiven = given.cpu?.quota != nil || given.cpu?.period != nil
        give(isQuotaGiven, \.cpu.quota)
        give(isQuotaGiven, \.cpu.period)
        let isRealtimeGiven = given.cpu?.realtimeRuntime != nil || given.cpu?.realtimePeriod != nil
        give(isRealtimeGiven, \.cpu.realtimeRuntime)
        give(isRealtimeGiven, \.cpu.realtimePeriod)
        give(given.cpu?.shares != nil, \.cpu.shares)
        give(given.cpu?.burst != nil, \.cpu.burst)
        give(given.cpu?.cpus != nil, \.cpu.cpus)
        give(given.cpu?.mems != nil, \.cpu.mems)
        give(given.cpu?.idle != nil, \.cpu.idle)
        give(given.pids?.limit != nil, \.pidsLimit)
        give(given.blockIO?.weight != nil, \.blockIO.weight)
        give(given.blockIO?.leafWeight != nil, \.blockIO.leafWeight)
        give(given.blockIO?.weightDevice != nil, \.blockIO.weightDevices)
        give(given.blockIO?.throttleReadBpsDevice != nil, \.blockIO.readBytes)
        give(given.blockIO?.throttleWriteBpsDevice != nil, \.blockIO.writeBytes)
        give(given.blockIO?.throttleReadIOPSDevice != nil, \.blockIO.readOperations)
        give(given.blockIO?.throttleWriteIOPSDevice != nil, \.blockIO.writeOperations)
        give(given.hugepageLimits != nil, \.hugepages)
        give(given.network?.classID != nil, \.network.classID)
        give(given.network?.priorities != nil, \.network.priorities)
        give(given.rdma != nil, \.rdma)
        give(given.unified != nil, \.unified)
        return result
    }
}
