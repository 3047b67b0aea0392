// `exec` and the container's state, its namespaces and terminals; mistakes and their sentences; attacks on who enters.

import Foundation
import Testing

@Suite("Exec in all states", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct ExecStateTests {
    @Test func inACreatedContainer() throws {
        try Sandbox.use("execcreated") { box in
            try box.configure(box.document("exit 0"))
            try box.succeed("create", box.id)
            #expect(try box.exec([], "exit 5").status == 5)
            #expect(try box.state().status == "created")
            try box.succeed("delete", box.id)
        }
    }

    @Test func notInAStoppedOne() throws {
        try Sandbox.use("execstopped") { box in
            try box.failExec(
                [box.id, "true"],
                with: "exec \(box.id): container does not exist: \(box.id) (state root \(box.stateRoot))"
            )
            try box.withContainer {
                try box.succeed("kill", box.id, "KILL")
                try box.waitFor(status: "stopped")
                try box.failExec([box.id, "true"], with: "exec \(box.id): cannot exec in a stopped container")
            }
        }
    }

    @Test func inAPausedOneOnlyWhenAsked() throws {
        try Sandbox.use("execpaused") { box in
            try box.withContainer {
                let freezer = "/sys/fs/cgroup/freezer/\(box.id)/freezer.state"
                let isLegacy = FileManager.default.fileExists(atPath: freezer)
                let file = isLegacy ? freezer : "/sys/fs/cgroup/\(box.id)/cgroup.freeze"
                func write(_ word: String) throws {
                    let handle = try #require(FileHandle(forWritingAtPath: file))
                    try handle.write(contentsOf: Data(word.utf8))
                    try handle.close()
                }
                try write(isLegacy ? "FROZEN" : "1")
                TestMachine.wait(seconds: 1) { !isLegacy || box.contents(file) == "FROZEN\n" }
                try box.failExec(
                    [box.id, "true"],
                    with: "exec \(box.id): cannot exec in a paused container (use --ignore-paused to override)"
                )
                let exec = try box.start(["exec", "--ignore-paused", box.id, "sh", "-c", "echo ran; exit 6"])
                usleep(200_000)
                #expect(exec.output == "")
                try write(isLegacy ? "THAWED" : "0")
                let outcome = exec.wait()
                #expect(outcome.status == 6 && outcome.output == "ran\n", "\(outcome)")
            }
        }
    }

    /// The container ends while processes enter it: each exec says so or ran, and nothing stays.
    @Test func theContainerEndsMeanwhile() throws {
        try Sandbox.use("execrace") { box in
            for delay in [0, 2000, 4000, 8000] {
                try box.configure(box.document("while :; do sleep 1000; done"))
                try box.succeed("run", "--detach", box.id)
                let execs = try (0..<6).map { _ in try box.start(["exec", box.id, "true"]) }
                usleep(useconds_t(delay))
                try box.succeed("delete", "--force", box.id)
                for exec in execs {
                    let outcome = exec.wait()
                    let isTold =
                        outcome.errors.contains("stopped container") || outcome.errors.contains("does not exist")
                        || outcome.errors.contains("created or deleted")
                    let isGood = outcome.status == 0 || outcome.status == 137 || (outcome.status == 255 && isTold)
                    #expect(isGood, "after \(delay) µs: \(outcome)")
                }
                #expect(Leaks.of(box).isEmpty)
            }
        }
    }

    @Test func inAUserNamespace() throws {
        try Sandbox.use("execuser") { box in
            var document = box.document("while :; do sleep 1000; done")
            document.change("linux") { linux in
                linux["namespaces"] = ["pid", "mount", "ipc", "uts", "user", "cgroup"].map { ["type": $0] }
                let mapping: Document = ["containerID": 0, "hostID": 200_000, "size": 1000]
                linux["uidMappings"] = [mapping]
                linux["gidMappings"] = [mapping]
            }
            for path in FileManager.default.enumerator(atPath: box.rootfs)?.compactMap({ $0 as? String }) ?? [] {
                lchown("\(box.rootfs)/\(path)", 200_000, 200_000)
            }
            try box.withContainer(document) {
                let outcome = try box.exec(["--user", "5:6"], "cat /proc/self/status /proc/self/uid_map")
                #expect(outcome.status == 0, "\(outcome)")
                #expect(field("Uid", of: outcome.output) == "5\t5\t5\t5")
                #expect(outcome.output.hasSuffix("200000       1000\n"), "\(outcome)")
                let pidFile = box.directory + "/pid"
                let exec = try box.start(["exec", "-u", "5", "--pid-file", pidFile, box.id, "sleep", "1000"])
                TestMachine.wait(seconds: 2) { box.contents(pidFile) != nil }
                let pid = try #require(pid_t(box.contents(pidFile) ?? ""))
                #expect(field("Uid", of: box.contents("/proc/\(pid)/status") ?? "")?.hasPrefix("200005\t") == true)
                kill(pid, SIGKILL)
                #expect(exec.wait().status == 137)
                try box.failExec(
                    ["--user", "1000", box.id, "true"],
                    with:
                        "exec \(box.id): process.user.uid: cannot set uid to unmapped user in user namespace: 1000 is "
                        + "in no entry of linux.uidMappings"
                )
            }
        }
    }

    /// By an intermediate, since an ordinary user has no power over the pid namespace from outside.
    @Test func byAnOrdinaryUser() throws {
        try Sandbox.use("execrootless") { box in
            let become = ["/usr/bin/setpriv", "--reuid", "23456", "--regid", "23456", "--clear-groups"]
            let look = [TestMachine.binary, "--version"]
            let files = box.directory + "/look"
            let reach = try ChildProcess(become + look, environment: box.environment, files: files).wait()
            try #require(reach.status == 0, "user 23456 must be able to execute \(TestMachine.binary): \(reach)")
            var document = box.document("while :; do sleep 1000; done")
            document.change("linux") { linux in
                linux["namespaces"] = ["pid", "mount", "ipc", "uts", "user"].map { ["type": $0] }
                let mapping: Document = ["containerID": 0, "hostID": 23456, "size": 1]
                linux["uidMappings"] = [mapping]
                linux["gidMappings"] = [mapping]
            }
            document.change("process") { $0["oomScoreAdj"] = 345 }
            try box.configure(document)
            let paths = FileManager.default.enumerator(atPath: box.directory)?.compactMap { $0 as? String } ?? []
            for path in paths.map({ "\(box.directory)/\($0)" }) + [box.directory] { lchown(path, 23456, 23456) }
            let run = try box.start(["run", "--detach", box.id], prefix: become).wait()
            #expect(run.status == 0, "\(run)")
            let script = "cat /proc/self/status /proc/self/oom_score_adj; exit 7"
            let outcome = try box.start(["exec", box.id, "sh", "-c", script], prefix: become).wait()
            #expect(outcome.status == 7, "\(outcome)")
            #expect(field("Uid", of: outcome.output) == "0\t0\t0\t0")
            #expect(field("NSpid", of: outcome.output)?.split(separator: "\t").count == 1)
            #expect(outcome.output.hasSuffix("\n345\n"), "\(outcome)")
            let missing = try box.start(["exec", box.id, "nothing"], prefix: become).wait()
            #expect(missing.status == 255 && missing.errors.contains("not found in $PATH"), "\(missing)")
            #expect(try box.start(["delete", "--force", box.id], prefix: become).wait().status == 0)
        }
    }

    /// One container is in the namespaces of another, by path.
    @Test func inJoinedNamespaces() throws {
        try Sandbox.use("execjoined") { box in
            try box.withContainer {
                let first = try box.state().pid
                var document = box.document("while :; do sleep 1000; done")
                document.change("linux") { linux in
                    linux["namespaces"] =
                        [["type": "mount"]]
                        + [("pid", "pid"), ("ipc", "ipc"), ("uts", "uts")].map {
                            ["type": $0.0, "path": "/proc/\(first)/ns/\($0.1)"]
                        }
                }
                let other = box.id + "-b"
                try box.configure(document)
                try box.succeed("run", "--detach", other)
                let second = try box.state(other).pid
                let script = "for n in pid ipc uts mnt; do readlink /proc/self/ns/$n; done"
                let outcome = try box.start(["exec", other, "sh", "-c", script]).wait()
                let expected = try [(first, "pid"), (first, "ipc"), (first, "uts"), (second, "mnt")].map {
                    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0.0)/ns/\($0.1)")
                }
                #expect(outcome.output == expected.map { $0 + "\n" }.joined(), "\(outcome)")
                try box.succeed("delete", "--force", other)
            }
        }
    }

    @Test func underTheContainersFilter() throws {
        try Sandbox.use("execseccomp") { box in
            for noNewPrivileges in [true, false] {
                var document = box.document("while :; do sleep 1000; done")
                document.change("process") { $0["noNewPrivileges"] = noNewPrivileges }
                document.change("linux") { linux in
                    let rule: Document = ["names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 99]
                    linux["seccomp"] = ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]] as Document
                }
                try box.withContainer(document) {
                    let outcome = try box.exec([], "cat /proc/self/status; busybox mkdir /tmp/made")
                    #expect(field("Seccomp", of: outcome.output) == "2", "\(outcome)")
                    #expect(field("Seccomp_filters", of: outcome.output) == "1", "\(outcome)")
                    #expect(outcome.errors.contains("Cannot assign requested address"), "\(outcome)")
                }
            }
        }
    }

    @Test func carriesATerminal() throws {
        try Sandbox.use("exectty") { box in
            try box.withContainer {
                let (primary, terminal) = try makeTerminal()
                defer { close(primary) }
                var size = winsize(ws_row: 33, ws_col: 101, ws_xpixel: 0, ws_ypixel: 0)
                _ = ioctl(primary, UInt(TIOCSWINSZ), &size)
                let script = "stty size; tty; read line; echo got $line; read line; stty size; exit 9"
                let exec = try box.start(["exec", "-t", box.id, "/bin/sh", "-c", script], streams: terminal)
                let greeting = readTerminal(primary, until: "/dev/pts/")
                #expect(greeting.contains("33 101") && greeting.contains("/dev/pts/"), "\(greeting)")
                _ = "hello\n".withCString { write(primary, $0, 6) }
                #expect(readTerminal(primary, until: "got hello").contains("got hello"))
                size.ws_row = 44
                _ = ioctl(primary, UInt(TIOCSWINSZ), &size)
                kill(exec.pid, SIGWINCH)
                usleep(100_000)
                _ = "\n".withCString { write(primary, $0, 1) }
                #expect(readTerminal(primary, until: "44 101").contains("44 101"))
                #expect(exec.wait().status == 9)
                close(terminal)
            }
        }
    }

    @Test func sendsATerminal() throws {
        try Sandbox.use("execconsole") { box in
            try box.withContainer {
                let path = box.directory + "/console.sock"
                let listener = try DescriptorSocket.listen(at: path)
                defer { close(listener) }
                let file = try box.processFile([
                    "cwd": "/", "consoleSize": ["height": 40, "width": 120],
                    "args": ["/bin/sh", "-c", "stty size; read line; echo got $line; sleep 1000"],
                ])
                let pidFile = box.directory + "/pid"
                let words = [
                    "exec", "-d", "--tty", "-p", file, "--console-socket", path, "--pid-file", pidFile, box.id,
                ]
                let outcome = try box.start(words).wait()
                #expect(outcome.status == 0, "\(outcome)")
                let (name, primary) = try DescriptorSocket.receive(from: listener)
                #expect(name.hasPrefix("/dev/pts/"))
                #expect(readTerminal(primary, until: "40 120").contains("40 120"))
                _ = "hello\n".withCString { write(primary, $0, 6) }
                #expect(readTerminal(primary, until: "got hello").contains("got hello"))
                // The end of the terminal ends its session.
                close(primary)
                let pid = try #require(pid_t(box.contents(pidFile) ?? ""))
                TestMachine.wait(seconds: 10) { kill(pid, 0) != 0 }
                try box.failExec(
                    ["-d", "-t", box.id, "true"],
                    with: "exec \(box.id): cannot allocate tty if apus will detach without setting console socket "
                        + "(process.terminal is true)"
                )
            }
        }
    }
}
