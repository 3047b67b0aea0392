// Limits on what the container's cgroup may use: linux.resources, which is also what `update --resources` reads.
// Read by Configuration and Cgroups. Values are those of cgroup v1; Cgroups translates them where the host has v2.

package import JSON

/// Limits on resources. Runtime-spec: config-linux.md, Control groups.
public struct Resources: Codable, Equatable, Sendable {
    /// Who may use which devices, in order.
    public var devices: [DeviceRule]?
    /// Limits on memory.
    public var memory: MemoryResources?
    /// Shares of the processors and placement on them.
    public var cpu: CPUResources?
    /// The limit on the number of tasks.
    public var pids: PidsResources?
    /// Shares and limits of block devices.
    public var blockIO: BlockIOResources?
    /// Limits on huge pages, one per page size.
    public var hugepageLimits: [HugepageLimit]?
    /// Marks on network traffic. cgroup v1 only.
    public var network: NetworkResources?
    /// Limits on RDMA devices, by the name of the device.
    public var rdma: OrderedMap<RDMALimit>?
    /// Files of cgroup v2 and what to write to them, in document order.
    public var unified: OrderedMap<String>?

    /// Creates an empty set of limits.
    public init() {}
}

extension Resources: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        devices = try members.list("devices")
        memory = try members.optional("memory")
        cpu = try members.optional("cpu")
        pids = try members.optional("pids")
        blockIO = try members.optional("blockIO")
        hugepageLimits = try members.list("hugepageLimits")
        network = try members.optional("network")
        rdma = try members.optional("rdma")
        unified = try members.optional("unified")
    }
}

/// Limits on memory, in bytes; -1 means unlimited. Runtime-spec: config-linux.md, Memory.
public struct MemoryResources: Codable, Equatable, Sendable {
    /// The limit on memory.
    public var limit: Int64?
    /// The soft limit: what the group keeps while memory is scarce.
    public var reservation: Int64?
    /// The limit on memory and swap together.
    public var swap: Int64?
    /// The limit on kernel memory. Not recommended by the specification.
    public var kernel: Int64?
    /// The limit on buffers of TCP. Not recommended by the specification.
    public var kernelTCP: Int64?
    /// How much the kernel prefers to swap, from 0 to 100. cgroup v1 only.
    public var swappiness: UInt64?
    /// Whether tasks wait instead of being killed when memory runs out; false if absent. cgroup v1 only.
    public var disableOOMKiller: Bool?
    /// Whether child groups count towards this group's limits. cgroup v1 only.
    public var useHierarchy: Bool?
    /// Whether a limit below the current use is refused.
    public var checkBeforeUpdate: Bool?

    /// Creates an empty set of limits.
    public init() {}
}

extension MemoryResources: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        limit = try members.optional("limit")
        reservation = try members.optional("reservation")
        swap = try members.optional("swap")
        kernel = try members.optional("kernel")
        kernelTCP = try members.optional("kernelTCP")
        swappiness = try members.optional("swappiness")
        disableOOMKiller = try members.optional("disableOOMKiller")
        useHierarchy = try members.optional("useHierarchy")
        checkBeforeUpdate = try members.optional("checkBeforeUpdate")
    }
}

/// Shares of the processors. Times are in microseconds. Runtime-spec: config-linux.md, CPU.
public struct CPUResources: Codable, Equatable, Sendable {
    /// The share of processor time relative to other groups.
    public var shares: UInt64?
    /// The time that all tasks together may run in one period; negative means no limit.
    public var quota: Int64?
    /// The time that tasks may save up and use beyond the quota.
    public var burst: UInt64?
    /// The length of one period.
    public var period: UInt64?
    /// The time that real-time tasks may run in one real-time period.
    public var realtimeRuntime: Int64?
    /// The length of one real-time period.
    public var realtimePeriod: UInt64?
    /// The processors to run on, as a list such as `0-3,7`.
    public var cpus: String?
    /// The memory nodes to allocate from, as a list such as `0,2-4`.
    public var mems: String?
    /// 1 runs the group only when nothing else wants to (`SCHED_IDLE`), 0 is the default behaviour.
    public var idle: Int64?

    /// Creates an empty set of limits.
    public init() {}
}

extension CPUResources: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        shares = try members.optional("shares")
        quota = try members.optional("quota")
        burst = try members.optional("burst")
        period = try members.optional("period")
        realtimeRuntime = try members.optional("realtimeRuntime")
        realtimePeriod = try members.optional("realtimePeriod")
        cpus = try members.optional("cpus")
        mems = try members.optional("mems")
        idle = try members.optional("idle")
    }
}

/// The limit on the number of tasks. Runtime-spec: config-linux.md, PIDs.
public struct PidsResources: Codable, Equatable, Sendable {
    /// The largest number of tasks; -1 means unlimited, 0 is a real limit.
    public var limit: Int64?

    /// Creates a limit.
    public init(limit: Int64? = nil) {
        self.limit = limit
    }
}

extension PidsResources: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        limit = try members.optional("limit")
    }
}

/// Shares and limits of block devices. Runtime-spec: config-linux.md, Block IO.
public struct BlockIOResources: Codable, Equatable, Sendable {
    /// The weight of the group on all devices, from 10 to 1000.
    public var weight: UInt16?
    /// The weight of the group's own tasks against its child groups. CFQ on cgroup v1 only.
    public var leafWeight: UInt16?
    /// Weights for single devices.
    public var weightDevice: [WeightDevice]?
    /// Limits on bytes read per second.
    public var throttleReadBpsDevice: [ThrottleDevice]?
    /// Limits on bytes written per second.
    public var throttleWriteBpsDevice: [ThrottleDevice]?
    /// Limits on read operations per second.
    public var throttleReadIOPSDevice: [ThrottleDevice]?
    /// Limits on write operations per second.
    public var throttleWriteIOPSDevice: [ThrottleDevice]?

    /// Creates an empty set of limits.
    public init() {}
}

extension BlockIOResources: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        weight = try members.optional("weight")
        leafWeight = try members.optional("leafWeight")
        weightDevice = try members.list("weightDevice")
        throttleReadBpsDevice = try members.list("throttleReadBpsDevice")
        throttleWriteBpsDevice = try members.list("throttleWriteBpsDevice")
        throttleReadIOPSDevice = try members.list("throttleReadIOPSDevice")
        throttleWriteIOPSDevice = try members.list("throttleWriteIOPSDevice")
    }
}

/// The weight of the group on one block device. At least one of the two weights must be given.
public struct WeightDevice: Codable, Equatable, Sendable {
    /// The major number of the device.
    public var major: Int64
    /// The minor number of the device.
    public var minor: Int64
    /// The weight on this device.
    public var weight: UInt16?
    /// The weight of the group's own tasks against its child groups on this device.
    public var leafWeight: UInt16?

    /// Creates an entry for one device.
    public init(major: Int64, minor: Int64, weight: UInt16? = nil, leafWeight: UInt16? = nil) {
        self.major = major
        self.minor = minor
        self.weight = weight
        self.leafWeight = leafWeight
    }
}

extension WeightDevice: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        major = try members.required("major")
        minor = try members.required("minor")
        weight = try members.optional("weight")
        leafWeight = try members.optional("leafWeight")
    }
}

/// The limit of a rate on one block device.
public struct ThrottleDevice: Codable, Equatable, Sendable {
    /// The major number of the device.
    public var major: Int64
    /// The minor number of the device.
    public var minor: Int64
    /// The most bytes or operations per second.
    public var rate: UInt64

    /// Creates an entry for one device.
    public init(major: Int64, minor: Int64, rate: UInt64) {
        self.major = major
        self.minor = minor
        self.rate = rate
    }
}

extension ThrottleDevice: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        major = try members.required("major")
        minor = try members.required("minor")
        rate = try members.required("rate")
    }
}

/// The limit on huge pages of one size. Runtime-spec: config-linux.md, Huge page limits.
public struct HugepageLimit: Codable, Equatable, Sendable {
    /// The page size, as in the names of the kernel's files: `64KB`, `2MB`, `1GB`.
    public var pageSize: String
    /// The most bytes in pages of that size: of reservations if the kernel counts them, else of use.
    public var limit: UInt64

    /// Creates a limit for one page size.
    public init(pageSize: String, limit: UInt64) {
        self.pageSize = pageSize
        self.limit = limit
    }
}

extension HugepageLimit: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        pageSize = try members.required("pageSize")
        limit = try members.required("limit")
    }
}

/// Marks on the network traffic of the group. Runtime-spec: config-linux.md, Network.
public struct NetworkResources: Codable, Equatable, Sendable {
    /// The class id with which packets are tagged.
    public var classID: UInt32?
    /// Priorities of the traffic by interface.
    public var priorities: [InterfacePriority]?

    /// Creates an empty set of marks.
    public init() {}
}

extension NetworkResources: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        classID = try members.optional("classID")
        priorities = try members.list("priorities")
    }
}

/// The priority of the group's traffic on one interface.
public struct InterfacePriority: Codable, Equatable, Sendable {
    /// The interface, by its name in the runtime's network namespace.
    public var name: String
    /// The priority.
    public var priority: UInt32

    /// Creates a priority for one interface.
    public init(name: String, priority: UInt32) {
        self.name = name
        self.priority = priority
    }
}

extension InterfacePriority: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        name = try members.required("name")
        priority = try members.required("priority")
    }
}

/// Limits on one RDMA device. At least one must be given. Runtime-spec: config-linux.md, RDMA.
public struct RDMALimit: Codable, Equatable, Sendable {
    /// The most handles.
    public var hcaHandles: UInt32?
    /// The most objects.
    public var hcaObjects: UInt32?

    /// Creates limits for one device.
    public init(hcaHandles: UInt32? = nil, hcaObjects: UInt32? = nil) {
        self.hcaHandles = hcaHandles
        self.hcaObjects = hcaObjects
    }
}

extension RDMALimit: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        hcaHandles = try members.optional("hcaHandles")
        hcaObjects = try members.optional("hcaObjects")
    }
}

/// Intel Resource Director Technology, through the resctrl filesystem. Runtime-spec: config-linux.md, IntelRdt.
public struct IntelRdt: Codable, Equatable, Sendable {
    /// The class of service, which is a directory of the resctrl filesystem; `/` is the default class.
    /// Nil stands for the container's id.
    public var closID: String?
    /// Lines to write to `schemata` as they are, after the two older schemas.
    public var schemata: [String]?
    /// The schema of the L3 cache, starting with `L3:`.
    public var l3CacheSchema: String?
    /// The schema of the memory bandwidth, starting with `MB:`.
    public var memBwSchema: String?
    /// Whether the container gets a monitoring group of its own.
    public var enableMonitoring: Bool?

    /// Creates a section that asks for nothing.
    public init() {}
}

extension IntelRdt: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        closID = try members.optional("closID")
        schemata = try members.list("schemata")
        l3CacheSchema = try members.optional("l3CacheSchema")
        memBwSchema = try members.optional("memBwSchema")
        enableMonitoring = try members.optional("enableMonitoring")
    }
}
