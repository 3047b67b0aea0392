// From `linux.resources` to properties of a unit. Pure. What has no property is left to the files; what a property can
// only say with less precision is rounded to the generous side, and the file then has the exact number. See
// systemd.resource-control(5).

package import Configuration
internal import DBus
package import Diagnostics
package import Systemd

/// What a certain systemd understands.
package struct SystemdTranslation {
    /// Whether the machine has cgroup v2 alone: the two versions have properties of their own.
    let isUnified: Bool
    /// Whether for a user's manager, which has no power over devices.
    let isUser: Bool
    let version: Int

    package init(isUnified: Bool, isUser: Bool, version: Int) {
        self.isUnified = isUnified
        self.isUser = isUser
        self.version = version
    }

    private static let unlimited = UInt64.max

    /// Has the controllers passed on, also those without a limit.
    package var accounting: [UnitProperty] {
        ["CPUAccounting", "MemoryAccounting", isUnified ? "IOAccounting" : "BlockIOAccounting", "TasksAccounting"].map {
            UnitProperty($0, .boolean(true))
        }
    }

    /// All that have a property; the later of two with the same name wins.
    package func properties(of resources: ResourceConfiguration) throws(Failure) -> [UnitProperty] {
        var list = PropertyList()
        cpu(resources.cpu, &list)
        try memory(resources.memory, &list)
        if let limit = resources.pidsLimit {
            // systemd has no limit of 0 tasks.
            list.set("TasksMax", .uint64(limit < 0 ? Self.unlimited : UInt64(max(limit, 1))))
        }
        blockIO(resources.blockIO, &list)
        if isUnified { unified(resources.unified, &list) }
        var properties = list.properties
        if !isUser { properties += devices(resources.devices) }
        return properties
    }

    private struct PropertyList {
        var properties: [UnitProperty] = []

        mutating func set(_ name: String, _ value: DBusValue) {
            properties.removeAll { $0.name == name }
            properties.append(UnitProperty(name, value))
        }
    }

    // MARK: cpu

    private func cpu(_ cpu: CPUResources, _ list: inout PropertyList) {
        if let shares = ResourceTranslation.given(cpu.shares) {
            if isUnified {
                list.set("CPUWeight", .uint64(ResourceTranslation.weight(ofShares: shares)))
            } else {
                list.set("CPUShares", .uint64(min(max(shares, 2), 262_144)))
            }
        }
        if isUnified, cpu.idle == 1, version >= 252 { list.set("CPUWeight", .uint64(0)) }
        quota(
            ResourceTranslation.given(cpu.quota).map { $0 > 0 ? UInt64($0) : Self.unlimited },
            period: ResourceTranslation.given(cpu.period),
            &list
        )
        if let cpus = cpu.cpus { set(cpus, "AllowedCPUs", &list) }
        if let nodes = cpu.mems { set(nodes, "AllowedMemoryNodes", &list) }
    }

    /// Microseconds of each period, as microseconds of each second. systemd keeps whole percents.
    private func quota(_ quota: UInt64?, period: UInt64?, _ list: inout PropertyList) {
        if let period, version >= 242 { list.set("CPUQuotaPeriodUSec", .uint64(period)) }
        guard let quota else { return }
        let percent: UInt64 = 10_000
        let (product, overflows) = quota.multipliedReportingOverflow(by: 1_000_000)
        var perSecond = Self.unlimited
        if quota != Self.unlimited, !overflows {
            let exact = product / max(period ?? 100_000, 1)
            perSecond = max((exact + percent - 1) / percent * percent, percent)
        }
        list.set("CPUQuotaPerSecUSec", .uint64(perSecond))
    }

    /// A set of numbers as bits, the lowest first.
    private func set(_ text: String, _ property: String, _ list: inout PropertyList) {
        guard isUnified, version >= 244, let numbers = NumberList(text) else { return }
        var bytes = numbers.words.flatMap { word in
            (0..<UInt.bitWidth / 8).map { UInt8(truncatingIfNeeded: word >> UInt(8 * $0)) }
        }
        while bytes.last == 0 { bytes.removeLast() }
        list.set(property, .bytes(bytes))
    }

    // MARK: memory

    private func memory(_ memory: MemoryResources, _ list: inout PropertyList) throws(Failure) {
        let limit = ResourceTranslation.given(memory.limit)
        if let limit { list.set(isUnified ? "MemoryMax" : "MemoryLimit", Self.bytes(limit)) }
        guard isUnified else { return }
        if let reservation = ResourceTranslation.given(memory.reservation) {
            list.set("MemoryLow", Self.bytes(reservation))
        }
        if let swap = try ResourceTranslation.swapAlone(memory) { limitValue(swap, "MemorySwapMax", &list) }
    }

    private static func bytes(_ number: Int64) -> DBusValue {
        .uint64(number < 0 ? unlimited : UInt64(number))
    }

    /// A number or `max`; what is neither is for the kernel to refuse.
    private func limitValue(_ text: String, _ property: String, _ list: inout PropertyList) {
        if text == "max" {
            list.set(property, .uint64(Self.unlimited))
        } else if let number = UInt64(text) {
            list.set(property, .uint64(number))
        }
    }

    // MARK: blockIO

    private func blockIO(_ blockIO: BlockIOResources, _ list: inout PropertyList) {
        if let weight = ResourceTranslation.given(blockIO.weight) {
            if isUnified {
                list.set("IOWeight", .uint64(ResourceTranslation.ioWeight(weight)))
            } else {
                list.set("BlockIOWeight", .uint64(UInt64(min(max(weight, 10), 1000))))
            }
        }
        guard isUnified else { return }
        let pair = DBusType.structure([.string, .uint64])
        let weights = blockIO.weightDevices.compactMap { device in
            ResourceTranslation.given(device.weight).map {
                Self.block(device.major, device.minor, ResourceTranslation.ioWeight($0))
            }
        }
        if !weights.isEmpty { list.set("IODeviceWeight", .array(of: pair, weights)) }
        func rates(_ property: String, _ rates: [BlockIOResources.DeviceRate]) {
            if rates.isEmpty { return }
            let values = rates.map { Self.block($0.major, $0.minor, $0.rate == 0 ? Self.unlimited : $0.rate) }
            list.set(property, .array(of: pair, values))
        }
        rates("IOReadBandwidthMax", blockIO.readBytes)
        rates("IOWriteBandwidthMax", blockIO.writeBytes)
        rates("IOReadIOPSMax", blockIO.readOperations)
        rates("IOWriteIOPSMax", blockIO.writeOperations)
    }

    private static func block(_ major: Int64, _ minor: Int64, _ number: UInt64) -> DBusValue {
        .structure([.string("/dev/block/\(major):\(minor)"), .uint64(number)])
    }

    // MARK: unified

    private static let plainFiles = [
        "memory.min": "MemoryMin", "memory.low": "MemoryLow", "memory.high": "MemoryHigh", "memory.max": "MemoryMax",
        "memory.swap.max": "MemorySwapMax", "pids.max": "TasksMax", "cpu.weight": "CPUWeight",
    ]

    private func unified(_ settings: [UnifiedSetting], _ list: inout PropertyList) {
        for setting in settings {
            if let property = Self.plainFiles[setting.file] {
                limitValue(setting.value, property, &list)
                continue
            }
            switch setting.file {
            case "cpuset.cpus": set(setting.value, "AllowedCPUs", &list)
            case "cpuset.mems": set(setting.value, "AllowedMemoryNodes", &list)
            case "cpu.idle" where setting.value == "1" && version >= 252: list.set("CPUWeight", .uint64(0))
            case "cpu.max":
                let words = setting.value.split(separator: " " as Character)
                let limit = words.first == "max" ? Self.unlimited : words.first.flatMap { UInt64($0) }
                if let limit { quota(limit, period: words.count > 1 ? UInt64(words[1]) : nil, &list) }
            default: continue
            }
        }
    }

    // MARK: devices

    /// What systemd may allow at most: on v2 both its program and the runtime's must allow, so that a rule that it cannot
    /// express makes its list wider or none; the file of v1 is one for both, and there such a rule is left out.
    private func devices(_ rules: [DeviceRule]) -> [UnitProperty] {
        let pair = DBusType.structure([.string, .string])
        let none = UnitProperty("DeviceAllow", .array(of: pair, []))
        var allowsAll = false
        var allowed: [DeviceRule] = []
        for rule in rules + DeviceRule.defaults {
            let isAboutAll = rule.kind == .all && rule.major == nil && rule.minor == nil && rule.access == .everything
            if isAboutAll {
                allowsAll = rule.allow
                allowed = []
            } else if rule.allow {
                allowed.append(rule)
            } else {
                allowed.removeAll { rule.covers($0) }
            }
        }
        let isComplete = allowed.allSatisfy { !$0.patterns.isEmpty }
        if allowsAll || (isUnified && !isComplete) { return [UnitProperty("DevicePolicy", .string("auto")), none] }
        let entries = allowed.flatMap { rule in
            rule.patterns.map { DBusValue.structure([.string($0), .string(rule.letters)]) }
        }
        // An empty list takes back what an earlier one allowed.
        return [
            UnitProperty("DevicePolicy", .string("strict")), none,
            UnitProperty("DeviceAllow", .array(of: pair, entries)),
        ]
    }
}

extension DeviceRule {
    fileprivate func covers(_ other: DeviceRule) -> Bool {
        (kind == .all || kind == other.kind) && (major == nil || major == other.major)
            && (minor == nil || minor == other.minor) && other.access.isSubset(of: access)
    }

    /// In systemd's words; none for a minor number of every major.
    fileprivate var patterns: [String] {
        let kinds = kind == .all ? ["char", "block"] : [kind == .character ? "char" : "block"]
        switch (major, minor) {
        case (nil, nil): return kinds.map { "\($0)-*" }
        case (let major?, nil): return kinds.map { "\($0)-\(major)" }
        case (let major?, let minor?): return kinds.map { "/dev/\($0)/\(major):\(minor)" }
        case (nil, _?): return []
        }
    }

    fileprivate var letters: String {
        (access.contains(.read) ? "r" : "") + (access.contains(.write) ? "w" : "")
            + (access.contains(.makeNode) ? "m" : "")
    }
}
