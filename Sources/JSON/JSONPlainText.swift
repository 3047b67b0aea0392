// Where the bytes of a text end that stand for themselves in JSON. Called by JSONReader for what it reads and by JSONWriter
// for what it writes: most texts are nothing but such bytes, so eight are looked at together.

/// Looking for bytes that JSON writes as escapes.
enum JSONPlainText {
    private static let everyByte: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Whether a text can be written as it is. U+007F could, too, but is written as an escape, because terminals act on it.
    static func isAll(_ text: Span<UInt8>) -> Bool {
        let bytes = unsafe text.bytes
        var place = 0
        var found: UInt64 = 0
        // SAFETY: eight bytes are there.
        while place + 8 <= text.count {
            let word = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
            found |= special(word) | zeroes(word, 0x7F)
            place += 8
        }
        while place < text.count {
            if isSpecial(text[place]) || text[place] == 0x7F { return false }
            place += 1
        }
        return found & highBits == 0
    }

    /// The place of the first quote, backslash or control character at or after `start`; the end when there is none.
    static func end(in text: Span<UInt8>, from start: Int) -> Int {
        let bytes = unsafe text.bytes
        var place = start
        // SAFETY: eight bytes are there.
        while place + 8 <= text.count {
            let word = UInt64(
                littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self)
            )
            let found = special(word) & highBits
            // The lowest bit that is set is that of the first one; above it a subtraction may have borrowed.
            if found != 0 { return place + found.trailingZeroBitCount / 8 }
            place += 8
        }
        while place < text.count, !isSpecial(text[place]) { place += 1 }
        return place
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20
    }

    /// Has the high bit of each of eight bytes that is special. A subtraction that borrows from the next byte, and so may
    /// set its bit as well, does so only below one that is.
    private static func special(_ word: UInt64) -> UInt64 {
        let control = (word &- everyByte &* 0x20) & ~word
        return control | zeroes(word, UInt8(ascii: "\"")) | zeroes(word, UInt8(ascii: "\\"))
    }

    private static func zeroes(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ everyByte &* UInt64(byte)
        return (difference &- everyByte) & ~difference
    }
}
