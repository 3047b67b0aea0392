// criu's log: where the reason of a failure stands, among thousands of lines.

internal import LinuxSystem

/// A log of criu's.
package enum CRIULog {
    /// How much of its end is looked at; bytes.
    private static let tail = 256 << 10

    /// The text of the last error in the log file; `nil` when there is none.
    static func lastError(of file: String, in directory: BorrowedFD) -> String? {
        guard let log = try? directory.open(file, [.readOnly, .noFollow]), let size = try? log.borrowed.facts().size,
            let bytes = try? log.borrowed.read(count: Self.tail, at: max(0, Int64(size) - Int64(Self.tail)))
        else { return nil }
        return lastError(in: String(decoding: bytes, as: UTF8.self))
    }

    /// The text of the last line such as `(00.012345)  1: Error (criu/mount.c:42): mnt: text`, passing over those that
    /// only say that all of it failed.
    package static func lastError(in text: String) -> String? {
        var last: String?
        for line in text.split(separator: "\n" as Character) {
            guard let message = errorText(Array(line.utf8)) else { continue }
            if message.hasSuffix("FAILED.") && last != nil { continue }
            last = message
        }
        return last
    }

    private static func errorText(_ line: [UInt8]) -> String? {
        let mark = Array("Error (".utf8)
        guard line.count > mark.count,
            let start = (0..<(line.count - mark.count)).first(where: { line[$0...].starts(with: mark) })
        else { return nil }
        let rest = line[(start + mark.count)...]
        guard let colon = rest.firstIndex(of: UInt8(ascii: ")")) else { return nil }
        let message = rest[(colon + 1)...].drop { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: " ") }
        // What a container's file is called must not act on the terminal that shows it.
        let plain = message.map { $0 < 0x20 || $0 == 0x7f ? UInt8(ascii: "?") : $0 }
        return plain.isEmpty ? nil : String(decoding: plain, as: UTF8.self)
    }
}
