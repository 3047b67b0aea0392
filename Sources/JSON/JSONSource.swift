// A document of which a part need not become values, because the caller knows from its text what it says.
// Used for config.json, whose filter on system calls is most of the document and nearly always the same.

/// A document that was read, and is still to be decoded.
package struct JSONSource {
    private let bytes: [UInt8]
    private var nodes: [JSONNode]

    /// Reads `bytes`, which must hold one JSON document in UTF-8.
    /// - Throws: `JSONError` with key path, line and column if the text is not JSON.
    package init(_ bytes: [UInt8]) throws(JSONError) {
        self.bytes = bytes
        nodes = try JSONReader.read(bytes).nodes
    }

    /// The text of an object within objects, named by the members that lead to it; `nil` when there is none.
    package func text(of path: StaticString...) -> ArraySlice<UInt8>? {
        guard let node = node(at: path), nodes[node].kind == .object else { return nil }
        return bytes[Int(nodes[node].start)..<Int(nodes[node].end)]
    }

    /// Makes a member within objects null, as if it were absent.
    package mutating func leaveOut(_ path: StaticString...) {
        guard let node = node(at: path) else { return }
        nodes[node].kind = .null
    }

    /// Decodes what is left.
    /// - Throws: `JSONError` with key path, line and column if it does not fit `type`.
    package func decode<Value: JSONReadable>(_ type: Value.Type) throws(JSONError) -> Value {
        try Value(json: JSONValue(document: JSONDocument(bytes: bytes, nodes: nodes), node: 0))
    }

    private func node(at path: [StaticString]) -> Int? {
        var value = JSONValue(document: JSONDocument(bytes: bytes, nodes: nodes), node: 0)
        for name in path {
            guard var members = try? value.members(), let found = members.findPresent(name) else { return nil }
            value = found
        }
        return value.node
    }
}
