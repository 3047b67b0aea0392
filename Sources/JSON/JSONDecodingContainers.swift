// The keyed and unkeyed containers of JSONDecoder: how a type asks for the members of an object or the elements of an
// array. Each is a thin view of the document; a value is found and converted in the moment it is asked for.

/// The members of one object.
struct ObjectDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let document: JSONDocument
    private let object: Int
    private let cursor: Cursor

    /// Where the next lookup starts.
    ///
    /// Types ask in the order of their declaration, which is mostly the order of the document, so that the next member
    /// is usually the one wanted. It also makes reading a map of n members take n steps.
    private final class Cursor {
        var name: Int
        init(name: Int) { self.name = name }
    }

    init(document: JSONDocument, object: Int) {
        self.document = document
        self.object = object
        cursor = Cursor(name: object + 1)
    }

    var codingPath: [any CodingKey] { document.codingPath(to: object) }

    /// The names in document order.
    var allKeys: [Key] {
        var keys: [Key] = []
        let end = Int(document.nodes[object].next)
        var name = object + 1
        while name < end {
            if let key = Key(stringValue: document.string(at: name)) { keys.append(key) }
            name = Int(document.nodes[name + 1].next)
        }
        return keys
    }

    /// Returns the node of the value of `key`, or nil if the object has no such member.
    private func find(_ key: Key) -> NodeDecoder? {
        let text = key.stringValue
        let first = object + 1
        let end = Int(document.nodes[object].next)
        guard first < end else { return nil }
        let start = cursor.name < end ? cursor.name : first
        var name = start
        repeat {
            let value = name + 1
            if document.string(at: name, equals: text) {
                cursor.name = Int(document.nodes[value].next)
                return NodeDecoder(document: document, node: value)
            }
            name = Int(document.nodes[value].next)
            if name == end { name = first }
        } while name != start
        return nil
    }

    /// Returns the value of `key`, or throws that it is missing.
    private func require(_ key: Key) throws(JSONError) -> NodeDecoder {
        guard let found = find(key) else { throw document.error(at: object, missing: key.stringValue) }
        return found
    }

    /// Returns the value of `key`, or nil if it is missing or null.
    private func findPresent(_ key: Key) -> NodeDecoder? {
        guard let found = find(key), !found.decodeNil() else { return nil }
        return found
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try require(key).decodeNil() }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try require(key).boolean() }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try require(key).string() }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try require(key).floatingPoint() }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try Float(require(key).floatingPoint()) }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try require(key).integer() }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try require(key).integer() }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try require(key).integer() }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try require(key).integer() }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try require(key).integer() }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try require(key).integer() }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try require(key).integer() }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try require(key).integer() }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try require(key).integer() }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try require(key).integer() }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try require(key).value(of: type)
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try findPresent(key)?.boolean() }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try findPresent(key)?.string() }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try findPresent(key)?.integer() }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try findPresent(key)?.integer() }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try findPresent(key)?.integer() }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try findPresent(key)?.integer() }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try findPresent(key)?.integer() }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try findPresent(key)?.integer() }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try findPresent(key)?.integer() }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        try findPresent(key)?.value(of: type)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try require(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try require(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { NodeDecoder(document: document, node: object) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try require(key) }
}

/// The elements of one array, in order.
struct ArrayDecodingContainer: UnkeyedDecodingContainer {
    private let document: JSONDocument
    private let array: Int
    private var element: Int
    private(set) var currentIndex = 0

    init(document: JSONDocument, array: Int) {
        self.document = document
        self.array = array
        element = array + 1
    }

    var codingPath: [any CodingKey] { document.codingPath(to: array) }
    var isAtEnd: Bool { element >= Int(document.nodes[array].next) }

    /// The number of elements, counted anew each time: the caller that wants it asks once.
    var count: Int? {
        var count = 0
        var node = array + 1
        while node < Int(document.nodes[array].next) {
            count += 1
            node = Int(document.nodes[node].next)
        }
        return count
    }

    /// Converts the next element with `convert` and moves past it.
    private mutating func next<Value>(_ convert: (NodeDecoder) throws -> Value) throws -> Value {
        guard !isAtEnd else {
            throw document.error(at: array, "expected more than \(currentIndex) elements, found the end of the array")
        }
        let value = try convert(NodeDecoder(document: document, node: element))
        element = Int(document.nodes[element].next)
        currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, document.nodes[element].kind == .null else { return false }
        return try next { _ in true }
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try next { try $0.boolean() } }
    mutating func decode(_ type: String.Type) throws -> String { try next { try $0.string() } }
    mutating func decode(_ type: Double.Type) throws -> Double { try next { try $0.floatingPoint() } }
    mutating func decode(_ type: Float.Type) throws -> Float { try next { try Float($0.floatingPoint()) } }
    mutating func decode(_ type: Int.Type) throws -> Int { try next { try $0.integer() } }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try next { try $0.integer() } }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try next { try $0.integer() } }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try next { try $0.integer() } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try next { try $0.integer() } }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try next { try $0.integer() } }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try next { try $0.integer() } }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try next { try $0.integer() } }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try next { try $0.integer() } }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try next { try $0.integer() } }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try next { try $0.value(of: type) }
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try next { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try next { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try next { $0 } }
}
