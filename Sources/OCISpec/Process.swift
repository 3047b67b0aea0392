// The process section of config.json, which is also the document that `exec --process` reads.
// Read by Configuration, which turns strings into typed values. The text forms hide env values: see Redaction.swift.

package import JSON

/// A process to run in the container. Runtime-spec: config.md, Process.
public struct Process: Codable, Equatable, Sendable {
    /// Whether the process gets a pseudoterminal as its standard streams; false if absent.
    public var terminal: Bool?
    /// The size of that terminal. Ignored without `terminal`.
    public var consoleSize: ConsoleSize?
    /// The working directory: an absolute path in the container.
    public var cwd: String
    /// The environment, as `NAME=value` strings.
    public var env: [String]?
    /// The program and its arguments, with the meaning of `execvp(3)`. Required on Linux, with at least one entry.
    public var args: [String]?
    /// The whole command line in one string. Windows only.
    public var commandLine: String?
    /// Limits on the resources of the process, one per type.
    public var rlimits: [ResourceLimit]?
    /// The AppArmor profile that is applied at execve.
    public var apparmorProfile: String?
    /// The capability sets of the process; nil leaves the choice to the runtime.
    public var capabilities: CapabilitySets?
    /// Whether to set the `no_new_privs` bit, see `prctl(2)`; false if absent.
    public var noNewPrivileges: Bool?
    /// The value of `oom_score_adj`, from -1000 to 1000; nil must leave it as it is.
    public var oomScoreAdj: Int?
    /// How the process is scheduled.
    public var scheduler: Scheduler?
    /// The SELinux label that is applied at execve.
    public var selinuxLabel: String?
    /// The I/O priority of the process.
    public var ioPriority: IOPriority?
    /// The processors on which a process started by `exec` may run.
    public var execCPUAffinity: ExecCPUAffinity?
    /// The user and groups. A document that leaves it out is read as user 0 and group 0 in the container, as by runc.
    public var user: User

    /// Creates a process with a working directory and nothing else, run by user 0 and group 0.
    public init(cwd: String, args: [String]? = nil, user: User = User(uid: 0, gid: 0)) {
        self.cwd = cwd
        self.args = args
        self.user = user
    }
}

extension Process {
    /// Decodes a process, for other decoders than this package's; written out because `user` may be absent.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        terminal = try members.decodeIfPresent(Bool.self, forKey: .terminal)
        consoleSize = try members.decodeIfPresent(ConsoleSize.self, forKey: .consoleSize)
        cwd = try members.decode(String.self, forKey: .cwd)
        env = try members.decodeIfPresent([String].self, forKey: .env)
        args = try members.decodeIfPresent([String].self, forKey: .args)
        commandLine = try members.decodeIfPresent(String.self, forKey: .commandLine)
        rlimits = try members.decodeIfPresent([ResourceLimit].self, forKey: .rlimits)
        apparmorProfile = try members.decodeIfPresent(String.self, forKey: .apparmorProfile)
        capabilities = try members.decodeIfPresent(CapabilitySets.self, forKey: .capabilities)
        noNewPrivileges = try members.decodeIfPresent(Bool.self, forKey: .noNewPrivileges)
        oomScoreAdj = try members.decodeIfPresent(Int.self, forKey: .oomScoreAdj)
        scheduler = try members.decodeIfPresent(Scheduler.self, forKey: .scheduler)
        selinuxLabel = try members.decodeIfPresent(String.self, forKey: .selinuxLabel)
        ioPriority = try members.decodeIfPresent(IOPriority.self, forKey: .ioPriority)
        execCPUAffinity = try members.decodeIfPresent(ExecCPUAffinity.self, forKey: .execCPUAffinity)
        user = try members.decodeIfPresent(User.self, forKey: .user) ?? User(uid: 0, gid: 0)
    }
}

extension Process: JSONReadable {
    // `user` may be absent.
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        terminal = try members.optional("terminal")
        consoleSize = try members.optional("consoleSize")
        cwd = try members.required("cwd")
        env = try members.list("env")
        args = try members.list("args")
        commandLine = try members.optional("commandLine")
        rlimits = try members.list("rlimits")
        apparmorProfile = try members.optional("apparmorProfile")
        capabilities = try members.optional("capabilities")
        noNewPrivileges = try members.optional("noNewPrivileges")
        oomScoreAdj = try members.optional("oomScoreAdj")
        scheduler = try members.optional("scheduler")
        selinuxLabel = try members.optional("selinuxLabel")
        ioPriority = try members.optional("ioPriority")
        execCPUAffinity = try members.optional("execCPUAffinity")
        user = try members.optional("user") ?? User(uid: 0, gid: 0)
    }
}

/// The size of a terminal, in characters. Runtime-spec: config.md, Process, `consoleSize`.
public struct ConsoleSize: Codable, Equatable, Sendable {
    /// The number of rows.
    public var height: UInt
    /// The number of columns.
    public var width: UInt

    /// Creates a size of `height` rows and `width` columns.
    public init(height: UInt, width: UInt) {
        self.height = height
        self.width = width
    }
}

extension ConsoleSize: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        height = try members.required("height")
        width = try members.required("width")
    }
}

/// One limit on a resource, see `setrlimit(2)`. Runtime-spec: config.md, POSIX process, `rlimits`.
public struct ResourceLimit: Codable, Equatable, Sendable {
    /// The resource, by the name of its constant, such as `RLIMIT_NOFILE`.
    public var type: String
    /// The ceiling up to which an unprivileged process may raise the soft limit; the largest value means no limit.
    public var hard: UInt64
    /// The limit that the kernel enforces; the largest value means no limit.
    public var soft: UInt64

    /// Creates a limit for one resource.
    public init(type: String, hard: UInt64, soft: UInt64) {
        self.type = type
        self.hard = hard
        self.soft = soft
    }
}

extension ResourceLimit: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        type = try members.required("type")
        hard = try members.required("hard")
        soft = try members.required("soft")
    }
}

/// The five capability sets of a process, by names such as `CAP_KILL`; see `capabilities(7)`.
///
/// Runtime-spec: config.md, Linux process, `capabilities`. A set that is nil is empty.
public struct CapabilitySets: Codable, Equatable, Sendable {
    /// What an execve can at most give to the process.
    public var bounding: [String]?
    /// What the kernel checks.
    public var effective: [String]?
    /// What is kept over an execve of a file that has the same capabilities.
    public var inheritable: [String]?
    /// What the process may make effective.
    public var permitted: [String]?
    /// What is kept over an execve of an ordinary file.
    public var ambient: [String]?

    /// Creates five empty sets.
    public init() {}
}

extension CapabilitySets: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        bounding = try members.list("bounding")
        effective = try members.list("effective")
        inheritable = try members.list("inheritable")
        permitted = try members.list("permitted")
        ambient = try members.list("ambient")
    }
}
