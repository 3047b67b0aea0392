// A conversation with a bus: proving who we are, saying Hello, calls and the signals that come meanwhile. One deadline
// holds for all of it. D-Bus specification: Authentication Protocol, Message Bus Specification.

package import Diagnostics
internal import LinuxSystem

/// Why a call has no result.
package enum CallProblem: Error, Sendable {
    /// The callee refused, with the name of an error and its words.
    case refused(name: String, text: String)
    /// There was no answer, or none that could be understood. Nothing more can be asked on this connection.
    case broken(Failure)
}

/// A call of a method.
package struct MethodCall: Sendable {
    package let destination: String
    package let path: String
    package let interface: String
    package let member: String
    package let arguments: [DBusValue]

    package init(
        destination: String,
        path: String,
        interface: String,
        member: String,
        arguments: [DBusValue] = []
    ) {
        self.destination = destination
        self.path = path
        self.interface = interface
        self.member = member
        self.arguments = arguments
    }
}

/// A connection.
package final class BusConnection {
    /// Bytes of one incoming message: far more than a service manager says, and bearable if a stranger says it.
    package static let longestMessage = 4 << 20
    /// Signals kept while something else is waited for.
    static let mostSignals = 4096

    private let socket: BusSocket
    private let address: BusAddress
    private var lastSerial: UInt32 = 0
    private var signals: [DBusMessage] = []
    /// Which signals are kept.
    private let isWanted: @Sendable (DBusMessage) -> Bool

    /// Connects, authenticates, and says Hello where a bus daemon listens.
    /// - Parameters:
    ///   - uid: The effective user id as the other side sees it.
    ///   - deadline: Of everything on this connection, on the monotonic clock, nanoseconds.
    ///   - isWanted: Which signals are kept for `nextSignal`.
    package init(
        to address: BusAddress,
        uid: UInt32,
        deadline: Int64,
        keeping isWanted: @escaping @Sendable (DBusMessage) -> Bool
    ) throws(Failure) {
        self.address = address
        self.isWanted = isWanted
        socket = try BusSocket(address, deadline: deadline)
        try authenticate(uid)
        guard !address.isDirect else { return }
        do throws(CallProblem) {
            _ = try call(Self.bus("Hello"))
        } catch {
            throw error.failure(of: "the call Hello")
        }
    }

    /// A call of the bus daemon itself.
    private static func bus(_ member: String, _ arguments: [DBusValue] = []) -> MethodCall {
        MethodCall(
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: member,
            arguments: arguments
        )
    }

    /// Asks the bus daemon for signals; a direct connection gets all without asking.
    package func addMatch(_ rule: String) throws(CallProblem) {
        if !address.isDirect { _ = try call(Self.bus("AddMatch", [.string(rule)])) }
    }

    // MARK: Authentication

    private static let authentication = "the authentication"
    private static let longestLine = 16_384

    private func authenticate(_ uid: UInt32) throws(Failure) {
        let digits = "\(uid)".utf8.map { byte in
            let text = String(byte, radix: 16)
            return text.utf8.count == 1 ? "0" + text : text
        }
        // A systemd that finds BEGIN and a message together leaves the message lying until something else comes. Its
        // own clients say BEGIN ahead of the answer, so that nothing can follow closely; a bus daemon need not be
        // spoken to like that.
        let isEarly = address.isDirect
        // The NUL byte is what the kernel's credentials come with.
        var answer = try ask("\0AUTH EXTERNAL \(digits.joined())" + (isEarly ? "\r\nBEGIN" : ""))
        if answer.utf8.starts(with: "REJECTED".utf8) {
            if isEarly { _ = try answerLine() }
            // In nested user namespaces the number may be another there: then let the kernel's credentials say it.
            answer = try ask("AUTH EXTERNAL" + (isEarly ? "\r\nDATA\r\nBEGIN" : ""))
            if answer.utf8.starts(with: "DATA".utf8) { answer = try isEarly ? answerLine() : ask("DATA") }
        }
        guard answer.utf8.starts(with: "OK ".utf8) || answer == "OK" else {
            throw Failure(
                "\(Self.authentication) as user \(uid) on \(address): the answer is \"\(Self.shown(answer))\""
            )
        }
        if !isEarly { try socket.send(Array("BEGIN\r\n".utf8), for: Self.authentication) }
    }

    private func ask(_ line: String) throws(Failure) -> String {
        try socket.send(Array("\(line)\r\n".utf8), for: Self.authentication)
        return try answerLine()
    }

    private func answerLine() throws(Failure) -> String {
        let answer = try socket.receiveLine(limit: Self.longestLine, for: Self.authentication)
        return String(decoding: answer, as: UTF8.self)
    }

    /// What a stranger said, fit for a log line.
    private static func shown(_ text: String) -> String {
        let clean = text.unicodeScalars.prefix(80).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : Character($0) }
        return String(clean)
    }

    // MARK: Calls and signals

    /// Calls and waits for the reply; signals that come meanwhile are kept.
    package func call(_ call: MethodCall) throws(CallProblem) -> DBusMessage {
        let purpose = "the call \(call.member)"
        let serial = try send(call, purpose)
        while true {
            let message = try receive(purpose)
            switch message.kind {
            case .reply where message.replySerial == serial: return message
            case .error where message.replySerial == serial:
                let words = try? message.values().first?.text
                throw .refused(name: message.errorName ?? "", text: Self.shown(words ?? "without a word"))
            case .signal: try keep(message, purpose)
            // Replies to nobody's call, kinds of later versions, and calls: nothing here can be called.
            default: continue
            }
        }
    }

    /// The next kept signal.
    /// - Parameter purpose: What is waited for, for texts.
    package func nextSignal(waitingFor purpose: String) throws(CallProblem) -> DBusMessage {
        while signals.isEmpty {
            let message = try receive(purpose)
            if message.kind == .signal { try keep(message, purpose) }
        }
        return signals.removeFirst()
    }

    private func keep(_ message: DBusMessage, _ purpose: String) throws(CallProblem) {
        guard isWanted(message) else { return }
        guard signals.count < Self.mostSignals else {
            throw .broken(Failure("\(purpose): \(address) sent more than \(Self.mostSignals) signals"))
        }
        signals.append(message)
    }

    private func send(_ call: MethodCall, _ purpose: String) throws(CallProblem) -> UInt32 {
        lastSerial += 1
        let bytes: [UInt8]
        do throws(WireProblem) {
            var message = try DBusMessage(.call, call.arguments)
            message.serial = lastSerial
            message.path = call.path
            message.interface = call.interface
            message.member = call.member
            message.destination = address.isDirect ? nil : call.destination
            bytes = try message.encoded()
        } catch {
            throw .broken(Failure("\(purpose): it cannot be sent: \(error)"))
        }
        do throws(Failure) {
            try socket.send(bytes, for: purpose)
        } catch {
            throw .broken(error)
        }
        return lastSerial
    }

    private func receive(_ purpose: String) throws(CallProblem) -> DBusMessage {
        let prefix = try receive(DBusMessage.prefixLength, purpose)
        let length = try understanding(purpose) { () throws(WireProblem) in
            let length = try DBusMessage.length(prefix: prefix)
            guard length <= Self.longestMessage else {
                throw WireProblem("a message of \(length) bytes; at most \(Self.longestMessage) are accepted here")
            }
            return length
        }
        let rest = try receive(length - prefix.count, purpose)
        return try understanding(purpose) { () throws(WireProblem) in try DBusMessage(parsing: prefix + rest) }
    }

    private func receive(_ count: Int, _ purpose: String) throws(CallProblem) -> [UInt8] {
        do throws(Failure) {
            return try socket.receive(count: count, for: purpose)
        } catch {
            throw .broken(error)
        }
    }

    private func understanding<Value>(
        _ purpose: String,
        _ body: () throws(WireProblem) -> Value
    ) throws(CallProblem) -> Value {
        do throws(WireProblem) {
            return try body()
        } catch {
            throw .broken(Failure("\(purpose): what \(address) answered is not D-Bus: \(error)"))
        }
    }
}

extension CallProblem {
    /// The problem as a failure of its own.
    package func failure(of purpose: String) -> Failure {
        switch self {
        case .refused(let name, let text): Failure("\(purpose): \(text) (\(name))")
        case .broken(let failure): failure
        }
    }
}
