// Messages: headers, framing, and bytes that were changed at random (always the same way).

import DBus
import Testing

/// Numbers that look random and are the same in every run (xorshift).
struct Sequence64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

@Suite("messages")
struct MessageTests {
    static func call(_ order: ByteOrder = .little) throws -> DBusMessage {
        var message = try DBusMessage(.call, WireTests.values, order: order)
        message.serial = 0x0102_0304
        message.path = "/org/freedesktop/systemd1"
        message.interface = "org.freedesktop.systemd1.Manager"
        message.member = "StartTransientUnit"
        message.destination = "org.freedesktop.systemd1"
        return message
    }

    @Test(arguments: ByteOrder.allCases)
    func aMessageComesBack(order: ByteOrder) throws {
        let message = try Self.call(order)
        let bytes = try message.encoded()
        #expect(try DBusMessage.length(prefix: bytes.prefix(DBusMessage.prefixLength)) == bytes.count)
        let read = try DBusMessage(parsing: bytes)
        #expect(read == message)
        #expect(try read.values() == WireTests.values)
    }

    /// Hello, as any client sends it.
    @Test func knownBytes() throws {
        var hello = try DBusMessage(.call)
        hello.serial = 1
        hello.path = "/o"
        hello.member = "H"
        #expect(
            try hello.encoded() == [
                0x6c, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0,
                1, 1, 0x6f, 0, 2, 0, 0, 0, 0x2f, 0x6f, 0, 0, 0, 0, 0, 0,
                3, 1, 0x73, 0, 1, 0, 0, 0, 0x48, 0, 0, 0, 0, 0, 0, 0,
            ]
        )
    }

    static let wrongHeads: [(change: @Sendable (inout [UInt8]) -> Void, reason: String)] = [
        ({ $0[0] = 0x6d }, "not l or B"),
        ({ $0[1] = 0 }, "kind 0"),
        ({ $0[3] = 2 }, "version 2"),
        ({ $0.replaceSubrange(8..<12, with: [0, 0, 0, 0]) }, "serial number 0"),
        ({ $0.replaceSubrange(4..<8, with: [0, 0, 0, 8]) }, "at most 134217728"),
        ({ $0.replaceSubrange(12..<16, with: [1, 0, 0, 4]) }, "at most 67108864"),
    ]

    @Test func framesOutsideTheLimitsAreRefusedBeforeTheyAreRead() throws {
        for (change, reason) in Self.wrongHeads {
            var bytes = try Self.call().encoded()
            change(&bytes)
            do throws(WireProblem) {
                _ = try DBusMessage.length(prefix: bytes.prefix(DBusMessage.prefixLength))
                Issue.record("accepted: \(reason)")
            } catch {
                #expect(error.description.contains(reason), "\(error)")
            }
        }
    }

    @Test func requiredFieldsAreRequired() throws {
        for kind in DBusMessage.Kind.allCases {
            var message = try DBusMessage(kind)
            message.serial = 1
            let bytes = try message.encoded()
            #expect(throws: WireProblem.self) { try DBusMessage(parsing: bytes) }
        }
    }

    @Test func kindsOfLaterVersionsAreNotErrors() throws {
        var bytes = try Self.call().encoded()
        bytes[1] = 9
        #expect(try DBusMessage(parsing: bytes).kind == nil)
    }

    /// Whatever comes is values or a reason, and what is accepted can be sent again.
    @Test(arguments: [ByteOrder.little, .big])
    func changedBytesNeverTrap(order: ByteOrder) throws {
        let original = try Self.call(order).encoded()
        var numbers = Sequence64(state: 0x9e37_79b9_7f4a_7c15)
        var accepted = 0
        for _ in 0..<4_000 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<4, using: &numbers) {
                let place = Int.random(in: bytes.indices, using: &numbers)
                switch Int.random(in: 0..<4, using: &numbers) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &numbers)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &numbers)
                case 2: bytes.removeSubrange(place..<min(bytes.count, place + 3))
                default: bytes.insert([0, 0xff, 1, 4].randomElement(using: &numbers) ?? 0, at: place)
                }
            }
            guard let message = try? DBusMessage(parsing: bytes), let values = try? message.values() else { continue }
            accepted += 1
            let again = try DBusMessage(message.kind ?? .signal, values, order: order)
            #expect(again.body.count <= bytes.count + 8)
        }
        #expect(accepted > 0)
    }

    @Test func randomBytesNeverTrap() {
        var numbers = Sequence64(state: 42)
        for _ in 0..<4_000 {
            let count = Int.random(in: 0..<96, using: &numbers)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &numbers) }
            // Most would end at the first byte.
            if bytes.count > 4 { bytes.replaceSubrange(0..<4, with: [0x6c, 2, 0, 1]) }
            _ = try? DBusMessage(parsing: bytes)
            var reader = WireReader(bytes, .big)
            if let types = try? DBusType.parse(bytes.map { Array("aysvt({})".utf8)[Int($0) % 9] }) {
                _ = try? reader.all(types)
            }
        }
    }
}

@Suite("addresses")
struct AddressTests {
    static let good: [(String, [BusAddress])] = [
        ("unix:path=/run/dbus/system_bus_socket", [BusAddress(.path("/run/dbus/system_bus_socket"))]),
        ("unix:path=/a,guid=12ab", [BusAddress(.path("/a"))]),
        ("unix:abstract=/tmp/dbus-x", [BusAddress(.abstract("/tmp/dbus-x"))]),
        ("tcp:host=x,port=1;unix:path=/b;unix:path=/c", [BusAddress(.path("/b")), BusAddress(.path("/c"))]),
        ("unix:path=/run/user/a%20b%3b", [BusAddress(.path("/run/user/a b;"))]),
    ]

    @Test func listsAreUnderstood() throws {
        for (text, addresses) in Self.good { #expect(try BusAddress.parse(text) == addresses, "\(text)") }
    }

    @Test(arguments: [
        "", "tcp:host=x", "unix", "unix:path", "unix:path=", "unix:path=/a%2", "unix:path=/%zz", "unix:path=/%00",
    ])
    func othersAreRefused(text: String) {
        #expect(throws: WireProblem.self) { try BusAddress.parse(text) }
    }
}
