// A failure as bytes: one datagram of at most 4 KiB, from init or the intermediate to the runtime. Decoding never
// fails: bytes that are no record become a failure that says so.

internal import LinuxSystem

/// The wire form of a `Failure`.
package enum FailureRecord {
    /// The longest record, bytes.
    package static let maximumSize = 4096
    private static let headerSize = 18

    /// Encodes, cutting texts that do not fit (at a character's border).
    package static func encode(_ failure: Failure) -> [UInt8] {
        var record: [UInt8] = [
            UInt8(failure.role?.rawValue ?? 0xff),
            failure.call?.rawValue ?? 0xff,
            failure.givenCode?.wireNumber ?? 0,
            0,
        ]
        append(UInt16(clamping: failure.step?.index ?? 0), to: &record)
        append(UInt16(clamping: Int(failure.errno?.rawValue ?? 0)), to: &record)
        var texts: [[UInt8]] = []
        var room = maximumSize - headerSize
        for text in [failure.step?.name, failure.subject, failure.hint, failure.detail, failure.action] {
            let bytes = Array(cut(text ?? "", to: min(room, 2048)).utf8)
            room -= bytes.count
            texts.append(bytes)
        }
        for text in texts { append(UInt16(text.count), to: &record) }
        for text in texts { record += text }
        return record
    }

    /// Decodes what `encode` made.
    package static func decode(_ record: [UInt8]) -> Failure {
        let malformed = Failure(
            "read the failure that the container's process reported: malformed record of \(record.count) bytes"
        )
        guard record.count >= headerSize else { return malformed }
        var offset = headerSize
        var texts: [String] = []
        for index in 0..<5 {
            let length = Int(word(record, 8 + 2 * index))
            guard offset + length <= record.count else { return malformed }
            texts.append(String(decoding: record[offset..<(offset + length)], as: UTF8.self))
            offset += length
        }
        let step = word(record, 4)
        let errno = word(record, 6)
        func optional(_ text: String) -> String? { text.isEmpty ? nil : text }
        return Failure(
            Failure.Facts(
                action: texts[4],
                code: FailureCode(wireNumber: record[2]),
                subject: optional(texts[1]),
                call: SystemCall(rawValue: record[1]),
                errno: errno == 0 ? nil : Errno(CInt(errno)),
                detail: optional(texts[3]),
                hint: optional(texts[2]),
                step: step == 0 ? nil : StepName(index: Int(step), name: texts[0]),
                role: ProcessRole(rawValue: record[0])
            )
        )
    }

    private static func append(_ value: UInt16, to record: inout [UInt8]) {
        record.append(UInt8(value & 0xff))
        record.append(UInt8(value >> 8))
    }

    private static func word(_ record: [UInt8], _ offset: Int) -> UInt16 {
        UInt16(record[offset]) | UInt16(record[offset + 1]) << 8
    }

    private static func cut(_ text: String, to limit: Int) -> Substring {
        var cut = text[...]
        while cut.utf8.count > limit { cut = cut.dropLast(max(1, (cut.utf8.count - limit) / 4)) }
        return cut
    }
}
