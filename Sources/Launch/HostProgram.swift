// Running a program of the host's (or, for some hooks, the container's) to its end: input on its standard input, what
// it writes kept, a limit of time. Used for hooks and for the id mapping helpers.

package import Diagnostics
package import LinuxSystem

/// A child program.
package enum HostProgram {
    /// What they inherit: this process's environment. The service manager's socket is for the container to speak to, and
    /// through the runtime only.
    package static var inheritedEnvironment: [String] {
        Processes.environment.filter { !$0.hasPrefix("NOTIFY_SOCKET=") }
    }

    /// How it went.
    package struct Outcome {
        /// `nil` when it was ended because its time was up.
        package let status: ExitStatus?
        package let output: String
        package let errors: String

        /// `exit status 1, stdout: ..., stderr: ...`
        package var text: String { "\(ending), stdout: \(output), stderr: \(errors)" }

        /// `exit status 1`
        package var ending: String {
            switch status {
            case .exited(let code)?: "exit status \(code)"
            case .signalled(let signal)?: "signal \(signal)"
            case nil: "time out"
            }
        }
    }

    /// As much of each stream is kept unless more is asked for.
    package static let maximumOutput = 2048
    private static let SIGKILL: CInt = 9

    /// Runs `path` and waits for its end. Everything it started in its process group ends with its time.
    /// - Parameters:
    ///   - timeoutSeconds: `nil` waits for ever.
    ///   - outputLimit: How many bytes of standard output are kept.
    ///   - directory: Where it runs, if that is there; else, and by default, where this process is.
    /// - Throws: When it cannot be started.
    package static func run(
        _ path: String,
        arguments: [String],
        environment: [String],
        input: [UInt8],
        timeoutSeconds: Int?,
        outputLimit: Int = maximumOutput,
        directory: String? = nil
    ) throws(Failure) -> Outcome {
        let deadline = timeoutSeconds.map { Machine.monotonicNanoseconds() + Int64($0) * 1_000_000_000 }
        let prepared = PreparedExec(path: path, arguments: arguments, environment: environment)
        let streams = try Streams(for: path)
        let child = try attempt("start \(path)", .clone3) { () throws(Errno) in
            try Processes.clone { become(prepared, streams, directory) }
        }
        streams.closeChildEnds()
        if let errno = streams.startError() {
            _ = try? Processes.reap(pidfd: child.pidfd.borrowed)
            throw Failure("start \(path)", .execve, errno)
        }
        var exchange = Exchange(streams, input: input, outputLimit: outputLimit)
        let ended = try attempt("talk to \(path)", .poll) { () throws(Errno) in
            try exchange.run(until: child.pidfd.borrowed, deadline: deadline)
        }
        if !ended {
            try? Processes.kill(pid: -child.pid, SIGKILL)
            try? Processes.signal(child.pidfd.borrowed, SIGKILL)
        }
        let status = try attempt("wait for \(path)", .waitid) { () throws(Errno) in
            try Processes.reap(pidfd: child.pidfd.borrowed)
        }
        return Outcome(status: ended ? status : nil, output: exchange.outputText, errors: exchange.errorText)
    }

    private static func become(_ prepared: PreparedExec, _ streams: Streams, _ directory: String?) -> Never {
        do throws(Errno) {
            // A bundle may be gone when its container is deleted.
            if let directory { try? WorkingDirectory.change(to: directory) }
            try Signals.reset()
            try Processes.newSession()
            try streams.input.reader.duplicate(onto: 0)
            try streams.output.writer.duplicate(onto: 1)
            try streams.errors.writer.duplicate(onto: 2)
            throw prepared.execute()
        } catch {
            try? streams.start.writer.write([UInt8(truncatingIfNeeded: error.rawValue)])
        }
        Processes.exit(127)
    }

    /// The pipes between this process and the child.
    private struct Streams {
        let input: Pipe
        let output: Pipe
        let errors: Pipe
        /// Closed by a start that worked; carries the errno of one that did not.
        let start: Pipe

        init(for path: String) throws(Failure) {
            func pipe() throws(Failure) -> Pipe {
                try attempt("make a pipe to \(path)", .pipe2) { () throws(Errno) in try Pipe() }
            }
            input = try pipe()
            output = try pipe()
            errors = try pipe()
            start = try pipe()
        }

        func closeChildEnds() {
            input.closeReader()
            output.closeWriter()
            errors.closeWriter()
            start.closeWriter()
        }

        /// Waits until the child executes the program, or says why it cannot.
        func startError() -> Errno? {
            guard let bytes = try? start.reader.read(upTo: 1), let number = bytes.first else { return nil }
            return Errno(CInt(number))
        }
    }

    /// Feeds input and keeps output until the child has ended and its streams are empty.
    private struct Exchange {
        private let streams: Streams
        private var pending: ArraySlice<UInt8>
        private var output: [UInt8] = []
        private var errors: [UInt8] = []
        private var outputIsOpen = true
        private var errorsAreOpen = true
        private let outputLimit: Int

        init(_ streams: Streams, input: [UInt8], outputLimit: Int) {
            self.outputLimit = outputLimit
            self.streams = streams
            pending = input[...]
            for end in [streams.input.writer, streams.output.reader, streams.errors.reader] {
                try? end.setNonBlocking(true)
            }
        }

        var outputText: String { Self.text(output) }
        var errorText: String { Self.text(errors) }

        private static func text(_ bytes: [UInt8]) -> String {
            // What a program wrote must not act on the terminal that shows it.
            let shown = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
            return String(decoding: shown, as: UTF8.self).unicodeScalars.reduce(into: "") { text, scalar in
                let isControl = scalar.value < 0x20 && scalar != "\n" && scalar != "\t" || scalar.value == 0x7f
                if isControl {
                    text += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
                } else {
                    text.unicodeScalars.append(scalar)
                }
            }
        }

        /// - Returns: Whether the child ended in time.
        mutating func run(until pidfd: BorrowedFD, deadline: Int64?) throws(Errno) -> Bool {
            if pending.isEmpty { streams.input.closeWriter() }
            while true {
                // A stream at its end is ready for ever: poll(2) passes over descriptor -1.
                let nothing = BorrowedFD(rawValue: -1)
                var wanted: [(BorrowedFD, PollEvents)] = [
                    (pidfd, .readable),
                    (outputIsOpen ? streams.output.reader : nothing, .readable),
                    (errorsAreOpen ? streams.errors.reader : nothing, .readable),
                ]
                if !pending.isEmpty { wanted.append((streams.input.writer, .writable)) }
                guard let ready = try Polling.wait(for: wanted, deadline: deadline) else { return false }
                if ready.count > 3, !ready[3].isEmpty { feed() }
                if outputIsOpen { outputIsOpen = drain(streams.output.reader, into: \.output, outputLimit) }
                if errorsAreOpen { errorsAreOpen = drain(streams.errors.reader, into: \.errors, maximumOutput) }
                if !ready[0].isEmpty { return true }
            }
        }

        private mutating func feed() {
            do throws(Errno) {
                let chunk = Array(pending.prefix(4096))
                try streams.input.writer.writeOnce(chunk)
                pending = pending.dropFirst(chunk.count)
            } catch .EAGAIN {
                return
            } catch {
                // The child does not want its input (EPIPE): that is its affair.
                pending = []
            }
            if pending.isEmpty { streams.input.closeWriter() }
        }

        /// Keeps what is there.
        /// - Returns: Whether more may come.
        private mutating func drain(
            _ end: BorrowedFD,
            into kept: WritableKeyPath<Exchange, [UInt8]>,
            _ limit: Int
        ) -> Bool {
            do throws(Errno) {
                while true {
                    let bytes = try end.read(upTo: 4096)
                    if bytes.isEmpty { return false }
                    let room = limit - self[keyPath: kept].count
                    self[keyPath: kept] += bytes.prefix(max(0, room))
                }
            } catch .EAGAIN {
                return true
            } catch {
                return false
            }
        }
    }
}
