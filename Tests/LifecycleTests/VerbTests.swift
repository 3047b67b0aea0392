// What each command does, and what it says when it cannot.

import Foundation
import Testing

@Suite("Verbs", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct VerbTests {
    @Test func livesThroughEveryStatus() throws {
        try Sandbox.use("life") { box in
            try box.configure(box.document("echo started; exec sleep 1000"))
            let pidFile = box.directory + "/pid"
            try box.succeed("create", "--bundle", box.bundle, "--pid-file", pidFile, box.id)
            let created = try box.state()
            #expect(created.status == "created")
            #expect(created.bundle == box.bundle)
            #expect(box.contents(pidFile) == "\(created.pid)")
            try box.fail(
                "create",
                "--bundle",
                box.bundle,
                box.id,
                with: "create \(box.id): runtime, step 1 reserveID: container with given ID already exists: \(box.id)"
            )
            try box.succeed("start", box.id)
            #expect(try box.state().status == "running")
            try box.fail(
                "start",
                box.id,
                with: "start \(box.id): cannot start an already running container: \(box.id)"
            )
            try box.fail(
                "delete",
                box.id,
                with: "delete \(box.id): cannot delete container \(box.id) that is not stopped: running"
            )
            try box.succeed("kill", box.id, "KILL")
            try box.waitFor(status: "stopped")
            try box.fail("kill", box.id, "TERM", with: "kill \(box.id): container not running: \(box.id)")
            try box.fail(
                "start",
                box.id,
                with: "start \(box.id): cannot start a container that has stopped: \(box.id)"
            )
            try box.succeed("delete", box.id)
            try box.fail(
                "state",
                box.id,
                with: "state \(box.id): container does not exist: \(box.id) (state root \(box.stateRoot))"
            )
            try box.fail(
                "delete",
                box.id,
                with: "delete \(box.id): container does not exist: \(box.id) (state root \(box.stateRoot))"
            )
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func deletesWhatWasOnlyCreated() throws {
        try Sandbox.use("onlycreated") { box in
            try box.configure(box.document("true"))
            try box.succeed("create", box.id)
            try box.succeed("delete", "--force", box.id)
            #expect(Leaks.of(box).isEmpty)
            // The id is free again.
            try box.succeed("create", box.id)
            try box.succeed("delete", box.id)
        }
    }

    @Test func deletesARunningOneByForce() throws {
        try Sandbox.use("force") { box in
            try box.configure(box.document("trap '' TERM; sleep 1000 & sleep 1000 & wait"))
            try box.succeed("run", "--detach", box.id)
            #expect(try box.state().status == "running")
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test(arguments: [("exit 0", Int32(0)), ("exit 7", 7), ("kill -9 $$", 0), ("exit 255", 255)])
    func runReturnsTheProgramsStatus(script: String, status: Int32) throws {
        try Sandbox.use("exit") { box in
            try box.configure(box.document(script))
            let outcome = try box.apus("run", box.id)
            // The first process of a pid namespace ignores its own SIGKILL, and goes on.
            #expect(outcome.status == status, "\(outcome)")
        }
    }

    @Test(arguments: [SIGKILL, SIGTERM])
    func runReturnsTheSignal(signal: Int32) throws {
        try Sandbox.use("signal") { box in
            try box.configure(
                box.document("trap 'trap - TERM; kill -TERM $$' TERM; echo ready; sleep 1000 & wait; exit 143")
            )
            let run = try box.start(["run", box.id])
            while !run.output.contains("ready") && !box.isStopped { usleep(5000) }
            if signal == SIGTERM {
                // The runtime in the foreground passes it on.
                kill(run.pid, signal)
            } else {
                try box.succeed("kill", box.id, "\(signal)")
            }
            #expect(run.wait().status == 128 + signal)
        }
    }

    @Test func keepsWhatItIsAskedToKeep() throws {
        try Sandbox.use("keep") { box in
            try box.configure(box.document("exit 3"))
            #expect(try box.apus("run", "--keep", box.id).status == 3)
            #expect(try box.state().status == "stopped")
            #expect(try box.state().pid == 0)
            try box.succeed("delete", box.id)
        }
    }

    @Test func theConfigurationMayChangeAfterCreate() throws {
        try Sandbox.use("changed") { box in
            try box.configure(box.document("echo first > /tmp/said; exec sleep 1000"))
            try box.succeed("create", box.id)
            try box.configure(box.document("echo second > /tmp/said"))
            try box.succeed("start", box.id)
            TestMachine.wait(seconds: 2) { box.contents(box.rootfs + "/tmp/said") == "first\n" }
            #expect(box.contents(box.rootfs + "/tmp/said") == "first\n")
            try FileManager.default.removeItem(atPath: box.bundle + "/config.json")
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func aMissingProgramIsReportedByCreate() throws {
        try Sandbox.use("noprogram") { box in
            try box.configure(box.document(arguments: ["/bin/nothing"]))
            let outcome = try box.apus("create", box.id)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("/bin/nothing"), "\(outcome)")
            #expect(outcome.errors.contains("init, step "), "\(outcome)")
        }
    }

    /// docker leaves a shim and cgroups behind if `start` fails for that.
    @Test func aProgramThatCannotRunEndsTheContainer() throws {
        try Sandbox.use("badprogram") { box in
            try Data("no program".utf8).write(to: URL(fileURLWithPath: box.rootfs + "/bin/bad"))
            chmod(box.rootfs + "/bin/bad", 0o755)
            try box.configure(box.document(arguments: ["/bin/bad"]))
            let create = try box.start(["create", box.id])
            #expect(create.wait().status == 0)
            let log = box.directory + "/log"
            let outcome = try box.apus("--log", log, "start", box.id)
            #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome)")
            try box.waitFor(status: "stopped")
            #expect(create.wait().errors == "exec /bin/bad: exec format error\n")
            let warning = try #require(box.contents(log))
            #expect(warning.contains("level=warning msg=\"init, step "), "\(warning)")
            #expect(warning.contains(" execute: exec /bin/bad (execve): ENOEXEC (exec format error)"), "\(warning)")
            try box.succeed("delete", box.id)
            let run = try box.apus("run", box.id)
            #expect(run.status == 1 && run.errors == "exec /bin/bad: exec format error\n", "\(run)")
            #expect(try box.succeed("list", "-q").output == "")
        }
    }

    @Test func killsEveryProcessOfTheCgroup() throws {
        try Sandbox.use("killall") { box in
            var document = box.document("sleep 1000 & exec sleep 1001")
            // In the host's pid namespace the end of the first process ends no other.
            document.change("linux") { linux in
                linux["namespaces"] = ["mount", "ipc", "uts"].map { ["type": $0] }
            }
            try box.configure(document)
            try box.succeed("run", "--detach", box.id)
            try box.succeed("kill", "--all", box.id, "KILL")
            try box.waitFor(status: "stopped")
            TestMachine.wait(seconds: 2) { Leaks.processes(box.id).isEmpty }
            #expect(Leaks.processes(box.id).isEmpty)
            try box.succeed("delete", box.id)
        }
    }

    /// Who hands on to a child and ends, again and again, is never in a list that is read for long.
    @Test(arguments: [["kill", "--all"], ["delete", "--force"]])
    func killsAlsoWhoIsBornMeanwhile(words: [String]) throws {
        try Sandbox.use("killborn") { box in
            var document = box.document("again() { ( again ) & }; again; echo yes > /tmp/ready; exec sleep 1001")
            document.change("linux") { linux in
                linux["namespaces"] = ["mount", "ipc", "uts"].map { ["type": $0] }
            }
            try box.configure(document)
            let list = box.cgroup("pids") + "/cgroup.procs"
            for _ in 0..<4 {
                try box.succeed("run", "--detach", box.id)
                try box.waitFor("ready", "yes\n")
                let outcome = try box.start(words + [box.id] + (words[0] == "kill" ? ["KILL"] : [])).wait()
                #expect(outcome.status == 0, "\(outcome)")
                TestMachine.wait(seconds: 2) { (box.contents(list) ?? "").isEmpty }
                #expect((box.contents(list) ?? "").isEmpty)
                if words[0] == "kill" { try box.succeed("delete", box.id) }
                try FileManager.default.removeItem(atPath: box.rootfs + "/tmp/ready")
            }
        }
    }

    @Test func listsItsContainers() throws {
        try Sandbox.use("list") { box in
            try box.configure(box.document("sleep 1000"))
            try box.succeed("create", box.id)
            try box.succeed("run", "--detach", box.id + "-b")
            #expect(try box.succeed("list", "-q").output == "\(box.id)\n\(box.id)-b\n")
            let states = try JSONDecoder().decode(
                [Sandbox.State].self,
                from: Data(try box.succeed("list", "--format", "json").output.utf8)
            )
            #expect(states.map(\.status) == ["created", "running"])
            try box.succeed("delete", "--force", box.id, box.id + "-b")
        }
    }

    @Test func theLogIsOneObjectALine() throws {
        try Sandbox.use("log") { box in
            try box.configure(box.document(arguments: ["/bin/nothing"]))
            let log = box.directory + "/log"
            #expect(try box.apus("--log", log, "--log-format", "json", "create", box.id).status == 1)
            let lines = try #require(box.contents(log)).split(separator: "\n")
            let line = try #require(lines.last)
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
            #expect(object?["level"] == "error")
            #expect(object?["msg"]?.hasPrefix("create \(box.id): init, step ") == true, "\(line)")
            #expect(object?["time"]?.hasSuffix("Z") == true)
            #expect(object?["process"] == "init")
            #expect(object?["step"] == "findProgram")
        }
    }

    @Test func theCriuToUseCanBeNamed() throws {
        try Sandbox.use("criu") { box in
            try box.configure(box.document("sleep 1000"))
            try box.succeed("run", "--detach", box.id)
            let criu = box.directory + "/true"
            try box.fail(
                "--criu",
                criu,
                "checkpoint",
                box.id,
                with: "checkpoint \(box.id): criu, which does the work, is not there: exec: \"\(criu)\": "
                    + "no such file or directory"
            )
            // One that is there is asked, and this one knows no answer.
            try Data("#!/bin/sh\n".utf8).write(to: URL(fileURLWithPath: criu))
            chmod(criu, 0o755)
            let outcome = try box.apus("--criu", criu, "checkpoint", box.id)
            // It may have ended before it is asked, or after.
            let sentence = "criu could not say its version: "
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.hasPrefix("apus: checkpoint \(box.id): \(sentence)"), "\(outcome)")
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func explainChangesNothing() throws {
        try Sandbox.use("explain") { box in
            try box.configure(box.document("true"))
            let text = try box.succeed("explain").output
            #expect(text.hasPrefix("create, runtime:\n"))
            #expect(text.contains("create, init:\n"))
            #expect(!FileManager.default.fileExists(atPath: box.stateRoot))
        }
    }
}

extension Sandbox {
    var isStopped: Bool { (try? apus("state", id).output.contains("stopped")) ?? true }
}

extension Document {
    /// Changes a member that is an object itself.
    mutating func change(_ name: String, _ body: (inout Document) -> Void) {
        var inner = self[name] as? Document ?? [:]
        body(&inner)
        self[name] = inner
    }

    /// Adds to a member that is an array of objects.
    mutating func add(_ name: String, _ element: Document) {
        self[name] = (self[name] as? [Document] ?? []) + [element]
    }
}
