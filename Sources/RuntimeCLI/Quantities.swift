// Numbers with units, as people write them behind options: sizes and spans of time. Pure.

/// Readers of numbers with units; `nil` for what is none.
enum Quantity {
    /// Bytes: `64m`, `1.5GiB`, `4096`; a unit is 1024 of the one below it. `-1` is no limit.
    static func bytes(_ text: String) -> Int64? {
        if text == "-1" { return -1 }
        let digits = text.utf8.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
        var unit = String(Substring(text.utf8.dropFirst(digits.count))).lowercased()
        if unit.hasPrefix(" ") { unit.removeFirst() }
        let names = ["", "k", "m", "g", "t", "p"]
        let isByte = unit == "b"
        guard
            let power = isByte ? 0 : names.firstIndex(where: { unit == $0 || unit == $0 + "b" || unit == $0 + "ib" }),
            isByte || !(power == 0 && !unit.isEmpty),
            let amount = decimal(digits)
        else { return nil }
        return Int64(exactly: (amount * Double(Int64(1) << (10 * Int64(power)))).rounded(.towardZero))
    }

    /// Nanoseconds: `5s`, `1m30s`, `500ms`, `1.5h`, as Go writes durations.
    static func nanoseconds(_ text: String) -> Int64? {
        let units: [(String, Double)] = [
            ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 6e10), ("h", 3.6e12),
        ]
        if text == "0" { return 0 }
        var rest = Substring(text).utf8
        var sum = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
            rest = rest.dropFirst(digits.count)
            let word = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
            rest = rest.dropFirst(word.count)
            guard let amount = decimal(digits), let unit = units.first(where: { $0.0.utf8.elementsEqual(word) }) else {
                return nil
            }
            sum += amount * unit.1
        }
        return text.isEmpty ? nil : Int64(exactly: sum.rounded(.towardZero))
    }

    private static func isDigit(_ byte: UInt8) -> Bool { 0x30...0x39 ~= byte }

    private static func decimal(_ text: Substring.UTF8View) -> Double? {
        guard let first = text.first, isDigit(first), let last = text.last, isDigit(last) else { return nil }
        return Double(Substring(text))
    }
}
