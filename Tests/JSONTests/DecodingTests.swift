// What the decoder makes of values that do not fit the type: the key path, what was found and what is accepted.

import JSON
import OCISpec
import Testing

/// A config with `process` and `rest` filled in, valid where they are empty.
private func config(process: String = "", rest: String = "") -> String {
    #"{"ociVersion":"1.3.0","process":{"cwd":"/"\#(process)}\#(rest)}"#
}

@Suite("Decoding")
struct DecodingTests {
    @Test(
        "names the value at fault",
        arguments: [
            ("[]", "expected an object, found an array"),
            ("{}", "ociVersion: required, but missing"),
            (#"{"ociVersion":null}"#, "ociVersion: expected a string, found null"),
            (#"{"ociVersion":1.3}"#, "ociVersion: expected a string, found a number"),
            (#"{"ociVersion":"1.3.0","process":{}}"#, "process.cwd: required, but missing"),
            (config(process: #","args":"sh""#), "process.args: expected an array, found a string"),
            (config(process: #","args":[1]"#), "process.args[0]: expected a string, found a number"),
            (config(process: #","args":["a",null]"#), "process.args[1]: expected a string, found null"),
            (config(process: #","args":["a",{}]"#), "process.args[1]: expected a string, found an object"),
            (config(process: #","terminal":1"#), "process.terminal: expected true or false, found a number"),
            (config(process: #","terminal":"true""#), "process.terminal: expected true or false, found a string"),
            (config(process: #","user":{"gid":0}"#), "process.user.uid: required, but missing"),
            (
                config(process: #","user":{"uid":-1,"gid":0}"#),
                "process.user.uid: expected an integer from 0 to 4294967295, found -1"
            ),
            (
                config(process: #","user":{"uid":4294967296,"gid":0}"#),
                "process.user.uid: expected an integer from 0 to 4294967295, found 4294967296"
            ),
            (
                config(process: #","user":{"uid":"0","gid":0}"#),
                "process.user.uid: expected an integer from 0 to 4294967295, found a string"
            ),
            (
                config(process: #","user":{"uid":0,"gid":0,"additionalGids":[1,2.5]}"#),
                "process.user.additionalGids[1]: expected an integer from 0 to 4294967295, found 2.5"
            ),
            (
                config(
                    rest: #","mounts":[{"destination":"/a"},{"destination":"/b"},{"destination":"/c","options":[7]}]"#
                ),
                "mounts[2].options[0]: expected a string, found a number"
            ),
            (config(rest: #","mounts":[{"type":"tmpfs"}]"#), "mounts[0].destination: required, but missing"),
            (config(rest: #","mounts":[null]"#), "mounts[0]: expected an object, found null"),
            (config(rest: #","mounts":{}"#), "mounts: expected an array, found an object"),
            (config(rest: #","annotations":{"a.b":1}"#), "annotations.a.b: expected a string, found a number"),
            (config(rest: #","annotations":{"a b\n":1}"#), #"annotations["a b\n"]: expected a string, found a number"#),
            (config(rest: #","annotations":{"":1}"#), #"annotations[""]: expected a string, found a number"#),
            (
                config(rest: #","linux":{"sysctl":{"net.core.somaxconn":256}}"#),
                "linux.sysctl.net.core.somaxconn: expected a string, found a number"
            ),
            (
                config(rest: #","linux":{"resources":{"memory":{"limit":9223372036854775808}}}"#),
                "linux.resources.memory.limit: expected an integer from -9223372036854775808 to 9223372036854775807, "
                    + "found 9223372036854775808"
            ),
            (
                config(rest: #","linux":{"resources":{"blockIO":{"weight":65536}}}"#),
                "linux.resources.blockIO.weight: expected an integer from 0 to 65535, found 65536"
            ),
            (
                config(rest: #","linux":{"timeOffsets":{"boottime":{"nanosecs":-5}}}"#),
                "linux.timeOffsets.boottime.nanosecs: expected an integer from 0 to 4294967295, found -5"
            ),
            (
                config(
                    rest: #","linux":{"seccomp":{"defaultAction":"A","#
                        + #""syscalls":[{"names":[],"action":"B","args":[{}]}]}}"#
                ),
                "linux.seccomp.syscalls[0].args[0].index: required, but missing"
            ),
            (config(rest: #","windows":3,"vm":[]"#), nil),
            (config(rest: #","hooks":{"poststop":[{"timeout":1}]}"#), "hooks.poststop[0].path: required, but missing"),
        ] as [(String, String?)]
    )
    func mismatches(text: String, sentence: String?) {
        let found = refusal(of: text.utf8, as: RuntimeSpec.self)
        let place = found?.range(of: " (line 1, column ")
        #expect(place.map { String(found?[..<$0.lowerBound] ?? "") } == sentence)
    }

    @Test("counts lines and columns")
    func position() {
        let text = "{\n\t\"ociVersion\": \"é\",\n\t\"root\": {\n\t\t\"path\": \"p\",\n\t\t\"readonly\": 0\n\t}\n}\n"
        #expect(
            refusal(of: text.utf8, as: RuntimeSpec.self)
                == "root.readonly: expected true or false, found a number (line 5, column 15)"
        )
        let missing = "{\"ociVersion\": \"é\", \"root\":\n {}}"
        #expect(
            refusal(of: missing.utf8, as: RuntimeSpec.self)
                == "root.path: required, but missing (line 2, column 2)"
        )
    }

    @Test("never quotes the content of strings")
    func secrets() {
        let text = config(process: #","env":["OK=1"],"oomScoreAdj":"hunter2""#)
        #expect(refusal(of: text.utf8, as: RuntimeSpec.self)?.contains("hunter2") == false)
    }

    @Test(
        "reads integers exactly",
        arguments: [
            ("18446744073709551615", UInt64.max),
            ("9007199254740993", 9_007_199_254_740_993),
            ("0", 0),
            ("-0", 0),
        ]
    )
    func integers(text: String, value: UInt64) throws {
        #expect(try JSON.JSONDecoder().decode(UInt64.self, from: Array(text.utf8)) == value)
    }

    @Test(
        "refuses integers that are not plain, or do not fit",
        arguments: [
            "1.0", "1e3", "1E0", "-1", "18446744073709551616", "184467440737095516150", "0.0",
        ]
    )
    func notIntegers(text: String) {
        #expect(
            refusal(of: text.utf8, as: UInt64.self)
                == "expected an integer from 0 to 18446744073709551615, found \(text) (line 1, column 1)"
        )
    }

    @Test("reads the limits of every width")
    func widths() throws {
        func check<Value: FixedWidthInteger & JSONReadable & Encodable>(_ type: Value.Type) throws {
            for value in [Value.min, Value.max] {
                let text = Array("[\(value)]".utf8)
                #expect(try JSON.JSONDecoder().decode([Value].self, from: text) == [value])
                #expect(try JSON.JSONEncoder().encode([value]) == text)
            }
            #expect(refusal(of: "\(Value.max)0".utf8, as: type) != nil)
        }
        try check(Int8.self)
        try check(Int16.self)
        try check(Int32.self)
        try check(Int64.self)
        try check(Int.self)
        try check(UInt8.self)
        try check(UInt16.self)
        try check(UInt32.self)
        try check(UInt64.self)
        try check(UInt.self)
    }

    @Test("cuts long numbers in messages")
    func longNumber() {
        let text = String(repeating: "9", count: 1000)
        #expect(refusal(of: text.utf8, as: Int.self)?.utf8.count ?? 1000 < 200)
    }

    @Test("takes a number too large for floating point as an error")
    func largeNumber() {
        #expect(
            refusal(of: "1e999".utf8, as: Double.self)
                == "expected a number within +-1.8e308, found 1e999 (line 1, column 1)"
        )
    }

    @Test("finds members in any order, and again")
    func memberOrder() throws {
        struct Twice: JSONReadable {
            var a: Int
            var b: Int
            var again: Int
            init(json: JSONValue) throws(JSONError) {
                var members = try json.members()
                b = try members.required("b")
                a = try members.required("a")
                again = try members.required("b")
                let missing: Int? = try members.optional("missing")
                #expect(missing == nil)
            }
        }
        let text = Array(#"{"ab":8,"a":1,"x":[9,{"b":7}],"b":2,"c":0}"#.utf8)
        let value = try JSON.JSONDecoder().decode(Twice.self, from: text)
        #expect(value.a == 1 && value.b == 2 && value.again == 2)
    }

    @Test("compares names after their escapes")
    func escapedNames() throws {
        let process = try JSON.JSONDecoder().decode(OCISpec.Process.self, from: Array(#"{"c\u0077d":"/x"}"#.utf8))
        #expect(process.cwd == "/x")
    }

    @Test("keeps the order of free objects")
    func order() throws {
        let names = (0..<200).map { "k\(($0 * 37) % 200)" }
        let text = "{" + names.map { "\"\($0)\":\"v\"" }.joined(separator: ",") + "}"
        let map = try JSON.JSONDecoder().decode(OrderedMap<String>.self, from: Array(text.utf8))
        #expect(map.keys == names)
        #expect(try JSON.JSONEncoder().encode(map) == Array(text.utf8))
    }
}
