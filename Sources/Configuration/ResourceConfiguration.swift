// `linux.resources`, typed. Numbers keep the spec's units; what they become on cgroup v1 or v2 is Cgroups' business.

/// Limits of a container. A `nil` value is not touched.
package struct ResourceConfiguration: Equatable, Sendable {
    /// As given; the default deny and the default devices are Cgroups' to add.
    package var devices: [DeviceRule] = []
    package var memory = MemoryResources()
    package var cpu = CPUResources()
    /// -1 is no limit.
    package var pidsLimit: Int64?
    package var blockIO = BlockIOResources()
    package var hugepages: [HugepageLimit] = []
    package var network = NetworkResources()
    package var rdma: [RDMALimit] = []
    /// File name to value, in document order; cgroup v2 only.
    package var unified: [UnifiedSetting] = []

    package init() {}
}

/// Bytes; -1 is no limit.
package struct MemoryResources: Equatable, Sendable {
    package var limit: Int64?
    package var reservation: Int64?
    /// Memory and swap together.
    package var swap: Int64?
    package var kernel: Int64?
    package var kernelTCP: Int64?
    /// 0 to 100.
    package var swappiness: UInt64?
    package var disableOOMKiller: Bool?
    package var useHierarchy: Bool?
    package var checkBeforeUpdate = false

    package init() {}
}

/// Microseconds where a time is meant.
package struct CPUResources: Equatable, Sendable {
    package var shares: UInt64?
    package var quota: Int64?
    package var burst: UInt64?
    package var period: UInt64?
    package var realtimeRuntime: Int64?
    package var realtimePeriod: UInt64?
    /// Lists as in cpuset(7): `0-3,7`.
    package var cpus: String?
    package var mems: String?
    package var idle: Int64?

    package init() {}
}

/// Weights are 10 to 1000; rates are bytes or operations a second.
package struct BlockIOResources: Equatable, Sendable {
    package struct DeviceWeight: Equatable, Sendable {
        package let major: Int64
        package let minor: Int64
        package let weight: UInt16?
        package let leafWeight: UInt16?

        package init(major: Int64, minor: Int64, weight: UInt16?, leafWeight: UInt16?) {
            self.major = major
            self.minor = minor
            self.weight = weight
            self.leafWeight = leafWeight
        }
    }

    package struct DeviceRate: Equatable, Sendable {
        package let major: Int64
        package let minor: Int64
        package let rate: UInt64

        package init(major: Int64, minor: Int64, rate: UInt64) {
            self.major = major
            self.minor = minor
            self.rate = rate
        }
    }

    package var weight: UInt16?
    package var leafWeight: UInt16?
    package var weightDevices: [DeviceWeight] = []
    package var readBytes: [DeviceRate] = []
    package var writeBytes: [DeviceRate] = []
    package var readOperations: [DeviceRate] = []
    package var writeOperations: [DeviceRate] = []

    package init() {}
}

/// `pageSize` as the kernel names it in file names: `2MB`.
package struct HugepageLimit: Equatable, Sendable {
    package let pageSize: String
    /// Bytes.
    package let limit: UInt64

    package init(pageSize: String, limit: UInt64) {
        self.pageSize = pageSize
        self.limit = limit
    }
}

/// net_cls and net_prio, cgroup v1 only.
package struct NetworkResources: Equatable, Sendable {
    package struct Priority: Equatable, Sendable {
        package let interface: String
        package let priority: UInt32

        package init(interface: String, priority: UInt32) {
            self.interface = interface
            self.priority = priority
        }
    }

    package var classID: UInt32?
    package var priorities: [Priority] = []

    package init() {}
}

/// At least one of the two numbers is there.
package struct RDMALimit: Equatable, Sendable {
    package let device: String
    package let handles: UInt32?
    package let objects: UInt32?

    package init(device: String, handles: UInt32?, objects: UInt32?) {
        self.device = device
        self.handles = handles
        self.objects = objects
    }
}

/// One file of cgroup v2; the name has no slash.
package struct UnifiedSetting: Equatable, Sendable {
    package let file: String
    package let value: String

    package init(file: String, value: String) {
        self.file = file
        self.value = value
    }
}
