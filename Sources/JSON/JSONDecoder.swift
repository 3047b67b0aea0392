// Makes typed values of a JSON document: the entry point, and what a type says of itself to be made from one.
// Called wherever a document is read: config.json, process.json, resources, the runtime's own record.
// Unknown names are ignored, null means absent for optionals, wrong types are named by key path. Nothing is converted
// on the way: a number never becomes a string, and an integer never passes through a floating-point value.
// Why not Codable: docs/decisions/0019.

/// A type that can be made from a JSON value.
package protocol JSONReadable {
    /// Reads `json`.
    /// - Throws: `JSONError` with key path, line and column if it does not fit.
    init(json: JSONValue) throws(JSONError)
}

/// Decodes values from JSON text.
package struct JSONDecoder {
    /// Creates a decoder.
    package init() {}

    /// Decodes one value from `bytes`, which must hold one JSON document in UTF-8.
    ///
    /// - Throws: `JSONError` with key path, line and column if the text is not JSON or does not fit `type`.
    package func decode<Value: JSONReadable>(_ type: Value.Type, from bytes: [UInt8]) throws(JSONError) -> Value {
        try Value(json: JSONValue(document: JSONReader.read(bytes), node: 0))
    }
}

// MARK: - Types that JSON has itself

extension String: JSONReadable {
    package init(json: JSONValue) throws(JSONError) { self = try json.string() }
}

extension Bool: JSONReadable {
    package init(json: JSONValue) throws(JSONError) { self = try json.boolean() }
}

extension Double: JSONReadable {
    package init(json: JSONValue) throws(JSONError) { self = try json.floatingPoint() }
}

/// Only plain integers are accepted: `1.0` and `1e3` are refused, as Go's decoder refuses them.
extension JSONReadable where Self: FixedWidthInteger {
    package init(json: JSONValue) throws(JSONError) { self = try json.integer() }
}

extension Int: JSONReadable {}
extension Int8: JSONReadable {}
extension Int16: JSONReadable {}
extension Int32: JSONReadable {}
extension Int64: JSONReadable {}
extension UInt: JSONReadable {}
extension UInt8: JSONReadable {}
extension UInt16: JSONReadable {}
extension UInt32: JSONReadable {}
extension UInt64: JSONReadable {}

extension Array: JSONReadable where Element: JSONReadable {
    package init(json: JSONValue) throws(JSONError) { self = try json.list() }
}
