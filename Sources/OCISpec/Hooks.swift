// The programs that a bundle wants to be run around the container's life, and one such program.
// Read by Configuration. The text forms of a hook hide env values: see Redaction.swift.

package import JSON

/// The hooks of a container, by moment; within a list they run in order. Runtime-spec: config.md, POSIX-platform Hooks.
public struct Hooks: Codable, Equatable, Sendable {
    /// Run in the runtime namespace during `create`, before `createRuntime`. Deprecated in the specification.
    public var prestart: [Hook]?
    /// Run in the runtime namespace during `create`, when the namespaces exist and the root was not entered yet.
    public var createRuntime: [Hook]?
    /// Found in the runtime namespace and run in the container's namespaces, after `createRuntime`.
    public var createContainer: [Hook]?
    /// Run in the container's namespaces during `start`, before the user's program.
    public var startContainer: [Hook]?
    /// Run in the runtime namespace after the user's program was started, before `start` returns.
    public var poststart: [Hook]?
    /// Run in the runtime namespace after the container was deleted, before `delete` returns.
    public var poststop: [Hook]?

    /// Creates an empty set of hooks.
    public init() {}
}

extension Hooks: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        prestart = try members.list("prestart")
        createRuntime = try members.list("createRuntime")
        createContainer = try members.list("createContainer")
        startContainer = try members.list("startContainer")
        poststart = try members.list("poststart")
        poststop = try members.list("poststop")
    }
}

/// One program to run at a moment of the container's life. It reads the container's state on standard input.
public struct Hook: Codable, Equatable, Sendable {
    /// The program: an absolute path.
    public var path: String
    /// The arguments, the program's own name included, with the meaning of `execv(3)`.
    public var args: [String]?
    /// The environment, as `NAME=value` strings.
    public var env: [String]?
    /// After how many seconds the hook is stopped; greater than zero. Nil sets no limit.
    public var timeout: Int?

    /// Creates a hook that runs `path`.
    public init(path: String, args: [String]? = nil, env: [String]? = nil, timeout: Int? = nil) {
        self.path = path
        self.args = args
        self.env = env
        self.timeout = timeout
    }
}

extension Hook: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        path = try members.required("path")
        args = try members.list("args")
        env = try members.list("env")
        timeout = try members.optional("timeout")
    }
}
