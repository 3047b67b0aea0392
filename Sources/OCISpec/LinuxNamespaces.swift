// Namespaces of the linux section, and what belongs to a single kind of them: id mappings, clock offsets, net devices.
// Read by Configuration.

package import JSON

/// A namespace to create or to join. Runtime-spec: config-linux.md, Namespaces.
public struct Namespace: Codable, Equatable, Sendable {
    /// The kind: `pid`, `network`, `mount`, `ipc`, `uts`, `user`, `cgroup` or `time`.
    public var type: String
    /// The absolute path of a namespace file of that kind to join; nil creates a new namespace.
    public var path: String?

    /// Creates an entry for a namespace of `type`.
    public init(type: String, path: String? = nil) {
        self.type = type
        self.path = path
    }
}

extension Namespace: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        type = try members.required("type")
        path = try members.optional("path")
    }
}

/// A range of ids and what they are on the host. Runtime-spec: config-linux.md, User namespace mappings.
public struct IDMapping: Codable, Equatable, Sendable {
    /// The first id in the container. For a mount with mappings: the first id on the filesystem.
    public var containerID: UInt32
    /// The id on the host that stands for it.
    public var hostID: UInt32
    /// The number of ids in a row.
    public var size: UInt32

    /// Creates a mapping of `size` ids.
    public init(containerID: UInt32, hostID: UInt32, size: UInt32) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
    }
}

extension IDMapping: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        containerID = try members.required("containerID")
        hostID = try members.required("hostID")
        size = try members.required("size")
    }
}

/// How far a clock of the container is from the host's, see `time_namespaces(7)`.
///
/// Runtime-spec: config-linux.md, Offset for Time Namespace.
public struct TimeOffset: Codable, Equatable, Sendable {
    /// The offset in seconds; 0 if absent.
    public var secs: Int64?
    /// The offset in nanoseconds that is added to `secs`; 0 if absent.
    public var nanosecs: UInt32?

    /// Creates an offset.
    public init(secs: Int64? = nil, nanosecs: UInt32? = nil) {
        self.secs = secs
        self.nanosecs = nanosecs
    }
}

extension TimeOffset: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        secs = try members.optional("secs")
        nanosecs = try members.optional("nanosecs")
    }
}

/// A network device to move into the container. Runtime-spec: config-linux.md, Network Devices.
public struct NetDevice: Codable, Equatable, Sendable {
    /// The name of the device in the container; nil keeps the name it has on the host.
    public var name: String?

    /// Creates an entry that keeps the name, or changes it to `name`.
    public init(name: String? = nil) {
        self.name = name
    }
}

extension NetDevice: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        name = try members.optional("name")
    }
}
