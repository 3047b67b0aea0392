// A document that was read: its bytes, and a flat list of nodes that point into them.
// Made by JSONReader, walked through JSONValue. Strings and numbers are converted only when someone asks for them.
// The key path of a value is not kept while decoding; it is found again from the node when an error needs it.

/// The kinds of JSON value, as the reader found them.
package enum JSONKind: UInt8 {
    case null
    case `false`
    case `true`
    case number
    case string
    case array
    case object

    /// The kind in words, for error messages.
    var words: String {
        switch self {
        case .null: "null"
        case .false, .true: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// One value or member name of a document.
///
/// Nodes are in document order. The elements of an array, and the names and values of an object in turn,
/// follow their container directly.
struct JSONNode {
    var kind: JSONKind
    /// Whether a string contains escapes, so that its bytes are not its content.
    var isEscaped: Bool
    /// The position of the first content byte: after the quote of a string, at the bracket of a container.
    var start: UInt32
    /// The position after the last content byte.
    var end: UInt32
    /// The index of the node after this one and everything inside it; `open` while a container is being read.
    var next: UInt32

    /// The value of `next` for a container whose end was not seen yet.
    static let open = UInt32.max
}

/// The nodes of one document over its bytes. Node 0 is the document's value.
final class JSONDocument {
    let bytes: [UInt8]
    let nodes: [JSONNode]

    init(bytes: [UInt8], nodes: [JSONNode]) {
        self.bytes = bytes
        self.nodes = nodes
    }

    // MARK: Content

    /// Returns the content of the string at `node`, escapes resolved.
    func string(at node: Int) -> String {
        let range = Int(nodes[node].start)..<Int(nodes[node].end)
        if nodes[node].isEscaped {
            return String(decoding: JSONEscapes.resolve(bytes[range]), as: UTF8.self)
        }
        return String(decoding: bytes[range], as: UTF8.self)
    }

    /// Returns whether the string at `node` consists of exactly the bytes of `text`.
    ///
    /// Names are compared byte by byte, as RFC 8259 section 8.3 wants, and not by Unicode equivalence.
    func string(at node: Int, equals text: StaticString) -> Bool {
        text.withUTF8Buffer { wanted in
            let start = Int(nodes[node].start)
            let end = Int(nodes[node].end)
            if nodes[node].isEscaped {
                return unsafe JSONEscapes.resolve(bytes[start..<end]).elementsEqual(wanted)
            }
            guard wanted.count == end - start else { return false }
            for index in 0..<(end - start) {
                guard unsafe wanted[index] == bytes[start + index] else { return false }
            }
            return true
        }
    }

    /// Returns the text of the number at `node`, cut after 40 characters.
    func numberText(at node: Int) -> String {
        let start = Int(nodes[node].start)
        let end = Int(nodes[node].end)
        guard end - start > 40 else { return String(decoding: bytes[start..<end], as: UTF8.self) }
        return String(decoding: bytes[start..<start + 40], as: UTF8.self) + "..."
    }

    /// Returns the integer at `node`, or nil if it is not written as a plain integer or does not fit.
    func integer<Value: FixedWidthInteger>(at node: Int, as type: Value.Type) -> Value? {
        var position = Int(nodes[node].start)
        let end = Int(nodes[node].end)
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var magnitude: UInt64 = 0
        while position < end {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (tenfold, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            magnitude = sum
            position += 1
        }
        guard isNegative else { return Value(exactly: magnitude) }
        guard magnitude <= UInt64(Int64.max) + 1 else { return nil }
        return Value(exactly: Int64(truncatingIfNeeded: 0 &- magnitude))
    }

    // MARK: Places

    /// Returns the error `message` with the key path and the position of `node`.
    func error(at node: Int, _ message: String) -> JSONError {
        let kind = nodes[node].kind
        // The content of a string starts behind its quote; people look for the quote.
        let start = Int(nodes[node].start) - (kind == .string ? 1 : 0)
        return error(path: path(to: node), byte: start, message)
    }

    /// Returns the error `message` about the member `name` of the object at `node`, which is not there.
    func error(at node: Int, missing name: String) -> JSONError {
        var path = path(to: node)
        JSONPath.append(name: name, to: &path)
        return error(path: path, byte: Int(nodes[node].start), "required, but missing")
    }

    /// Returns the error `message` for `path` with the line and column of a byte.
    func error(path: String, byte: Int, _ message: String) -> JSONError {
        var line = 1
        var column = 1
        for value in bytes.prefix(byte) {
            if value == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if value & 0xC0 != 0x80 {
                column += 1
            }
        }
        return JSONError(path: path, line: line, column: column, message: message)
    }

    /// Returns the key path of the node with index `target`, which may be the one that would be read next.
    func path(to target: Int) -> String {
        var path = ""
        for component in components(to: target) {
            switch component {
            case .name(let node): JSONPath.append(name: string(at: node), to: &path)
            case .index(let index): path += "[\(index)]"
            }
        }
        return path
    }

    /// One step from a container to a value in it.
    enum Component {
        /// The member whose name is at this node.
        case name(Int)
        /// The element of an array with this index.
        case index(Int)
    }

    /// Returns the steps from the document's value to the node with index `target`.
    func components(to target: Int) -> [Component] {
        var components: [Component] = []
        var container = 0
        guard let root = nodes.first, target < Int(root.next) else { return [] }
        while container < target, container < nodes.count {
            let isObject = nodes[container].kind == .object
            guard isObject || nodes[container].kind == .array else { break }
            var child = container + 1
            var index = 0
            while true {
                let value = isObject ? child + 1 : child
                guard value <= target else { return components }
                if value >= nodes.count || target < Int(nodes[value].next) {
                    components.append(isObject ? .name(child) : .index(index))
                    container = value
                    break
                }
                child = Int(nodes[value].next)
                index += 1
            }
        }
        return components
    }
}

/// How key paths are written.
enum JSONPath {
    /// Appends a member name to a key path; a name that is not a plain word is quoted and escaped.
    static func append(name: String, to path: inout String) {
        let isPlain =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"):
                    true
                default:
                    false
                }
            }
        guard isPlain else {
            let writer = JSONWriter()
            writer.string(name)
            path += "[" + String(decoding: writer.bytes, as: UTF8.self) + "]"
            return
        }
        if !path.isEmpty { path += "." }
        path += name
    }
}
