// How the processes of one birth talk: one socket pair that keeps message borders. A message is a kind and at most one
// number; a failure carries a FailureRecord. Init's ends of the start gate use the same words.

package import Diagnostics
package import LinuxSystem

/// What one process tells another. Each is sent at most once in a birth.
package enum SyncMessage: UInt8, CaseIterable, Sendable {
    /// Intermediate to runtime: init is born; the number is its pid.
    case born = 1
    /// Intermediate to runtime: it is in a new user namespace, whose ids are to be mapped.
    case unmapped
    /// Runtime to init or to the intermediate: your user and group ids are mapped.
    case mapped
    /// Runtime to init: your pid is on record, so you no longer need to die with me.
    case recorded
    /// Runtime to init: the cgroups are made and limited; their files come along, the number is their mask. Or to the
    /// first process: systemd has put you there.
    case placed
    /// Runtime to init: the devices of `linux.netDevices` are in your network namespace.
    case networked
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

/// One end of the channel, or init's side of the start gate. Needs only `read(2)` and `write(2)`, which a strict
/// system-call filter allows.
package final class SyncChannel {
    private(set) var descriptor: BorrowedFD
    /// What came before it was waited for: the sides order their waits each for itself.
    private var early: [(message: SyncMessage, number: Int32)] = []

    package init(_ descriptor: BorrowedFD) {
        self.descriptor = descriptor
    }

    /// The same end at another number.
    func move(to descriptor: BorrowedFD) {
        self.descriptor = descriptor
    }

    /// Tells the other side.
    /// - Throws: The other side's own failure where it failed before it could hear this.
    package func tell(
        _ message: SyncMessage,
        number: Int32 = 0,
        descriptors: [BorrowedFD] = []
    ) throws(Failure) {
        let bits = UInt32(bitPattern: number)
        let bytes = [message.rawValue] + (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
        do throws(Errno) {
            if descriptors.isEmpty {
                try descriptor.writeOnce(bytes)
            } else {
                try descriptor.send(bytes, descriptors: descriptors)
            }
        } catch {
            // Its end closed with something unread in it is told as a reset, once.
            if error == .EPIPE || error == .ECONNRESET { try throwFailureThatCame() }
            throw Failure("tell \(message.name)", descriptors.isEmpty ? .write : .sendmsg, error)
        }
    }

    /// Reads to the end, for the reason why the other side is gone.
    private func throwFailureThatCame() throws(Failure) {
        while true {
            switch try receive() {
            case .message: continue
            case .failure(let failure): throw failure
            case .end: return
            }
        }
    }

    /// Reports a failure; what cannot be told is lost, because nobody is left to hear it.
    package func report(_ failure: Failure) {
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
        Self.parse(try read("wait for a message"))
    }

    private func read(_ act: String) throws(Failure) -> [UInt8] {
        try attempt(act, .read) { () throws(Errno) in
            try Self.beyondReset { () throws(Errno) in try descriptor.read(upTo: FailureRecord.maximumSize + 1) }
        }
    }

    /// A reset is said once, when the other side ended without reading all it was told. What it told is still there.
    private static func beyondReset<T>(_ read: () throws(Errno) -> T) throws(Errno) -> T {
        do throws(Errno) {
            return try read()
        } catch .ECONNRESET {
            return try read()
        }
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

    /// Waits for one certain message and returns its number; others that come first are kept for their own waits.
    /// - Throws: The other side's failure.
    /// - Returns: `nil` when the other side ended without a word.
    package func wait(for expected: SyncMessage) throws(Failure) -> Int32? {
        if let index = early.firstIndex(where: { $0.message == expected }) {
            return early.remove(at: index).number
        }
        while true {
            switch try receive() {
            case .message(expected, let number): return number
            case .message(let other, let number): early.append((other, number))
            case .failure(let failure): throw failure
            case .end: return nil
            }
        }
    }

    /// Waits for one certain message that brings descriptors; as `wait` in everything else.
    package func waitForDescriptors(_ expected: SyncMessage) throws(Failure) -> (number: Int32, [CInt])? {
        while true {
            let (bytes, descriptors) = try attempt("wait for a message", .recvmsg) { () throws(Errno) in
                try Self.beyondReset { () throws(Errno) in
                    try descriptor.receive(upTo: FailureRecord.maximumSize + 1)
                }
            }
            switch Self.parse(bytes) {
            case .message(expected, let number): return (number, descriptors)
            case .message(let other, let number): early.append((other, number))
            case .failure(let failure): throw failure
            case .end: return nil
            }
        }
    }

    /// Reads on to the end of what a starter hears from init.
    /// - Returns: Whether init said that it executes the program: the end then means that it does.
    /// - Throws: Init's failure.
    package func waitForExecution() throws(Failure) -> Bool {
        var bytes: [UInt8] = []
        while true {
            let part = try read("wait for the program to start")
            if part.isEmpty { break }
            bytes += part
        }
        // A fifo does not keep message borders: `executing` is five bytes long, a failure takes the rest.
        if bytes.first == SyncMessage.executing.rawValue {
            if bytes.count == 5 { return true }
            bytes.removeFirst(5)
        }
        if case .failure(let failure) = Self.parse(bytes) { throw failure }
        return false
    }
}
