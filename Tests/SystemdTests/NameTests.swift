// Names of units, values of annotations, addresses and versions: all that is text.

import DBus
import Diagnostics
import LinuxSystem
import Systemd
import Testing

@Suite("unit names")
struct NameTests {
    static let good: [(path: String?, isUser: Bool, unit: String, where: String)] = [
        ("", true, "apus-web.scope", "user.slice/apus-web.scope"),
        ("system.slice:docker:0123", false, "docker-0123.scope", "system.slice/docker-0123.scope"),
        (":libpod:0123", false, "libpod-0123.scope", "system.slice/libpod-0123.scope"),
        (":libpod:0123", true, "libpod-0123.scope", "user.slice/libpod-0123.scope"),
        ("-.slice::name", false, "name.scope", "name.scope"),
        (
            "kubepods-burstable-pod1_2.slice:cri-containerd:ab", false, "cri-containerd-ab.scope",
            "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-ab.scope"
        ),
    ]

    @Test func pathsBecomeUnits() throws {
        for (path, isUser, unit, place) in Self.good {
            let name = try ScopeName(cgroupsPath: path, id: "web", isUser: isUser)
            #expect(name.unit == unit)
            #expect(name.path == place)
        }
        // No unit may be called by a plus sign.
        #expect(try ScopeName(cgroupsPath: nil, id: "a+b", isUser: false).unit == "apus-a\\x2bb.scope")
    }

    static let bad: [(path: String, words: String)] = [
        (
            "/a/b",
            "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"/a/b\" instead"
        ),
        ("a:b", "got \"a:b\" instead"), ("a:b:c:d", "got \"a:b:c:d\" instead"),
        ("a:b:c", "\"a\" is not the name of a slice"), ("a--b.slice:x:y", "is not the name of a slice"),
        ("-a.slice:x:y", "is not the name of a slice"), ("a/b.slice:x:y", "is not the name of a slice"),
        ("../x.slice:x:y", "is not the name of a slice"), (".slice:x:y", "is not the name of a slice"),
        ("a.slice:x:", "must not be empty or a slice"), ("a.slice:x:y.slice", "must not be empty or a slice"),
        ("a.slice:x:y/z", "is not the name of a unit"), ("a.slice:x y:z", "is not the name of a unit"),
    ]

    @Test func otherPathsAreRefused() {
        for (path, words) in Self.bad {
            #expect {
                _ = try ScopeName(cgroupsPath: path, id: "web", isUser: false)
            } throws: { error in
                let line = (error as? Failure)?.line ?? ""
                #expect(line.contains(words), "\(path): \(line)")
                return line.contains("linux.cgroupsPath")
            }
        }
    }
}

@Suite("properties of annotations")
struct PropertyTests {
    static let values: [(String, DBusValue)] = [
        ("true", .boolean(true)), (" false ", .boolean(false)), ("5", .int32(5)), ("-5", .int32(-5)),
        ("0x10", .int32(16)), ("010", .int32(8)), ("1.5", .double(1.5)), ("uint64 5", .uint64(5)),
        ("@t 5", .uint64(5)), ("int64 -1", .int64(-1)), ("byte 255", .byte(255)), ("double 2", .double(2)),
        ("uint64 18446744073709551615", .uint64(.max)), ("'a b'", .string("a b")), ("\"it's\"", .string("it's")),
        (#"'a\'b\\c\n\u00e4'"#, .string("a'b\\c\nä")), ("objectpath '/a/b'", .objectPath("/a/b")),
        ("['a', 'b']", .array(of: .string, [.string("a"), .string("b")])), ("@as []", .array(of: .string, [])),
        ("[uint32 1, 2]", .array(of: .uint32, [.uint32(1), .uint32(2)])), ("@ay [1, 2]", .bytes([1, 2])),
        (
            "@a(st) [('/dev/vda', 5)]",
            .array(of: .structure([.string, .uint64]), [.structure([.string("/dev/vda"), .uint64(5)])])
        ),
        ("('a', true)", .structure([.string("a"), .boolean(true)])),
    ]

    @Test func valuesAreRead() throws {
        for (text, value) in Self.values { #expect(try PropertyText.parse(text) == value, "\(text)") }
    }

    static let wrong: [(String, String)] = [
        ("", "the value is missing"), ("maybe", "\"maybe\" is not a value"), ("'a", "has no end"),
        ("[1, 2", "has no end"),
        ("[1 2]", "a comma is missing"), ("[1, 'a']", "is of type string, not int32"), ("[]", "needs its type"),
        ("5 6", "\"6\" follows the value"), ("byte 256", "256 is not a number of type byte"),
        ("uint64 -1", "-1 is not a number of type uint64"), ("99999999999", "is not a number of type int32"),
        ("uint64 'x'", "is of type string, not uint64"), ("@z 1", "\"@z\" is not a type"), ("()", "without members"),
        ("1e999", "is not a number of type double"), (#"'\uD800'"#, "is not a character"),
        ("objectpath 'x'", "not objectpath"),
        (String(repeating: "[", count: 40), "brackets in each other"),
    ]

    @Test func otherTextsAreRefused() {
        for (text, words) in Self.wrong {
            do throws(PropertyProblem) {
                Issue.record("\(text) became \(try PropertyText.parse(text))")
            } catch {
                #expect(error.text.contains(words), "\(text): \(error.text)")
            }
        }
    }

    static let annotations: [(String, String, UnitProperty)] = [
        ("TimeoutStopSec", "5", UnitProperty("TimeoutStopUSec", .uint64(5_000_000))),
        ("TimeoutStopSec", "uint64 90", UnitProperty("TimeoutStopUSec", .uint64(90_000_000))),
        ("RuntimeMaxSec", "1.5", UnitProperty("RuntimeMaxUSec", .uint64(1_500_000))),
        // A number becomes the property's own type.
        ("TimeoutStopUSec", "5", UnitProperty("TimeoutStopUSec", .uint64(5))),
        ("DefaultDependencies", "true", UnitProperty("DefaultDependencies", .boolean(true))),
        ("After", "['a.service']", UnitProperty("After", .array(of: .string, [.string("a.service")]))),
        ("After", "[]", UnitProperty("After", .array(of: .string, []))),
        ("CollectMode", "'inactive'", UnitProperty("CollectMode", .string("inactive"))),
        ("SomethingNew", "uint32 1", UnitProperty("SomethingNew", .uint32(1))),
    ]

    @Test func annotationsBecomeProperties() throws {
        for (name, text, property) in Self.annotations {
            #expect(try UnitProperty(annotation: "org.systemd.property.\(name)", text) == property)
        }
        #expect(try UnitProperty(annotation: "org.systemd.other", "5") == nil)
    }

    static let refused: [(String, String, String)] = [
        ("", "1", "is not the name of a property"), ("ab", "1", "is not the name of a property"),
        ("A B C", "1", "is not the name of a property"), ("Exec;Start", "1", "is not the name of a property"),
        ("Slice", "'x.slice'", "is decided by linux.cgroupsPath"), ("PIDs", "[uint32 1]", "is decided by"),
        ("TimeoutStopSec", "'5'", "is of type string, not a number of seconds"),
        ("TimeoutStopSec", "-5", "-5 is not a number of seconds"),
        ("TimeoutStopUSec", "'5'", "is of type string, not uint64"),
        ("DefaultDependencies", "1", "1 is a number, not of type boolean"),
        ("After", "'a.service'", "is of type string, not array of strings"),
    ]

    @Test func otherAnnotationsAreRefusedByName() {
        for (name, text, words) in Self.refused {
            #expect {
                _ = try UnitProperty(annotation: "org.systemd.property.\(name)", text)
            } throws: { error in
                let line = (error as? Failure)?.line ?? ""
                #expect(line.contains(words), "\(name): \(line)")
                return line.contains("annotations[\"org.systemd.property.\(name)\"]: ")
            }
        }
    }

    @Test func randomTextsNeverTrap() {
        var state: UInt64 = 7
        let letters = Array("[](){}'\"\\@astuvy0123456789.-+, truefalsuint64xU".utf8)
        for _ in 0..<5_000 {
            var text: [UInt8] = []
            for _ in 0..<24 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text.append(letters[Int(state >> 33) % letters.count])
            }
            _ = try? PropertyText.parse(String(decoding: text, as: UTF8.self))
        }
    }
}

@Suite("instances")
struct InstanceTests {
    @Test func theEnvironmentSaysWhere() throws {
        let environment = ["DBUS_SYSTEM_BUS_ADDRESS=unix:path=/a", "DBUS_SESSION_BUS_ADDRESS=unix:abstract=b"]
        #expect(try SystemdInstance.system.addresses(environment: environment) == [BusAddress(.path("/a"))])
        #expect(try SystemdInstance.user(7).addresses(environment: environment) == [BusAddress(.abstract("b"))])
        #expect { try SystemdInstance.system.addresses(environment: ["DBUS_SYSTEM_BUS_ADDRESS=tcp:x"]) } throws: {
            ($0 as? Failure)?.line.contains("DBUS_SYSTEM_BUS_ADDRESS: \"tcp:x\" has no unix socket") == true
        }
    }

    @Test func idsAreThoseOfTheMachine() {
        let map = "         0       1000          1\n         1     100000      65536\n"
        #expect(UserNamespaces.outer(0, map: map) == 1000)
        #expect(UserNamespaces.outer(5, map: map) == 100_004)
        #expect(UserNamespaces.outer(70_000, map: map) == nil)
        #expect(UserNamespaces.outer(7, map: "0 0 4294967295\n") == 7)
    }

    @Test func theTimeIsANumber() {
        for text in ["", "0", "x", "-1", "601", "1.5"] {
            #expect(throws: Failure.self) { try ConversationLimit.deadline(environment: ["APUS_DBUS_TIMEOUT=\(text)"]) }
        }
        #expect(throws: Never.self) { try ConversationLimit.deadline(environment: ["APUS_DBUS_TIMEOUT=1"]) }
    }
}
