// The escapes of JSON strings: checked once by JSONReader, resolved on demand by JSONDocument.
// `resolve` is only ever given text that the reader has accepted.

/// The escape sequences of RFC 8259 section 7.
enum JSONEscapes {
    /// Returns the byte that a backslash and `letter` stand for, or nil for `u` and for letters without a meaning.
    static func byte(for letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    /// Returns the value of the four hexadecimal digits that start at `position`, or nil if they are not there.
    static func codeUnit(in bytes: some RandomAccessCollection<UInt8>, digits: Range<Int>) -> UInt32?
    {
        var value: UInt32 = 0
        guard digits.count == 4 else { return nil }
        for offset in digits {
            guard offset < bytes.count else { return nil }
            let byte = bytes[bytes.index(bytes.startIndex, offsetBy: offset)]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }

    /// Returns the UTF-8 content of the string whose accepted source text is `source`.
    static func resolve(_ source: ArraySlice<UInt8>) -> [UInt8] {
        var content: [UInt8] = []
        content.reserveCapacity(source.count)
        var offset = 0
        func at(_ offset: Int) -> UInt8 { source[source.startIndex + offset] }
        while offset < source.count {
            guard at(offset) == UInt8(ascii: "\\") else {
                content.append(at(offset))
                offset += 1
                continue
            }
            if let byte = byte(for: at(offset + 1)) {
                content.append(byte)
                offset += 2
                continue
            }
            var value = codeUnit(in: source, digits: offset + 2..<offset + 6) ?? 0xFFFD
            offset += 6
            if 0xD800...0xDBFF ~= value, let low = codeUnit(in: source, digits: offset + 2..<offset + 6) {
                value = 0x10000 + (value - 0xD800) << 10 + (low & 0x3FF)
                offset += 6
            }
            content.append(contentsOf: Unicode.Scalar(value).map { Array(UTF8.encode($0) ?? .init()) } ?? [])
        }
        return content
    }
}
