// The wire format against bytes written by hand from the specification, and both byte orders against each other.

import DBus
import Testing

@Suite("wire format")
struct WireTests {
    static let values: [DBusValue] = [
        .byte(7), .boolean(true), .boolean(false), .int16(-2), .uint16(65_535), .int32(.min), .uint32(.max),
        .int64(-3), .uint64(.max), .double(-0.5), .string(""), .string("Grüße"), .objectPath("/"),
        .objectPath("/org/freedesktop/DBus"), .signature("a{sv}"), .descriptor(0), .variant(.uint64(5)),
        .variant(.variant(.string("x"))), .bytes([]), .bytes([1, 2, 3]),
        .array(of: .string, [.string("a"), .string("bc")]), .array(of: .uint64, []),
        .array(of: .array(.uint64), [.array(of: .uint64, [.uint64(1)]), .array(of: .uint64, [])]),
        .structure([.byte(1), .uint64(2), .string("three")]),
        .array(
            of: .dictEntry(.string, .variant),
            [.dictEntry(.string("key"), .variant(.boolean(true))), .dictEntry(.string("k"), .variant(.bytes([9])))]
        ),
        .array(of: .structure([.string, .variant]), [.structure([.string("PIDs"), .variant(.uint32(1))])]),
    ]

    static func bytes(_ value: DBusValue, _ order: ByteOrder, after padding: Int = 0) throws -> [UInt8] {
        var writer = WireWriter(order)
        for _ in 0..<padding { try writer.value(.byte(0xff)) }
        try writer.value(value)
        return writer.bytes
    }

    @Test(arguments: ByteOrder.allCases)
    func everyValueComesBack(order: ByteOrder) throws {
        for value in Self.values {
            for padding in 0..<9 {
                var reader = WireReader(try Self.bytes(value, order, after: padding), order)
                for _ in 0..<padding { _ = try reader.byte() }
                #expect(try reader.value(value.type) == value)
                #expect(reader.isAtEnd)
            }
        }
    }

    @Test func typesAreWrittenAndReadAlike() throws {
        for value in Self.values {
            #expect(try DBusType.parse(value.type.code.utf8) == [value.type])
        }
        #expect(try DBusType.parse("a(yv)ss".utf8).map(\.code) == ["a(yv)", "s", "s"])
    }

    /// Bytes counted out by hand.
    static let examples: [(DBusValue, ByteOrder, [UInt8])] = [
        (.uint32(0x0102_0304), .little, [4, 3, 2, 1]),
        (.uint32(0x0102_0304), .big, [1, 2, 3, 4]),
        (.boolean(true), .big, [0, 0, 0, 1]),
        (.string("foo"), .little, [3, 0, 0, 0, 0x66, 0x6f, 0x6f, 0]),
        (.signature("yv"), .little, [2, 0x79, 0x76, 0]),
        (.variant(.byte(9)), .little, [1, 0x79, 0, 9]),
        (.double(1), .big, [0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
        // The padding before the first element is not part of the length.
        (
            .array(of: .int64, [.int64(5)]), .big,
            [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5]
        ),
        (.array(of: .uint64, []), .little, [0, 0, 0, 0, 0, 0, 0, 0]),
        (.structure([.byte(1), .uint16(2)]), .little, [1, 0, 2, 0]),
    ]

    @Test func knownBytes() throws {
        for (value, order, bytes) in Self.examples {
            #expect(try Self.bytes(value, order) == bytes, "\(value)")
            var reader = WireReader(bytes, order)
            #expect(try reader.value(value.type) == value)
        }
    }

    /// What is refused, and the word that says why.
    static let malformed: [(DBusType, [UInt8], String)] = [
        (.boolean, [2, 0, 0, 0], "a boolean of 2"),
        (.string, [2, 0, 0, 0, 0xc3, 0x28, 0], "not UTF-8"),
        (.string, [1, 0, 0, 0, 0x61, 1], "without NUL"),
        (.string, [2, 0, 0, 0, 0x61, 0, 0], "with a NUL"),
        (.string, [255, 255, 255, 255, 0], "announced"),
        (.objectPath, [2, 0, 0, 0, 0x2f, 0x2f, 0], "not an object path"),
        (.objectPath, [3, 0, 0, 0, 0x2f, 0x61, 0x2f, 0], "not an object path"),
        (.signature, [1, 0x7a, 0], "the byte 122"),
        (.signature, [2, 0x28, 0x29, 0], "without members"),
        (.signature, [4, 0x61, 0x7b, 0x76, 0x73, 0], "keys of type v"),
        (.signature, [1, 0x61, 0], "ends inside a type"),
        (.variant, [2, 0x79, 0x79, 0, 1, 1], "not of one type"),
        (.variant, [0, 0], "not of one type"),
        (.array(.uint64), [8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "padding that is not zero"),
        (.array(.uint16), [3, 0, 0, 0, 1, 0, 2], "the bytes end"),
        (.array(.uint16), [3, 0, 0, 0, 1, 0, 2, 0], "cut off"),
        (.array(.byte), [1, 0, 0, 4, 0], "at most 67108864"),
        (.array(.byte), [9, 0, 0, 0, 0], "are left"),
        (.uint32, [1, 2, 3], "the bytes end at 3"),
    ]

    @Test func malformedBytesAreRefusedWithAReason() {
        for (type, bytes, reason) in Self.malformed {
            var reader = WireReader(bytes, .little)
            do throws(WireProblem) {
                let value = try reader.value(type)
                Issue.record("\(bytes) became \(value)")
            } catch {
                #expect(error.description.contains(reason), "\(error)")
            }
        }
    }

    @Test func nestingHasLimits() throws {
        func nested(_ count: Int) -> String { String(repeating: "a", count: count) + "y" }
        #expect(try DBusType.parse(nested(32).utf8).count == 1)
        #expect(throws: WireProblem.self) { try DBusType.parse(nested(33).utf8) }
        #expect(throws: WireProblem.self) {
            try DBusType.parse((String(repeating: "(", count: 33) + "y" + String(repeating: ")", count: 33)).utf8)
        }
        #expect(throws: WireProblem.self) { try DBusType.parse(String(repeating: "y", count: 256).utf8) }
        // Variants nest without a word in any signature.
        let deep: [UInt8] = Array((0..<200).map { _ in [UInt8(1), 0x76, 0] as [UInt8] }.joined()) + [1, 0x79, 0, 1]
        var reader = WireReader(deep, .little)
        #expect(throws: WireProblem("a value nested deeper than 64")) { try reader.value(.variant) }
    }

    @Test func whatBreaksTheRulesIsNotSent() {
        let wrong: [DBusValue] = [
            .string("a\0b"), .objectPath("x"), .objectPath("/a//b"), .structure([]), .signature("("),
            .array(of: .string, [.byte(1)]),
        ]
        for value in wrong {
            var writer = WireWriter(.little)
            #expect(throws: WireProblem.self) { try writer.value(value) }
        }
    }
}
