// The text that the writer and the encoder produce, byte by byte.

import JSON
import OCISpec
import Testing

private func text<Value: Encodable>(_ value: Value, indent: String? = nil) throws -> String {
    String(decoding: try JSON.JSONEncoder(indent: indent).encode(value), as: UTF8.self)
}

/// A value that asks for no container and writes nothing.
private struct Silent: Encodable {
    func encode(to encoder: any Encoder) throws {}
}

@Suite("Writing")
struct WritingTests {
    @Test("writes members in the order of declaration, on one line")
    func compact() throws {
        var state = State(ociVersion: "1.3.0", id: "web1", status: .running, bundle: "/b")
        state.pid = 42
        state.annotations = ["z": "1", "a": "2"]
        #expect(
            try text(state)
                == #"{"ociVersion":"1.3.0","id":"web1","status":"running","pid":42,"bundle":"/b","#
                + #""annotations":{"z":"1","a":"2"}}"#
        )
    }

    @Test("indents by the text it is given")
    func pretty() throws {
        var hooks = Hooks()
        hooks.poststop = [Hook(path: "/h", args: ["h", "1"], env: [])]
        #expect(
            try text(hooks, indent: "\t") == """
                {
                \t"poststop": [
                \t\t{
                \t\t\t"path": "/h",
                \t\t\t"args": [
                \t\t\t\t"h",
                \t\t\t\t"1"
                \t\t\t],
                \t\t\t"env": []
                \t\t}
                \t]
                }
                """
        )
    }

    @Test(
        "escapes what JSON demands and nothing else",
        arguments: [
            ("a\"b\\c/d", #""a\"b\\c/d""#),
            ("\n\r\t\u{8}\u{c}\u{1}\u{1f}\u{7f}", #""\n\r\t\u0008\u000c\u0001\u001f\u007f""#),
            ("é猫🐦e\u{301}<>&\u{2028}", "\"é猫🐦e\u{301}<>&\u{2028}\""),
            ("", #""""#),
        ]
    )
    func escapes(value: String, expected: String) throws {
        #expect(try text(value) == expected)
        #expect(try JSON.JSONDecoder().decode(String.self, from: Array(expected.utf8)) == value)
    }

    /// Texts are looked at eight bytes at a time, wherever in them something special is.
    @Test("escapes at every place", arguments: ["\"", "\\", "\n", "\u{1f}", "\u{7f}"])
    func everyPlace(special: String) throws {
        let escape = try text(special).dropFirst().dropLast()
        for length in 0..<20 {
            for place in 0...length {
                for filler in ["a", " ", "~", "é"] {
                    let before = String(repeating: filler, count: place)
                    let after = String(repeating: filler, count: length - place)
                    #expect(try text(before + special + after) == "\"\(before)\(escape)\(after)\"")
                    #expect(
                        try JSON.JSONDecoder().decode(String.self, from: Array("\"\(before)\(escape)\(after)\"".utf8))
                            == before + special + after
                    )
                    guard special == "\n" else { continue }
                    #expect(throws: JSONError.self) {
                        try JSON.JSONDecoder().decode(String.self, from: Array("\"\(before)\n\(after)\"".utf8))
                    }
                }
            }
        }
    }

    @Test("writes single values and empty containers", arguments: [nil, "  "] as [String?])
    func small(indent: String?) throws {
        #expect(try text(true, indent: indent) == "true")
        #expect(try text([Int](), indent: indent) == "[]")
        #expect(try text(OrderedMap<String>(), indent: indent) == "{}")
        #expect(try text(OtherPlatform(), indent: indent) == "{}")
        #expect(try text(Hooks(), indent: indent) == "{}")
        #expect(try text([Silent()]) == "[{}]")
        #expect(try text(Int?.none, indent: indent) == "null")
        #expect(try text([1.5, -0.25, 1e300]).hasPrefix("[1.5,-0.25,1e+300"))
    }

    @Test("refuses numbers that JSON cannot write", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(value: Double) {
        #expect(throws: JSONError.self) { try JSON.JSONEncoder().encode([value]) }
    }

    @Test("follows nested containers, and closes them when the outer one goes on")
    func nested() throws {
        struct Nested: Encodable {
            enum Name: CodingKey { case a, b, c, d }
            func encode(to encoder: any Encoder) throws {
                var outer = encoder.container(keyedBy: Name.self)
                var inner = outer.nestedContainer(keyedBy: Name.self, forKey: .a)
                try inner.encode(1, forKey: .b)
                var list = inner.nestedUnkeyedContainer(forKey: .c)
                try list.encode("x")
                try list.encodeNil()
                try outer.encode(2, forKey: .d)
            }
        }
        #expect(try text(Nested()) == #"{"a":{"b":1,"c":["x",null]},"d":2}"#)
    }

    @Test("refuses to write into a container that was left")
    func left() {
        struct Late: Encodable {
            enum Name: CodingKey { case a, b }
            func encode(to encoder: any Encoder) throws {
                var outer = encoder.container(keyedBy: Name.self)
                var inner = outer.nestedContainer(keyedBy: Name.self, forKey: .a)
                try outer.encode(2, forKey: .b)
                try inner.encode(1, forKey: .b)
            }
        }
        #expect(throws: JSONError.self) { try JSON.JSONEncoder().encode(Late()) }
    }

    @Test("writes by hand")
    func byHand() {
        let writer = JSONWriter()
        writer.beginObject()
        writer.name("level")
        writer.string("error")
        writer.name("codes")
        writer.beginArray()
        writer.integer(-1)
        writer.boolean(false)
        writer.null()
        writer.number(0.5)
        writer.end()
        writer.end()
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"level":"error","codes":[-1,false,null,0.5]}"#)
        #expect(writer.depth == 0)
    }
}
