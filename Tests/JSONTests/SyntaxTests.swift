// What the reader accepts and refuses, with the exact sentence of each refusal.

import JSON
import OCISpec
import Testing

/// A value of any shape, to look at documents without a model.
indirect enum Free: JSONReadable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([Free])
    case object([Member])

    struct Member: Equatable {
        var name: String
        var value: Free
    }

    init(json: JSONValue) throws(JSONError) {
        switch json.kind {
        case .null: self = .null
        case .true, .false: self = .boolean(try json.boolean())
        case .number:
            if let value = try? Int64(json: json) {
                self = .integer(value)
            } else {
                self = .number(try json.floatingPoint())
            }
        case .string: self = .string(try json.string())
        case .array: self = .array(try json.list())
        case .object: self = .object(try json.members().all().map { Member(name: $0.key, value: $0.value) })
        }
    }
}

func read(_ text: String) throws(JSONError) -> Free {
    try JSON.JSONDecoder().decode(Free.self, from: Array(text.utf8))
}

/// Returns the sentence with which decoding fails, or nil.
func refusal<Value: JSONReadable>(of bytes: some Sequence<UInt8>, as type: Value.Type = Free.self) -> String? {
    do {
        _ = try JSON.JSONDecoder().decode(type, from: Array(bytes))
        return nil
    } catch {
        return error.description
    }
}

@Suite("Reading JSON text")
struct SyntaxTests {
    @Test(
        "accepts",
        arguments: [
            ("null", .null),
            (" true\r\n\t", .boolean(true)),
            ("-0", .integer(0)),
            ("-9223372036854775808", .integer(.min)),
            ("0.5", .number(0.5)),
            ("1E+2", .number(100)),
            ("1.25e-2", .number(0.0125)),
            (#""""#, .string("")),
            (#""a\/\"\\\b\f\n\r\t""#, .string("a/\"\\\u{8}\u{c}\n\r\t")),
            (#""\u0041\u00e9\u732B\ud83d\udc26\uD83D\uDC26""#, .string("Aé猫🐦🐦")),
            ("\"e\u{301}\u{7f}\u{10ffff}\"", .string("e\u{301}\u{7f}\u{10ffff}")),
            ("[]", .array([])),
            ("[ 1 , [ ] ,{}]", .array([.integer(1), .array([]), .object([])])),
            (
                #"{"b":1,"a":{"":2}}"#,
                .object([
                    .init(name: "b", value: .integer(1)),
                    .init(name: "a", value: .object([.init(name: "", value: .integer(2))])),
                ])
            ),
        ] as [(String, Free)]
    )
    func accepts(text: String, value: Free) throws {
        #expect(try read(text) == value)
    }

    @Test(
        "refuses",
        arguments: [
            ("", "expected a value, found the end of the document (line 1, column 1)"),
            (" \n ", "expected a value, found the end of the document (line 2, column 2)"),
            ("{} x", "expected the end of the document, found 'x' (line 1, column 4)"),
            ("[1]]", "expected the end of the document, found ']' (line 1, column 4)"),
            ("1 2", "expected the end of the document, found '2' (line 1, column 3)"),
            ("nul", "expected a value, found 'n' (line 1, column 1)"),
            ("nulL", "expected a value, found 'n' (line 1, column 1)"),
            ("NaN", "expected a value, found 'N' (line 1, column 1)"),
            ("Infinity", "expected a value, found 'I' (line 1, column 1)"),
            ("-Infinity", "expected a digit, found 'I' (line 1, column 2)"),
            ("+1", "expected a value, found '+' (line 1, column 1)"),
            (".5", "expected a value, found '.' (line 1, column 1)"),
            ("-", "expected a digit, found the end of the document (line 1, column 2)"),
            ("1.", "expected a digit, found the end of the document (line 1, column 3)"),
            ("1.e1", "expected a digit, found 'e' (line 1, column 3)"),
            ("1e", "expected a digit, found the end of the document (line 1, column 3)"),
            ("1e+-1", "expected a digit, found '-' (line 1, column 4)"),
            ("01", "a number must not start with a zero before other digits (line 1, column 1)"),
            ("-00", "a number must not start with a zero before other digits (line 1, column 2)"),
            ("0x10", "expected the end of the document, found 'x' (line 1, column 2)"),
            ("'a'", "expected a value, found ''' (line 1, column 1)"),
            ("// c\n1", "expected a value, found '/' (line 1, column 1)"),
            ("\u{a0}1", "expected a value, found the byte 0xC2 (line 1, column 1)"),
            ("\"a", "the string that starts here has no end (line 1, column 1)"),
            ("[\"a\\\"]", "[0]: the string that starts here has no end (line 1, column 2)"),
            (
                "\"a\nb\"",
                "the control character 0x0A in a string must be written as an escape (line 1, column 3)"
            ),
            (
                #""\x""#,
                #"a backslash in a string must be followed by one of " \ / b f n r t u (line 1, column 2)"#
            ),
            (#""\u12G4""#, #"expected four hexadecimal digits after \u (line 1, column 2)"#),
            (#""\u12"#, #"expected four hexadecimal digits after \u (line 1, column 2)"#),
            (#""\ud800""#, "contains one half of a surrogate pair without the other (line 1, column 2)"),
            (#""\udc00\ud800""#, "contains one half of a surrogate pair without the other (line 1, column 2)"),
            (#""\ud800\u0041""#, "contains one half of a surrogate pair without the other (line 1, column 2)"),
            (#""\ud800\n""#, "contains one half of a surrogate pair without the other (line 1, column 2)"),
            (
                #"{"process":{"env":["A=1","B=\u0000"]}}"#,
                "process.env[1]: contains U+0000, where the kernel would end the string (line 1, column 29)"
            ),
            (
                #"{"a\u0000b":1}"#,
                "contains U+0000, where the kernel would end the string (line 1, column 4)"
            ),
            ("[1,]", "[1]: expected a value, found ']' (line 1, column 4)"),
            ("[,1]", "[0]: expected a value, found ',' (line 1, column 2)"),
            ("[1 2]", "expected ',' or ']', found '2' (line 1, column 4)"),
            ("[1}", "expected ',' or ']', found '}' (line 1, column 3)"),
            ("[", "[0]: expected a value, found the end of the document (line 1, column 2)"),
            ("[1", "expected ',' or ']', found the end of the document (line 1, column 3)"),
            ("{", "expected a name in double quotes or '}', found the end of the document (line 1, column 2)"),
            ("{a:1}", "expected a name in double quotes or '}', found 'a' (line 1, column 2)"),
            ("{1:1}", "expected a name in double quotes or '}', found '1' (line 1, column 2)"),
            (#"{"a" 1}"#, "a: expected ':' after the name, found '1' (line 1, column 6)"),
            (#"{"a":}"#, "a: expected a value, found '}' (line 1, column 6)"),
            (#"{"a":1,}"#, "expected a name in double quotes, found '}' (line 1, column 8)"),
            (
                "{\n  \"é\": {\"b\": [{\"c\": 1 \"d\"}]}}",
                "[\"é\"].b[0]: expected ',' or '}', found '\"' (line 2, column 23)"
            ),
            (#"{"a":1,"b":2,"a":3}"#, "a: this name is given twice (line 1, column 14)"),
            (#"{"x":[{"ab":1,"\u0061b":2}]}"#, "x[0].ab: this name is given twice (line 1, column 15)"),
            (
                #"{"linux":{"sysctl":{"net.a":"1","net.a":"1"}}}"#,
                "linux.sysctl.net.a: this name is given twice (line 1, column 33)"
            ),
        ]
    )
    func refuses(text: String, sentence: String) {
        #expect(refusal(of: text.utf8) == sentence)
    }

    @Test("takes names with different bytes for different names")
    func namesAreBytes() throws {
        guard case .object(let members) = try read("{\"caf\u{e9}\":1,\"cafe\u{301}\":2}") else {
            Issue.record("not an object")
            return
        }
        #expect(members.map { $0.name.utf8.count } == [5, 6])
    }

    @Test("refuses a byte order mark")
    func byteOrderMark() {
        #expect(
            refusal(of: [0xEF, 0xBB, 0xBF] + Array("{}".utf8))
                == "the document starts with a byte order mark, which JSON does not allow (line 1, column 1)"
        )
    }

    @Test(
        "refuses invalid UTF-8 by key path",
        arguments: [
            [0x80], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
            [0xE2, 0x82],
        ] as [[UInt8]]
    )
    func invalidEncoding(sequence: [UInt8]) {
        let bytes = Array(#"{"env":["ok","x"#.utf8) + sequence + Array(#""]}"#.utf8)
        #expect(refusal(of: bytes) == "env[1]: the text is not valid UTF-8 (line 1, column 16)")
    }

    @Test("refuses zero bytes", arguments: ["\0", "\"a\0b\"", "{}\0", "[\0]"])
    func zeroBytes(text: String) throws {
        let sentence = try #require(refusal(of: text.utf8))
        #expect(sentence.contains("0x00"))
    }

    @Test("accepts 512 levels and refuses 513")
    func depth() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(refusal(of: nested(512).utf8) == nil)
        let path = String(repeating: "[0]", count: 512)
        #expect(refusal(of: nested(513).utf8) == "\(path): nested deeper than 512 levels (line 1, column 513)")
        // The reader must not use the stack for depth: this would end it.
        let endless = String(repeating: "{\"a\":", count: 1_000_000)
        #expect(refusal(of: endless.utf8)?.hasSuffix("(line 1, column 2561)") == true)
    }

    @Test("finds duplicates in large objects")
    func manyMembers() {
        var members = (0..<5000).map { "\"k\($0)\":\($0)" }
        #expect(refusal(of: "{\(members.joined(separator: ","))}".utf8, as: OrderedMap<Int>.self) == nil)
        members.append("\"k\\u0037\":0")
        let sentence = refusal(of: "{\(members.joined(separator: ","))}".utf8, as: OrderedMap<Int>.self)
        #expect(sentence?.hasPrefix("k7: this name is given twice") == true)
    }

    @Test("refuses every true prefix of a document and survives every single-byte change")
    func damagedDocuments() throws {
        let bytes = try Fixtures.bytes("config/valid/escapes.json")
        let end = (bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0)
        for length in 0..<end {
            #expect(refusal(of: bytes[..<length]) != nil)
        }
        for index in bytes.indices {
            for byte: UInt8 in [0x00, 0x22, 0x2C, 0x5C, 0x5B, 0x7D, 0xFF] {
                var damaged = bytes
                damaged[index] = byte
                _ = refusal(of: damaged)
            }
        }
    }
}
