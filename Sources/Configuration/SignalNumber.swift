// Signals by name and number, as `kill` and the image's stop signal write them. See signal(7).

/// A signal, in the numbering of x86 and ARM.
package struct SignalNumber: Hashable, Sendable, CustomStringConvertible {
    /// 1 to 64.
    package let rawValue: Int32

    /// The names without `SIG`. Synonyms come after the name that is printed.
    private static let names: [(name: String, number: Int32)] = [
        ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("IOT", 6), ("BUS", 7), ("FPE", 8),
        ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13), ("ALRM", 14), ("TERM", 15),
        ("STKFLT", 16), ("CHLD", 17), ("CLD", 17), ("CONT", 18), ("STOP", 19), ("TSTP", 20), ("TTIN", 21),
        ("TTOU", 22), ("URG", 23), ("XCPU", 24), ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27), ("WINCH", 28),
        ("IO", 29), ("POLL", 29), ("PWR", 30), ("SYS", 31), ("UNUSED", 31), ("RTMIN", 34), ("RTMAX", 64),
    ]

    /// The signal with a number; `nil` outside 1 to 64.
    package init?(rawValue: Int32) {
        guard 1...64 ~= rawValue else { return nil }
        self.rawValue = rawValue
    }

    /// The signal that `text` means: a number, or a name in any case with or without `SIG`, such as `TERM`,
    /// `sigkill`, `RTMIN+3`, `RTMAX-1`. Real-time names count from 34, as in the C library.
    package init?(_ text: String) {
        if let number = Self.number(text.utf8[...]) {
            self.init(rawValue: number)
            return
        }
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        var name = text.uppercased()[...]
        if name.utf8.starts(with: "SIG".utf8) { name = name.dropFirst(3) }
        if let known = Self.names.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
            self.init(rawValue: known.number)
            return
        }
        let offset = Self.number(name.utf8.dropFirst(6))
        guard let offset, 0...30 ~= offset else { return nil }
        switch name.prefix(6) {
        case "RTMIN+": self.init(rawValue: 34 + offset)
        case "RTMAX-": self.init(rawValue: 64 - offset)
        default: return nil
        }
    }

    /// As in `kill -l`: `SIGTERM`, `SIGRTMIN+3`; `SIG32` and `SIG33` have no name.
    package var description: String {
        if let known = Self.names.first(where: { $0.number == rawValue }) { return "SIG\(known.name)" }
        return rawValue > 34 ? "SIGRTMIN+\(rawValue - 34)" : "SIG\(rawValue)"
    }

    /// Reads plain digits: no sign, no white space.
    private static func number(_ digits: Substring.UTF8View) -> Int32? {
        guard !digits.isEmpty, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return Int32(Substring(digits))
    }
}
