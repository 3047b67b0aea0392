// Where `--trace` writes. What goes wrong here is a warning: whoever measures a container still wants the container.

internal import Diagnostics
internal import LinuxSystem

/// The trace of one command, from the first instruction of the process to `write`.
struct TraceFile {
    private let path: String?
    private let log: Log
    private let command: String
    private let begin: Int64

    /// - Parameters:
    ///   - path: A file, written anew; or a directory that gets a file named after the command.
    ///   - command: What the user asked for.
    init(_ path: String?, _ log: Log, command: String) {
        self.path = path
        self.log = log
        self.command = command.isEmpty ? "apus" : command
        let now = Trace.now
        let (first, sealed) = Processes.startTimes
        begin = first == 0 ? now : first
        guard let trace = log.trace, first != 0 else { return }
        if sealed != 0 { trace.add(.runtime, "seal", begin: first, end: sealed) }
        trace.add(.runtime, "reachMain", begin: sealed == 0 ? first : sealed, end: now)
    }

    func write() {
        guard let path else { return }
        guard let trace = log.trace else {
            return log.warning("--trace \(path): there is no memory to keep the times in")
        }
        do throws(Failure) {
            try attempt("write the trace \(path)", .write) { () throws(Errno) in
                let file = try open(path)
                try file.borrowed.write(trace.document(command: command, begin: begin))
            }
        } catch {
            log.warning(error.line)
        }
    }

    private func open(_ path: String) throws(Errno) -> OwnedFD {
        let flags: OpenFlags = [.writeOnly, .create, .truncate]
        do throws(Errno) {
            return try BorrowedFD.workingDirectory.open(path, flags, mode: 0o644)
        } catch .EISDIR {
            let words = command.split(separator: " " as Character).joined(separator: "-")
            return try BorrowedFD.workingDirectory.open(
                "\(path)/\(words)-\(Processes.currentID).json",
                flags,
                mode: 0o644
            )
        }
    }
}
