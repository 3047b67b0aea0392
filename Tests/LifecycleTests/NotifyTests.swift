// `NOTIFY_SOCKET`: a service manager that listens, a container that says what it likes, and the runtime between them.

import Foundation
import Testing

extension Sandbox {
    /// A container whose program is a Python script with a few words for notices.
    fileprivate func python(_ script: String) throws -> Document {
        try usePython()
        let header = """
            import os, socket, sys, time
            def say(text, *descriptors):
                with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
                    s.connect(os.environ["NOTIFY_SOCKET"])
                    socket.send_fds(s, [text if isinstance(text, bytes) else text.encode()], descriptors)
            def wait(path):
                while not os.path.exists(path): time.sleep(0.01)

            """
        try Data((header + script).utf8).write(to: URL(fileURLWithPath: rootfs + "/script.py"))
        return withPython(document(arguments: ["/usr/bin/python3", "-SE", "/script.py"]))
    }

    fileprivate func allow(_ name: String) throws {
        try Data().write(to: URL(fileURLWithPath: "\(rootfs)/tmp/\(name)"))
    }

    fileprivate func hasRun(_ name: String) -> Bool {
        for _ in 0..<1000 * TestMachine.slowness {
            if FileManager.default.fileExists(atPath: "\(rootfs)/tmp/\(name)") { return true }
            usleep(10_000)
        }
        return false
    }
}

@Suite("Notices to a service manager", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct NotifyTests {
    @Test func aDetachedRunWaitsUntilTheContainerIsReady() throws {
        try Sandbox.use("notify-run") { box in
            let manager = try DatagramListener(box.directory + "/manager.sock")
            try box.configure(
                try box.python(
                    """
                    say("STATUS=on the way\\nMAINPID=1\\nREADY=10\\nFDSTORE=1\\n", 0)
                    open("/tmp/up", "w").close()
                    wait("/tmp/go")
                    say("MAINPID=1\\nREADY=1\\nSTATUS=up\\nFDSTORE=1\\n", 0)
                    time.sleep(1000)
                    """
                )
            )
            let run = try box.start(["run", "--detach", box.id], environment: ["NOTIFY_SOCKET=\(manager.address)"])
            #expect(box.hasRun("up"))
            // Not ready: nothing was told, and the command stays. Others can look at the container meanwhile.
            #expect(manager.isQuiet)
            #expect(kill(run.pid, 0) == 0)
            let pid = try box.state().pid
            let environment = try #require(box.contents("/proc/\(pid)/environ"))
            #expect(
                environment.split(separator: "\0").filter { $0.hasPrefix("NOTIFY") } == [
                    "NOTIFY_SOCKET=/run/notify/notify.sock"
                ]
            )
            #expect(!environment.contains(manager.address))
            let mounts = try #require(box.contents("/proc/\(pid)/mountinfo")).split(separator: "\n")
            let mount = try #require(mounts.first { $0.contains(" /run/notify ") })
            for option in ["ro", "nosuid", "nodev", "noexec"] {
                #expect(mount.split(separator: " ")[5].split(separator: ",").contains(Substring(option)), "\(mount)")
            }
            try box.allow("go")
            #expect(manager.next() == "READY=1\nMAINPID=\(pid)\n")
            #expect(run.wait().status == 0)
            #expect(manager.isQuiet)
            #expect(try box.state().status == "running")
            try box.succeed("delete", "--force", box.id)
        }
    }

    /// The manager is the one that create was told of, or another that start is told of.
    @Test(arguments: [true, false])
    func startWaits(startIsTold: Bool) throws {
        try Sandbox.use("notify-start") { box in
            let first = try DatagramListener("@\(box.id)-first")
            let second = try DatagramListener("@\(box.id)-second")
            try box.configure(try box.python("wait('/tmp/go'); say('READY=1'); time.sleep(1000)"))
            let created = try box.apus("create", box.id, environment: ["NOTIFY_SOCKET=\(first.address)"])
            #expect(created.status == 0, "\(created)")
            // Only its owner reaches the container's socket on the host.
            let inside = box.stateRoot + "/\(box.id)/notify"
            let mode = try FileManager.default.attributesOfItem(atPath: inside)[.posixPermissions] as? Int
            #expect(mode == 0o700)
            let start = try box.start(
                ["start", box.id],
                environment: startIsTold ? ["NOTIFY_SOCKET=\(second.address)"] : []
            )
            try box.waitFor(status: "running")
            #expect(first.isQuiet && kill(start.pid, 0) == 0)
            try box.allow("go")
            let told = "READY=1\nMAINPID=\(try box.state().pid)\n"
            #expect((startIsTold ? second : first).next() == told)
            #expect(start.wait().status == 0)
            #expect(first.isQuiet && second.isQuiet)
            try box.succeed("delete", "--force", box.id)
            #expect(!FileManager.default.fileExists(atPath: box.stateRoot + "/\(box.id)"))
        }
    }

    @Test func aContainerThatEndsWithoutAWord() throws {
        try Sandbox.use("notify-end") { box in
            let manager = try DatagramListener(box.directory + "/manager.sock")
            try box.configure(box.document("exit 3"))
            let outcome = try box.apus("run", "--detach", box.id, environment: ["NOTIFY_SOCKET=\(manager.address)"])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.errors.contains("container \(box.id) ended before it said that it is ready"), "\(outcome)")
            #expect(manager.isQuiet)
            try box.succeed("delete", box.id)

            // Its last words count, although it has ended.
            try box.configure(try box.python("say('READY=1')"))
            let short = try box.apus("run", "--detach", box.id, environment: ["NOTIFY_SOCKET=\(manager.address)"])
            #expect(short.status == 0 && short.errors.isEmpty, "\(short)")
            #expect(manager.next()?.hasPrefix("READY=1\nMAINPID=") == true)
            try box.waitFor(status: "stopped")
            try box.succeed("delete", box.id)
        }
    }

    @Test func whoNeverBecomesReadyCanBeDeleted() throws {
        try Sandbox.use("notify-never") { box in
            let manager = try DatagramListener(box.directory + "/manager.sock")
            let environment = ["NOTIFY_SOCKET=\(manager.address)"]
            try box.configure(box.document("sleep 1000"))
            #expect(try box.apus("create", box.id, environment: environment).status == 0)
            let start = try box.start(["start", box.id], environment: environment)
            try box.waitFor(status: "running")
            try box.succeed("pause", box.id)
            try box.succeed("resume", box.id)
            #expect(kill(start.pid, 0) == 0)
            try box.succeed("delete", "--force", box.id)
            let outcome = start.wait()
            #expect(outcome.status == 0, "\(outcome)")
            #expect(manager.isQuiet)
        }
    }

    @Test func theForegroundGoesOn() throws {
        try Sandbox.use("notify-foreground") { box in
            let manager = try DatagramListener("@\(box.id)")
            try box.configure(
                try box.python(
                    """
                    say("STATUS=starting\\nERRNO=2\\n")
                    say("READY=1\\nMAINPID=1\\nNOTIFYACCESS=all")
                    say("FDSTORE=1\\nFDNAME=x", 0)
                    say("BUSERROR=x\\nWATCHDOG_USEC=1\\nWATCHDOG=trigger\\nSTOPPING=1")
                    say("STATUS=a\\tb\\nSTATUS=\\x1b[31mred\\n")
                    say(b"STATUS=\\xff\\xfe\\nWATCHDOG=1")
                    say(b"STATUS=" + b"x" * 5000)
                    say("STATUS=the last words")
                    sys.exit(7)
                    """
                )
            )
            let outcome = try box.apus("run", box.id, environment: ["NOTIFY_SOCKET=\(manager.address)"])
            #expect(outcome.status == 7, "\(outcome)")
            var told: [String] = []
            while let datagram = manager.next(seconds: 0.3) { told.append(datagram) }
            #expect(told == ["STATUS=starting\n", "READY=1\n", "WATCHDOG=1\n", "STATUS=the last words\n"])
        }
    }

    /// A manager that stops reading, and one that goes away, hold nobody up.
    @Test func aManagerThatDoesNotRead() throws {
        try Sandbox.use("notify-deaf") { box in
            var manager: DatagramListener? = try DatagramListener(box.directory + "/manager.sock")
            try box.configure(
                try box.python(
                    """
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    s.connect(os.environ["NOTIFY_SOCKET"])
                    s.setblocking(False)
                    for i in range(5000):
                        try: s.send(b"STATUS=%d" % i)
                        except BlockingIOError: time.sleep(0.0002)
                    open("/tmp/up", "w").close()
                    wait("/tmp/go")
                    sys.exit(5)
                    """
                )
            )
            let address = try #require(manager).address
            let run = try box.start(["run", box.id], environment: ["NOTIFY_SOCKET=\(address)"])
            #expect(box.hasRun("up"))
            manager = nil
            try box.allow("go")
            let outcome = run.wait()
            #expect(outcome.status == 5, "\(outcome)")
            #expect(outcome.errors.contains("notices of the container are no longer passed on"), "\(outcome)")
        }
    }

    @Test func inAUserNamespace() throws {
        try Sandbox.use("notify-user") { box in
            let manager = try DatagramListener(box.directory + "/manager.sock")
            // The container's root is nobody in a root filesystem that is the machine's root's.
            try Sandbox.makeDirectory(box.rootfs + "/run/notify")
            var document = try box.python("say('READY=1'); time.sleep(1000)")
            document.change("linux") { linux in
                linux["namespaces"] = ["pid", "mount", "ipc", "uts", "user"].map { ["type": $0] }
                let mapping = ["containerID": 0, "hostID": 100_000, "size": 65_536]
                linux["uidMappings"] = [mapping]
                linux["gidMappings"] = [mapping]
            }
            try box.configure(document)
            let outcome = try box.apus("run", "--detach", box.id, environment: ["NOTIFY_SOCKET=\(manager.address)"])
            #expect(outcome.status == 0, "\(outcome)")
            #expect(manager.next() == "READY=1\nMAINPID=\(try box.state().pid)\n")
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func aManagerThatIsNotThere() throws {
        try Sandbox.use("notify-none") { box in
            try box.configure(box.document("sleep 1000"))
            let missing = box.directory + "/nobody.sock"
            for words in [["run", "--detach"], ["run"]] {
                let outcome = try box.start(words + [box.id], environment: ["NOTIFY_SOCKET=\(missing)"]).wait()
                #expect(outcome.status == 1)
                #expect(
                    outcome.errors == "apus: run \(box.id): connect to NOTIFY_SOCKET \(missing) (connect): ENOENT "
                        + "(no such file or directory)\n"
                )
                #expect(Leaks.of(box).isEmpty)
            }
            for value in ["relative", "vsock:2:1", "@", "/" + String(repeating: "x", count: 107)] {
                let outcome = try box.apus("create", box.id, environment: ["NOTIFY_SOCKET=\(value)"])
                #expect(outcome.status == 1)
                #expect(
                    outcome.errors.contains("NOTIFY_SOCKET: expected an absolute path or @ and a name"),
                    "\(outcome)"
                )
            }
            // Empty is as none, and without one the container has none.
            try box.configure(box.document("echo \"<$NOTIFY_SOCKET>\"; cat /proc/self/mountinfo"))
            let outcome = try box.apus("run", box.id, environment: ["NOTIFY_SOCKET="])
            #expect(outcome.status == 0 && outcome.output.hasPrefix("<>\n"), "\(outcome)")
            #expect(outcome.output.contains(" /proc ") && !outcome.output.contains(" /run/notify "), "\(outcome)")
        }
    }

    /// A hook of the host's is not the service, and has no business with its manager.
    @Test func hooksAreNotTold() throws {
        try Sandbox.use("notify-hook") { box in
            let manager = try DatagramListener(box.directory + "/manager.sock")
            let file = box.directory + "/hook"
            var document = box.document("true")
            document["hooks"] =
                [
                    "createRuntime": [["path": "/bin/sh", "args": ["sh", "-c", "env > \(file)"]]]
                ] as Document
            try box.configure(document)
            let outcome = try box.apus("run", box.id, environment: ["NOTIFY_SOCKET=\(manager.address)"])
            #expect(outcome.status == 0, "\(outcome)")
            let environment = try #require(box.contents(file))
            #expect(environment.contains("APUS_TEST_ID=") && !environment.contains("NOTIFY_SOCKET"))
        }
    }

    @Test func explainShowsIt() throws {
        try Sandbox.use("notify-explain") { box in
            try box.configure(box.document("true"))
            let with = try box.apus("explain", environment: ["NOTIFY_SOCKET=/run/systemd/notify"])
            let lines = with.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(lines.contains { $0.hasSuffix("makeNoticeDirectory") })
            #expect(
                lines.contains { $0.contains("mount bind \(box.stateRoot)/ID/notify/container on /run/notify (ro,") }
            )
            #expect(lines.contains("1 listenForNotices") && lines.contains("5 waitForReadiness"), "\(with.output)")
            let without = try box.apus("explain")
            #expect(!without.output.contains("otice") && !without.output.contains("waitForReadiness"))
        }
    }
}
