// Where the container's root filesystem is. Read by Configuration.

package import JSON

/// The root filesystem of the container. Runtime-spec: config.md, Root.
public struct Root: Codable, Equatable, Sendable {
    /// The directory, as an absolute path or one relative to the bundle; usually `rootfs`.
    public var path: String
    /// Whether the root filesystem is read-only in the container; false if absent.
    public var readonly: Bool?

    /// Creates a root at `path`.
    public init(path: String, readonly: Bool? = nil) {
        self.path = path
        self.readonly = readonly
    }
}

extension Root: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        path = try members.required("path")
        readonly = try members.optional("readonly")
    }
}
