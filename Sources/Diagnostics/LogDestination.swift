// Where the log is kept: a file, the journal of systemd, or the system log. How one message looks there. Never throws,
// and never waits for a daemon: who logs is not to be held up by who reads.

package import LinuxSystem

/// The place that `--log` names, open.
package enum LogDestination: Sendable {
    /// An open file, written to its end.
    case file(BorrowedFD)
    /// A socket of datagrams to systemd-journald. See systemd's "Native Journal Protocol".
    case journal(BorrowedFD, identifier: String)
    /// A socket of datagrams to the system log. See syslog(3) and RFC 3164.
    case systemLog(BorrowedFD, identifier: String)

    /// Where systemd-journald listens.
    package static let journalSocket = "/run/systemd/journal/socket"
    /// Where the system log listens.
    package static let systemLogSocket = "/dev/log"

    /// One message.
    struct Message {
        let level: Log.Level
        let text: String
        /// See `Log.error`.
        let fields: [(String, String)]
    }

    func write(_ message: Message, _ format: Log.Format) {
        switch self {
        case .file(let file): try? file.write(format.line(message))
        case .journal(let socket, let identifier): try? socket.send(Self.entry(message, identifier))
        case .systemLog(let socket, let identifier):
            // Without a time: the daemon knows it, and would take one for its own zone's.
            let priority = Self.userFacility | message.level.priority
            let text = "<\(priority)>\(identifier)[\(Processes.currentID)]: \(message.text)"
            try? socket.send(Array(text.utf8))
        }
    }

    /// `LOG_USER`.
    private static let userFacility = 1 << 3

    /// The fields of a journal entry. A value with a line feed has its length before it, in eight bytes.
    static func entry(_ message: Message, _ identifier: String) -> [UInt8] {
        var fields = [
            ("MESSAGE", message.text), ("PRIORITY", "\(message.level.priority)"), ("SYSLOG_IDENTIFIER", identifier),
        ]
        fields += message.fields.map { ("APUS_" + $0.0.uppercased(), $0.1) }
        var bytes: [UInt8] = []
        for (name, value) in fields {
            bytes += name.utf8
            if value.utf8.contains(UInt8(ascii: "\n")) {
                bytes.append(UInt8(ascii: "\n"))
                let length = UInt64(value.utf8.count)
                bytes += (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
            } else {
                bytes.append(UInt8(ascii: "="))
            }
            bytes += value.utf8
            bytes.append(UInt8(ascii: "\n"))
        }
        return bytes
    }
}

extension Log.Level {
    /// As syslog(3) numbers them.
    fileprivate var priority: Int {
        switch self {
        case .error: 3
        case .warning: 4
        case .debug: 7
        }
    }
}
