// `NOTIFY_SOCKET` of the runtime's environment: what it may be, and what a container gets in its place. See
// sd_notify(3).

internal import Configuration
package import Diagnostics
internal import KernelTypes

/// The service manager's socket.
package enum NotifySocket {
    static let variable = "NOTIFY_SOCKET"
    /// Where the container finds its own.
    static let directory = "/run/notify"

    /// The address that the caller gave: a path, or an abstract name behind `@`.
    /// - Parameter environment: This process's, `NAME=value`.
    /// - Returns: `nil` when there is none.
    package static func address(in environment: [String]) throws(Failure) -> String? {
        let prefix = "\(variable)="
        guard let entry = environment.last(where: { $0.hasPrefix(prefix) }) else { return nil }
        let address = String(entry.dropFirst(prefix.utf8.count))
        if address.isEmpty { return nil }
        guard let first = address.utf8.first, first == UInt8(ascii: "/") || first == UInt8(ascii: "@"),
            (2...107).contains(address.utf8.count)
        else {
            throw Failure(
                "\(variable): expected an absolute path or @ and a name, of at most 107 bytes, found \"\(address)\"",
                .usage,
                subject: variable
            )
        }
        return address
    }
}

extension ContainerConfiguration {
    /// The same with a place for the container's own socket, and no word of the manager's.
    /// - Parameter source: The directory on the host that will hold the socket.
    func notifying(from source: String) -> ContainerConfiguration {
        var changed = self
        var options = MountOptions()
        options.set = [.readOnly, .noSetID, .noDevices, .noExecute]
        changed.mounts.append(
            MountConfiguration(
                kind: .bind(recursive: false),
                destination: NotifySocket.directory,
                source: source,
                options: options,
                optionWords: ["bind", "ro", "nosuid", "nodev", "noexec"]
            )
        )
        if var process = changed.process {
            process.environment.removeAll { $0.hasPrefix("\(NotifySocket.variable)=") }
            process.environment.append("\(NotifySocket.variable)=\(NotifySocket.directory)/notify.sock")
            changed.process = process
        }
        return changed
    }
}
