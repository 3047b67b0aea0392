// What `--log --log-format json` writes when a command fails: one line a failure, whole, by its class. Tools decide by
// these fields, so the lines are compared as they stand.

import Foundation
import Testing

@Suite("JSON log lines", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct LogLineTests {
    /// The lines that a failing command wrote, with the time and the numbers of steps replaced, which change.
    static func lines(_ box: Sandbox, _ words: [String], status: Int32 = 1) throws -> [String] {
        let log = box.directory + "/log.json"
        try? FileManager.default.removeItem(atPath: log)
        let outcome = try box.start(["--log", log, "--log-format", "json"] + words).wait()
        #expect(outcome.status == status, "\(outcome)")
        let text = try #require(box.contents(log))
        return text.split(separator: "\n").map { line in
            String(line).replacing(#/"time":"[0-9T:.-]{29}Z"/#, with: "\"time\":\"T\"")
                .replacing(#/step [0-9]+ /#, with: "step N ")
        }
    }

    static func expect(
        _ box: Sandbox,
        _ words: String...,
        status: Int32 = 1,
        say message: String,
        _ fields: String,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let line = "{\"level\":\"error\",\"msg\":\"\(message)\",\"time\":\"T\",\(fields)}"
        #expect(try lines(box, words, status: status) == [line], sourceLocation: location)
    }

    @Test func aWrongCommandLine() throws {
        try Sandbox.use("log-usage") { box in
            try Self.expect(
                box,
                "create",
                "--foo",
                say: "unknown option --foo; see \\\"apus create --help\\\"",
                #""code":"usage""#
            )
            try Self.expect(
                box,
                "state",
                "a b",
                say:
                    "state a b: invalid container ID format: \\\"a b\\\"; expected letters, digits and _ + . -, 1 to 255 "
                    + "of them, and neither . nor ..",
                #""code":"usage","subject":"a b""#
            )
        }
    }

    @Test func aWrongConfiguration() throws {
        try Sandbox.use("log-config") { box in
            var document = box.document("true")
            document.change("process") { $0["cwd"] = "relative" }
            try box.configure(document)
            try Self.expect(
                box,
                "create",
                box.id,
                say: "create \(box.id): \(box.bundle)/config.json: process.cwd: Cwd must be an absolute path, found "
                    + "\\\"relative\\\"",
                #""code":"config-invalid","subject":"process.cwd""#
            )
            try Data("{".utf8).write(to: URL(fileURLWithPath: box.bundle + "/config.json"))
            let line = try #require(try Self.lines(box, ["create", box.id]).first)
            #expect(line.hasSuffix("\"code\":\"config-invalid\",\"subject\":\"\(box.bundle)/config.json\"}"), "\(line)")
            unlink(box.bundle + "/config.json")
            try Self.expect(
                box,
                "create",
                box.id,
                say: "create \(box.id): read \(box.bundle)/config.json (open): ENOENT (no such file or directory)",
                "\"code\":\"not-found\",\"subject\":\"\(box.bundle)/config.json\",\"call\":\"open\",\"errno\":\"ENOENT\","
                    + "\"hint\":\"a bundle is a directory with a config.json: apus spec writes one\""
            )
        }
    }

    @Test func aContainerInAnotherState() throws {
        try Sandbox.use("log-state") { box in
            let id = box.id
            try Self.expect(
                box,
                "state",
                id,
                say: "state \(id): container does not exist: \(id) (state root \(box.stateRoot))",
                "\"code\":\"container-not-found\",\"subject\":\"\(id)\""
            )
            try box.configure(box.document("sleep 1000"))
            try box.succeed("run", "--detach", id)
            try Self.expect(
                box,
                "create",
                id,
                say: "create \(id): runtime, step N reserveID: container with given ID already exists: \(id)",
                "\"code\":\"container-exists\",\"subject\":\"\(id)\",\"process\":\"runtime\",\"step\":\"reserveID\""
            )
            try Self.expect(
                box,
                "start",
                id,
                say: "start \(id): cannot start an already running container: \(id)",
                "\"code\":\"wrong-state\",\"subject\":\"\(id)\""
            )
            try Self.expect(
                box,
                "exec",
                id,
                "/bin/nothing",
                status: 255,
                say:
                    "exec \(id): init, step N findProgram: exec: \\\"/bin/nothing\\\": no such file or "
                    + "directory",
                #""code":"exec-not-found","subject":"/bin/nothing","process":"init","step":"findProgram""#
            )
            try box.succeed("delete", "--force", id)
        }
    }

    @Test func aProgramOrHookThatFails() throws {
        try Sandbox.use("log-program") { box in
            try Data("no program".utf8).write(to: URL(fileURLWithPath: box.rootfs + "/bin/text"))
            try box.configure(box.document(arguments: ["/bin/text"]))
            let line = try #require(try Self.lines(box, ["create", box.id]).first)
            #expect(line.contains(#""code":"exec-failed","subject":"/bin/text","process":"init","step":"findProgram""#))

            var document = box.document("true")
            document["hooks"] = ["createRuntime": [["path": "/bin/false"]]] as Document
            try box.configure(document)
            try Self.expect(
                box,
                "create",
                box.id,
                say: "create \(box.id): runtime, step N hook: error running createRuntime hook #0: /bin/false: exit "
                    + "status 1, stdout: , stderr: ",
                #""code":"hook-failed","subject":"/bin/false","process":"runtime","step":"hook""#
            )
            // From the other process, over the wire.
            document["hooks"] = ["createContainer": [["path": "/bin/false"]]] as Document
            try box.configure(document)
            let inner = try #require(try Self.lines(box, ["create", box.id]).first)
            #expect(
                inner.hasSuffix(#""code":"hook-failed","subject":"/bin/false","process":"init","step":"hook"}"#),
                "\(inner)"
            )
        }
    }

    @Test func aKernelThatRefuses() throws {
        try Sandbox.use("log-kernel") { box in
            var document = box.document("true")
            document.add("mounts", ["destination": "/tmp", "type": "bind", "source": "/nowhere", "options": ["bind"]])
            try box.configure(document)
            try Self.expect(
                box,
                "create",
                box.id,
                say:
                    "create \(box.id): init, step N mount: mounts[3].source: /nowhere: no such file or directory on the host",
                #""code":"not-found","subject":"/nowhere","process":"init","step":"mount""#
            )
            document = box.document("true")
            document.add(
                "mounts",
                ["destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=abc"]]
            )
            try box.configure(document)
            let line = try #require(try Self.lines(box, ["create", box.id]).first)
            let fields =
                #""code":"kernel","subject":"/tmp","call":"fsconfig","errno":"EINVAL","process":"init","step":"mount"}"#
            #expect(line.hasSuffix(fields), "\(line)")
            document = box.document("true")
            document.add("mounts", ["destination": "/tmp", "type": "nofs", "source": "x"])
            try box.configure(document)
            try Self.expect(
                box,
                "create",
                box.id,
                say: "create \(box.id): init, step N mount: mounts[3].type: this kernel has no file system nofs",
                #""code":"unsupported","subject":"mounts[3].type","process":"init","step":"mount""#
            )
        }
    }

    /// The text that people read is as it was, and has none of the fields.
    @Test func theTextIsAsItWas() throws {
        try Sandbox.use("log-text") { box in
            let log = box.directory + "/log.txt"
            let outcome = try box.apus("--log", log, "state", box.id)
            let message = "state \(box.id): container does not exist: \(box.id) (state root \(box.stateRoot))"
            #expect(outcome.errors == "apus: \(message)\n")
            let line = try #require(box.contents(log))
            #expect(line.hasPrefix("time=\"") && line.hasSuffix("\" level=error msg=\"\(message)\"\n"), "\(line)")
        }
    }
}
