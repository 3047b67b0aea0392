// Hooks: when each runs, what it is told, and what its failure does. Runtime-spec: config.md, POSIX-platform Hooks.

import Foundation
import Testing

@Suite("Hooks", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct HookTests {
    static func hook(_ script: String, timeout: Int? = nil) -> Document {
        var hook: Document = ["path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"]]
        if let timeout { hook["timeout"] = timeout }
        return hook
    }

    @Test func runInOrderAndKnowTheState() throws {
        try Sandbox.use("hooks") { box in
            var document = box.document("echo program >> /tmp/order; exec sleep 1000")
            document["annotations"] = ["org.example.key": "value"]
            var hooks: Document = [:]
            for point in ["prestart", "createRuntime", "createContainer", "poststart", "poststop"] {
                hooks[point] = ["a", "b"].map { name in
                    Self.hook("echo \(point) \(name) >> \(box.rootfs)/tmp/order; cat > \(box.rootfs)/tmp/\(point)")
                }
            }
            hooks["startContainer"] = [Self.hook("echo startContainer >> /tmp/order; cat > /tmp/startContainer")]
            document["hooks"] = hooks
            try box.configure(document)
            try box.succeed("create", box.id)
            let pid = try box.state().pid
            try box.succeed("start", box.id)
            TestMachine.wait(seconds: 1) { box.contents("\(box.rootfs)/tmp/order")?.contains("program") == true }
            try box.succeed("delete", "--force", box.id)
            let order = (box.contents("\(box.rootfs)/tmp/order") ?? "").split(separator: "\n").map(String.init)
            // The program and poststart hooks are at work at the same time.
            #expect(
                order.filter { $0 != "program" } == [
                    "prestart a", "prestart b", "createRuntime a", "createRuntime b", "createContainer a",
                    "createContainer b", "startContainer", "poststart a", "poststart b", "poststop a", "poststop b",
                ]
            )
            #expect(order.contains("program"))
            let expected: [(String, String, Int32?)] = [
                ("prestart", "creating", pid), ("createRuntime", "creating", pid), ("createContainer", "creating", nil),
                ("startContainer", "created", 1), ("poststart", "running", pid), ("poststop", "stopped", nil),
            ]
            for (point, status, pid) in expected {
                let text = try #require(box.contents("\(box.rootfs)/tmp/\(point)"), "\(point)")
                let state = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? Document)
                #expect(state["status"] as? String == status, "\(point)")
                #expect(state["id"] as? String == box.id)
                #expect(state["bundle"] as? String == box.bundle)
                #expect((state["annotations"] as? [String: String])?["org.example.key"] == "value")
                if let pid { #expect((state["pid"] as? NSNumber)?.int32Value == pid, "\(point)") }
            }
        }
    }

    /// In the bundle, wherever the runtime was called, as in runc and crun.
    @Test func runInTheBundle() throws {
        try Sandbox.use("hookplace") { box in
            var document = box.document("sleep 60")
            var hooks: Document = [:]
            let points = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
            for point in points { hooks[point] = [Self.hook("pwd -P > \(box.rootfs)/tmp/\(point)")] }
            document["hooks"] = hooks
            try box.configure(document)
            for command in ["create --bundle \(box.bundle)", "start", "delete --force"] {
                let words = command.split(separator: " ").map(String.init) + [box.id]
                let outcome = try box.start(words, directory: "/").wait()
                #expect(outcome.status == 0, "\(words): \(outcome)")
            }
            for point in points {
                #expect(box.contents("\(box.rootfs)/tmp/\(point)") == "\(box.bundle)\n", "\(point)")
            }
        }
    }

    @Test(arguments: ["prestart", "createRuntime", "createContainer"])
    func aFailureEndsTheCreation(point: String) throws {
        try Sandbox.use("hookfails") { box in
            var document = box.document("true")
            document["hooks"] = [
                point: [Self.hook("echo no reason >&2; exit 3"), Self.hook("touch \(box.directory)/second")],
                "poststop": [Self.hook("touch \(box.directory)/poststop")],
            ]
            try box.configure(document)
            let outcome = try box.apus("create", box.id)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("error running \(point) hook #0: /bin/sh: "), "\(outcome)")
            #expect(outcome.errors.contains("no reason"), "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: box.directory + "/second"))
            #expect(FileManager.default.fileExists(atPath: box.directory + "/poststop"))
        }
    }

    @Test func aFailureBeforeTheProgramEndsTheStart() throws {
        try Sandbox.use("starthook") { box in
            var document = box.document("echo program > /tmp/program")
            document["hooks"] = ["startContainer": [Self.hook("exit 4")]]
            try box.configure(document)
            try box.succeed("create", box.id)
            let outcome = try box.apus("start", box.id)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("error running startContainer hook #0"), "\(outcome)")
            #expect(box.contents(box.rootfs + "/tmp/program") == nil)
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func aFailureAfterTheStartEndsTheContainer() throws {
        try Sandbox.use("poststart") { box in
            var document = box.document("sleep 1000")
            document["hooks"] = ["poststart": [Self.hook("exit 5")]]
            try box.configure(document)
            try box.succeed("create", box.id)
            #expect(try box.apus("start", box.id).status == 1)
            #expect(Leaks.of(box).isEmpty)
            #expect(try box.apus("run", "--detach", box.id).status == 1)
        }
    }

    @Test func aFailureAfterTheEndIsAWarning() throws {
        try Sandbox.use("poststop") { box in
            var document = box.document("true")
            document["hooks"] = [
                "poststop": [Self.hook("exit 6"), Self.hook("touch \(box.directory)/second")]
            ]
            try box.configure(document)
            let outcome = try box.apus("run", box.id)
            #expect(outcome.status == 0)
            #expect(outcome.errors.contains("poststop hook #0"), "\(outcome)")
            #expect(FileManager.default.fileExists(atPath: box.directory + "/second"))
        }
    }

    @Test func aSlowOneIsEnded() throws {
        try Sandbox.use("hooktime") { box in
            var document = box.document("true")
            document["hooks"] = ["createRuntime": [Self.hook("sleep 1000", timeout: 1)]]
            try box.configure(document)
            let begin = Date()
            let outcome = try box.apus("create", box.id)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("hook ran past specified timeout of 1s"), "\(outcome)")
            #expect(Date().timeIntervalSince(begin) < 10)
        }
    }

    /// One that closes its streams early must not make the runtime spin.
    @Test func waitingCostsNothing() throws {
        try Sandbox.use("hookidle") { box in
            var document = box.document("true")
            let wait = "while [ ! -e \(box.directory)/go ]; do sleep 0.1; done"
            let script = "exec 2>&- <&-; : > \(box.directory)/begun; \(wait)"
            document["hooks"] = ["createRuntime": [Self.hook(script)]]
            try box.configure(document)
            let create = try box.start(["create", box.id])
            TestMachine.wait(seconds: 10) { box.contents(box.directory + "/begun") != nil }
            // Measured of this one process: its own line in /proc, while it waits.
            let used = {
                let line = box.contents("/proc/\(create.pid)/stat")?.split(separator: ")").last?.split(separator: " ")
                let fields = try #require(line)
                return try #require(Int(fields[11])) + (try #require(Int(fields[12])))
            }
            let before = try used()
            usleep(900_000)
            let ticks = try used() - before
            #expect(ticks < 40, "\(ticks) ticks of processor time")
            _ = FileManager.default.createFile(atPath: box.directory + "/go", contents: nil)
            #expect(create.wait().status == 0)
            try box.succeed("delete", box.id)
        }
    }

    @Test func oneThatIgnoresItsInputIsNoFailure() throws {
        try Sandbox.use("hookdeaf") { box in
            var document = box.document("true")
            // More than a pipe holds.
            document["annotations"] = ["big": String(repeating: "x", count: 200_000)]
            document["hooks"] = ["createRuntime": [Self.hook("exec <&-; exit 0"), Self.hook("sleep 0.1")]]
            try box.configure(document)
            try box.succeed("create", box.id)
            try box.succeed("delete", box.id)
        }
    }
}
