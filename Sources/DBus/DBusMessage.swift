// Messages: the header that says what a message is, and its body. Pure. D-Bus specification: Message Format.

/// One message.
package struct DBusMessage: Equatable, Sendable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case call = 1
        case reply, error, signal
    }

    /// The first bytes of a message, from which its length follows.
    package static let prefixLength = 16

    /// `nil`: of a kind that this version of the protocol does not know, to be ignored.
    package var kind: Kind?
    /// Not 0 once it is sent.
    package var serial: UInt32 = 0
    package var path: String?
    package var interface: String?
    package var member: String?
    package var errorName: String?
    package var replySerial: UInt32?
    package var destination: String?
    package var sender: String?
    package var types: [DBusType] = []
    package private(set) var order = ByteOrder.little
    /// As it came; `values` reads it.
    package private(set) var body: [UInt8] = []

    package init(_ kind: Kind, _ values: [DBusValue] = [], order: ByteOrder = .little) throws(WireProblem) {
        self.kind = kind
        self.order = order
        types = values.map(\.type)
        var writer = WireWriter(order)
        for value in values { try writer.value(value) }
        body = writer.bytes
    }

    /// The body's values.
    package func values() throws(WireProblem) -> [DBusValue] {
        var reader = WireReader(body, order)
        return try reader.all(types)
    }
}

// MARK: - Header fields

private enum FieldCode {
    static let path: UInt8 = 1
    static let interface: UInt8 = 2
    static let member: UInt8 = 3
    static let errorName: UInt8 = 4
    static let replySerial: UInt8 = 5
    static let destination: UInt8 = 6
    static let sender: UInt8 = 7
    static let signature: UInt8 = 8
}

extension DBusMessage {
    /// The whole message.
    package func encoded() throws(WireProblem) -> [UInt8] {
        var fields: [DBusValue] = []
        func add(_ code: UInt8, _ value: DBusValue?) {
            if let value { fields.append(.structure([.byte(code), .variant(value)])) }
        }
        add(FieldCode.path, path.map(DBusValue.objectPath))
        add(FieldCode.interface, interface.map(DBusValue.string))
        add(FieldCode.member, member.map(DBusValue.string))
        add(FieldCode.errorName, errorName.map(DBusValue.string))
        add(FieldCode.replySerial, replySerial.map(DBusValue.uint32))
        add(FieldCode.destination, destination.map(DBusValue.string))
        add(FieldCode.sender, sender.map(DBusValue.string))
        if !types.isEmpty { add(FieldCode.signature, .signature(types.map(\.code).joined())) }
        var writer = WireWriter(order)
        writer.raw([order.rawValue, kind?.rawValue ?? 0, 0, 1])
        writer.number(UInt32(truncatingIfNeeded: body.count))
        writer.number(serial)
        try writer.value(.array(of: .structure([.byte, .variant]), fields))
        writer.align(8)
        let length = writer.bytes.count + body.count
        guard length <= WireLimits.message else {
            throw WireProblem("a message of \(length) bytes; at most \(WireLimits.message) are allowed")
        }
        return writer.bytes + body
    }

    /// How long a message is, by its first 16 bytes.
    package static func length(prefix: some Collection<UInt8>) throws(WireProblem) -> Int {
        let (_, body, fields) = try lengths(prefix)
        return prefixLength + (fields + 7) / 8 * 8 + body
    }

    private static func lengths(
        _ prefix: some Collection<UInt8>
    ) throws(WireProblem) -> (order: ByteOrder, body: Int, fields: Int) {
        guard let first = prefix.first, let order = ByteOrder(rawValue: first) else {
            throw WireProblem("the first byte is \(prefix.first.map { "\($0)" } ?? "missing"), not l or B")
        }
        var reader = WireReader(prefix.prefix(prefixLength), order)
        _ = try reader.byte()
        guard try reader.byte() != 0 else { throw WireProblem("a message of kind 0") }
        _ = try reader.byte()
        let version = try reader.byte()
        guard version == 1 else { throw WireProblem("version \(version) of the protocol, not 1") }
        let body: UInt32 = try reader.number()
        let serial: UInt32 = try reader.number()
        guard serial != 0 else { throw WireProblem("a message with the serial number 0") }
        let fields: UInt32 = try reader.number()
        guard Int(fields) <= WireLimits.array else {
            throw WireProblem("header fields of \(fields) bytes; at most \(WireLimits.array) are allowed")
        }
        let total = prefixLength + (Int(fields) + 7) / 8 * 8 + Int(body)
        guard total <= WireLimits.message else {
            throw WireProblem("a message of \(total) bytes; at most \(WireLimits.message) are allowed")
        }
        return (order, Int(body), Int(fields))
    }

    /// Reads one whole message.
    package init(parsing bytes: [UInt8]) throws(WireProblem) {
        let (order, bodyLength, _) = try Self.lengths(bytes)
        self.order = order
        var reader = WireReader(bytes, order)
        _ = try reader.byte()
        kind = Kind(rawValue: try reader.byte())
        _ = try reader.byte()
        _ = try reader.byte()
        let _: UInt32 = try reader.number()
        serial = try reader.number()
        let fields = try reader.value(.array(.structure([.byte, .variant])))
        try reader.align(8)
        if case .array(_, let fields) = fields {
            for field in fields { try take(field) }
        }
        let start = reader.offset
        guard bytes.count - start == bodyLength else {
            throw WireProblem("a body of \(bytes.count - start) bytes, \(bodyLength) were announced")
        }
        body = Array(bytes[start...])
        if body.isEmpty != types.isEmpty { throw WireProblem("a body and a signature of which one is empty") }
        try checkRequired()
    }

    private mutating func take(_ field: DBusValue) throws(WireProblem) {
        guard case .structure(let members) = field, members.count == 2, case .byte(let code) = members[0],
            case .variant(let value) = members[1]
        else { throw WireProblem("a header field of another form") }
        switch (code, value) {
        case (0, _): throw WireProblem("a header field with the number 0")
        case (FieldCode.path, .objectPath(let path)): self.path = path
        case (FieldCode.interface, .string(let name)): interface = name
        case (FieldCode.member, .string(let name)): member = name
        case (FieldCode.errorName, .string(let name)): errorName = name
        case (FieldCode.replySerial, .uint32(let number)): replySerial = number
        case (FieldCode.destination, .string(let name)): destination = name
        case (FieldCode.sender, .string(let name)): sender = name
        case (FieldCode.signature, .signature(let text)): types = try DBusType.parse(text.utf8)
        case (1...8, _): throw WireProblem("header field \(code) of type \(value.type.code)")
        // Fields of later versions, and the number of descriptors, of which none is taken.
        default: break
        }
    }

    private func checkRequired() throws(WireProblem) {
        let missing: String?
        switch kind {
        case .call: missing = path == nil ? "path" : member == nil ? "member" : nil
        case .signal: missing = path == nil ? "path" : interface == nil ? "interface" : member == nil ? "member" : nil
        case .error: missing = errorName == nil ? "name" : replySerial == nil ? "reply serial" : nil
        case .reply: missing = replySerial == nil ? "reply serial" : nil
        case nil: missing = nil
        }
        if let missing { throw WireProblem("a message without its \(missing)") }
    }
}
