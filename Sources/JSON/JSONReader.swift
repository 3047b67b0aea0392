// Reads the text of a JSON document (RFC 8259) into a flat list of nodes, in one pass and without recursion.
// Called by JSONDecoder only. It is strict where a lenient reader would let two programs see two documents:
// duplicate names, invalid UTF-8, lone surrogates, U+0000, bytes after the value and a byte order mark are refused.

/// The reader of one document.
struct JSONReader {
    /// The deepest nesting of arrays and objects that is accepted.
    static let maximumDepth = 512

    private let bytes: [UInt8]
    private var position = 0
    private var nodes: [JSONNode] = []
    /// The node indices of the containers that are open, outermost first.
    private var open: [Int] = []

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // A config has a node per 8 to 12 bytes; growing once more is cheap if this one is denser.
        nodes.reserveCapacity(bytes.count / 9 + 8)
    }

    /// Reads `bytes`, which must hold exactly one JSON value and white space around it.
    static func read(_ bytes: [UInt8]) throws(JSONError) -> JSONDocument {
        var reader = JSONReader(bytes)
        guard bytes.count < Int(JSONNode.open) else {
            throw JSONError(path: "", message: "the document is larger than 4 GiB")
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw reader.error("the document starts with a byte order mark, which JSON does not allow")
        }
        try reader.readDocument()
        let document = JSONDocument(bytes: bytes, nodes: reader.nodes)
        try checkEncoding(of: document)
        return document
    }

    /// Checks that all text is UTF-8. Bytes above 127 can only stand inside strings at this point.
    private static func checkEncoding(of document: JSONDocument) throws(JSONError) {
        let bytes = document.bytes
        let text = bytes.span
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: text)
        } catch {
            let byte = error.byteOffsets.lowerBound
            let node = document.nodes.lastIndex { $0.start <= byte } ?? 0
            throw document.error(path: document.path(to: node), byte: byte, "the text is not valid UTF-8")
        }
    }

    // MARK: Structure

    private mutating func readDocument() throws(JSONError) {
        var expectsValue = true
        repeat {
            skipWhiteSpace()
            if expectsValue {
                expectsValue = try readValue()
            } else if let container = open.last {
                expectsValue = try readSeparator(in: container)
            }
        } while expectsValue || !open.isEmpty
        skipWhiteSpace()
        guard position == bytes.count else {
            throw error("expected the end of the document, found \(found)")
        }
    }

    /// Reads the start of a value and returns whether another value is expected at once (a container was entered).
    private mutating func readValue() throws(JSONError) -> Bool {
        guard position < bytes.count else { throw error("expected a value, found the end of the document") }
        switch bytes[position] {
        case UInt8(ascii: "{"):
            return try enter(.object, closedBy: UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            return try enter(.array, closedBy: UInt8(ascii: "]"))
        case UInt8(ascii: "\""):
            try readString()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try readNumber()
        case UInt8(ascii: "n"):
            try readLiteral("null", .null)
        case UInt8(ascii: "t"):
            try readLiteral("true", .true)
        case UInt8(ascii: "f"):
            try readLiteral("false", .false)
        default:
            throw error("expected a value, found \(found)")
        }
        return false
    }

    /// Opens a container and returns whether a value is expected in it, which is so unless it is empty.
    private mutating func enter(_ kind: JSONKind, closedBy bracket: UInt8) throws(JSONError) -> Bool {
        guard open.count < Self.maximumDepth else {
            throw error("nested deeper than \(Self.maximumDepth) levels")
        }
        open.append(nodes.count)
        append(kind, from: position, to: position + 1, next: JSONNode.open)
        position += 1
        skipWhiteSpace()
        if position < bytes.count, bytes[position] == bracket {
            leave()
            return false
        }
        if kind == .object { try readName(orBracket: true) }
        return true
    }

    /// Reads what follows a value in an open container; returns whether another value is expected.
    private mutating func readSeparator(in container: Int) throws(JSONError) -> Bool {
        let isObject = nodes[container].kind == .object
        let bracket = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
        switch position < bytes.count ? bytes[position] : 0 {
        case UInt8(ascii: ","):
            position += 1
            if isObject {
                skipWhiteSpace()
                try readName(orBracket: false)
            }
            return true
        case bracket:
            if isObject { try refuseDuplicateNames(in: container) }
            leave()
            return false
        default:
            let expected = isObject ? "',' or '}'" : "',' or ']'"
            throw error("expected \(expected), found \(found)", at: container)
        }
    }

    private mutating func leave() {
        position += 1
        guard let container = open.popLast() else { return }
        nodes[container].end = UInt32(truncatingIfNeeded: position)
        nodes[container].next = UInt32(truncatingIfNeeded: nodes.count)
    }

    /// Reads a member name and the colon after it.
    private mutating func readName(orBracket: Bool) throws(JSONError) {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            throw error("expected a name in double quotes\(orBracket ? " or '}'" : ""), found \(found)")
        }
        try readString()
        skipWhiteSpace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else {
            throw error("expected ':' after the name, found \(found)")
        }
        position += 1
    }

    // MARK: Scalars

    /// Reads a string up to its closing quote; `position` is at the opening one.
    private mutating func readString() throws(JSONError) {
        let start = position + 1
        let quote = position
        var isEscaped = false
        position = start
        while position < bytes.count {
            position = JSONPlainText.end(in: bytes.span, from: position)
            guard position < bytes.count else { break }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                append(.string, from: start, to: position, isEscaped: isEscaped)
                position += 1
                return
            }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try readEscape()
            } else {
                throw error("the control character \(Self.hexadecimal(byte)) in a string must be written as an escape")
            }
        }
        position = quote
        throw error("the string that starts here has no end")
    }

    /// Reads one escape, or the two that make a surrogate pair.
    private mutating func readEscape() throws(JSONError) {
        let letter = position + 1 < bytes.count ? bytes[position + 1] : 0
        if JSONEscapes.byte(for: letter) != nil {
            position += 2
            return
        }
        guard letter == UInt8(ascii: "u") else {
            throw error("a backslash in a string must be followed by one of \" \\ / b f n r t u")
        }
        guard let unit = JSONEscapes.codeUnit(in: bytes[...], at: position + 2) else {
            throw error("expected four hexadecimal digits after \\u")
        }
        switch unit {
        case 0:
            throw error("contains U+0000, where the kernel would end the string")
        case 0xD800...0xDBFF:
            let second = position + 6
            guard second + 1 < bytes.count, bytes[second] == UInt8(ascii: "\\"), bytes[second + 1] == UInt8(ascii: "u"),
                let low = JSONEscapes.codeUnit(in: bytes[...], at: second + 2), 0xDC00...0xDFFF ~= low
            else { fallthrough }
            position = second + 6
        case 0xDC00...0xDFFF:
            throw error("contains one half of a surrogate pair without the other")
        default:
            position += 6
        }
    }

    private mutating func readNumber() throws(JSONError) {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        try readDigits()
        if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit + 1 {
            position = firstDigit
            throw error("a number must not start with a zero before other digits")
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try readDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try readDigits()
        }
        append(.number, from: start, to: position)
    }

    private mutating func readDigits() throws(JSONError) {
        let start = position
        while position < bytes.count, 0x30...0x39 ~= bytes[position] { position += 1 }
        guard position > start else { throw error("expected a digit, found \(found)") }
    }

    private mutating func readLiteral(_ text: StaticString, _ kind: JSONKind) throws(JSONError) {
        let word = text.description
        let end = position + word.utf8.count
        guard end <= bytes.count, bytes[position..<end].elementsEqual(word.utf8) else {
            throw error("expected a value, found \(found)")
        }
        append(kind, from: position, to: end)
        position = end
    }

    private mutating func skipWhiteSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func append(
        _ kind: JSONKind,
        from start: Int,
        to end: Int,
        isEscaped: Bool = false,
        next: UInt32? = nil
    ) {
        nodes.append(
            JSONNode(
                kind: kind,
                isEscaped: isEscaped,
                start: UInt32(truncatingIfNeeded: start),
                end: UInt32(truncatingIfNeeded: end),
                next: next ?? UInt32(truncatingIfNeeded: nodes.count + 1)
            )
        )
    }

    // MARK: Errors

    /// Returns an error at the current position; its key path is that of `node` or of the value read next.
    private func error(_ message: String, at node: Int? = nil) -> JSONError {
        let document = JSONDocument(bytes: bytes, nodes: nodes)
        return document.error(path: document.path(to: node ?? nodes.count), byte: position, message)
    }

    /// The byte at the current position, in words.
    private var found: String {
        guard position < bytes.count else { return "the end of the document" }
        let byte = bytes[position]
        guard 0x21...0x7E ~= byte else { return "the byte \(Self.hexadecimal(byte))" }
        return "'\(Unicode.Scalar(byte))'"
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "0x" + (digits.utf8.count == 1 ? "0" : "") + digits
    }
}

// MARK: - Duplicate names

extension JSONReader {
    /// Throws if two members of the object at `container` have the same name (RFC 8259 section 4, I-JSON section 2.3).
    private func refuseDuplicateNames(in container: Int) throws(JSONError) {
        if areFewAndDifferent(container) { return }
        var names: [Int] = []
        var name = container + 1
        while name < nodes.count {
            names.append(name)
            name = Int(nodes[name + 1].next)
        }
        // Sorting keeps a large annotations object from costing the square of its size.
        let bytesOf = { (node: Int) -> ArraySlice<UInt8> in
            let source = bytes[Int(nodes[node].start)..<Int(nodes[node].end)]
            return nodes[node].isEscaped ? JSONEscapes.resolve(source)[...] : source
        }
        names.sort { first, second in
            let (one, other) = (bytesOf(first), bytesOf(second))
            if one.count != other.count { return one.count < other.count }
            return one.elementsEqual(other) ? first < second : one.lexicographicallyPrecedes(other)
        }
        for (first, second) in zip(names, names.dropFirst()) where bytesOf(first).elementsEqual(bytesOf(second)) {
            let document = JSONDocument(bytes: bytes, nodes: nodes)
            let quote = Int(nodes[second].start) - 1
            throw document.error(path: document.path(to: second + 1), byte: quote, "this name is given twice")
        }
    }

    /// Whether an object has so few members that each name is compared with each other one, and they do differ. Nearly all
    /// objects are such, and no list has to be made for them.
    private func areFewAndDifferent(_ container: Int) -> Bool {
        var name = container + 1
        var count = 0
        while name < nodes.count {
            if nodes[name].isEscaped || count == 8 { return false }
            var earlier = container + 1
            while earlier < name {
                if isSameText(nodes[earlier], nodes[name]) { return false }
                earlier = Int(nodes[earlier + 1].next)
            }
            count += 1
            name = Int(nodes[name + 1].next)
        }
        return true
    }

    private func isSameText(_ one: JSONNode, _ other: JSONNode) -> Bool {
        let length = one.end - one.start
        guard length == other.end - other.start else { return false }
        for offset in 0..<length {
            guard bytes[Int(one.start + offset)] == bytes[Int(other.start + offset)] else { return false }
        }
        return true
    }
}
