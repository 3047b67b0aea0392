// One value of a document that was read, and the members of one object: what a type reads itself from.
// Each is a thin view of the document; a value is found and converted in the moment it is asked for.

/// One value of a document.
package struct JSONValue {
    let document: JSONDocument
    let node: Int

    /// What kind of value it is.
    package var kind: JSONKind { document.nodes[node].kind }

    /// Returns the members of an object.
    /// - Throws: `JSONError` if the value is something else; so do the others here.
    package func members() throws(JSONError) -> JSONMembers {
        guard kind == .object else { throw mismatch("an object") }
        return JSONMembers(document: document, object: node)
    }

    /// Returns the elements of an array.
    @inlinable
    package func list<Element: JSONReadable>() throws(JSONError) -> [Element] {
        var elements: [Element] = []
        var next = try firstElement()
        elements.reserveCapacity(elementCount)
        while let element = next {
            elements.append(try Element(json: element))
            next = self.element(after: element)
        }
        return elements
    }

    package func boolean() throws(JSONError) -> Bool {
        switch kind {
        case .true: return true
        case .false: return false
        default: throw mismatch("true or false")
        }
    }

    package func string() throws(JSONError) -> String {
        guard kind == .string else { throw mismatch("a string") }
        return document.string(at: node)
    }

    package func integer<Value: FixedWidthInteger>() throws(JSONError) -> Value {
        guard kind == .number else { throw mismatch("an integer from \(Value.min) to \(Value.max)") }
        guard let value = document.integer(at: node, as: Value.self) else {
            let text = document.numberText(at: node)
            throw document.error(at: node, "expected an integer from \(Value.min) to \(Value.max), found \(text)")
        }
        return value
    }

    package func floatingPoint() throws(JSONError) -> Double {
        guard kind == .number else { throw mismatch("a number") }
        guard let value = Double(document.string(at: node)), value.isFinite else {
            throw document.error(at: node, "expected a number within +-1.8e308, found \(document.numberText(at: node))")
        }
        return value
    }

    /// Returns the error that `expected` was wanted here and something of another kind is.
    private func mismatch(_ expected: String) -> JSONError {
        document.error(at: node, "expected \(expected), found \(kind.words)")
    }

    // MARK: Elements

    @usableFromInline
    package func firstElement() throws(JSONError) -> JSONValue? {
        guard kind == .array else { throw mismatch("an array") }
        return node + 1 < Int(document.nodes[node].next) ? JSONValue(document: document, node: node + 1) : nil
    }

    @usableFromInline
    package func element(after element: JSONValue) -> JSONValue? {
        let next = Int(document.nodes[element.node].next)
        return next < Int(document.nodes[node].next) ? JSONValue(document: document, node: next) : nil
    }

    @usableFromInline
    package var elementCount: Int {
        var count = 0
        var element = node + 1
        let end = Int(document.nodes[node].next)
        while element < end {
            count += 1
            element = Int(document.nodes[element].next)
        }
        return count
    }
}

/// The members of one object, to be asked for by name.
package struct JSONMembers {
    private let document: JSONDocument
    private let object: Int
    /// The node of the name where the next search starts.
    ///
    /// Types ask in the order of their declaration, which is mostly the order of the document, so that the next member
    /// is usually the one wanted.
    private var cursor: Int

    init(document: JSONDocument, object: Int) {
        self.document = document
        self.object = object
        cursor = object + 1
    }

    /// Returns the value of the member `name`.
    /// - Throws: `JSONError` if there is none, or it does not fit.
    @inlinable
    package mutating func required<Value: JSONReadable>(_ name: StaticString) throws(JSONError) -> Value {
        try Value(json: require(name))
    }

    /// Returns the value of the member `name`, or nil if it is missing or null.
    @inlinable
    package mutating func optional<Value: JSONReadable>(_ name: StaticString) throws(JSONError) -> Value? {
        guard let json = findPresent(name) else { return nil }
        return try Value(json: json)
    }

    /// Returns the elements of the array `name`.
    @inlinable
    package mutating func requiredList<Value: JSONReadable>(_ name: StaticString) throws(JSONError) -> [Value] {
        try require(name).list()
    }

    /// Returns the elements of the array `name`, or nil if it is missing or null.
    @inlinable
    package mutating func list<Value: JSONReadable>(_ name: StaticString) throws(JSONError) -> [Value]? {
        try findPresent(name)?.list()
    }

    /// Returns all members, in document order.
    @inlinable
    package func all<Value: JSONReadable>() throws(JSONError) -> [(key: String, value: Value)] {
        var members: [(key: String, value: Value)] = []
        var next = first
        while let (name, value) = next {
            members.append((name, try Value(json: value)))
            next = member(after: value)
        }
        return members
    }

    // MARK: Searching

    /// Returns the value of `name`, or throws that it is missing.
    @usableFromInline
    package mutating func require(_ name: StaticString) throws(JSONError) -> JSONValue {
        guard let found = find(name) else { throw document.error(at: object, missing: "\(name)") }
        return found
    }

    /// Returns the value of `name`, or nil if it is missing or null.
    @usableFromInline
    package mutating func findPresent(_ name: StaticString) -> JSONValue? {
        guard let found = find(name), found.kind != .null else { return nil }
        return found
    }

    private mutating func find(_ name: StaticString) -> JSONValue? {
        let first = object + 1
        let end = Int(document.nodes[object].next)
        guard first < end else { return nil }
        let start = cursor < end ? cursor : first
        var at = start
        repeat {
            let value = at + 1
            if document.string(at: at, equals: name) {
                cursor = Int(document.nodes[value].next)
                return JSONValue(document: document, node: value)
            }
            at = Int(document.nodes[value].next)
            if at == end { at = first }
        } while at != start
        return nil
    }

    @usableFromInline
    package var first: (String, JSONValue)? { member(at: object + 1) }

    @usableFromInline
    package func member(after value: JSONValue) -> (String, JSONValue)? {
        member(at: Int(document.nodes[value.node].next))
    }

    private func member(at name: Int) -> (String, JSONValue)? {
        guard name < Int(document.nodes[object].next) else { return nil }
        return (document.string(at: name), JSONValue(document: document, node: name + 1))
    }
}
