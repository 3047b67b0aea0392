// Device nodes, and the rules on who may use devices. Read by Configuration.

package import JSON

/// A device node in the container. Runtime-spec: config-linux.md, Devices.
public struct Device: Codable, Equatable, Sendable {
    /// The kind of node, as for `mknod(1)`: `c`, `b`, `u` or `p`.
    public var type: String
    /// The absolute path in the container.
    public var path: String
    /// The major number. Required unless `type` is `p`.
    public var major: Int64?
    /// The minor number. Required unless `type` is `p`.
    public var minor: Int64?
    /// The permission bits of the node.
    public var fileMode: UInt32?
    /// The owner, as an id in the container.
    public var uid: UInt32?
    /// The group, as an id in the container.
    public var gid: UInt32?

    /// Creates a node without owner and mode.
    public init(type: String, path: String, major: Int64? = nil, minor: Int64? = nil) {
        self.type = type
        self.path = path
        self.major = major
        self.minor = minor
    }
}

extension Device: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        type = try members.required("type")
        path = try members.required("path")
        major = try members.optional("major")
        minor = try members.optional("minor")
        fileMode = try members.optional("fileMode")
        uid = try members.optional("uid")
        gid = try members.optional("gid")
    }
}

/// A rule on the use of devices; later rules win over earlier ones.
///
/// Runtime-spec: config-linux.md, Allowed Device list.
public struct DeviceRule: Codable, Equatable, Sendable {
    /// Whether the use is allowed or denied.
    public var allow: Bool
    /// The kind of device: `a` (all), `c` or `b`; `a` if absent.
    public var type: String?
    /// The major number; any if absent.
    public var major: Int64?
    /// The minor number; any if absent.
    public var minor: Int64?
    /// What is allowed or denied: letters out of `r` (read), `w` (write) and `m` (mknod).
    public var access: String?

    /// Creates a rule for all devices.
    public init(allow: Bool, access: String? = nil) {
        self.allow = allow
        self.access = access
    }
}

extension DeviceRule: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        allow = try members.required("allow")
        type = try members.optional("type")
        major = try members.optional("major")
        minor = try members.optional("minor")
        access = try members.optional("access")
    }
}
