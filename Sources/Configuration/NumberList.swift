// Lists of CPU or memory node numbers as the kernel writes them: `0-3,7`. See cpuset(7), List format.

/// A set of numbers from 0 to `maximum`, parsed from the kernel's list format.
package struct NumberList: Equatable, Sendable {
    /// The largest number that is accepted: the kernel's own bounds are at most 8192 CPUs and 1024 nodes.
    package static let maximum = 8191

    /// One bit a number, 64 numbers an element, without zero elements at the end.
    package private(set) var words: [UInt] = []

    /// Parses `0-3,7`; `nil` if `text` is empty or not of that form, a range is reversed, or a number is too large.
    package init?(_ text: String) {
        for item in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let ends = item.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            guard ends.count <= 2, let first = Self.number(ends[0]) else { return nil }
            guard ends.count == 2 else {
                insert(first)
                continue
            }
            guard let last = Self.number(ends[1]), first <= last else { return nil }
            for number in first...last { insert(number) }
        }
    }

    /// The numbers, ascending.
    package var numbers: [Int] {
        words.indices.flatMap { word in
            (0..<UInt.bitWidth).filter { words[word] & (1 << UInt($0)) != 0 }.map { word * UInt.bitWidth + $0 }
        }
    }

    private mutating func insert(_ number: Int) {
        while words.count <= number / UInt.bitWidth { words.append(0) }
        words[number / UInt.bitWidth] |= 1 << UInt(number % UInt.bitWidth)
    }

    private static func number(_ digits: Substring.UTF8View) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        guard let number = Int(Substring(digits)), number <= maximum else { return nil }
        return number
    }
}
