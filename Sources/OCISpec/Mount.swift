// One entry of the list of mounts. Read by Configuration, which knows what the options mean.

package import JSON

/// Something to mount in the container. Runtime-spec: config.md, Mounts.
public struct Mount: Codable, Equatable, Sendable {
    /// Where to mount it: a path in the container. A relative one counts from `/`.
    public var destination: String
    /// The type of the filesystem, see `filesystems(5)`. Without meaning for bind mounts.
    public var type: String?
    /// A device, a file or directory, or a word without meaning. Relative paths of bind mounts count from the bundle.
    public var source: String?
    /// Mount options in the manner of `fstab(5)`. Options without a known meaning are handed to the filesystem.
    public var options: [String]?
    /// How user ids of the source appear in the mount. Goes together with `gidMappings`.
    public var uidMappings: [IDMapping]?
    /// How group ids of the source appear in the mount. Goes together with `uidMappings`.
    public var gidMappings: [IDMapping]?

    /// Creates a mount without id mappings.
    public init(destination: String, type: String? = nil, source: String? = nil, options: [String]? = nil) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
    }
}

extension Mount: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        destination = try members.required("destination")
        type = try members.optional("type")
        source = try members.optional("source")
        options = try members.list("options")
        uidMappings = try members.list("uidMappings")
        gidMappings = try members.list("gidMappings")
    }
}
