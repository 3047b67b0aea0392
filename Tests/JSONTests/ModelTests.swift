// The model of the specification against the fixtures: Foundation's decoder must read them alike, and what is written
// must read back as the same value.

import Foundation
import JSON
import OCISpec
import Testing

/// The members of any Codable value in an order that does not depend on the document, as text.
private func canonical<Value: Encodable>(_ value: Value) throws -> String {
    let encoder = Foundation.JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
}

/// Decodes `bytes` with both decoders, compares, and reads back what is written, with and without indentation.
private func check<Value: JSONReadable & Codable & Equatable>(_ type: Value.Type, _ bytes: [UInt8]) throws {
    let value = try JSON.JSONDecoder().decode(type, from: bytes)
    let reference = try Foundation.JSONDecoder().decode(type, from: Data(bytes))
    #expect(try canonical(value) == canonical(reference))
    for indent in [nil, "    "] {
        let written = try JSON.JSONEncoder(indent: indent).encode(value)
        #expect(try JSON.JSONDecoder().decode(type, from: written) == value)
        #expect(try JSON.JSONEncoder(indent: indent).encode(value) == written)
    }
}

/// Writes what Foundation reads of `bytes`; it must read back as the same value. For what the runtime never reads.
private func checkWriting<Value: Codable & Equatable>(_ type: Value.Type, _ bytes: [UInt8]) throws {
    let value = try Foundation.JSONDecoder().decode(type, from: Data(bytes))
    let written = try JSON.JSONEncoder().encode(value)
    #expect(try canonical(Foundation.JSONDecoder().decode(type, from: Data(written))) == canonical(value))
}

/// Whether two JSON texts hold the same data, whatever the order of their members.
private func sameData(_ one: [UInt8], _ other: [UInt8]) throws -> Bool {
    let first = try JSONSerialization.jsonObject(with: Data(one)) as? NSDictionary
    let second = try JSONSerialization.jsonObject(with: Data(other)) as? NSDictionary
    return first != nil && first == second
}

@Suite("The model of the specification")
struct ModelTests {
    @Test("reads every config as Foundation does, and writes it back", arguments: Fixtures.names(in: "config/valid"))
    func configs(name: String) throws {
        let bytes = try Fixtures.bytes(name)
        try check(RuntimeSpec.self, bytes)
        // The fixtures whose every member the model knows must come back whole.
        if !["unknown-properties", "nulls"].contains(where: { name.contains($0) }) {
            let value = try JSON.JSONDecoder().decode(RuntimeSpec.self, from: bytes)
            #expect(try sameData(JSON.JSONEncoder().encode(value), bytes))
        }
    }

    @Test("has at least twenty configs to read")
    func fixtureCount() {
        #expect(Fixtures.names(in: "config/valid").count >= 20)
    }

    @Test("writes every features document back", arguments: Fixtures.names(in: "features"))
    func features(name: String) throws {
        let bytes = try Fixtures.bytes(name)
        let value = try Foundation.JSONDecoder().decode(Features.self, from: Data(bytes))
        #expect(try sameData(JSON.JSONEncoder().encode(value), bytes))
    }

    @Test("writes every state document back", arguments: Fixtures.names(in: "state"))
    func states(name: String) throws {
        let bytes = try Fixtures.bytes(name)
        if name.contains("container-process-state") {
            try checkWriting(ContainerProcessState.self, bytes)
        } else {
            try checkWriting(State.self, bytes)
        }
    }

    @Test("keeps document order where order has effects")
    func order() throws {
        let bytes = try Fixtures.bytes("config/valid/sysctl-annotations.json")
        let spec = try JSON.JSONDecoder().decode(RuntimeSpec.self, from: bytes)
        #expect(
            spec.linux?.sysctl?.keys
                == ["net.ipv4.ip_forward", "net.core.somaxconn", "kernel.msgmax", "fs.mqueue.msg_max"]
        )
        #expect(spec.annotations?.keys.dropFirst().prefix(3) == ["zz", "aa", "mm"])
        #expect(spec.annotations?["aa"] == "2")
    }

    @Test("tells names apart by their bytes")
    func names() throws {
        // Foundation cannot hold these two in one document: its keys are equal if Unicode says so.
        let members = "\"caf\u{e9}\":\"composed\",\"cafe\u{301}\":\"decomposed\""
        let text = #"{"ociVersion":"1.3.0","annotations":{\#(members)}}"#
        let spec = try JSON.JSONDecoder().decode(RuntimeSpec.self, from: Array(text.utf8))
        #expect(spec.annotations?["caf\u{e9}"] == "composed")
        #expect(spec.annotations?["cafe\u{301}"] == "decomposed")
    }

    @Test("names the sections of other platforms")
    func otherPlatforms() throws {
        let text =
            #"{"ociVersion":"1.3.0","vm":{"kernel":{"path":"/k"}},"windows":{},"solaris":null,"#
            + #""freebsd":{},"zos":{}}"#
        let spec = try JSON.JSONDecoder().decode(RuntimeSpec.self, from: Array(text.utf8))
        #expect(spec.otherPlatforms == ["windows", "vm", "zos", "freebsd"])
    }

    @Test("changes ordered maps in place")
    func orderedMap() {
        var map: OrderedMap = ["b": 1, "a": 2]
        map["b"] = 3
        map["c"] = 4
        map["a"] = nil
        map["d"] = nil
        #expect(map == ["b": 3, "c": 4])
        #expect(map != ["c": 4, "b": 3])
        #expect(map.map(\.value) == [3, 4])
    }

    @Test("gives a process without user the root user of the container")
    func noUser() throws {
        let process = try JSON.JSONDecoder().decode(OCISpec.Process.self, from: Array(#"{"cwd":"/"}"#.utf8))
        #expect(process.user == User(uid: 0, gid: 0))
    }

    @Test("the template is what the default fixtures say", arguments: [false, true])
    func template(rootless: Bool) throws {
        let name = rootless ? "config/valid/default-rootless.json" : "config/valid/default.json"
        let written = try JSON.JSONEncoder(indent: "\t").encode(RuntimeSpec.template(rootless: rootless))
        #expect(try sameData(written, Fixtures.bytes(name)))
    }

    @Test("never shows the values of environment variables")
    func redaction() throws {
        let bytes = Array(
            """
            {"ociVersion":"1.3.0","process":{"cwd":"/","env":["TOKEN=hunter2","hunter2"]},
            "hooks":{"poststop":[{"path":"/h","env":["KEY=hunter2=hunter2"]}]}}
            """.utf8
        )
        let spec = try JSON.JSONDecoder().decode(RuntimeSpec.self, from: bytes)
        var dumped = ""
        dump(spec, to: &dumped)
        let hook = try #require(spec.hooks?.poststop?.first)
        let process = try #require(spec.process)
        let texts = [
            dumped, "\(spec)", String(reflecting: spec), "\(process)", String(reflecting: process), "\(hook)",
            String(reflecting: hook), "\(String(describing: spec.hooks))",
        ]
        for text in texts {
            #expect(!text.contains("hunter2"))
        }
        #expect("\(process)".contains("TOKEN=<hidden>"))
        #expect("\(hook)".contains("KEY=<hidden>"))
    }
}

@Suite("Versions of the specification")
struct SpecVersionTests {
    @Test(
        "accepts SemVer 2.0.0 and prints it back",
        arguments: [
            "0.0.4", "1.3.0", "1.0.2-dev", "1.0.0-rc1", "1.3.0+dev", "1.0.0-alpha.1+build.5-x", "1.0.0--", "1.0.0+001",
            "10.20.30", "1.0.0-0A.is.legal", "1.0.0-x-y.7.z+a",
        ]
    )
    func valid(text: String) throws {
        #expect(try #require(SpecVersion(text)).description == text)
    }

    @Test(
        "refuses anything else",
        arguments: [
            "", "1", "1.3", "1.3.0.0", "v1.3.0", "1.3.x", "01.3.0", "1.03.0", "1.3.00", "1.3.0-", "1.3.0-01",
            "1.3.0-a..b",
            "1.3.0+", "1.3.0+a+b", "1.3.0-ä", " 1.3.0", "1.3.0\n", "-1.3.0", "+1.3.0", "1.+3.0", "1..0",
            "99999999999999999999.0.0", "1.3.0-rc_1",
        ]
    )
    func invalid(text: String) {
        #expect(SpecVersion(text) == nil)
    }

    @Test(
        "accepts the documents of 1.x",
        arguments: [
            ("1.0.0", true), ("1.0.2-dev", true), ("1.99.0", true), ("0.9.0", false), ("2.0.0-rc1", false),
        ]
    )
    func accepted(text: String, isAccepted: Bool) throws {
        #expect(try #require(SpecVersion(text)).isAccepted == isAccepted)
    }
}
