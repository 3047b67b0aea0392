// Cutting ASCII texts of the kernel at a separator. Byte by byte: `split` compares whole characters, which costs a
// container's birth more than all its paths are worth.

extension String {
    /// The parts between separators, without empty ones.
    /// - Parameter separator: An ASCII character.
    package func parts(separatedBy separator: Unicode.Scalar) -> [String] {
        let separator = UInt8(ascii: separator)
        var parts: [String] = []
        var part: [UInt8] = []
        for byte in utf8 {
            if byte != separator {
                part.append(byte)
            } else if !part.isEmpty {
                parts.append(String(decoding: part, as: UTF8.self))
                part.removeAll(keepingCapacity: true)
            }
        }
        if !part.isEmpty { parts.append(String(decoding: part, as: UTF8.self)) }
        return parts
    }

    /// The bytes as text; `nil` when they are not UTF-8. The library's own way costs 15 us of metadata at its first use.
    package init?(utf8 bytes: [UInt8]) {
        self = String(decoding: bytes, as: UTF8.self)
        // What had to be repaired is no longer what it was.
        guard utf8.count == bytes.count, utf8.elementsEqual(bytes) else { return nil }
    }

    /// What is before and after the last separator; all of it is after when there is none.
    package func cut(atLast separator: Unicode.Scalar) -> (before: String, after: String) {
        guard let index = utf8.lastIndex(of: UInt8(ascii: separator)) else { return ("", self) }
        return (String(self[..<index]), String(self[utf8.index(after: index)...]))
    }
}

extension [String] {
    /// All of them with a separator between any two. As `joined`, which costs 20 us of metadata at its first use.
    package func text(separatedBy separator: Unicode.Scalar) -> String {
        var text = ""
        for (index, part) in enumerated() {
            if index > 0 { text.unicodeScalars.append(separator) }
            text += part
        }
        return text
    }
}
