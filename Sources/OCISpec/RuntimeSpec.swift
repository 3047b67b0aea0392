// The root object of a bundle's config.json, version 1.3.0 of the OCI runtime specification.
// Read by the bundle loader, written by `spec`. It says what was asked for, word by word: nothing here is checked,
// resolved or given a default. Properties are in the order of the specification's documents.

package import JSON

/// The configuration of one container: the root object of `config.json`.
///
/// Runtime-spec: config.md. An optional property is nil if the document leaves it out or says null.
/// Names that the specification does not know are ignored, as it demands.
public struct RuntimeSpec: Codable, Equatable, Sendable {
    /// The version of the specification that the bundle was written for, in SemVer 2.0.0 form; see `SpecVersion`.
    public var ociVersion: String
    /// The process to run. Needed by `start` at the latest.
    public var process: Process?
    /// The root filesystem. Required on Linux.
    public var root: Root?
    /// The host name that processes in the container see; it needs a UTS namespace of the container's own.
    public var hostname: String?
    /// The NIS domain name that processes in the container see; it needs a UTS namespace of the container's own.
    public var domainname: String?
    /// What to mount on top of the root filesystem, in this order.
    public var mounts: [Mount]?
    /// Programs to run at certain moments of the container's life.
    public var hooks: Hooks?
    /// Free metadata in document order. Keys should be in reverse domain notation.
    public var annotations: OrderedMap<String>?
    /// What is special to Linux.
    public var linux: Linux?
    /// Whether there is a section for Solaris.
    public var solaris: OtherPlatform?
    /// Whether there is a section for Windows.
    public var windows: OtherPlatform?
    /// Whether there is a section for virtual machines.
    public var vm: OtherPlatform?
    /// Whether there is a section for z/OS.
    public var zos: OtherPlatform?
    /// Whether there is a section for FreeBSD.
    public var freebsd: OtherPlatform?

    /// Creates a configuration that asks for nothing.
    public init(ociVersion: String) {
        self.ociVersion = ociVersion
    }

    /// The names of the sections for other platforms that the document has, in the order of the specification.
    public var otherPlatforms: [String] {
        var names: [String] = []
        if solaris != nil { names.append("solaris") }
        if windows != nil { names.append("windows") }
        if vm != nil { names.append("vm") }
        if zos != nil { names.append("zos") }
        if freebsd != nil { names.append("freebsd") }
        return names
    }
}

extension RuntimeSpec: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        var members = try json.members()
        ociVersion = try members.required("ociVersion")
        process = try members.optional("process")
        root = try members.optional("root")
        hostname = try members.optional("hostname")
        domainname = try members.optional("domainname")
        mounts = try members.list("mounts")
        hooks = try members.optional("hooks")
        annotations = try members.optional("annotations")
        linux = try members.optional("linux")
        solaris = try members.optional("solaris")
        windows = try members.optional("windows")
        vm = try members.optional("vm")
        zos = try members.optional("zos")
        freebsd = try members.optional("freebsd")
    }
}

/// A section of `config.json` for a platform that this model does not describe.
///
/// Only its presence is kept, so that a runtime can refuse it by name; encoding gives an empty object.
public struct OtherPlatform: Codable, Equatable, Sendable {
    /// Creates the mark of a section that is present.
    public init() {}
}

extension OtherPlatform: JSONReadable {
    /// Whatever it says.
    package init(json: JSONValue) {}
}
