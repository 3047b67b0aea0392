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

    /// The text of the object that is the member `name` of the object that is the document's member `section`.
    package func text(of section: StaticString, _ name: StaticString) -> ArraySlice<UInt8>? {
        node(of: section, name).map { bytes[Int(nodes[$0].start)..<Int(nodes[$0].end)] }
    }

    /// Makes that object null, as if it were absent.
    package mutating func leaveOut(_ section: StaticString, _ name: StaticString) {
        guard let node = node(of: section, name) else { return }
        nodes[node].kind = .null
    }

    /// Decodes what is left.
    /// - Throws: `JSONError` with key path, line and column if it does not fit `type`.
    package func decode<Value: JSONReadable>(_ type: Value.Type) throws(JSONError) -> Value {
        try Value(json: JSONValue(document: JSONDocument(bytes: bytes, nodes: nodes), node: 0))
    }

    private func node(of section: StaticString, _ name: StaticString) -> Int? {
        let document = JSONDocument(bytes: bytes, nodes: nodes)
        guard var members = try? JSONValue(document: document, node: 0).members(),
            var inner = try? members.findPresent(section)?.members(),
            let found = inner.findPresent(name), found.kind == .object
        else { return nil }
        return found.node
    }
}
