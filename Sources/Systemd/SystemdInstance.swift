// Which service manager to talk to, and where its sockets are: the machine's, or a user's own.

package import DBus
package import Diagnostics
internal import LinuxSystem

/// A running systemd.
package enum SystemdInstance: Equatable, Sendable {
    /// The machine's.
    case system
    /// A user's own; the id is that of the machine, also in a user namespace.
    case user(UInt32)

    package var isUser: Bool { self != .system }

    /// For texts.
    var name: String {
        switch self {
        case .system: "systemd"
        case .user(let uid): "the systemd of user \(uid)"
        }
    }

    /// Where the manager puts slices, if it is an ordinary one; the bus knows exactly.
    package var usualControlGroup: String {
        switch self {
        case .system: ""
        case .user(let uid): "/user.slice/user-\(uid).slice/user@\(uid).service"
        }
    }

    /// The instance for this process: its own user's when it lacks the powers of the machine's root.
    package static func ofThisProcess(isRootless: Bool) -> SystemdInstance {
        isRootless ? .user(UserNamespaces.outerUserID) : .system
    }

    /// The sockets to try, in their order.
    /// - Parameter environment: Of the runtime: its caller is trusted.
    package func addresses(environment: [String]) throws(Failure) -> [BusAddress] {
        func variable(_ name: String) -> String? {
            environment.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
                .flatMap { $0.isEmpty ? nil : $0 }
        }
        let override = isUser ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"
        if let list = variable(override) {
            do throws(WireProblem) {
                return try BusAddress.parse(list)
            } catch {
                throw Failure("find the bus: \(override): \(error)")
            }
        }
        try checkBooted()
        switch self {
        case .system:
            let bus = BusAddress(.path("/run/dbus/system_bus_socket"))
            let direct = BusAddress(.path("/run/systemd/private"), isDirect: true)
            return Processes.effectiveUserID == 0 ? [bus, direct] : [bus]
        case .user(let uid):
            let directory = variable("XDG_RUNTIME_DIR") ?? "/run/user/\(uid)"
            return [
                BusAddress(.path("\(directory)/bus")),
                BusAddress(.path("\(directory)/systemd/private"), isDirect: true),
            ]
        }
    }

    /// See sd_booted(3).
    private func checkBooted() throws(Failure) {
        if (try? BorrowedFD.workingDirectory.facts(of: "/run/systemd/system")) != nil { return }
        throw Failure(
            "systemd does not manage this machine: /run/systemd/system does not exist",
            .unsupported,
            hint: "use --cgroup-manager cgroupfs"
        )
    }
}

/// How long one conversation may take.
package enum ConversationLimit {
    static let variable = "APUS_DBUS_TIMEOUT"
    private static let standard: Int64 = 30
    private static let longest: Int64 = 600

    /// The deadline of a conversation that begins now, on the monotonic clock, nanoseconds.
    package static func deadline(environment: [String]) throws(Failure) -> Int64 {
        var seconds = standard
        if let text = environment.first(where: { $0.hasPrefix(variable + "=") })?.dropFirst(variable.utf8.count + 1) {
            guard let given = Int64(text), (1...longest).contains(given) else {
                throw Failure(
                    "\(variable): \"\(text)\" is not a number of seconds from 1 to \(longest)",
                    .usage,
                    subject: variable
                )
            }
            seconds = given
        }
        return Machine.monotonicNanoseconds() + seconds * 1_000_000_000
    }
}
