// Decodes Codable values from JSON text: the lean counterpart of Foundation's decoder, made for a short-lived process.
// Called wherever a document is read: config.json, process.json, resources, the runtime's own record.
// Unknown names are ignored, null means absent for optionals, wrong types are named by key path. Nothing is converted
// on the way: a number never becomes a string, and an integer never passes through a floating-point value.

/// Decodes values from JSON text.
package struct JSONDecoder {
    /// Creates a decoder.
    package init() {}

    /// Decodes one value from `bytes`, which must hold one JSON document in UTF-8.
    ///
    /// - Throws: `JSONError` with key path, line and column if the text is not JSON or does not fit `type`.
    package func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws(JSONError) -> Value {
        let document = try JSONReader.read(bytes)
        do {
            return try NodeDecoder(document: document, node: 0).value(of: type)
        } catch {
            throw document.error(from: error)
        }
    }
}

/// The decoder of one node; also its single-value container.
struct NodeDecoder: Decoder, SingleValueDecodingContainer {
    let document: JSONDocument
    let node: Int

    var codingPath: [any CodingKey] { document.codingPath(to: node) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard document.nodes[node].kind == .object else { throw mismatch("an object") }
        return KeyedDecodingContainer(ObjectDecodingContainer<Key>(document: document, object: node))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard document.nodes[node].kind == .array else { throw mismatch("an array") }
        return ArrayDecodingContainer(document: document, array: node)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { document.nodes[node].kind == .null }
    func decode(_ type: Bool.Type) throws -> Bool { try boolean() }
    func decode(_ type: String.Type) throws -> String { try string() }
    func decode(_ type: Double.Type) throws -> Double { try floatingPoint() }
    func decode(_ type: Float.Type) throws -> Float { try Float(floatingPoint()) }
    func decode(_ type: Int.Type) throws -> Int { try integer() }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try value(of: type) }
}

// MARK: - Conversion of one node

extension NodeDecoder {
    /// Returns the node as a value of `type`.
    ///
    /// Strings and arrays of strings are most of a config. Without the short way each element would pass through two
    /// existential containers.
    func value<Value: Decodable>(of type: Value.Type) throws -> Value {
        if type == [String].self, let strings = try strings() as? Value { return strings }
        if type == String.self, let string = try string() as? Value { return string }
        return try Value(from: self)
    }

    func boolean() throws(JSONError) -> Bool {
        switch document.nodes[node].kind {
        case .true: return true
        case .false: return false
        default: throw mismatch("true or false")
        }
    }

    func string() throws(JSONError) -> String {
        guard document.nodes[node].kind == .string else { throw mismatch("a string") }
        return document.string(at: node)
    }

    func strings() throws(JSONError) -> [String] {
        guard document.nodes[node].kind == .array else { throw mismatch("an array") }
        var strings: [String] = []
        var element = node + 1
        let end = Int(document.nodes[node].next)
        // The elements are all strings or this ends in an error, so their number is that of the nodes.
        strings.reserveCapacity(end - element)
        while element < end {
            strings.append(try NodeDecoder(document: document, node: element).string())
            element = Int(document.nodes[element].next)
        }
        return strings
    }

    /// Returns the node as an integer.
    ///
    /// Only plain integers are accepted: `1.0` and `1e3` are refused, as Go's decoder refuses them.
    func integer<Value: FixedWidthInteger>() throws(JSONError) -> Value {
        guard document.nodes[node].kind == .number else {
            throw mismatch("an integer from \(Value.min) to \(Value.max)")
        }
        guard let value = document.integer(at: node, as: Value.self) else {
            let text = document.numberText(at: node)
            throw document.error(at: node, "expected an integer from \(Value.min) to \(Value.max), found \(text)")
        }
        return value
    }

    func floatingPoint() throws(JSONError) -> Double {
        guard document.nodes[node].kind == .number else { throw mismatch("a number") }
        guard let value = Double(document.string(at: node)), value.isFinite else {
            throw document.error(at: node, "expected a number within +-1.8e308, found \(document.numberText(at: node))")
        }
        return value
    }

    /// Returns the error that `expected` was wanted here and something of another kind is.
    func mismatch(_ expected: String) -> JSONError {
        document.error(at: node, "expected \(expected), found \(document.nodes[node].kind.words)")
    }
}

// MARK: - Errors thrown by the decoded types

/// A coding key that is only a name or an index.
struct JSONKey: CodingKey {
    var stringValue: String
    var intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init(intValue: Int) {
        stringValue = "\(intValue)"
        self.intValue = intValue
    }
}

extension JSONDocument {
    /// Returns the coding path of `node`, for types that look at it.
    func codingPath(to node: Int) -> [any CodingKey] {
        components(to: node).map { component in
            switch component {
            case .name(let name): JSONKey(stringValue: string(at: name))
            case .index(let index): JSONKey(intValue: index)
            }
        }
    }

    /// Returns `error` as a `JSONError`, with the place of the value that a `DecodingError` speaks of.
    func error(from error: any Error) -> JSONError {
        if let error = error as? JSONError { return error }
        guard let error = error as? DecodingError else { return self.error(at: 0, "\(error)") }
        switch error {
        case .dataCorrupted(let context), .typeMismatch(_, let context), .valueNotFound(_, let context):
            return self.error(at: node(at: context.codingPath), context.debugDescription)
        case .keyNotFound(let key, let context):
            return self.error(at: node(at: context.codingPath), missing: key.stringValue)
        @unknown default:
            return self.error(at: 0, "\(error)")
        }
    }

    /// Returns the node that a coding path leads to, or the last one on the way that exists.
    private func node(at codingPath: [any CodingKey]) -> Int {
        var node = 0
        for key in codingPath {
            let isObject = nodes[node].kind == .object
            let end = Int(nodes[node].next)
            var child = node + 1
            var index = 0
            while child < end {
                let value = isObject ? child + 1 : child
                if isObject ? string(at: child, equals: key.stringValue) : index == key.intValue {
                    node = value
                    break
                }
                child = Int(nodes[value].next)
                index += 1
            }
        }
        return node
    }
}
