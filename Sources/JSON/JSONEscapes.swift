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
    static func codeUnit(in bytes: ArraySlice<UInt8>, at position: Int) -> UInt32? {
        guard position >= 0, position + 4 <= bytes.endIndex else { return nil }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
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
        var position = source.startIndex
        while position < source.endIndex {
            guard source[position] == UInt8(ascii: "\\") else {
                content.append(source[position])
                position += 1
                continue
            }
            if let byte = byte(for: source[position + 1]) {
                content.append(byte)
                position += 2
                continue
            }
            var value = codeUnit(in: source, at: position + 2) ?? 0xFFFD
            position += 6
            if 0xD800...0xDBFF ~= value, let low = codeUnit(in: source, at: position + 2) {
                value = 0x10000 + (value - 0xD800) << 10 + (low & 0x3FF)
                position += 6
            }
            content.append(contentsOf: String(Character(Unicode.Scalar(value) ?? "\u{FFFD}")).utf8)
        }
        return content
    }
}
