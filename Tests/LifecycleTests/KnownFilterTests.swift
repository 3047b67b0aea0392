// A filter that was compiled before: what a container does and what is refused must be the same as the first time.

import Foundation
import Testing

@Suite("Known filters", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct KnownFilterTests {
    private func document(_ box: Sandbox, _ script: String) -> Document {
        var document = box.document(script)
        document.change("linux") { linux in
            let rule: Document = ["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99]
            linux["seccomp"] = ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]] as Document
        }
        return document
    }

    private func entries(_ box: Sandbox) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: box.stateRoot + "/.cache/seccomp")
    }

    @Test func holdTheSecondTime() throws {
        try Sandbox.use("knownfilter") { box in
            try box.configure(document(box, "cat /proc/self/status; busybox mkdir /tmp/made"))
            var inodes: Set<UInt64> = []
            for _ in 0..<3 {
                let outcome = try box.apus("run", box.id)
                #expect(outcome.output.contains("Seccomp_filters:\t1"), "\(outcome)")
                #expect(outcome.errors.contains("Cannot assign requested address"), "\(outcome)")
                let entry = box.stateRoot + "/.cache/seccomp/" + (try #require(entries(box).first))
                var facts = stat()
                #expect(stat(entry, &facts) == 0)
                inodes.insert(UInt64(facts.st_ino))
            }
            // What is known is not written again.
            #expect(inodes.count == 1)
            #expect(try entries(box).count == 1)
        }
    }

    @Test func holdForExec() throws {
        try Sandbox.use("knownexec") { box in
            try box.configure(document(box, "while :; do sleep 1000; done"))
            try box.succeed("run", "--detach", box.id)
            // Known; compiled anew; and known again.
            for round in 0..<3 {
                if round == 1 { try FileManager.default.removeItem(atPath: box.stateRoot + "/.cache") }
                let outcome = try box.apus("exec", box.id, "/bin/busybox", "mkdir", "/tmp/made")
                #expect(outcome.errors.contains("Cannot assign requested address"), "\(outcome)")
                #expect(try entries(box).count == 1)
            }
            try box.succeed("delete", "--force", box.id)
        }
    }

    /// What is said of a section's unknown calls is said again, and refused where that is asked for.
    @Test func areRefusedLater() throws {
        try Sandbox.use("knownstrict") { box in
            var document = box.document("exit 0")
            document.change("linux") { linux in
                let rule: Document = ["names": ["mkdir", "no_such_call"], "action": "SCMP_ACT_ERRNO"]
                linux["seccomp"] = ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]] as Document
            }
            let data = try JSONSerialization.data(withJSONObject: document, options: .sortedKeys)
            let text = String(decoding: data, as: UTF8.self)
            let strict = text.dropLast() + #","annotations":{"run.oci.seccomp_fail_unknown_syscall":"1"}}"#
            let path = "\(box.bundle)/config.json"
            func messages(_ text: some StringProtocol) throws -> Outcome {
                try text.write(toFile: path, atomically: true, encoding: .utf8)
                return try box.apus("--debug", "run", box.id)
            }
            for _ in 0..<2 {
                let lax = try messages(text)
                #expect(lax.status == 0 && lax.errors.contains("does not know no_such_call: skipped"), "\(lax)")
            }
            #expect(try entries(box).count == 1)
            let refused = try messages(strict)
            #expect(refused.status == 1 && refused.errors.contains("does not know no_such_call"), "\(refused)")
            #expect(try entries(box).count == 1)
        }
    }

    /// The rest of the document is checked as ever, and so is the text around the section.
    @Test func excuseNothingElse() throws {
        try Sandbox.use("knownerrors") { box in
            let good = document(box, "exit 0")
            try box.configure(good)
            let path = "\(box.bundle)/config.json"
            let text = try #require(box.contents(path))
            let section = try #require(text.firstMatch(of: /"seccomp":(\{"(?:[^{}]|\{[^{}]*\})*\})/)?.1)
            let wrongs = [
                (text.replacing("\"cwd\":\"\\/\"", with: "\"cwd\":\"relative\""), "process.cwd: "),
                (text.replacing(section, with: section + ","), "expected "),
                (text.replacing(section, with: "\(section),\"seccomp\":\(section)"), "this name is given twice"),
                (
                    text.replacing(section, with: section.replacing("\"SCMP_ACT_ALLOW\"", with: "\"SCMP_ACT_ALLO\"")),
                    "linux.seccomp.defaultAction: "
                ),
                (
                    text.replacing(section, with: section.replacing("\"errnoRet\":99", with: "\"errnoRet\":\"99\"")),
                    "linux.seccomp.syscalls[0].errnoRet: "
                ),
            ]
            func messages() throws -> [String] {
                try wrongs.map { wrong, expected in
                    try wrong.write(toFile: path, atomically: true, encoding: .utf8)
                    let outcome = try box.apus("run", box.id)
                    #expect(outcome.status == 1 && outcome.errors.contains(expected), "\(outcome)")
                    return outcome.errors
                }
            }
            let before = try messages()
            #expect(!FileManager.default.fileExists(atPath: box.stateRoot))
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            try box.succeed("run", box.id)
            #expect(try entries(box).count == 1)
            #expect(try messages() == before)
            #expect(try entries(box).count == 1)
        }
    }
}
