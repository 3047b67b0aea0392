// Limits of the rarer cgroup controllers: block I/O, huge pages, network, RDMA, and files of cgroup v2 by name.

import OCISpec

extension Validator {
    // MARK: - Block I/O

    private static let weights: ClosedRange<UInt16> = 10...1000

    static func blockIO(_ blockIO: OCISpec.BlockIOResources, at place: Place) throws(ConfigurationProblem)
        -> BlockIOResources
    {
        var checked = BlockIOResources()
        checked.weight = try weight(blockIO.weight, at: place.member("weight"))
        checked.leafWeight = try weight(blockIO.leafWeight, at: place.member("leafWeight"))
        checked.weightDevices = try place.member("weightDevice").each(blockIO.weightDevice, deviceWeight)
        checked.readBytes = try place.member("throttleReadBpsDevice").each(blockIO.throttleReadBpsDevice, deviceRate)
        checked.writeBytes = try place.member("throttleWriteBpsDevice").each(blockIO.throttleWriteBpsDevice, deviceRate)
        checked.readOperations = try place.member("throttleReadIOPSDevice").each(
            blockIO.throttleReadIOPSDevice,
            deviceRate
        )
        checked.writeOperations = try place.member("throttleWriteIOPSDevice").each(
            blockIO.throttleWriteIOPSDevice,
            deviceRate
        )
        return checked
    }

    private static func weight(_ weight: UInt16?, at place: Place) throws(ConfigurationProblem) -> UInt16? {
        guard let weight, weight != 0 else { return nil }
        return try place.number(weight, in: weights)
    }

    private static func deviceWeight(
        _ device: WeightDevice,
        at place: Place
    ) throws(ConfigurationProblem) -> BlockIOResources.DeviceWeight {
        let weight = try self.weight(device.weight, at: place.member("weight"))
        let leafWeight = try self.weight(device.leafWeight, at: place.member("leafWeight"))
        guard weight != nil || leafWeight != nil else { throw place.problem("expected a weight or a leafWeight") }
        return BlockIOResources.DeviceWeight(
            major: try blockNumber(device.major, at: place.member("major")),
            minor: try blockNumber(device.minor, at: place.member("minor")),
            weight: weight,
            leafWeight: leafWeight
        )
    }

    private static func deviceRate(
        _ device: ThrottleDevice,
        at place: Place
    ) throws(ConfigurationProblem) -> BlockIOResources.DeviceRate {
        BlockIOResources.DeviceRate(
            major: try blockNumber(device.major, at: place.member("major")),
            minor: try blockNumber(device.minor, at: place.member("minor")),
            rate: device.rate
        )
    }

    private static func blockNumber(_ number: Int64, at place: Place) throws(ConfigurationProblem) -> Int64 {
        try place.number(number, in: 0...Int64(UInt32.max))
    }

    // MARK: - Huge pages

    static func hugepages(
        _ limits: [OCISpec.HugepageLimit]?,
        at place: Place
    ) throws(ConfigurationProblem) -> [HugepageLimit] {
        var checked: [HugepageLimit] = []
        for (index, limit) in (limits ?? []).enumerated() {
            let place = place.element(index).member("pageSize")
            guard isPageSize(limit.pageSize) else {
                throw place.expected("a size such as 64KB, 2MB or 1GB", found: quoted(limit.pageSize))
            }
            guard !checked.contains(where: { $0.pageSize == limit.pageSize }) else {
                throw place.problem("expected each page size once, found \(limit.pageSize) again")
            }
            checked.append(HugepageLimit(pageSize: limit.pageSize, limit: limit.limit))
        }
        return checked
    }

    /// The size becomes part of a file name, so nothing but digits and a unit may pass.
    private static func isPageSize(_ text: String) -> Bool {
        let digits = text.utf8.prefix { 0x30...0x39 ~= $0 }
        guard let first = digits.first, first != UInt8(ascii: "0"), digits.count <= 4 else { return false }
        return ["KB", "MB", "GB"].contains { $0.utf8.elementsEqual(text.utf8.dropFirst(digits.count)) }
    }

    // MARK: - Network, RDMA

    static func network(_ network: OCISpec.NetworkResources, at place: Place) throws(ConfigurationProblem)
        -> NetworkResources
    {
        var checked = NetworkResources()
        checked.classID = network.classID
        checked.priorities = try place.member("priorities").each(network.priorities) {
            (entry, place) throws(ConfigurationProblem) in
            try wordOfLine(entry.name, longest: 15, at: place.member("name"))
            return NetworkResources.Priority(interface: entry.name, priority: entry.priority)
        }
        return checked
    }

    static func rdma(
        _ limit: OCISpec.RDMALimit,
        of device: String,
        at place: Place
    ) throws(ConfigurationProblem) -> RDMALimit {
        try wordOfLine(device, longest: 63, at: place.member(device))
        guard limit.hcaHandles != nil || limit.hcaObjects != nil else {
            throw place.member(device).problem("expected hcaHandles or hcaObjects")
        }
        return RDMALimit(device: device, handles: limit.hcaHandles, objects: limit.hcaObjects)
    }

    /// Checks a name that the kernel reads as one word of a line.
    private static func wordOfLine(_ name: String, longest: Int, at place: Place) throws(ConfigurationProblem) {
        guard 1...longest ~= name.utf8.count, name.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "/") }) else {
            throw place.expected(
                "the name of a device: 1 to \(longest) bytes without spaces and slashes",
                found: quoted(name)
            )
        }
    }

    // MARK: - Files of cgroup v2

    static func unified(_ value: String, of file: String, at place: Place) throws(ConfigurationProblem)
        -> UnifiedSetting
    {
        let place = place.member(file)
        guard !file.isEmpty, file != ".", file != "..", !file.utf8.contains(UInt8(ascii: "/")) else {
            throw place.problem("unified resource \(quoted(file)) must be a file name (no slashes)")
        }
        try place.wholeString(file)
        try place.wholeString(value)
        return UnifiedSetting(file: file, value: value)
    }
}
