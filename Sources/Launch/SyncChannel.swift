// How the processes of one birth talk: one socket pair that keeps message borders. A message is a kind and at most one
// number; a failure carries a FailureRecord. Init's ends of the start gate use the same words.

package import Diagnostics
package import LinuxSystem

/// What one process tells another. Each is sent at most once in a birth.
package enum SyncMessage: UInt8, CaseIterable, Sendable {
    /// Intermediate to runtime: init is born; the number is its pid.
    case born = 1
    /// Runtime to init: your user and group ids are mapped.
    case mapped
    /// Runtime to init: your pid is on record, so you no longer need to die with me.
    case recorded
    /// Init to runtime: all mounts are in place, the root is not entered yet.
    case mountsReady
    /// Runtime to init: prestart and createRuntime hooks are done.
    case hooksDone
    /// Init to runtime: the filter asks an agent; the number is the listener's descriptor in init.
    case listenerReady
    /// Runtime to init: the agent has the listener.
    case listenerSent
    /// Init to runtime: everything but the program is in place.
    case ready
    /// Starter to init: execute the program.
    case start
    /// Init to starter: executing; the end of the stream then says that it worked.
    case executing
    /// Anybody to the runtime: a `FailureRecord` follows, and nothing more.
    case failed

    /// The word in step names.
    package var name: String { "\(self)" }
}

/// One end of the channel.
package struct SyncChannel: ~Copyable {
    private let socket: OwnedFD

    package init(_ socket: consuming OwnedFD) {
        self.socket = socket
    }

    package var descriptor: BorrowedFD { socket.borrowed }

    /// Tells the other side.
    package func tell(_ message: SyncMessage, number: Int32 = 0) throws(Failure) {
        try Self.tell(message, number: number, over: socket.borrowed)
    }

    /// Tells whoever reads the other end of `descriptor`; needs only `write(2)`, which a strict filter allows.
    package static func tell(_ message: SyncMessage, number: Int32 = 0, over descriptor: BorrowedFD) throws(Failure) {
        let bits = UInt32(bitPattern: number)
        let bytes = [message.rawValue] + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
        try attempt("tell \(message.name)", .write) { () throws(Errno) in try descriptor.writeOnce(bytes) }
    }

    /// Reports a failure; what cannot be told is lost, because nobody is left to hear it.
    package static func report(_ failure: Failure, over descriptor: BorrowedFD) {
        try? descriptor.writeOnce([SyncMessage.failed.rawValue] + FailureRecord.encode(failure))
    }

    /// What came.
    package enum Received {
        case message(SyncMessage, number: Int32)
        case failure(Failure)
        /// Every other end is closed.
        case end
    }

    /// Waits for the next message. The corresponding system call is `read(2)`.
    package func receive() throws(Failure) -> Received {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try socket.borrowed.read(upTo: FailureRecord.maximumSize + 1)
        } catch .ECONNRESET {
            return .end
        } catch {
            throw Failure("wait for a message", .read, error)
        }
        return Self.parse(bytes)
    }

    static func parse(_ bytes: [UInt8]) -> Received {
        guard let kind = bytes.first else { return .end }
        guard let message = SyncMessage(rawValue: kind) else {
            return .failure(Failure("read a message: kind \(kind) is unknown"))
        }
        if message == .failed { return .failure(FailureRecord.decode(Array(bytes.dropFirst()))) }
        guard bytes.count == 5 else {
            return .failure(Failure("read a message: \(message.name) has \(bytes.count) bytes instead of 5"))
        }
        let bits = bytes.dropFirst().reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return .message(message, number: Int32(bitPattern: bits))
    }

    /// Waits for one certain message and returns its number.
    /// - Throws: The other side's failure; `nil` is returned when it ended without a word.
    package func wait(for expected: SyncMessage) throws(Failure) -> Int32? {
        switch try receive() {
        case .message(expected, let number): return number
        case .message(let other, _):
            throw Failure("wait for \(expected.name): received \(other.name)")
        case .failure(let failure): throw failure
        case .end: return nil
        }
    }
}
