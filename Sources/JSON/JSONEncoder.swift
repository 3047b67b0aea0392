// Encodes Codable values as JSON text, members in the order in which the type encodes them (its declaration).
// Called for state, features, the default config and what hooks read on stdin. It writes as it goes and builds no tree;
// a type must therefore finish one nested container before it writes to the outer one again, as synthesised code does.

/// Encodes values as JSON text.
package struct JSONEncoder {
    private let indent: String?

    /// Creates an encoder. With `indent` each member gets a line of its own, indented by that text per level.
    package init(indent: String? = nil) {
        self.indent = indent
    }

    /// Returns `value` as JSON in UTF-8, without a line break at the end.
    ///
    /// - Throws: `JSONError` if the type's own encoding fails or writes to a container that it has left.
    package func encode<Value: Encodable>(_ value: Value) throws(JSONError) -> [UInt8] {
        let encoder = StreamEncoder(writer: JSONWriter(indent: indent), base: 0)
        do {
            try encoder.write(value)
        } catch {
            throw error as? JSONError ?? JSONError(path: "", message: "\(error)")
        }
        return encoder.writer.bytes
    }
}

/// The encoder of the value at one level of the text; also its single-value container.
struct StreamEncoder: Encoder, SingleValueEncodingContainer {
    let writer: JSONWriter
    /// The depth of the text at which the value stands.
    let base: Int

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if writer.depth == base { writer.beginObject() }
        let members = StreamEncoder(writer: writer, base: base + 1)
        return KeyedEncodingContainer(ObjectEncodingContainer<Key>(encoder: members))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if writer.depth == base { writer.beginArray() }
        return ArrayEncodingContainer(encoder: StreamEncoder(writer: writer, base: base + 1))
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    /// Closes what was opened below this level.
    func leaveNested() throws(JSONError) {
        guard writer.depth >= base else {
            throw JSONError(path: "", message: "a value was encoded into a container that was left before")
        }
        while writer.depth > base { writer.end() }
    }

    /// Writes any value; a value that encodes nothing becomes an empty object.
    func write<Value: Encodable>(_ value: Value) throws {
        let start = writer.bytes.count
        try value.encode(to: StreamEncoder(writer: writer, base: writer.depth))
        try leaveNested()
        if writer.bytes.count == start {
            writer.beginObject()
            writer.end()
        }
    }

    func number(_ value: Double) throws(JSONError) {
        guard value.isFinite else { throw JSONError(path: "", message: "JSON has no form for the number \(value)") }
        writer.number(value)
    }

    func encodeNil() throws { writer.null() }
    func encode(_ value: Bool) throws { writer.boolean(value) }
    func encode(_ value: String) throws { writer.string(value) }
    func encode(_ value: Double) throws { try number(value) }
    func encode(_ value: Float) throws { try number(Double(value)) }
    func encode(_ value: Int) throws { writer.integer(value) }
    func encode(_ value: Int8) throws { writer.integer(value) }
    func encode(_ value: Int16) throws { writer.integer(value) }
    func encode(_ value: Int32) throws { writer.integer(value) }
    func encode(_ value: Int64) throws { writer.integer(value) }
    func encode(_ value: UInt) throws { writer.integer(value) }
    func encode(_ value: UInt8) throws { writer.integer(value) }
    func encode(_ value: UInt16) throws { writer.integer(value) }
    func encode(_ value: UInt32) throws { writer.integer(value) }
    func encode(_ value: UInt64) throws { writer.integer(value) }
    func encode<Value: Encodable>(_ value: Value) throws { try write(value) }
}

/// The members of the object that is open at the encoder's level.
struct ObjectEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: StreamEncoder

    var codingPath: [any CodingKey] { [] }

    /// Writes the name of `key` and returns the encoder for its value.
    private func member(_ key: Key) throws(JSONError) -> StreamEncoder {
        try encoder.leaveNested()
        encoder.writer.name(key.stringValue)
        return encoder
    }

    /// The same for a container in a container, which must not throw: what is written to one that was left throws.
    private func nested(_ key: Key) -> StreamEncoder {
        do throws(JSONError) { return try member(key) } catch { return encoder }
    }

    func encodeNil(forKey key: Key) throws { try member(key).encodeNil() }
    func encode(_ value: Bool, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: String, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Double, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Float, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int8, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int16, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int32, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: Int64, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt8, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt16, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt32, forKey key: Key) throws { try member(key).encode(value) }
    func encode(_ value: UInt64, forKey key: Key) throws { try member(key).encode(value) }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { try member(key).write(value) }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        nested(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { nested(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder }
    func superEncoder(forKey key: Key) -> any Encoder { nested(key) }
}

/// The elements of the array that is open at the encoder's level.
struct ArrayEncodingContainer: UnkeyedEncodingContainer {
    let encoder: StreamEncoder
    private(set) var count = 0

    init(encoder: StreamEncoder) {
        self.encoder = encoder
    }

    var codingPath: [any CodingKey] { [] }

    /// Counts one more element and returns the encoder for it.
    private mutating func element() throws(JSONError) -> StreamEncoder {
        try encoder.leaveNested()
        count += 1
        return encoder
    }

    /// The same for a container in a container, which must not throw: what is written to one that was left throws.
    private mutating func nested() -> StreamEncoder {
        do throws(JSONError) { return try element() } catch { return encoder }
    }

    mutating func encodeNil() throws { try element().encodeNil() }
    mutating func encode(_ value: Bool) throws { try element().encode(value) }
    mutating func encode(_ value: String) throws { try element().encode(value) }
    mutating func encode(_ value: Double) throws { try element().encode(value) }
    mutating func encode(_ value: Float) throws { try element().encode(value) }
    mutating func encode(_ value: Int) throws { try element().encode(value) }
    mutating func encode(_ value: Int8) throws { try element().encode(value) }
    mutating func encode(_ value: Int16) throws { try element().encode(value) }
    mutating func encode(_ value: Int32) throws { try element().encode(value) }
    mutating func encode(_ value: Int64) throws { try element().encode(value) }
    mutating func encode(_ value: UInt) throws { try element().encode(value) }
    mutating func encode(_ value: UInt8) throws { try element().encode(value) }
    mutating func encode(_ value: UInt16) throws { try element().encode(value) }
    mutating func encode(_ value: UInt32) throws { try element().encode(value) }
    mutating func encode(_ value: UInt64) throws { try element().encode(value) }
    mutating func encode<Value: Encodable>(_ value: Value) throws { try element().write(value) }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) -> KeyedEncodingContainer<NestedKey> {
        nested().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { nested() }
}
