// Bytes to and from a bus, all of them before one deadline: no call of this file waits longer, whatever the other side
// does. Knows nothing of messages.

internal import Diagnostics
internal import LinuxSystem

/// A connected socket. The deadline is that of the whole conversation: it does not move when something comes.
final class BusSocket {
    private let socket: OwnedFD
    /// On the monotonic clock, nanoseconds.
    private let deadline: Int64
    /// For texts.
    private let name: String
    private var received: [UInt8] = []

    /// Connects; a listener whose queue is full is asked again until the deadline.
    init(_ address: BusAddress, deadline: Int64) throws(Failure) {
        self.deadline = deadline
        name = address.description
        while true {
            do throws(Errno) {
                socket = try Sockets.connectWithoutWaiting(to: address.socketName)
                return
            } catch .EAGAIN where Machine.monotonicNanoseconds() < deadline {
                _ = try? Polling.wait(for: [], deadline: min(deadline, Machine.monotonicNanoseconds() + 20_000_000))
            } catch {
                throw Failure("connect to the bus \(address)", .connect, error)
            }
        }
    }

    /// - Parameter purpose: What the bytes are for: `the call StartTransientUnit`.
    func send(_ bytes: [UInt8], for purpose: String) throws(Failure) {
        var rest = bytes
        while !rest.isEmpty {
            do throws(Errno) {
                rest.removeFirst(try socket.borrowed.sendSome(rest))
            } catch .EAGAIN {
                try wait(.writable, for: purpose)
            } catch .EPIPE {
                throw closed(purpose)
            } catch {
                throw Failure("send \(purpose) to \(name)", .sendmsg, error)
            }
        }
    }

    /// Exactly so many bytes.
    func receive(count: Int, for purpose: String) throws(Failure) -> [UInt8] {
        while received.count < count { try receiveMore(for: purpose) }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    /// Up to the first line end, which is left out.
    func receiveLine(limit: Int, for purpose: String) throws(Failure) -> [UInt8] {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                var line = received[..<end]
                received.removeFirst(end + 1)
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                return Array(line)
            }
            guard received.count <= limit else {
                throw Failure("\(purpose) on \(name): a line of more than \(limit) bytes came as an answer")
            }
            try receiveMore(for: purpose)
        }
    }

    private func receiveMore(for purpose: String) throws(Failure) {
        // Looked at also when bytes are there, so that a flood does not outlast it.
        guard Machine.monotonicNanoseconds() < deadline else { throw late(purpose) }
        let more: [UInt8]
        do throws(Errno) {
            more = try socket.borrowed.read(upTo: 16_384)
        } catch .EAGAIN {
            return try wait(.readable, for: purpose)
        } catch .ECONNRESET {
            throw closed(purpose)
        } catch {
            throw Failure("wait for an answer to \(purpose) from \(name)", .read, error)
        }
        if more.isEmpty { throw closed(purpose) }
        received += more
    }

    private func wait(_ events: PollEvents, for purpose: String) throws(Failure) {
        let ready = try attempt("wait for \(name)", .poll) { () throws(Errno) in
            try Polling.wait(for: socket.borrowed, events, deadline: deadline)
        }
        if ready == nil { throw late(purpose) }
    }

    private func late(_ purpose: String) -> Failure {
        Failure("\(purpose): no complete answer from \(name) in time", .timeout)
    }

    private func closed(_ purpose: String) -> Failure {
        Failure("\(purpose): \(name) closed the connection")
    }
}

extension BusAddress {
    fileprivate var socketName: Sockets.Name {
        switch place {
        case .path(let path): .path(path)
        case .abstract(let name): .abstract(name)
        }
    }
}
