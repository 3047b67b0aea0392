// Cutting ASCII texts of the kernel at a separator. Byte by byte: `split` compares whole characters, which costs a
// container's birth more than all its paths are worth.

extension String {
    /// The parts between separators, without empty ones.
    /// - Parameter separator: An ASCII character.
    package func parts(separatedBy separator: Unicode.Scalar) -> [String] {
        let separator = UInt8(ascii: separator)
        var parts: [String] = []
        var start = utf8.startIndex
        while true {
            let end = utf8[start...].firstIndex(of: separator) ?? utf8.endIndex
            if start < end { parts.append(String(self[start..<end])) }
            if end == utf8.endIndex { return parts }
            start = utf8.index(after: end)
        }
    }

    /// The bytes as text; `nil` when they are not UTF-8. The library's own way costs 15 us of metadata at its first use.
    package init?(utf8 bytes: ArraySlice<UInt8>) {
        self = String(decoding: bytes, as: UTF8.self)
        // What had to be repaired is no longer what it was.
        guard utf8.count == bytes.count, utf8.elementsEqual(bytes) else { return nil }
    }

    /// The same of a whole array.
    package init?(utf8 bytes: [UInt8]) {
        self.init(utf8: bytes[...])
    }

    /// What is before and after the last separator; all of it is after when there is none.
    package func cut(atLast separator: Unicode.Scalar) -> (before: String, after: String) {
        guard let index = utf8.lastIndex(of: UInt8(ascii: separator)) else { return ("", self) }
        return (String(self[..<index]), String(self[utf8.index(after: index)...]))
    }
}

extension [String] {
    /// The value of an environment variable in a list of `NAME=value`; of several the last counts.
    package func value(of name: String) -> String? {
        let start = "\(name)="
        return last { $0.hasPrefix(start) }.map { String($0.dropFirst(start.utf8.count)) }
    }

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
