// What the runtime sends to a seccomp agent together with the notification fd.
// Written by Confinement to the socket at `linux.seccomp.listenerPath`.

/// The state of a container's process. Runtime-spec: config-linux.md, The Container Process State.
public struct ContainerProcessState: Codable, Equatable, Sendable {
    /// The version of the specification that this document follows.
    public var ociVersion: String
    /// The names of the file descriptors that are sent with this document, in the order of the descriptors.
    public var fds: [String]?
    /// The id of the container's process, as the runtime sees it.
    public var pid: Int
    /// The words of `linux.seccomp.listenerMetadata`.
    public var metadata: String?
    /// The state of the container.
    public var state: State

    /// The name of the seccomp notification descriptor in `fds`.
    public static let seccompDescriptorName = "seccompFd"

    /// Creates a process state without descriptors and metadata.
    public init(ociVersion: String, pid: Int, state: State) {
        self.ociVersion = ociVersion
        self.pid = pid
        self.state = state
    }
}
