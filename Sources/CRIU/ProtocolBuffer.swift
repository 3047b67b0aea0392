// Protocol Buffers, as far as criu's messages need them: numbers, texts and messages in messages, each behind a number
// and a wire type. See protobuf.dev, Encoding.

/// Writes one message.
struct MessageWriter {
    private(set) var bytes: [UInt8] = []

    private enum WireType {
        static let number: UInt64 = 0
        static let bytes: UInt64 = 2
    }

    /// Seven bits a byte, the lowest first.
    private mutating func variable(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// A number; a negative one takes ten bytes, as the format wants it.
    mutating func number(_ field: UInt64, _ value: some BinaryInteger) {
        variable(field << 3 | WireType.number)
        variable(UInt64(truncatingIfNeeded: value))
    }

    /// A switch that is off is left out: that is every switch's default.
    mutating func flag(_ field: UInt64, _ isOn: Bool) {
        if isOn { number(field, 1) }
    }

    /// A text that is absent is left out.
    mutating func text(_ field: UInt64, _ value: String?) {
        if let value { append(field, Array(value.utf8)) }
    }

    /// A message within this one.
    mutating func message(_ field: UInt64, _ body: (inout MessageWriter) -> Void) {
        var inner = MessageWriter()
        body(&inner)
        append(field, inner.bytes)
    }

    private mutating func append(_ field: UInt64, _ value: [UInt8]) {
        variable(field << 3 | WireType.bytes)
        variable(UInt64(value.count))
        bytes += value
    }
}

/// A message that is none.
struct MalformedMessage: Error {}

/// Reads one message, field by field.
struct MessageReader {
    /// The value of a field.
    enum Value: Equatable {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)

        var integer: Int32? {
            if case .number(let value) = self { return Int32(truncatingIfNeeded: value) }
            return nil
        }

        var text: String? {
            if case .bytes(let bytes) = self { return String(decoding: bytes, as: UTF8.self) }
            return nil
        }

        var message: MessageReader? {
            if case .bytes(let bytes) = self { return MessageReader(bytes) }
            return nil
        }
    }

    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    /// The next field; `nil` at the end.
    mutating func next() throws(MalformedMessage) -> (field: UInt64, value: Value)? {
        if rest.isEmpty { return nil }
        let key = try variable()
        switch key & 7 {
        case 0: return (key >> 3, .number(try variable()))
        case 1: return (key >> 3, .bytes(try take(8)))
        case 2:
            let length = try variable()
            guard length <= UInt64(rest.count) else { throw MalformedMessage() }
            return (key >> 3, .bytes(try take(Int(length))))
        case 5: return (key >> 3, .bytes(try take(4)))
        default: throw MalformedMessage()
        }
    }

    private mutating func variable() throws(MalformedMessage) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw MalformedMessage() }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw MalformedMessage()
    }

    private mutating func take(_ count: Int) throws(MalformedMessage) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw MalformedMessage() }
        let taken = rest.prefix(count)
        rest = rest.dropFirst(count)
        return taken
    }
}
