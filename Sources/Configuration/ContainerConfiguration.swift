// What a container is to be: the bundle's config.json after every string has become a typed value and every rule has
// been checked. Made by `Validator` alone; everything below it trusts these values and sees no option string.

package import KernelTypes

/// The whole configuration of one container.
package struct ContainerConfiguration: Equatable, Sendable {
    package var ociVersion: String
    /// Absent when the bundle has none: the container can be created, not started.
    package var process: ProcessConfiguration?
    package var root: RootConfiguration
    package var hostname: String?
    package var domainname: String?
    /// In the order in which they are mounted.
    package var mounts: [MountConfiguration]
    package var hooks: HookLists
    /// In document order.
    package var annotations: [Annotation]
    package var namespaces: NamespaceConfiguration
    package var uidMappings: [IDMapping]
    package var gidMappings: [IDMapping]
    package var timeOffsets: [TimeOffset]
    package var devices: [DeviceNode]
    /// In document order.
    package var netDevices: [NetworkDevice]
    package var cgroupsPath: String?
    package var resources: ResourceConfiguration
    package var seccomp: SeccompSection?
    /// In document order.
    package var sysctls: [SysctlSetting]
    package var rootfsPropagation: MountPropagation?
    package var maskedPaths: [String]
    package var readonlyPaths: [String]
    /// SELinux context of the container's mounts.
    package var mountLabel: String?
    package var personality: PersonalityDomain?
    package var memoryPolicy: MemoryPolicy?
    /// What was accepted although it deserves a word (capabilities that do not exist, deprecated fields).
    package var warnings: [String]

    /// For `Validator`, which sets every part, and for tests of what is planned from it.
    package init(ociVersion: String, root: RootConfiguration, namespaces: NamespaceConfiguration) {
        self.ociVersion = ociVersion
        self.root = root
        self.namespaces = namespaces
        mounts = []
        hooks = HookLists()
        annotations = []
        uidMappings = []
        gidMappings = []
        timeOffsets = []
        devices = []
        netDevices = []
        resources = ResourceConfiguration()
        sysctls = []
        maskedPaths = []
        readonlyPaths = []
        warnings = []
    }

    /// As `warnings`; see `CapabilitySets.customaryWarnings`.
    package var customaryWarnings: [String] { process?.capabilities.customaryWarnings ?? [] }
}

/// `root`.
package struct RootConfiguration: Equatable, Sendable {
    /// Absolute, in the runtime's mount namespace.
    package var path: String
    package var readonly: Bool

    package init(path: String, readonly: Bool) {
        self.path = path
        self.readonly = readonly
    }
}

/// One entry of `annotations`.
package struct Annotation: Equatable, Sendable {
    package let key: String
    package let value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

/// One entry of `linux.uidMappings` or `linux.gidMappings`; see user_namespaces(7).
package struct IDMapping: Equatable, Sendable {
    package let containerID: UInt32
    package let hostID: UInt32
    package let size: UInt32

    package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
    }
}

/// One entry of `linux.timeOffsets`; see time_namespaces(7).
package struct TimeOffset: Equatable, Sendable {
    /// `monotonic` or `boottime`.
    package let clock: String
    package let seconds: Int64
    package let nanoseconds: UInt32

    package init(clock: String, seconds: Int64, nanoseconds: UInt32) {
        self.clock = clock
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}

/// One entry of `linux.netDevices`.
package struct NetworkDevice: Equatable, Sendable {
    /// In the runtime's network namespace.
    package let hostName: String
    /// In the container's; with `%d` in it the kernel picks the number.
    package let name: String

    package init(hostName: String, name: String) {
        self.hostName = hostName
        self.name = name
    }
}

/// One entry of `linux.sysctl`; the key's components are checked.
package struct SysctlSetting: Equatable, Sendable {
    /// As in the file system: `net/core/somaxconn`.
    package let path: String
    package let value: String

    package init(path: String, value: String) {
        self.path = path
        self.value = value
    }
}

/// `linux.personality.domain`; see personality(2).
package enum PersonalityDomain: UInt, Sendable {
    case linux = 0
    case linux32 = 8
}

/// `linux.memoryPolicy`; see set_mempolicy(2).
package struct MemoryPolicy: Equatable, Sendable {
    /// `MPOL_*` mode with its flags.
    package let mode: Int32
    /// Bit mask, 64 nodes an element; empty for modes without nodes.
    package let nodes: [UInt]

    package init(mode: Int32, nodes: [UInt]) {
        self.mode = mode
        self.nodes = nodes
    }
}
