// What a runtime can do, as `features` prints it. Built by RuntimeCLI; read by container engines.
// A list or flag that is nil means "not known", never "not supported".

/// The features document of a runtime. Runtime-spec: features.md.
public struct Features: Codable, Equatable, Sendable {
    /// The oldest version of the specification whose documents the runtime accepts.
    public var ociVersionMin: String
    /// The newest version of the specification whose documents the runtime accepts.
    public var ociVersionMax: String
    /// The names of the hooks that are run.
    public var hooks: [String]?
    /// The mount options with a meaning of their own, without those that only a filesystem knows.
    public var mountOptions: [String]?
    /// What is special to Linux.
    public var linux: LinuxFeatures?
    /// Facts about the implementation, such as its version.
    public var annotations: OrderedMap<String>?
    /// Annotations of a config that change what the runtime does; an entry that ends in a dot stands for all that
    /// start with it.
    public var potentiallyUnsafeConfigAnnotations: [String]?

    /// Creates a document that only names versions.
    public init(ociVersionMin: String, ociVersionMax: String) {
        self.ociVersionMin = ociVersionMin
        self.ociVersionMax = ociVersionMax
    }
}

/// What a runtime can do on Linux. Runtime-spec: features-linux.md.
public struct LinuxFeatures: Codable, Equatable, Sendable {
    /// The namespace types that can be created or joined.
    public var namespaces: [String]?
    /// The capability names that are known, whatever the kernel has.
    public var capabilities: [String]?
    /// How cgroups can be managed.
    public var cgroup: CgroupFeatures?
    /// What seccomp filters may contain.
    public var seccomp: SeccompFeatures?
    /// Whether AppArmor profiles can be applied.
    public var apparmor: FeatureSwitch?
    /// Whether SELinux labels can be applied.
    public var selinux: FeatureSwitch?
    /// What of Intel RDT is supported.
    public var intelRdt: IntelRdtFeatures?
    /// What memory policies may contain.
    public var memoryPolicy: MemoryPolicyFeatures?
    /// Special kinds of mounts.
    public var mountExtensions: MountExtensionFeatures?
    /// Whether network devices can be moved into the container.
    public var netDevices: FeatureSwitch?

    /// Creates a document in which nothing is known.
    public init() {}
}

/// Whether something is supported at all, whatever the host has.
public struct FeatureSwitch: Codable, Equatable, Sendable {
    /// Whether it is supported.
    public var enabled: Bool?

    /// Creates a switch.
    public init(enabled: Bool? = nil) {
        self.enabled = enabled
    }
}

/// How a runtime can manage cgroups, whatever the host has.
public struct CgroupFeatures: Codable, Equatable, Sendable {
    /// Whether cgroup v1 is supported.
    public var v1: Bool?
    /// Whether cgroup v2 is supported.
    public var v2: Bool?
    /// Whether systemd can be asked to manage the cgroup.
    public var systemd: Bool?
    /// Whether a user's own systemd can be asked to.
    public var systemdUser: Bool?
    /// Whether the rdma controller is supported.
    public var rdma: Bool?

    /// Creates a document in which nothing is known.
    public init() {}
}

/// What seccomp filters may contain.
public struct SeccompFeatures: Codable, Equatable, Sendable {
    /// Whether filters can be loaded.
    public var enabled: Bool?
    /// The actions that are known.
    public var actions: [String]?
    /// The comparisons that are known.
    public var operators: [String]?
    /// The architectures that are known.
    public var archs: [String]?
    /// The flags that are understood.
    public var knownFlags: [String]?
    /// The flags that this kernel and libseccomp can really apply.
    public var supportedFlags: [String]?

    /// Creates a document in which nothing is known.
    public init() {}
}

/// What of Intel RDT is supported, whatever the host has.
public struct IntelRdtFeatures: Codable, Equatable, Sendable {
    /// Whether `intelRdt` is supported.
    public var enabled: Bool?
    /// Whether `intelRdt.schemata` is supported.
    public var schemata: Bool?
    /// Whether `intelRdt.enableMonitoring` is supported.
    public var monitoring: Bool?

    /// Creates a document.
    public init(enabled: Bool? = nil, schemata: Bool? = nil, monitoring: Bool? = nil) {
        self.enabled = enabled
        self.schemata = schemata
        self.monitoring = monitoring
    }
}

/// What memory policies may contain.
public struct MemoryPolicyFeatures: Codable, Equatable, Sendable {
    /// The modes that are known.
    public var modes: [String]?
    /// The flags that are known.
    public var flags: [String]?

    /// Creates a document.
    public init(modes: [String]? = nil, flags: [String]? = nil) {
        self.modes = modes
        self.flags = flags
    }
}

/// Special kinds of mounts.
public struct MountExtensionFeatures: Codable, Equatable, Sendable {
    /// Whether mounts can have id mappings.
    public var idmap: FeatureSwitch?

    /// Creates a document.
    public init(idmap: FeatureSwitch? = nil) {
        self.idmap = idmap
    }
}
