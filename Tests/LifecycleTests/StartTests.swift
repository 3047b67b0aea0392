// What the program looks like once it has started, seen from outside: a created container's init is still it.

import Foundation
import Testing

@Suite("The started program", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct StartTests {
    private struct Mapping {
        let range: Range<UInt64>
        let protection: Substring

        init?(_ line: Substring) {
            let words = line.split(separator: " ")
            let ends = words[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
            guard ends.count == 2 else { return nil }
            range = ends[0]..<ends[1]
            protection = words[1]
        }
    }

    /// Where the program's file says that constants lie which the start writes once (`PT_GNU_RELRO`), in whole pages. `nil`
    /// where the program is not loaded at fixed addresses.
    private static func constants() throws -> Range<UInt64>? {
        let file = try Data(contentsOf: URL(fileURLWithPath: TestMachine.binary), options: .alwaysMapped)
        func number<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
            file.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
        }
        let executable: UInt16 = 2
        let relro: UInt32 = 0x6474_e552
        guard number(16, UInt16.self) == executable else { return nil }
        let table = Int(number(32, UInt64.self))
        for index in 0..<Int(number(56, UInt16.self)) {
            let header = table + index * 56
            guard number(header, UInt32.self) == relro else { continue }
            let begin = number(header + 16, UInt64.self)
            let end = begin + number(header + 40, UInt64.self)
            return begin..<(end & ~0xfff)
        }
        return nil
    }

    /// Constants cannot be written any more, and nothing can be both written and executed.
    @Test func memoryIsProtected() throws {
        guard let constants = try Self.constants() else { return }
        try Sandbox.use("start") { box in
            try box.configure(box.document("true"))
            try box.succeed("create", box.id)
            let text = try #require(box.contents("/proc/\(try box.state().pid)/maps"))
            let mappings = text.split(separator: "\n").compactMap(Mapping.init)
            #expect(!mappings.isEmpty)
            let writable = mappings.filter { $0.protection.contains("w") }
            #expect(!writable.contains { $0.range.overlaps(constants) }, "\(constants): \(text)")
            #expect(!writable.contains { $0.protection.contains("x") }, "\(text)")
            try box.succeed("delete", "--force", box.id)
        }
    }
}
