// Bytes of a stranger to values. Pure: whatever the bytes are, the answer is values or a WireProblem, and the memory
// taken grows only with the bytes that came. D-Bus specification: Marshaling (Wire Format).

/// A place in bytes that start where a message, or its body, starts.
package struct WireReader {
    private let bytes: ArraySlice<UInt8>
    private let start: Int
    package let order: ByteOrder
    private var position: Int

    package init(_ bytes: some Collection<UInt8>, _ order: ByteOrder) {
        self.bytes = Array(bytes)[...]
        start = 0
        position = 0
        self.order = order
    }

    package var isAtEnd: Bool { position == bytes.endIndex }
    /// Bytes read.
    package var offset: Int { position - start }

    /// Skips padding, which must be zero.
    package mutating func align(_ boundary: Int) throws(WireProblem) {
        while offset % boundary != 0 {
            guard try byte() == 0 else { throw WireProblem("padding that is not zero at byte \(offset - 1)") }
        }
    }

    package mutating func byte() throws(WireProblem) -> UInt8 {
        guard position < bytes.endIndex else { throw WireProblem("the bytes end at \(offset), inside a value") }
        defer { position += 1 }
        return bytes[position]
    }

    package mutating func number<Number: FixedWidthInteger>() throws(WireProblem) -> Number {
        let width = Number.bitWidth / 8
        try align(width)
        var result: Number = 0
        for index in 0..<width {
            let shift = order == .little ? 8 * index : 8 * (width - 1 - index)
            result |= Number(truncatingIfNeeded: try byte()) << Number(truncatingIfNeeded: shift)
        }
        return result
    }

    private mutating func take(_ count: Int) throws(WireProblem) -> ArraySlice<UInt8> {
        guard count <= bytes.endIndex - position else {
            throw WireProblem("\(count) bytes announced at byte \(offset), \(bytes.endIndex - position) are left")
        }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// The values of a signature, which must take all the bytes.
    package mutating func all(_ types: [DBusType]) throws(WireProblem) -> [DBusValue] {
        var values: [DBusValue] = []
        for type in types { values.append(try value(type)) }
        guard isAtEnd else { throw WireProblem("\(bytes.endIndex - position) bytes behind the last value") }
        return values
    }

    package mutating func value(_ type: DBusType, depth: Int = 0) throws(WireProblem) -> DBusValue {
        guard depth <= WireLimits.depth else { throw WireProblem("a value nested deeper than \(WireLimits.depth)") }
        switch type {
        case .byte: return .byte(try byte())
        case .boolean: return .boolean(try boolean())
        case .int16: return .int16(try number())
        case .uint16: return .uint16(try number())
        case .int32: return .int32(try number())
        case .uint32: return .uint32(try number())
        case .int64: return .int64(try number())
        case .uint64: return .uint64(try number())
        case .double: return .double(Double(bitPattern: try number()))
        case .string: return .string(try string())
        case .objectPath: return .objectPath(try objectPath())
        case .signature: return .signature(try signature())
        case .descriptor: return .descriptor(try number())
        case .variant: return .variant(try variant(depth: depth))
        case .array(let element): return try array(of: element, depth: depth)
        case .structure(let members):
            try align(8)
            var values: [DBusValue] = []
            for member in members { values.append(try value(member, depth: depth + 1)) }
            return .structure(values)
        case .dictEntry(let key, let content):
            try align(8)
            let first = try value(key, depth: depth + 1)
            return .dictEntry(first, try value(content, depth: depth + 1))
        }
    }

    private mutating func boolean() throws(WireProblem) -> Bool {
        let number: UInt32 = try number()
        guard number < 2 else { throw WireProblem("a boolean of \(number), which is 0 or 1") }
        return number == 1
    }

    private mutating func string() throws(WireProblem) -> String {
        let count: UInt32 = try number()
        return try text(Int(count))
    }

    private mutating func text(_ count: Int) throws(WireProblem) -> String {
        let place = offset
        let content = try take(count)
        guard try byte() == 0 else { throw WireProblem("a text at byte \(place) without NUL at its end") }
        guard !content.contains(0) else { throw WireProblem("a text with a NUL byte at byte \(place)") }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw WireProblem("a text at byte \(place) that is not UTF-8")
        }
        return text
    }

    private mutating func objectPath() throws(WireProblem) -> String {
        let path = try string()
        guard WireText.isObjectPath(path.utf8) else { throw WireProblem("\"\(path)\", which is not an object path") }
        return path
    }

    private mutating func signature() throws(WireProblem) -> String {
        let text = try text(Int(try byte()))
        _ = try DBusType.parse(text.utf8)
        return text
    }

    private mutating func variant(depth: Int) throws(WireProblem) -> DBusValue {
        let text = try text(Int(try byte()))
        let types = try DBusType.parse(text.utf8)
        guard types.count == 1 else { throw WireProblem("a variant with the signature \"\(text)\", not of one type") }
        return try value(types[0], depth: depth + 1)
    }

    private mutating func array(of element: DBusType, depth: Int) throws(WireProblem) -> DBusValue {
        let announced: UInt32 = try number()
        let length = Int(announced)
        guard length <= WireLimits.array else {
            throw WireProblem("an array of \(length) bytes; at most \(WireLimits.array) are allowed")
        }
        try align(element.alignment)
        let content = position
        guard length <= bytes.endIndex - content else {
            throw WireProblem("an array of \(length) bytes at byte \(offset), \(bytes.endIndex - content) are left")
        }
        if element == .byte { return .bytes(Array(try take(length))) }
        var values: [DBusValue] = []
        while position < content + length { values.append(try value(element, depth: depth + 1)) }
        guard position == content + length else { throw WireProblem("an array whose last element is cut off") }
        return .array(of: element, values)
    }
}
