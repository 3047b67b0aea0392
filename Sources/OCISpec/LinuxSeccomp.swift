// The filter on system calls. Read by Confinement, which knows the constants; here they are only words.

package import JSON

/// A filter on system calls. Runtime-spec: config-linux.md, Seccomp. Constants have the names of libseccomp.
public struct Seccomp: Codable, Equatable, Sendable {
    /// What happens to calls that no rule matches, such as `SCMP_ACT_ERRNO`.
    public var defaultAction: String
    /// The errno of the default action, if it has one; `EPERM` if absent.
    public var defaultErrnoRet: UInt?
    /// The architectures besides the native one whose calls are filtered, such as `SCMP_ARCH_X86`.
    public var architectures: [String]?
    /// Flags for `seccomp(2)`, such as `SECCOMP_FILTER_FLAG_LOG`.
    public var flags: [String]?
    /// The socket of the agent that decides on `SCMP_ACT_NOTIFY`.
    public var listenerPath: String?
    /// Words for the agent. Must not be given without `listenerPath`.
    public var listenerMetadata: String?
    /// The rules.
    public var syscalls: [SyscallRule]?

    /// Creates a filter with one action for all calls.
    public init(defaultAction: String) {
        self.defaultAction = defaultAction
    }
}

extension Seccomp: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        defaultAction = try members.required("defaultAction")
        defaultErrnoRet = try members.optional("defaultErrnoRet")
        architectures = try members.list("architectures")
        flags = try members.list("flags")
        listenerPath = try members.optional("listenerPath")
        listenerMetadata = try members.optional("listenerMetadata")
        syscalls = try members.list("syscalls")
    }
}

/// What happens to some system calls.
public struct SyscallRule: Codable, Equatable, Sendable {
    /// The names of the calls, at least one.
    public var names: [String]
    /// What happens to them, such as `SCMP_ACT_ALLOW`.
    public var action: String
    /// The errno of the action, if it has one; `EPERM` if absent.
    public var errnoRet: UInt?
    /// Conditions on the arguments, which must all hold.
    public var args: [SyscallArgument]?

    /// Creates a rule without conditions.
    public init(names: [String], action: String) {
        self.names = names
        self.action = action
    }
}

extension SyscallRule: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        names = try members.requiredList("names")
        action = try members.required("action")
        errnoRet = try members.optional("errnoRet")
        args = try members.list("args")
    }
}

/// A condition on one argument of a system call.
public struct SyscallArgument: Codable, Equatable, Sendable {
    /// Which argument, from 0 to 5.
    public var index: UInt
    /// What the argument is compared with; the mask for `SCMP_CMP_MASKED_EQ`.
    public var value: UInt64
    /// What the masked argument is compared with; 0 if absent.
    public var valueTwo: UInt64?
    /// The comparison, such as `SCMP_CMP_EQ`.
    public var op: String

    /// Creates a condition with one operand.
    public init(index: UInt, value: UInt64, op: String) {
        self.index = index
        self.value = value
        self.op = op
    }
}

extension SyscallArgument: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        index = try members.required("index")
        value = try members.required("value")
        valueTwo = try members.optional("valueTwo")
        op = try members.required("op")
    }
}
