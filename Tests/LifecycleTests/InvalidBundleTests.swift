// Every configuration that cannot be, given to the built program: its exact message, and nothing is left.

import Foundation
import Testing

@Suite("Invalid bundles", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct InvalidBundleTests {
    static let folder = TestMachine.fixtures.appending(path: "config/invalid")
    static let names = (FileManager.default.subpaths(atPath: folder.path) ?? []).filter { $0.hasSuffix(".json") }
        .sorted()
    static let groups = Dictionary(grouping: names) { String($0.split(separator: "/")[0]) }.sorted { $0.key < $1.key }
        .map(\.value)

    @Test func areMany() {
        #expect(Self.names.count >= 200)
    }

    @Test(arguments: groups)
    func areRefused(names: [String]) throws {
        try Sandbox.use("invalid") { box in
            for name in names {
                let data = try Data(contentsOf: Self.folder.appending(path: name))
                let fixture = try Self.object(data)
                // Those pretend to be on another machine.
                if fixture["host"] != nil { continue }
                let expected = try #require(fixture["error"] as? String)
                try Self.document(fixture, data).write(to: URL(fileURLWithPath: box.bundle + "/config.json"))
                let outcome = try box.apus("create", box.id)
                #expect(outcome.status == 1, "\(name): \(outcome)")
                let line = outcome.errors.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? ""
                let message = "apus: create \(box.id): \(box.bundle)/config.json: \(expected)"
                #expect(Self.withoutPlace(line, fixture) == Self.oneLine(message), "\(name)")
                #expect(Leaks.state(box).isEmpty, "\(name)")
            }
            #expect(Leaks.of(box).isEmpty)
        }
    }

    private static func object(_ data: Data) throws -> Document {
        try #require(try JSONSerialization.jsonObject(with: data) as? Document)
    }

    /// Keeps a byte order mark, which JSONSerialization takes away.
    private struct Raw: Decodable {
        var raw: String?
    }

    private static func document(_ fixture: Document, _ data: Data) throws -> Data {
        if let raw = try JSONDecoder().decode(Raw.self, from: data).raw { return Data(raw.utf8) }
        if let hex = fixture["hex"] as? String {
            return Data(
                stride(from: 0, to: hex.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
            )
        }
        let base = try #require(fixture["base"] as? String)
        let url = TestMachine.fixtures.appending(path: "config/base/\(base).json")
        let merged = merge(try object(Data(contentsOf: url)), try #require(fixture["patch"]))
        return try JSONSerialization.data(withJSONObject: merged, options: [.fragmentsAllowed, .sortedKeys])
    }

    /// RFC 7396.
    private static func merge(_ target: Any, _ patch: Any) -> Any {
        guard let patch = patch as? Document else { return patch }
        var merged = target as? Document ?? [:]
        for (name, value) in patch {
            if value is NSNull {
                merged[name] = nil
            } else {
                merged[name] = merge(merged[name] ?? [:] as Document, value)
            }
        }
        return merged
    }

    /// A merged document has lines that are in no file.
    private static func withoutPlace(_ line: String, _ fixture: Document) -> String {
        guard fixture["patch"] != nil,
            let range = line.range(of: #" \(line \d+, column \d+\)$"#, options: .regularExpression)
        else { return line }
        return String(line[..<range.lowerBound])
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: "; ")
    }
}
