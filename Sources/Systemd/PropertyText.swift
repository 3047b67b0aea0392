// Values of unit properties as annotations write them: the text form of GVariant, as far as units have use for it:
// booleans, numbers, strings, arrays and tuples of them. Pure. See the GVariant text format of GLib.

package import DBus

/// What is wrong with a value's text.
package struct PropertyProblem: Error, Equatable, Sendable {
    package let text: String
}

/// A parser of one value.
package struct PropertyText {
    private static let deepest = 16
    private let all: String
    private var rest: ArraySlice<UInt8>

    /// The value that a text is; nothing may follow it.
    /// - Parameter expected: The type that the value must have; a number without a type becomes it.
    package static func parse(_ text: String, as expected: DBusType? = nil) throws(PropertyProblem) -> DBusValue {
        var parser = PropertyText(all: text, rest: Array(text.utf8)[...])
        let value = try parser.value(expected, depth: 0)
        parser.skipSpace()
        guard parser.rest.isEmpty else {
            throw PropertyProblem(text: "\"\(String(decoding: parser.rest, as: UTF8.self))\" follows the value")
        }
        return value
    }

    private mutating func value(_ expected: DBusType?, depth: Int) throws(PropertyProblem) -> DBusValue {
        guard depth < Self.deepest else {
            throw PropertyProblem(text: "more than \(Self.deepest) brackets in each other")
        }
        skipSpace()
        guard let first = rest.first else { throw PropertyProblem(text: "the value is missing") }
        let value: DBusValue
        switch first {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): value = Self.typed(try string(), expected)
        case UInt8(ascii: "["): value = try array(expected, depth: depth)
        case UInt8(ascii: "("): value = try tuple(expected, depth: depth)
        case UInt8(ascii: "@"): value = try annotated(depth: depth)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            value = try number(expected)
        default: value = try word(depth: depth)
        }
        if let expected, value.type != expected {
            throw PropertyProblem(text: "\(all) is of type \(Self.name(value.type)), not \(Self.name(expected))")
        }
        return value
    }

    // MARK: Words

    private static let types: [(name: String, type: DBusType)] = [
        ("boolean", .boolean), ("byte", .byte), ("int16", .int16), ("uint16", .uint16), ("int32", .int32),
        ("uint32", .uint32), ("int64", .int64), ("uint64", .uint64), ("double", .double), ("string", .string),
        ("objectpath", .objectPath), ("signature", .signature),
    ]

    /// A type by its word, or by its letters.
    package static func name(_ type: DBusType) -> String {
        types.first { $0.type == type }?.name ?? (type == .array(.string) ? "array of strings" : type.code)
    }

    private mutating func word(depth: Int) throws(PropertyProblem) -> DBusValue {
        let word = take { $0 != UInt8(ascii: " ") && !",])".utf8.contains($0) }
        switch word {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default: break
        }
        guard let type = Self.types.first(where: { $0.name == word })?.type else {
            throw PropertyProblem(
                text: "\"\(word)\" is not a value; true, false, numbers, 'strings', [arrays] and (tuples) are, "
                    + "with a type before them as in uint64 5"
            )
        }
        return try value(type, depth: depth + 1)
    }

    private mutating func annotated(depth: Int) throws(PropertyProblem) -> DBusValue {
        rest.removeFirst()
        let letters = take { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "[") }
        guard let types = try? DBusType.parse(letters.utf8), types.count == 1 else {
            throw PropertyProblem(text: "\"@\(letters)\" is not a type")
        }
        return try value(types[0], depth: depth + 1)
    }

    // MARK: Numbers

    private mutating func number(_ expected: DBusType?) throws(PropertyProblem) -> DBusValue {
        let word = take { $0 != UInt8(ascii: " ") && !",])".utf8.contains($0) }
        let type = expected ?? (Self.integer(word, Int64.self) == nil ? .double : .int32)
        let value: DBusValue?
        switch type {
        case .byte: value = Self.integer(word, UInt8.self).map(DBusValue.byte)
        case .int16: value = Self.integer(word, Int16.self).map(DBusValue.int16)
        case .uint16: value = Self.integer(word, UInt16.self).map(DBusValue.uint16)
        case .int32: value = Self.integer(word, Int32.self).map(DBusValue.int32)
        case .uint32: value = Self.integer(word, UInt32.self).map(DBusValue.uint32)
        case .int64: value = Self.integer(word, Int64.self).map(DBusValue.int64)
        case .uint64: value = Self.integer(word, UInt64.self).map(DBusValue.uint64)
        case .double: value = Double(word).flatMap { $0.isFinite ? .double($0) : nil }
        default: throw PropertyProblem(text: "\(word) is a number, not of type \(Self.name(type))")
        }
        guard let value else { throw PropertyProblem(text: "\(word) is not a number of type \(Self.name(type))") }
        return value
    }

    /// Decimal, hexadecimal with 0x, octal with 0.
    private static func integer<Number: FixedWidthInteger>(_ word: String, _: Number.Type) -> Number? {
        let isNegative = word.utf8.first == UInt8(ascii: "-")
        var digits = word[...]
        if isNegative || word.utf8.first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        guard let first = digits.utf8.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else { return nil }
        var radix = 10
        if digits.hasPrefix("0x") {
            radix = 16
            digits = digits.dropFirst(2)
        } else if digits.utf8.count > 1, first == UInt8(ascii: "0") {
            radix = 8
        }
        return Number((isNegative ? "-" : "") + digits, radix: radix)
    }

    // MARK: Strings

    private static func typed(_ text: String, _ expected: DBusType?) -> DBusValue {
        switch expected {
        case .objectPath where WireText.isObjectPath(text.utf8): .objectPath(text)
        case .signature where (try? DBusType.parse(text.utf8)) != nil: .signature(text)
        default: .string(text)
        }
    }

    private mutating func string() throws(PropertyProblem) -> String {
        let quote = rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == quote { return String(decoding: bytes, as: UTF8.self) }
            bytes += byte == UInt8(ascii: "\\") ? try escape() : [byte]
        }
        throw PropertyProblem(text: "\(all): the string has no end")
    }

    private mutating func escape() throws(PropertyProblem) -> [UInt8] {
        guard let letter = rest.popFirst() else { throw PropertyProblem(text: "\(all): the string has no end") }
        switch letter {
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let digits = String(decoding: rest.prefix(letter == UInt8(ascii: "u") ? 4 : 8), as: UTF8.self)
            rest = rest.dropFirst(digits.utf8.count)
            guard let number = UInt32(digits, radix: 16), number != 0, let scalar = Unicode.Scalar(number) else {
                throw PropertyProblem(text: "\(all): \\u\(digits) is not a character")
            }
            return Array(String(Character(scalar)).utf8)
        default: return [letter]
        }
    }

    // MARK: Arrays and tuples

    private mutating func array(_ expected: DBusType?, depth: Int) throws(PropertyProblem) -> DBusValue {
        var element: DBusType?
        if case .array(let type)? = expected { element = type }
        var values: [DBusValue] = []
        try each(until: UInt8(ascii: "]")) { (parser: inout PropertyText) throws(PropertyProblem) in
            let value = try parser.value(element, depth: depth + 1)
            element = value.type
            values.append(value)
        }
        guard let element else { throw PropertyProblem(text: "an empty array needs its type, as in @as []") }
        guard element != .byte else {
            return .bytes(values.compactMap { if case .byte(let byte) = $0 { byte } else { nil } })
        }
        return .array(of: element, values)
    }

    private mutating func tuple(_ expected: DBusType?, depth: Int) throws(PropertyProblem) -> DBusValue {
        var members: [DBusType] = []
        if case .structure(let types)? = expected { members = types }
        var values: [DBusValue] = []
        try each(until: UInt8(ascii: ")")) { (parser: inout PropertyText) throws(PropertyProblem) in
            let type = values.count < members.count ? members[values.count] : nil
            values.append(try parser.value(type, depth: depth + 1))
        }
        guard !values.isEmpty else { throw PropertyProblem(text: "a tuple without members") }
        return .structure(values)
    }

    private mutating func each(
        until end: UInt8,
        _ body: (inout PropertyText) throws(PropertyProblem) -> Void
    ) throws(PropertyProblem) {
        rest.removeFirst()
        var isFirst = true
        while true {
            skipSpace()
            guard let next = rest.first else { throw PropertyProblem(text: "\(all): a bracket has no end") }
            if next == end {
                rest.removeFirst()
                return
            }
            if !isFirst {
                guard next == UInt8(ascii: ",") else { throw PropertyProblem(text: "\(all): a comma is missing") }
                rest.removeFirst()
                skipSpace()
                if rest.first == end { continue }
            }
            try body(&self)
            isFirst = false
        }
    }

    // MARK: Bytes

    private mutating func skipSpace() {
        rest = rest.drop { $0 == UInt8(ascii: " ") }
    }

    private mutating func take(while isPart: (UInt8) -> Bool) -> String {
        let part = rest.prefix(while: isPart)
        rest = rest.dropFirst(part.count)
        return String(decoding: part, as: UTF8.self)
    }
}
