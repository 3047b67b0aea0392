// What is asked of a service manager: a scope around a process, other limits for it, its end. See
// org.freedesktop.systemd1(5). Knows nothing of containers.

internal import DBus
package import Diagnostics
internal import LinuxSystem

/// One conversation with systemd; everything in it happens before one deadline.
package final class SystemdConversation {
    private static let destination = "org.freedesktop.systemd1"
    private static let managerPath = "/org/freedesktop/systemd1"
    private static let managerInterface = "org.freedesktop.systemd1.Manager"
    private static let unitExists = "org.freedesktop.systemd1.UnitExists"
    private static let noSuchUnit = "org.freedesktop.systemd1.NoSuchUnit"

    package let instance: SystemdInstance
    private let connection: BusConnection
    private var isSubscribed = false
    /// The manager's name on the bus: only what comes from it is believed. `nil` without a bus between.
    private var manager: String?
    /// Why nothing more can be asked.
    package private(set) var breakdown: Failure?
    /// The scope that systemd agreed to start here: only that one is ours.
    package private(set) var acceptedScope: String?
    /// As in `systemctl --version`: 252.
    package private(set) var version = 0
    /// The manager's own cgroup: empty for the root.
    package private(set) var controlGroup = ""

    /// Connects to the first socket that somebody listens on, and asks who is there.
    package init(with instance: SystemdInstance, environment: [String]) throws(Failure) {
        self.instance = instance
        let deadline = try ConversationLimit.deadline(environment: environment)
        let addresses = try instance.addresses(environment: environment)
        connection = try Self.connect(instance, addresses, deadline: deadline)
        version = Self.number(of: try text("Version"))
        controlGroup = try text("ControlGroup")
    }

    private static func connect(
        _ instance: SystemdInstance,
        _ addresses: [BusAddress],
        deadline: Int64
    ) throws(Failure) -> BusConnection {
        var first: Failure?
        for address in addresses {
            do throws(Failure) {
                return try BusConnection(
                    to: address,
                    uid: UserNamespaces.outerUserID,
                    deadline: deadline,
                    keeping: { isOfManager($0) }
                )
            } catch  where error.errno == .ENOENT || error.errno == .ECONNREFUSED {
                first = first ?? error
            } catch {
                throw prefixed(instance, error)
            }
        }
        throw prefixed(instance, first ?? Failure("no address"))
    }

    private static func prefixed(_ instance: SystemdInstance, _ failure: Failure) -> Failure {
        let hint = instance.isUser ? "does the user have a systemd of its own? see loginctl enable-linger" : nil
        return Failure("talk to \(instance.name): \(failure.line)", failure.code, hint: failure.hint ?? hint)
    }

    private static func isOfManager(_ signal: DBusMessage) -> Bool {
        signal.interface == managerInterface && signal.path == managerPath
            && (signal.member == "JobRemoved" || signal.member == "UnitRemoved")
    }

    /// The number that `252.39-1~deb12u1` or `v252` begins with; 0 when there is none.
    static func number(of version: String) -> Int {
        let digits = version.utf8.drop { $0 == UInt8(ascii: "v") }
            .prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return Int(Substring(digits)) ?? 0
    }

    // MARK: Calls

    /// A refusal that the caller may know what to do with; everything else ends the conversation.
    private struct Refusal: Error {
        let name: String
        let failure: Failure
    }

    private func call(
        _ member: String,
        _ arguments: [DBusValue],
        path: String = managerPath,
        interface: String = managerInterface
    ) throws(Refusal) -> [DBusValue] {
        let call = MethodCall(
            destination: Self.destination,
            path: path,
            interface: interface,
            member: member,
            arguments: arguments
        )
        do throws(CallProblem) {
            let reply = try connection.call(call)
            if manager == nil { manager = reply.sender }
            return try values(of: reply, "the call \(member)")
        } catch {
            throw Refusal(name: refusalName(error), failure: failure(of: error, "the call \(member)"))
        }
    }

    private func values(of message: DBusMessage, _ purpose: String) throws(CallProblem) -> [DBusValue] {
        do throws(WireProblem) {
            return try message.values()
        } catch {
            throw .broken(Failure("\(purpose): what was answered is not D-Bus: \(error)"))
        }
    }

    private func refusalName(_ problem: CallProblem) -> String {
        if case .refused(let name, _) = problem { return name }
        return ""
    }

    private func failure(of problem: CallProblem, _ purpose: String) -> Failure {
        let failure = Self.prefixed(instance, problem.failure(of: purpose))
        if case .broken = problem { breakdown = failure }
        return failure
    }

    /// As `call`, where no refusal is expected.
    private func ask(
        _ member: String,
        _ arguments: [DBusValue],
        path: String = managerPath,
        interface: String = managerInterface
    ) throws(Failure) -> [DBusValue] {
        do throws(Refusal) {
            return try call(member, arguments, path: path, interface: interface)
        } catch {
            throw error.failure
        }
    }

    private func unexpected(_ member: String, _ values: [DBusValue]) -> Failure {
        let types = values.map(\.type.code).joined()
        let failure = Self.prefixed(instance, Failure("the call \(member): an answer of type \"\(types)\" came"))
        breakdown = failure
        return failure
    }

    /// A property of text of the manager or of a unit.
    private func text(
        _ property: String,
        path: String = managerPath,
        interface: String = managerInterface
    ) throws(Failure) -> String {
        let values = try ask(
            "Get",
            [.string(interface), .string(property)],
            path: path,
            interface: "org.freedesktop.DBus.Properties"
        )
        guard case .variant(let value)? = values.first, let text = value.text else { throw unexpected("Get", values) }
        return text
    }

    // MARK: Jobs

    /// Before the first job, so that its end is not missed.
    private func subscribe() throws(Failure) {
        if isSubscribed { return }
        for member in ["JobRemoved", "UnitRemoved"] {
            let rule =
                "type='signal',sender='\(Self.destination)',path='\(Self.managerPath)',"
                + "interface='\(Self.managerInterface)',member='\(member)'"
            do throws(CallProblem) {
                try connection.addMatch(rule)
            } catch {
                throw failure(of: error, "the call AddMatch")
            }
        }
        _ = try ask("Subscribe", [])
        isSubscribed = true
    }

    /// Waits for a signal of the manager and returns its values when `body` finds what it looks for in them.
    private func waitForSignal<Result>(
        _ member: String,
        for purpose: String,
        _ body: ([DBusValue]) -> Result?
    ) throws(Failure) -> Result {
        while true {
            let values: [DBusValue]
            do throws(CallProblem) {
                let signal = try connection.nextSignal(waitingFor: purpose)
                guard signal.member == member, signal.sender == manager else { continue }
                values = try self.values(of: signal, purpose)
            } catch {
                throw failure(of: error, purpose)
            }
            if let result = body(values) { return result }
        }
    }

    /// Waits for the end of a job, which may have come before the reply that names the job.
    private func finish(_ reply: [DBusValue], _ member: String, of unit: String) throws(Failure) -> String {
        guard case .objectPath(let job)? = reply.first else { throw unexpected(member, reply) }
        return try waitForSignal("JobRemoved", for: "the end of the job for \(unit)") { values in
            guard values.count == 4, values[1] == .objectPath(job) else { return nil }
            return values[3].text ?? ""
        }
    }

    // MARK: Units

    /// Makes a scope with processes in it, and returns when it is active.
    package func startScope(_ unit: String, _ properties: [UnitProperty]) throws(Failure) {
        try subscribe()
        let arguments: [DBusValue] = [
            .string(unit), .string("replace"), .array(of: UnitProperty.wireType, properties.map(\.wire)),
            .array(of: .structure([.string, .array(UnitProperty.wireType)]), []),
        ]
        let reply: [DBusValue]
        do throws(Refusal) {
            reply = try call("StartTransientUnit", arguments)
        } catch  where error.name == Self.unitExists {
            try makeWay(for: unit)
            reply = try ask("StartTransientUnit", arguments)
        } catch {
            throw error.failure
        }
        acceptedScope = unit
        let result = try finish(reply, "StartTransientUnit", of: unit)
        guard result == "done" else {
            throw Failure(
                "start the scope \(unit): \(instance.name) ended the job with the result \"\(result)\"",
                hint: "see journalctl\(instance.isUser ? " --user" : "") -u \(unit)"
            )
        }
    }

    /// A unit of that name is there: one that failed is forgotten, one that is going is waited for.
    private func makeWay(for unit: String) throws(Failure) {
        while true {
            guard let state = try state(of: unit) else { return }
            switch state {
            case "failed": return try forget(unit)
            case "inactive", "deactivating":
                let _: Bool = try waitForSignal("UnitRemoved", for: "the end of the unit \(unit)") { values in
                    values.first == .string(unit) ? true : nil
                }
            default:
                throw Failure(
                    "start the scope \(unit): \(instance.name) has a unit of that name, and it is \(state)",
                    .wrongState,
                    subject: unit,
                    hint: "another container may have the same linux.cgroupsPath; see systemctl status \(unit)"
                )
            }
        }
    }

    /// `nil` when there is no such unit.
    private func state(of unit: String) throws(Failure) -> String? {
        let reply: [DBusValue]
        do throws(Refusal) {
            reply = try call("GetUnit", [.string(unit)])
        } catch  where error.name == Self.noSuchUnit {
            return nil
        } catch {
            throw error.failure
        }
        guard case .objectPath(let path)? = reply.first else { throw unexpected("GetUnit", reply) }
        return try text("ActiveState", path: path, interface: "org.freedesktop.systemd1.Unit")
    }

    /// Takes the memory of a failure from a unit; one that is not there has none.
    private func forget(_ unit: String) throws(Failure) {
        do throws(Refusal) {
            _ = try call("ResetFailedUnit", [.string(unit)])
        } catch  where error.name == Self.noSuchUnit {
            return
        } catch {
            throw error.failure
        }
    }

    /// Ends a unit and returns when it has ended; one that does not exist has.
    package func stop(_ unit: String) throws(Failure) {
        try subscribe()
        let reply: [DBusValue]
        do throws(Refusal) {
            reply = try call("StopUnit", [.string(unit), .string("replace")])
        } catch  where error.name == Self.noSuchUnit {
            return
        } catch {
            throw error.failure
        }
        _ = try finish(reply, "StopUnit", of: unit)
        try forget(unit)
    }

    /// Moves a process of the same user into a unit's cgroup, or below it. A user's own systemd, which may not take the
    /// process out of where it is, has the machine's do it.
    /// - Parameter path: From the unit's cgroup, beginning with a slash; empty for the cgroup itself.
    package func attach(_ process: CInt, to unit: String, below path: String) throws(Failure) {
        let processes: [DBusValue] = [.uint32(UInt32(bitPattern: process))]
        _ = try ask("AttachProcessesToUnit", [.string(unit), .string(path), .array(of: .uint32, processes)])
    }

    /// Changes properties of a unit until it ends.
    package func setProperties(of unit: String, _ properties: [UnitProperty]) throws(Failure) {
        _ = try ask(
            "SetUnitProperties",
            [.string(unit), .boolean(true), .array(of: UnitProperty.wireType, properties.map(\.wire))]
        )
    }
}
