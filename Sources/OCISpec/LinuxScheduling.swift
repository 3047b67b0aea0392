// When, where and how the kernel lets a process run: scheduler, I/O priority, affinity, memory policy, personality.
// Read by Configuration; constants are words here.

package import JSON

/// How a process is scheduled, see `sched_setattr(2)`. Runtime-spec: config.md, Linux process, `scheduler`.
public struct Scheduler: Codable, Equatable, Sendable {
    /// The policy, such as `SCHED_FIFO`.
    public var policy: String
    /// The nice value, from -20 to 19; 0 if absent.
    public var nice: Int32?
    /// The static priority, for real-time policies; 0 if absent.
    public var priority: Int32?
    /// Flags such as `SCHED_FLAG_RESET_ON_FORK`.
    public var flags: [String]?
    /// The time the process may run in one period, in nanoseconds. `SCHED_DEADLINE` only.
    public var runtime: UInt64?
    /// The time by which it must be done, in nanoseconds. `SCHED_DEADLINE` only.
    public var deadline: UInt64?
    /// The length of one period, in nanoseconds. `SCHED_DEADLINE` only.
    public var period: UInt64?

    /// Creates a scheduler with the values of `policy` left at their defaults.
    public init(policy: String) {
        self.policy = policy
    }
}

extension Scheduler: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        policy = try members.required("policy")
        nice = try members.optional("nice")
        priority = try members.optional("priority")
        flags = try members.list("flags")
        runtime = try members.optional("runtime")
        deadline = try members.optional("deadline")
        period = try members.optional("period")
    }
}

/// The I/O priority of a process, see `ioprio_set(2)`. Runtime-spec: config.md, Linux process, `ioPriority`.
public struct IOPriority: Codable, Equatable, Sendable {
    /// The class: `IOPRIO_CLASS_RT`, `IOPRIO_CLASS_BE` or `IOPRIO_CLASS_IDLE`.
    public var `class`: String
    /// The priority in the class, from 0 (highest) to 7; 0 if absent.
    public var priority: Int?

    /// Creates a priority.
    public init(class: String, priority: Int? = nil) {
        self.class = `class`
        self.priority = priority
    }
}

extension IOPriority: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        `class` = try members.required("class")
        priority = try members.optional("priority")
    }
}

/// The processors of a process that joins a container. Runtime-spec: config.md, Linux process, `execCPUAffinity`.
public struct ExecCPUAffinity: Codable, Equatable, Sendable {
    /// The processors while the process is on its way into the container's cgroup, as a list such as `0-3,7`.
    public var initial: String?
    /// The processors once it is there; nil leaves them to the kernel.
    public var final: String?

    /// Creates an affinity.
    public init(initial: String? = nil, final: String? = nil) {
        self.initial = initial
        self.final = final
    }
}

extension ExecCPUAffinity: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        initial = try members.optional("initial")
        final = try members.optional("final")
    }
}

/// How the kernel picks memory nodes, see `set_mempolicy(2)`. Runtime-spec: config-linux.md, Memory policy.
public struct MemoryPolicy: Codable, Equatable, Sendable {
    /// The mode, such as `MPOL_INTERLEAVE`.
    public var mode: String
    /// The memory nodes, as a list such as `0-1,3`; empty or absent for modes without nodes.
    public var nodes: String?
    /// Flags of the mode, such as `MPOL_F_STATIC_NODES`.
    public var flags: [String]?

    /// Creates a policy.
    public init(mode: String, nodes: String? = nil, flags: [String]? = nil) {
        self.mode = mode
        self.nodes = nodes
        self.flags = flags
    }
}

extension MemoryPolicy: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        mode = try members.required("mode")
        nodes = try members.optional("nodes")
        flags = try members.list("flags")
    }
}

/// The execution domain of a process, see `personality(2)`. Runtime-spec: config-linux.md, Personality.
public struct Personality: Codable, Equatable, Sendable {
    /// The domain: `LINUX`, or `LINUX32` for a 32-bit answer of `uname(2)`.
    public var domain: String
    /// Further flags; the specification defines none yet.
    public var flags: [String]?

    /// Creates a personality.
    public init(domain: String, flags: [String]? = nil) {
        self.domain = domain
        self.flags = flags
    }
}

extension Personality: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        domain = try members.required("domain")
        flags = try members.list("flags")
    }
}
