// Every invalid fixture fails with exactly its message. The form of the fixtures is in spec-fixtures/config/README.md.

import Configuration
import Foundation
import JSON
import OCISpec
import Testing

/// One file below `invalid`: a document, and what is said about it.
struct InvalidFixture: Decodable {
    /// What differs from a machine on which everything is possible.
    struct Host: Decodable {
        var effectiveUserID: UInt32?
        var appArmorIsEnabled: Bool?
        var seLinuxIsEnabled: Bool?
    }

    var base: String?
    var patch: JSONValue?
    var raw: String?
    var hex: String?
    var host: Host?
    var error: String

    static func read(_ name: String) throws -> InvalidFixture {
        try Foundation.JSONDecoder().decode(InvalidFixture.self, from: Data(Fixtures.bytes(of: "invalid/\(name)")))
    }

    var facts: HostFacts {
        var facts = Fixtures.facts
        if let id = host?.effectiveUserID { facts.effectiveUserID = id }
        if let isEnabled = host?.appArmorIsEnabled { facts.appArmorIsEnabled = isEnabled }
        if let isEnabled = host?.seLinuxIsEnabled { facts.seLinuxIsEnabled = isEnabled }
        return facts
    }

    func document() throws -> [UInt8] {
        if let raw { return Array(raw.utf8) }
        if let hex {
            return try stride(from: 0, to: hex.count, by: 2).map { offset in
                try #require(UInt8(hex.dropFirst(offset).prefix(2), radix: 16))
            }
        }
        let base = try Fixtures.bytes(of: "base/\(#require(base)).json")
        let document = try Foundation.JSONDecoder().decode(JSONValue.self, from: Data(base))
        return Array(document.merging(try #require(patch)).text.utf8)
    }

    /// The message without the place in the text, which a merged document does not have in any file.
    func message(of error: any Error) -> String {
        guard let error = error as? JSONError, patch != nil else { return "\(error)" }
        return JSONError(path: error.path, message: error.message).description
    }
}

@Suite("Invalid configurations")
struct InvalidFixtureTests {
    static let names = Fixtures.names(in: "invalid")

    @Test func areMany() {
        #expect(Self.names.count >= 200)
    }

    @Test(arguments: names)
    func isRefused(name: String) throws {
        let fixture = try InvalidFixture.read(name)
        let document = try fixture.document()
        let error = #expect(throws: (any Error).self) {
            try Fixtures.configuration(of: document, facts: fixture.facts)
        }
        #expect(error.map(fixture.message) == fixture.error)
    }

    /// Without this a fixture could fail for what its base says.
    @Test(arguments: Fixtures.names(in: "base"))
    func baseIsValid(name: String) throws {
        _ = try Fixtures.configuration(of: Fixtures.bytes(of: "base/\(name)"))
    }

    @Test func noMessageShowsAnEnvironmentValue() throws {
        for name in Self.names {
            let error = try InvalidFixture.read(name).error
            #expect(!error.contains("SECRET") && !error.contains("secret"), "\(name)")
        }
    }
}
