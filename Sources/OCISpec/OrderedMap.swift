// A JSON object with free names, kept in document order.
// Used for every object of the specification whose members take effect one by one (sysctl, unified, annotations).
// Swift's dictionaries iterate in another order in each process, which would make the runtime's effects random.

package import JSON

/// Names and values in the order in which the document gives them.
///
/// A decoder that keeps the document's order in `allKeys` keeps it here; Foundation's decoder does not.
/// Two maps are equal if they have equal members in the same order.
public struct OrderedMap<Value> {
    /// One member of the object.
    public typealias Element = (key: String, value: Value)

    private var elements: [Element]

    /// Creates a map from members whose names all differ.
    public init(_ elements: [Element] = []) {
        self.elements = elements
    }

    /// The names, in order.
    public var keys: [String] { elements.map(\.key) }

    /// The value of the member `key`: reads nil if there is none; appends, replaces, or removes if set to nil.
    ///
    /// Names are equal if their bytes are: Unicode equivalence does not count. Looking up takes time in proportion
    /// to the number of members.
    public subscript(key: String) -> Value? {
        get {
            elements.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
        }
        set {
            let index = elements.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
            switch (index, newValue) {
            case (let index?, let value?): elements[index].value = value
            case (let index?, nil): elements.remove(at: index)
            case (nil, let value?): elements.append((key, value))
            case (nil, nil): break
            }
        }
    }
}

extension OrderedMap: RandomAccessCollection {
    public var startIndex: Int { elements.startIndex }
    public var endIndex: Int { elements.endIndex }
    public subscript(position: Int) -> Element { elements[position] }
}

extension OrderedMap: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init(elements.map { (key: $0.0, value: $0.1) })
    }
}

extension OrderedMap: Sendable where Value: Sendable {}

extension OrderedMap: Equatable where Value: Equatable {
    public static func == (one: OrderedMap, other: OrderedMap) -> Bool {
        one.elementsEqual(other) { $0.key.utf8.elementsEqual($1.key.utf8) && $0.value == $1.value }
    }
}

/// The name of a member that can be anything.
private struct MemberName: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) {
        nil
    }
}

extension OrderedMap: JSONReadable where Value: JSONReadable {
    package init(json: JSONValue) throws(JSONError) {
        self.init(try json.members().all())
    }
}

extension OrderedMap: Decodable where Value: Decodable {
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: MemberName.self)
        elements = try members.allKeys.map { ($0.stringValue, try members.decode(Value.self, forKey: $0)) }
    }
}

extension OrderedMap: Encodable where Value: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: MemberName.self)
        for (key, value) in elements {
            try members.encode(value, forKey: MemberName(stringValue: key))
        }
    }
}
