// The way of a container's notices to the service manager that called the runtime (`NOTIFY_SOCKET`, sd_notify(3)). The
// container has a socket of its own at /run/notify; who starts it listens there and passes on what a container may say.
// The manager's socket itself never comes near the container.

internal import Diagnostics
internal import Launch
internal import LinuxSystem
internal import Records

/// A line that a container may say to the service manager. What is not here would speak for the unit as a whole
/// (`MAINPID=`, `FDSTORE=1`, `BUSERROR=`, `NOTIFYACCESS=` and so on), and is dropped.
enum Notice: Equatable {
    case ready
    case watchdog
    /// One line of text.
    case status(String)

    /// The line, without its break; `nil` for one that is not passed on.
    init?(_ line: ArraySlice<UInt8>) {
        if line.elementsEqual("READY=1".utf8) {
            self = .ready
        } else if line.elementsEqual("WATCHDOG=1".utf8) {
            self = .watchdog
        } else if line.starts(with: "STATUS=".utf8) {
            let text = line.dropFirst("STATUS=".utf8.count)
            guard !text.contains(where: { $0 < 0x20 || $0 == 0x7f }),
                let words = String(validating: text, as: UTF8.self)
            else { return nil }
            self = .status(words)
        } else {
            return nil
        }
    }

    /// What of a datagram is passed on, in its order.
    static func all(in datagram: [UInt8]) -> [Notice] {
        datagram.split(separator: UInt8(ascii: "\n")).compactMap(Notice.init)
    }

    var line: String {
        switch self {
        case .ready: "READY=1"
        case .watchdog: "WATCHDOG=1"
        case .status(let words): "STATUS=\(words)"
        }
    }
}

/// A container's socket and the manager's, for as long as the runtime listens.
final class NotifyProxy {
    /// What the manager itself accepts, bytes.
    private static let maximumDatagram = 4096

    private let container: OwnedFD
    private let manager: OwnedFD
    private let log: Log
    /// Read from the container, and not yet taken by the manager.
    private var pending: [UInt8] = []
    private var managerIsGone = false

    /// Listens, before the container's program runs.
    /// - Parameter address: The manager's, as in `NOTIFY_SOCKET`.
    init(in directory: ContainerDirectory, address: String, _ log: Log) throws(Failure) {
        self.log = log
        let name: Sockets.Name = address.hasPrefix("@") ? .abstract(String(address.dropFirst())) : .path(address)
        manager = try attempt("connect to NOTIFY_SOCKET \(address)", .connect) { () throws(Errno) in
            try Sockets.connect(toDatagramsAt: name)
        }
        container = try directory.listenForNotices()
    }

    /// It is no failure of the start: the program ran.
    static func warning(_ id: String) -> String {
        "container \(id) ended before it said that it is ready: NOTIFY_SOCKET was told nothing"
    }

    /// Waits until the container is ready, and tells the manager, with the process that it is to watch from now on.
    /// - Parameter process: The container's, a pidfd.
    /// - Returns: Whether it became ready; otherwise its process has ended.
    func waitForReadiness(process: BorrowedFD, pid: CInt) throws(Failure) -> Bool {
        while true {
            let ready = try attempt("wait until the container is ready", .poll) { () throws(Errno) in
                try Polling.wait(for: container.borrowed, or: process)
            }
            if !ready.first.isEmpty {
                guard try receive().contains(.ready) else { continue }
                let message = "\(Notice.ready.line)\nMAINPID=\(pid)\n"
                try attempt("tell NOTIFY_SOCKET that the container is ready", .write) { () throws(Errno) in
                    try manager.borrowed.writeOnce(Array(message.utf8))
                }
                return true
            }
            // Only then: its last words may have been that it is ready.
            if !ready.second.isEmpty { return false }
        }
    }

    /// What to wait for: the container's notices, or the manager while it has not taken the last ones.
    var wanted: [(BorrowedFD, PollEvents)] {
        let nothing = BorrowedFD(rawValue: -1)
        if managerIsGone { return [(nothing, .readable), (nothing, .writable)] }
        return [
            (pending.isEmpty ? container.borrowed : nothing, .readable),
            (pending.isEmpty ? nothing : manager.borrowed, .writable),
        ]
    }

    /// Passes on what is there, without waiting for anybody. The manager goes on watching this process, which stays.
    func carry(ready: [PollEvents]) {
        guard ready.count == 2 else { return }
        do throws(Failure) {
            if !ready[0].isEmpty { pending = Array(try receive().map { $0.line + "\n" }.joined().utf8) }
            try passOn()
        } catch {
            managerIsGone = true
            log.warning("notices of the container are no longer passed on: \(error.line)")
        }
    }

    /// Before the end: the last words of a process that has ended.
    func drain() {
        while !managerIsGone {
            let ready = (try? Polling.wait(for: wanted, deadline: 0)) ?? nil
            guard let ready else { return }
            carry(ready: ready)
        }
    }

    private func passOn() throws(Failure) {
        guard !pending.isEmpty else { return }
        do throws(Errno) {
            try manager.borrowed.setNonBlocking(true)
            try manager.borrowed.writeOnce(pending)
            pending = []
        } catch .EAGAIN {
            // Tried again when it can be written to.
        } catch {
            throw Failure("write to NOTIFY_SOCKET", .write, error)
        }
    }

    /// The notices of one datagram. Descriptors that came with it are closed by the kernel, as nothing asks for them.
    private func receive() throws(Failure) -> [Notice] {
        let datagram = try attempt("read a notice of the container", .read) { () throws(Errno) in
            try container.borrowed.read(upTo: Self.maximumDatagram + 1)
        }
        return datagram.count > Self.maximumDatagram ? [] : Notice.all(in: datagram)
    }
}
