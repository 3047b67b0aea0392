// The state directory and the record in it: atomically replaced, refused when damaged, and never taken for another's.

import Cgroups
import Configuration
import Diagnostics
import Foundation
import JSON
import LinuxSystem
import OCISpec
import Records
import Testing

/// A state root of its own, removed afterwards.
func withStateRoot(_ body: (StateRoot) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "apus-records-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(StateRoot(path: path))
}

func record(_ id: String, annotation: String = "value") throws -> ContainerRecord {
    let document: [String: Any] = [
        "ociVersion": "1.2.0", "root": ["path": "rootfs"], "annotations": ["key": annotation, "other \u{1f600}": ""],
        "process": ["cwd": "/", "args": ["true"], "user": ["uid": 0, "gid": 0]],
        "linux": ["namespaces": [["type": "pid"], ["type": "mount"]]],
        "hooks": ["poststop": [["path": "/bin/hook", "args": ["a\nb", "\u{1}"], "env": ["A=\"b\""], "timeout": 7]]],
    ]
    let bytes = [UInt8](try JSONSerialization.data(withJSONObject: document))
    let spec = try JSON.JSONDecoder().decode(RuntimeSpec.self, from: bytes)
    return ContainerRecord(
        id: id,
        configuration: try Validator.configuration(from: spec, bundle: "/bundle", facts: HostFacts()),
        bundle: "/bundle",
        created: "2026-01-01T00:00:00.000000000Z",
        owner: 7,
        bootID: try ProcessIdentity.bootID(),
        cgroups: CgroupPlacement(
            mode: .hybrid,
            locations: [CgroupLocation(hierarchy: "cpu,cpuacct", mountPoint: "/sys/fs/cgroup/cpu", path: "a/b c")],
            isRootless: true
        )
    )
}

/// The first line of what the body throws.
func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as Failure {
        return error.line
    } catch {
        return "\(error)"
    }
}

@Suite("State")
struct StateTests {
    /// Also where a name begins with an accent, which Swift takes for a part of the "/" before it.
    @Test func directoriesOfTheRootAreMade() throws {
        try withStateRoot { root in
            _ = try StateRoot(path: root.path + "/middle/\u{301}inner").reserve("web")
            #expect(try FileManager.default.contentsOfDirectory(atPath: root.path + "/middle/\u{301}inner") == ["web"])
        }
    }

    @Test(arguments: ["value", "quote \" backslash \\ \u{1}\u{1f}\n", "\u{1f600}"])
    func aRecordComesBack(annotation: String) throws {
        try withStateRoot { root in
            let directory = try root.reserve("web")
            #expect(try directory.readRecord() == nil)
            let written = try record("web", annotation: annotation)
            try directory.write(written)
            let first = try #require(try directory.readRecord())
            #expect(first.phase == .creating && first.pid == 0)
            try directory.recordProcess(pid: 42, startTime: .max)
            try directory.markCreated()
            let read = try #require(try directory.readRecord())
            #expect(read.phase == .created)
            #expect(read.id == "web" && read.pid == 42 && read.startTime == .max && read.owner == 7)
            #expect(
                read.bundle == "/bundle" && read.rootfs == "/bundle/rootfs" && read.ownsPIDNamespace && read.hasProcess
            )
            #expect(read.annotations.map(\.value).sorted() == ["", annotation].sorted())
            #expect(read.poststop.map(\.hook) == written.poststop.map(\.hook))
            #expect(read.cgroups.placement == written.cgroups.placement)
            #expect(read.bootID == written.bootID)
            try directory.remove()
            #expect(try root.identifiers().isEmpty)
        }
    }

    @Test func anIDIsGivenOnce() throws {
        try withStateRoot { root in
            let first = try root.reserve("web")
            try first.write(try record("web"))
            #expect(failure { _ = try root.reserve("web") } == "container with given ID already exists: web")
            #expect(try root.identifiers() == ["web"])
            #expect(try root.openIfPresent("other", lock: nil) == nil)
        }
    }

    @Test func whatIsDamagedIsSaidToBe() throws {
        try withStateRoot { root in
            let directory = try root.reserve("web")
            try directory.write(try record("web"))
            let path = directory.path + "/state.json"
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            #expect(bytes.count > 200)
            // Every way in which a disk may have kept only the beginning.
            for length in stride(from: 0, to: bytes.count - 2, by: 7) {
                try Data(bytes.prefix(length)).write(to: URL(fileURLWithPath: path))
                let line = failure { _ = try directory.readRecord() } ?? "nothing"
                #expect(line.contains("state.json is damaged"), "\(length): \(line)")
            }
            try Data(repeating: 0, count: bytes.count).write(to: URL(fileURLWithPath: path))
            #expect(failure { _ = try directory.readRecord() }?.contains("is damaged") == true)
            let later = String(decoding: bytes, as: UTF8.self).replacingOccurrences(
                of: "\"layout\":1",
                with: "\"layout\":99"
            )
            try Data(later.utf8).write(to: URL(fileURLWithPath: path))
            #expect(failure { _ = try directory.readRecord() }?.contains("layout 99") == true)
        }
    }

    @Test func aDamagedProcessIsSaidToBe() throws {
        try withStateRoot { root in
            let directory = try root.reserve("web")
            try directory.write(try record("web"))
            for target in ["42", "42 ", " 7", "x 7", "42 7 8"] {
                let link = directory.path + "/init"
                try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
                #expect(failure { _ = try directory.readRecord() } == "\(link) is damaged", "\(target)")
                try FileManager.default.removeItem(atPath: link)
            }
        }
    }

    /// Readers while a writer writes: each sees a whole record.
    @Test func noReaderSeesHalfARecord() throws {
        try withStateRoot { root in
            let directory = try root.reserve("web")
            let written = try record("web", annotation: String(repeating: "x", count: 50_000))
            try directory.write(written)
            let path = root.path
            let reader = Thread {
                for _ in 0..<300 {
                    let seen = failure { _ = try StateRoot(path: path).openIfPresent("web", lock: nil)?.readRecord() }
                    #expect(seen == nil)
                }
            }
            reader.start()
            for _ in 0..<300 { try directory.write(written) }
            while !reader.isFinished { usleep(1000) }
        }
    }
}

@Suite("Process identity")
struct ProcessIdentityTests {
    @Test func thisProcess() throws {
        let facts = try #require(try ProcessIdentity.facts(pid: getpid()))
        #expect(facts.startTime > 0)
        #expect(try ProcessIdentity.bootID().count == 36)
        #expect(try ProcessIdentity.facts(pid: 0x3fff_ffff) == nil)
    }

    /// The name of a program may look like the fields after it.
    @Test func aNameMayHoldAnything() throws {
        let path = NSTemporaryDirectory() + "x) R 1 (\(UInt8.random(in: 0...99)) "
        defer { unlink(path) }
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: path)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = ["100"]
        try process.run()
        defer { process.terminate() }
        let own = try #require(try ProcessIdentity.facts(pid: getpid()))
        let facts = try #require(try ProcessIdentity.facts(pid: process.processIdentifier))
        #expect(facts.startTime >= own.startTime)
        #expect([UInt8(ascii: "S"), UInt8(ascii: "R"), UInt8(ascii: "D")].contains(facts.state))
    }

    @Test func anotherStartOrBootIsAnother() throws {
        var named = try record("web")
        named.pid = getpid()
        named.startTime = try #require(try ProcessIdentity.facts(pid: getpid())).startTime
        #expect(try ProcessIdentity.open(named) != nil)
        named.startTime += 1
        #expect(try ProcessIdentity.open(named) == nil)
        named.startTime -= 1
        named.bootID = "00000000-0000-0000-0000-000000000000"
        #expect(try ProcessIdentity.open(named) == nil)
        named.pid = 0
        #expect(try ProcessIdentity.open(named) == nil)
    }

    /// A number that was a process's may be given to a thread: the kernel's answer is another one than "no process".
    @Test func aThreadIsNoProcess() throws {
        var named = try record("web")
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") where name != "\(getpid())" {
            named.pid = try #require(CInt(name))
        }
        try #require(named.pid != 42)
        #expect(try ProcessIdentity.open(named) == nil)
    }
}
