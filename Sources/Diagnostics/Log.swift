// Where messages go: what --log names, and standard error; and whoever follows a command's steps (--debug, --trace).
// One write a line; never throws, because a broken log must not change what happens to a container. Rendering of errors
// and warnings only: secrets never reach here.

internal import LinuxSystem

/// The log of one invocation.
package struct Log: Sendable {
    /// How a line looks.
    package enum Format: String, Sendable, CaseIterable { case text, json }
    /// How much a line matters; the raw value is the word in the log.
    package enum Level: String, Sendable, CaseIterable { case error, warning, debug }

    private let destination: LogDestination?
    private let format: Format
    private let level: Level
    private let isLevelChosen: Bool
    /// Where the times of steps are noted; `nil` when nobody asked.
    package let trace: Trace?

    /// - Parameters:
    ///   - destination: Kept open by the caller for the whole run; `nil` for standard error only.
    ///   - level: The least important lines to write.
    ///   - isLevelChosen: Whether somebody asked for that level.
    package init(
        _ destination: LogDestination?,
        format: Format,
        level: Level,
        isLevelChosen: Bool = false,
        trace: Trace? = nil
    ) {
        self.trace = trace
        self.destination = destination
        self.format = format
        self.level = level
        self.isLevelChosen = isLevelChosen
    }

    /// Whether `debug` writes anything: lets callers skip building the text.
    package var isDebugging: Bool { level == .debug }

    /// A step begins.
    /// - Parameters:
    ///   - index: Counted from 1.
    ///   - writes: Whether the log's descriptor is still this log's: init closes it on its way.
    package func begin(
        _ role: ProcessRole,
        _ index: Int,
        of count: Int,
        _ name: @autoclosure () -> String,
        _ detail: @autoclosure () -> String,
        writes: Bool = true
    ) {
        if isDebugging && writes { debug("\(role.name) step \(index)/\(count) \(name()) \(detail())") }
        trace?.begin(role, "\(name()) \(detail())")
    }

    /// The step that began last ends.
    package func end(_ role: ProcessRole) {
        trace?.end(role)
    }

    /// An act of the runtime begins that is in no list of steps: only the trace hears of it, and of its `end`.
    package func begin(act name: String, _ detail: @autoclosure () -> String = "") {
        trace?.begin(.runtime, "\(name) \(detail())")
    }

    package func debug(_ message: String) {
        if level == .debug { write(.debug, message) }
    }

    /// Goes to the log when there is one, and not to standard error: engines decode what `state` prints on either
    /// stream.
    package func warning(_ message: String) {
        if level != .error { write(.warning, message) }
    }

    /// Warnings where other runtimes are silent. They go to the log, or to standard error if a level was chosen: that
    /// stream is often the container's own.
    package func quietWarnings(_ messages: @autoclosure () -> [String]) {
        guard destination != nil || isLevelChosen else { return }
        for message in messages() { warning(message) }
    }

    /// Goes to the log and, as plain text, to standard error.
    /// - Parameter fields: More facts for tools, in JSON lines only: `code`, `subject`, `errno`, `step`.
    package func error(_ message: String, hint: String?, fields: [(String, String)] = []) {
        if destination != nil { write(.error, message, fields: fields) }
        try? BorrowedFD.standardError.write("apus: \(message)\n" + (hint.map { "hint: \($0)\n" } ?? ""))
    }

    private func write(_ level: Level, _ text: String, fields: [(String, String)] = []) {
        let message = LogDestination.Message(level: level, text: text, fields: fields)
        (destination ?? .file(.standardError)).write(message, format)
    }

    /// A JSON string; it also serves the text format, whose quoting is the same.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{0}"..."\u{1f}":
                let digits = Array("0123456789abcdef".unicodeScalars)
                quoted += "\\u00"
                quoted.unicodeScalars.append(digits[Int(scalar.value >> 4)])
                quoted.unicodeScalars.append(digits[Int(scalar.value & 15)])
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension Log.Format {
    /// The message as a line of a file.
    func line(_ message: LogDestination.Message) -> String {
        let time = Timestamp.text(of: Machine.wallClock()), text = Log.quoted(message.text)
        switch self {
        case .text: return "time=\"\(time)\" level=\(message.level.rawValue) msg=\(text)\n"
        case .json:
            var line = "{\"level\":\"\(message.level.rawValue)\",\"msg\":\(text),\"time\":\"\(time)\""
            for (key, value) in message.fields { line += ",\"\(key)\":\(Log.quoted(value))" }
            return line + "}\n"
        }
    }
}
