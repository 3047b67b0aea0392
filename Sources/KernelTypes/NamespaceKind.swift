// The kinds of namespace and their numbers. See namespaces(7).

/// A kind of namespace. Declared in the order in which the flags are listed in messages.
package enum NamespaceKind: String, CaseIterable, Hashable, Sendable {
    case mount, uts, ipc, user, pid, network, cgroup, time

    /// The `CLONE_NEW*` flag.
    package var cloneFlag: UInt64 {
        switch self {
        case .time: 0x80
        case .mount: 0x20000
        case .cgroup: 0x0200_0000
        case .uts: 0x0400_0000
        case .ipc: 0x0800_0000
        case .user: 0x1000_0000
        case .pid: 0x2000_0000
        case .network: 0x4000_0000
        }
    }

    /// The file's name under `/proc/PID/ns`.
    package var procName: String {
        switch self {
        case .mount: "mnt"
        case .network: "net"
        default: rawValue
        }
    }
}

extension [NamespaceKind] {
    /// As the library's, without its metadata.
    package func contains(_ kind: NamespaceKind) -> Bool {
        contains { $0.cloneFlag == kind.cloneFlag }
    }
}
