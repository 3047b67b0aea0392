// The state of a container, as `state` prints it and as hooks read it on standard input.
// Written by Lifecycle and Launch; what is printed beyond it is the runtime's own affair.

/// The state of a container. Runtime-spec: runtime.md, State.
public struct State: Codable, Equatable, Sendable {
    /// The version of the specification that this document follows.
    public var ociVersion: String
    /// The container's id.
    public var id: String
    /// Where the container is in its life.
    public var status: ContainerStatus
    /// The id of the container's process as the reader sees it. Required while created or running.
    public var pid: Int?
    /// The absolute path of the bundle directory.
    public var bundle: String
    /// The annotations of the container, in document order.
    public var annotations: OrderedMap<String>?

    /// Creates a state without process and annotations.
    public init(ociVersion: String, id: String, status: ContainerStatus, bundle: String) {
        self.ociVersion = ociVersion
        self.id = id
        self.status = status
        self.bundle = bundle
    }
}

/// Where a container is in its life. Runtime-spec: runtime.md, State, which lets runtimes add words of their own.
public struct ContainerStatus: RawRepresentable, Codable, Hashable, Sendable {
    /// The word as it is written in the document.
    public var rawValue: String

    /// Creates a status from its word.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// `create` has not finished yet.
    public static let creating = ContainerStatus(rawValue: "creating")
    /// `create` has finished, the user's program was not started.
    public static let created = ContainerStatus(rawValue: "created")
    /// The user's program was started and has not exited.
    public static let running = ContainerStatus(rawValue: "running")
    /// The container's process has exited.
    public static let stopped = ContainerStatus(rawValue: "stopped")
    /// All processes of the container are frozen. Not in the specification; runc, crun and youki all say it.
    public static let paused = ContainerStatus(rawValue: "paused")
}
