// The types of D-Bus and the letters that name them. Pure. D-Bus specification: Type System, Valid Signatures.

/// What is wrong with bytes that claim to be D-Bus, or with a value that cannot be sent.
package struct WireProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was found and what is allowed, one clause.
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// The limits of the specification.
package enum WireLimits {
    /// Bytes of a message with its header.
    package static let message = 128 << 20
    /// Bytes of an array's elements.
    package static let array = 64 << 20
    /// Bytes of a signature.
    package static let signature = 255
    /// Arrays in arrays, and on their own structures in structures.
    package static let nesting = 32
    /// Containers in containers, of any kind, variants included.
    package static let depth = 64
}

/// A single complete type.
package indirect enum DBusType: Equatable, Sendable {
    case byte, boolean, int16, uint16, int32, uint32, int64, uint64, double
    case string, objectPath, signature
    /// A number of a descriptor that came with the message.
    case descriptor
    case variant
    case array(DBusType)
    case structure([DBusType])
    /// Only as the element of an array.
    case dictEntry(DBusType, DBusType)

    /// The type as in a signature: `a{sv}`.
    package var code: String {
        switch self {
        case .byte: "y"
        case .boolean: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .objectPath: "o"
        case .signature: "g"
        case .descriptor: "h"
        case .variant: "v"
        case .array(let element): "a" + element.code
        case .structure(let members): "(" + members.map(\.code).joined() + ")"
        case .dictEntry(let key, let value): "{" + key.code + value.code + "}"
        }
    }

    /// A value starts at a multiple of this, counted from the start of the message.
    var alignment: Int {
        switch self {
        case .byte, .signature, .variant: 1
        case .int16, .uint16: 2
        case .boolean, .int32, .uint32, .string, .objectPath, .array, .descriptor: 4
        case .int64, .uint64, .double, .structure, .dictEntry: 8
        }
    }

    /// Whether it may be the key of a dictionary.
    var isBasic: Bool {
        switch self {
        case .variant, .array, .structure, .dictEntry: false
        default: true
        }
    }
}

extension DBusType {
    /// The types of a signature, checked.
    package static func parse(_ signature: some Collection<UInt8>) throws(WireProblem) -> [DBusType] {
        guard signature.count <= WireLimits.signature else {
            throw WireProblem("a signature of \(signature.count) bytes; at most \(WireLimits.signature) are allowed")
        }
        var parser = SignatureParser(rest: Array(signature)[...])
        var types: [DBusType] = []
        while !parser.rest.isEmpty { types.append(try parser.next(arrays: 0, structures: 0)) }
        return types
    }
}

private struct SignatureParser {
    var rest: ArraySlice<UInt8>

    mutating func next(arrays: Int, structures: Int) throws(WireProblem) -> DBusType {
        guard let letter = rest.popFirst() else { throw WireProblem("a signature that ends inside a type") }
        if let type = Self.simple(letter) { return type }
        switch letter {
        case UInt8(ascii: "a"):
            guard arrays < WireLimits.nesting else { throw WireProblem("arrays nested deeper than 32 in a signature") }
            if rest.first == UInt8(ascii: "{") {
                rest.removeFirst()
                return .array(try dictEntry(arrays: arrays + 1, structures: structures + 1))
            }
            return .array(try next(arrays: arrays + 1, structures: structures))
        case UInt8(ascii: "("):
            return .structure(try members(arrays: arrays, structures: structures + 1))
        default:
            throw WireProblem("the byte \(letter) in a signature, where a type is expected")
        }
    }

    private mutating func members(arrays: Int, structures: Int) throws(WireProblem) -> [DBusType] {
        try checkStructures(structures)
        var members: [DBusType] = []
        while rest.first != UInt8(ascii: ")") {
            members.append(try next(arrays: arrays, structures: structures))
        }
        rest.removeFirst()
        guard !members.isEmpty else { throw WireProblem("a structure without members in a signature") }
        return members
    }

    private mutating func dictEntry(arrays: Int, structures: Int) throws(WireProblem) -> DBusType {
        try checkStructures(structures)
        let key = try next(arrays: arrays, structures: structures)
        guard key.isBasic else { throw WireProblem("a dictionary with keys of type \(key.code)") }
        let value = try next(arrays: arrays, structures: structures)
        guard rest.popFirst() == UInt8(ascii: "}") else {
            throw WireProblem("a dictionary entry with other than two types in a signature")
        }
        return .dictEntry(key, value)
    }

    private func checkStructures(_ depth: Int) throws(WireProblem) {
        guard depth <= WireLimits.nesting else { throw WireProblem("structures nested deeper than 32 in a signature") }
    }

    private static func simple(_ letter: UInt8) -> DBusType? {
        switch letter {
        case UInt8(ascii: "y"): .byte
        case UInt8(ascii: "b"): .boolean
        case UInt8(ascii: "n"): .int16
        case UInt8(ascii: "q"): .uint16
        case UInt8(ascii: "i"): .int32
        case UInt8(ascii: "u"): .uint32
        case UInt8(ascii: "x"): .int64
        case UInt8(ascii: "t"): .uint64
        case UInt8(ascii: "d"): .double
        case UInt8(ascii: "s"): .string
        case UInt8(ascii: "o"): .objectPath
        case UInt8(ascii: "g"): .signature
        case UInt8(ascii: "h"): .descriptor
        case UInt8(ascii: "v"): .variant
        default: nil
        }
    }
}
