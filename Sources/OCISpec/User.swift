// Who the process runs as. Read by Configuration. Names are never looked up: the numbers are all there is.

package import JSON

/// The user and groups of a process, as numbers in the container. Runtime-spec: config.md, User.
public struct User: Codable, Equatable, Sendable {
    /// The user id.
    public var uid: UInt32
    /// The group id.
    public var gid: UInt32
    /// The file mode creation mask; nil leaves the one that the runtime was started with.
    public var umask: UInt32?
    /// The supplementary group ids.
    public var additionalGids: [UInt32]?
    /// The user's name. Windows only.
    public var username: String?

    /// Creates a user with one group.
    public init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}

extension User: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        uid = try members.required("uid")
        gid = try members.required("gid")
        umask = try members.optional("umask")
        additionalGids = try members.list("additionalGids")
        username = try members.optional("username")
    }
}
