// Staying with a process of a container: one loop over its end, the signals that come for it, and its terminal. Every
// wait is a poll; nothing is tried again in a circle.

internal import Diagnostics
internal import Launch
internal import LinuxSystem
internal import Records

/// The foreground of `run` and `exec`.
final class Foreground {
    private static let SIGCHLD: CInt = 17
    private static let SIGURG: CInt = 23
    private static let SIGWINCH: CInt = 28
    private static let SIGTSTP: CInt = 20
    private static let SIGTTIN: CInt = 21
    private static let SIGTTOU: CInt = 22

    private let process: BorrowedFD
    private let pid: CInt
    private let signals: OwnedFD
    private let terminal: TerminalRelay?
    private let notices: NotifyProxy?

    /// - Parameters:
    ///   - process: A pidfd, kept open by the caller.
    ///   - terminal: The primary of its terminal, which is then carried.
    ///   - notices: Passed on to the service manager.
    init(
        process: BorrowedFD,
        pid: CInt,
        terminal primary: consuming OwnedFD?,
        notices: NotifyProxy? = nil
    ) throws(Failure) {
        self.notices = notices
        self.process = process
        self.pid = pid
        signals = try attempt("watch for signals", .signalfd) { () throws(Errno) in try Signals.events() }
        if let primary { terminal = try TerminalRelay(primary) } else { terminal = nil }
    }

    /// Stays until the process ends.
    func stay(_ log: Log) throws(Failure) -> ExitStatus {
        log.begin(act: "waitForProgram")
        defer { log.end(.runtime) }
        defer { terminal?.restore() }
        while true {
            let ended = try notices == nil && terminal == nil ? waitForProcess() : waitForProcessAndStreams()
            if ended {
                let status = try attempt("learn how the container ended", .waitid) { () throws(Errno) in
                    try Processes.reap(pidfd: process)
                }
                notices?.drain()
                terminal?.drain()
                return status
            }
        }
    }

    /// Forwards the signals that came.
    /// - Returns: Whether the process has ended.
    private func waitForProcess() throws(Failure) -> Bool {
        let ready = try attempt("wait for the container", .poll) { () throws(Errno) in
            try Polling.wait(for: process, or: signals.borrowed)
        }
        if !ready.second.isEmpty { try forwardSignals() }
        return !ready.first.isEmpty
    }

    /// The same, and carries what came from and for others.
    private func waitForProcessAndStreams() throws(Failure) -> Bool {
        var wanted: [(BorrowedFD, PollEvents)] = [(process, .readable), (signals.borrowed, .readable)]
        wanted += notices?.wanted ?? []
        wanted += terminal?.wanted ?? []
        let ready = try attempt("wait for the container", .poll) { () throws(Errno) in
            try Polling.wait(for: wanted) ?? []
        }
        // First of all: a terminal has its new size before what is typed into it.
        if !ready[1].isEmpty { try forwardSignals() }
        let others = ready.dropFirst(2)
        let count = notices == nil ? 0 : 2
        notices?.carry(ready: Array(others.prefix(count)))
        terminal?.carry(ready: Array(others.dropFirst(count)))
        return !ready[0].isEmpty
    }

    /// When the program did not come to run.
    func restoreTerminal() {
        terminal?.restore()
    }

    private func forwardSignals() throws(Failure) {
        while true {
            let number = try attempt("read a signal", .read) { () throws(Errno) in
                try Signals.next(from: signals.borrowed)
            }
            switch number {
            case 0: return
            case Self.SIGCHLD: reapOrphans()
            case Self.SIGWINCH: terminal?.resize()
            // Meant for this process's own input and output.
            case Self.SIGURG, Self.SIGTSTP, Self.SIGTTIN, Self.SIGTTOU: continue
            // It may have ended just now: the loop's next round sees that.
            default: try? Processes.signal(process, number)
            }
        }
    }

    /// Orphans of the container's that came to this process; the process itself is left for `stay`.
    private func reapOrphans() {
        while let ended = try? Processes.peekEnded(), ended != pid {
            _ = try? Processes.reap(pid: ended)
        }
    }
}
