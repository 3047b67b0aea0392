// The linux section of config.json. Read by Configuration. Its sub-objects are in the other Linux files, by family.

package import JSON

/// What is special to Linux containers. Runtime-spec: config-linux.md.
public struct Linux: Codable, Equatable, Sendable {
    /// The namespaces to create or to join, one per type. A type that is not listed is shared with the runtime.
    public var namespaces: [Namespace]?
    /// How user ids of the container's user namespace map to those of the host.
    public var uidMappings: [IDMapping]?
    /// How group ids of the container's user namespace map to those of the host.
    public var gidMappings: [IDMapping]?
    /// Offsets of the clocks of the container's time namespace, by clock: `monotonic` or `boottime`.
    public var timeOffsets: OrderedMap<TimeOffset>?
    /// Device nodes that must be in the container, besides the default ones.
    public var devices: [Device]?
    /// Network devices to move into the container's network namespace, by their name on the host.
    public var netDevices: OrderedMap<NetDevice>?
    /// The cgroup of the container. Absolute paths count from the cgroup mount, relative ones from where the runtime
    /// likes. For the systemd driver it is `slice:prefix:name`.
    public var cgroupsPath: String?
    /// Limits on resources, applied to the container's cgroup.
    public var resources: Resources?
    /// Intel Resource Director Technology.
    public var intelRdt: IntelRdt?
    /// How the kernel picks the NUMA nodes of the process's memory.
    public var memoryPolicy: MemoryPolicy?
    /// Kernel parameters to set in the container, by name with dots, in document order.
    public var sysctl: OrderedMap<String>?
    /// The filter on system calls.
    public var seccomp: Seccomp?
    /// The mount propagation of the root: `shared`, `slave`, `private` or `unbindable`.
    public var rootfsPropagation: String?
    /// Absolute paths in the container that must not be readable.
    public var maskedPaths: [String]?
    /// Absolute paths in the container that must be read-only.
    public var readonlyPaths: [String]?
    /// The SELinux context of the mounts.
    public var mountLabel: String?
    /// The execution domain of the process.
    public var personality: Personality?

    /// Creates a section that asks for nothing.
    public init() {}
}

extension Linux: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        namespaces = try members.list("namespaces")
        uidMappings = try members.list("uidMappings")
        gidMappings = try members.list("gidMappings")
        timeOffsets = try members.optional("timeOffsets")
        devices = try members.list("devices")
        netDevices = try members.optional("netDevices")
        cgroupsPath = try members.optional("cgroupsPath")
        resources = try members.optional("resources")
        intelRdt = try members.optional("intelRdt")
        memoryPolicy = try members.optional("memoryPolicy")
        sysctl = try members.optional("sysctl")
        seccomp = try members.optional("seccomp")
        rootfsPropagation = try members.optional("rootfsPropagation")
        maskedPaths = try members.list("maskedPaths")
        readonlyPaths = try members.list("readonlyPaths")
        mountLabel = try members.optional("mountLabel")
        personality = try members.optional("personality")
    }
}
