// Where in a document a check is: the key path that its error will name.
// Used by every check; it knows nothing of what is checked.

/// A place in a config.json, such as `linux.namespaces[2].path`. Its text is made when somebody asks: a profile has thousands
/// of places, and mostly none with a problem.
package indirect enum Place: Equatable, Sendable {
    case path(String)
    case memberOf(Place, String)
    case elementOf(Place, Int)

    /// The document as a whole. A process.json and a resources file are checked at it, too.
    package static let document = Place.path("")

    /// Creates the place that `keyPath` names.
    package init(keyPath: String) {
        self = .path(keyPath)
    }

    /// The member `name` of the object at this place.
    package func member(_ name: String) -> Place { .memberOf(self, name) }

    /// The element of the array at this place.
    package func element(_ index: Int) -> Place { .elementOf(self, index) }

    /// Empty for the document as a whole. A name that is not a plain word is quoted.
    package var keyPath: String {
        switch self {
        case .path(let path): return path
        case .elementOf(let array, let index): return "\(array.keyPath)[\(index)]"
        case .memberOf(let object, let name):
            let path = object.keyPath
            guard Self.isPlain(name) else { return "\(path)[\(quoted(name))]" }
            return path.isEmpty ? name : "\(path).\(name)"
        }
    }

    private static func isPlain(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "/"):
                    true
                default:
                    false
                }
            }
    }

    /// Returns the problem that `message` says about this place.
    func problem(_ message: String) -> ConfigurationProblem {
        ConfigurationProblem(keyPath, message)
    }

    /// Returns the problem that something else than `expected` was found here.
    func expected(_ expected: String, found: String) -> ConfigurationProblem {
        problem("expected \(expected), found \(found)")
    }

    /// Returns what `check` makes of each of `items`, the elements of the array at this place.
    func each<Item, Value>(
        _ items: [Item]?,
        _ check: (Item, Place) throws(ConfigurationProblem) -> Value
    ) throws(ConfigurationProblem) -> [Value] {
        guard let items else { return [] }
        var values: [Value] = []
        values.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            values.append(try check(item, element(index)))
        }
        return values
    }
}

// MARK: - Checks of a single value that several subjects share

extension Place {
    /// Checks that `text` has no U+0000, at which the kernel would end it: the rest would be checked here and not be
    /// seen there.
    func wholeString(_ text: String) throws(ConfigurationProblem) {
        // Every byte of every text is looked at: `contains` takes three times as long.
        let bytes = text.utf8.span
        var isWhole = true
        for place in bytes.indices where bytes[place] == 0 { isWhole = false }
        guard isWhole else { throw problem("contains U+0000, where the kernel would end the string") }
    }

    /// Returns `text`, which must be an absolute path, without `.`, `..` and doubled slashes.
    func absolutePath(_ text: String) throws(ConfigurationProblem) -> String {
        try wholeString(text)
        guard LexicalPath.isAbsolute(text) else { throw expected("an absolute path", found: quoted(text)) }
        return LexicalPath.cleaned(text)
    }

    /// Returns `value`, which must be in `range`.
    func number<Value: FixedWidthInteger>(
        _ value: Value,
        in range: ClosedRange<Value>
    ) throws(ConfigurationProblem) -> Value {
        guard range.contains(value) else {
            throw expected("a number from \(range.lowerBound) to \(range.upperBound)", found: "\(value)")
        }
        return value
    }

    /// Returns what `table` has under `name`, or throws an error that names all that it has.
    func word<Value>(
        _ name: String,
        from table: [(name: String, value: Value)]
    ) throws(ConfigurationProblem) -> Value {
        for entry in table where entry.name == name { return entry.value }
        throw expected("one of \(table.map(\.name).joined(separator: ", "))", found: quoted(name))
    }

    /// Returns where `name` is among the names, or throws what they are.
    func index(of name: String, in names: [String]) throws(ConfigurationProblem) -> Int {
        if let index = names.firstIndex(of: name) { return index }
        throw expected("one of \(names.joined(separator: ", "))", found: quoted(name))
    }
}
