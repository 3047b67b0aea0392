// Values to bytes. Pure. D-Bus specification: Marshaling (Wire Format).

/// The order of the bytes of a number.
package enum ByteOrder: UInt8, Sendable, CaseIterable {
    case little = 0x6c
    case big = 0x42
}

/// Bytes from the start of a message, or of a body, which starts at a multiple of eight.
package struct WireWriter {
    package let order: ByteOrder
    package private(set) var bytes: [UInt8] = []

    package init(_ order: ByteOrder) {
        self.order = order
    }

    package mutating func align(_ boundary: Int) {
        while bytes.count % boundary != 0 { bytes.append(0) }
    }

    package mutating func raw(_ more: [UInt8]) {
        bytes += more
    }

    package mutating func number<Number: FixedWidthInteger>(_ number: Number) {
        align(Number.bitWidth / 8)
        for index in 0..<Number.bitWidth / 8 {
            let shift = order == .little ? 8 * index : Number.bitWidth - 8 - 8 * index
            bytes.append(UInt8(truncatingIfNeeded: number >> Number(truncatingIfNeeded: shift)))
        }
    }

    /// - Throws: When a text or a length breaks the format's rules.
    package mutating func value(_ value: DBusValue, depth: Int = 0) throws(WireProblem) {
        guard depth <= WireLimits.depth else { throw WireProblem("a value nested deeper than \(WireLimits.depth)") }
        switch value {
        case .byte(let byte): bytes.append(byte)
        case .boolean(let truth): number(UInt32(truth ? 1 : 0))
        case .int16(let value): number(value)
        case .uint16(let value): number(value)
        case .int32(let value): number(value)
        case .uint32(let value), .descriptor(let value): number(value)
        case .int64(let value): number(value)
        case .uint64(let value): number(value)
        case .double(let value): number(value.bitPattern)
        case .string(let text): try string(text)
        case .objectPath(let path):
            guard WireText.isObjectPath(path.utf8) else { throw WireProblem("\"\(path)\" is not an object path") }
            try string(path)
        case .signature(let text): try signature(text)
        case .variant(let inner):
            try signature(inner.type.code)
            try self.value(inner, depth: depth + 1)
        case .bytes(let content): try array(of: .byte) { writer in writer.raw(content) }
        case .array(let element, let values): try array(of: element, values, depth: depth)
        case .structure(let members):
            guard !members.isEmpty else { throw WireProblem("a structure without members") }
            align(8)
            for member in members { try self.value(member, depth: depth + 1) }
        case .dictEntry(let key, let content):
            align(8)
            try self.value(key, depth: depth + 1)
            try self.value(content, depth: depth + 1)
        }
    }

    private mutating func array(of element: DBusType, _ values: [DBusValue], depth: Int) throws(WireProblem) {
        for value in values where value.type != element {
            throw WireProblem("a value of type \(value.type.code) in an array of \(element.code)")
        }
        try array(of: element) { (writer: inout WireWriter) throws(WireProblem) in
            for value in values { try writer.value(value, depth: depth + 1) }
        }
    }

    private mutating func array(
        of element: DBusType,
        _ content: (inout WireWriter) throws(WireProblem) -> Void
    ) throws(WireProblem) {
        number(UInt32(0))
        let place = bytes.count - 4
        // The padding before the first element is not counted, and is there without elements too.
        align(element.alignment)
        let start = bytes.count
        try content(&self)
        let length = bytes.count - start
        guard length <= WireLimits.array else {
            throw WireProblem("an array of \(length) bytes; at most \(WireLimits.array) are allowed")
        }
        var measure = WireWriter(order)
        measure.number(UInt32(length))
        bytes.replaceSubrange(place..<place + 4, with: measure.bytes)
    }

    private mutating func string(_ text: String) throws(WireProblem) {
        guard !text.utf8.contains(0) else { throw WireProblem("a text with a NUL byte") }
        let utf8 = Array(text.utf8)
        guard utf8.count < WireLimits.message else { throw WireProblem("a text of \(utf8.count) bytes") }
        number(UInt32(utf8.count))
        bytes += utf8
        bytes.append(0)
    }

    private mutating func signature(_ text: String) throws(WireProblem) {
        _ = try DBusType.parse(text.utf8)
        bytes.append(UInt8(truncatingIfNeeded: text.utf8.count))
        bytes += Array(text.utf8)
        bytes.append(0)
    }
}
