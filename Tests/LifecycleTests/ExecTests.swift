// `exec`: every option by what it makes observable, and how it ends.

import Foundation
import Testing

extension Sandbox {
    /// Starts a container that waits for its end, runs the body, and deletes it.
    func withContainer(_ document: Document? = nil, _ body: () throws -> Void) throws {
        try configure(document ?? self.document("while :; do sleep 1000; done"))
        try succeed("run", "--detach", id)
        try body()
        try succeed("delete", "--force", id)
    }

    /// Runs a shell script in the container.
    func exec(_ options: [String] = [], _ script: String) throws -> Outcome {
        try start(["exec"] + options + [id, "/bin/sh", "-c", script]).wait()
    }

    /// What must fail before anything of the process runs.
    func failExec(_ words: [String], with message: String, location: SourceLocation = #_sourceLocation) throws {
        let outcome = try start(["exec"] + words).wait()
        #expect(outcome.status == 255, "\(words): \(outcome)", sourceLocation: location)
        let line = outcome.errors.split(separator: "\n").first.map(String.init) ?? ""
        #expect(line == "apus: \(message)", sourceLocation: location)
    }

    func processFile(_ process: Document) throws -> String {
        let path = directory + "/process.json"
        try JSONSerialization.data(withJSONObject: process).write(to: URL(fileURLWithPath: path))
        return path
    }
}

/// The value of a line `Name:\tvalue`.
func field(_ name: String, of text: String) -> String? {
    text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
        .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
}

@Suite("Exec", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct ExecTests {
    @Test func isLikeTheContainersOwnProcess() throws {
        try Sandbox.use("exec") { box in
            var document = box.document("while :; do sleep 1000; done")
            document.change("process") { process in
                process["cwd"] = "/tmp"
                process["user"] = ["uid": 3, "gid": 4, "additionalGids": [5]]
                process["rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 77, "hard": 88]]
                process["oomScoreAdj"] = 321
            }
            try box.withContainer(document) {
                let own = try box.state().pid
                let script =
                    "cat /proc/self/status /proc/self/limits; echo cwd $PWD; echo id $APUS_TEST_ID; "
                    + "echo oom $(cat /proc/self/oom_score_adj); readlink /proc/self/ns/mnt"
                let outcome = try box.exec([], script)
                #expect(outcome.status == 0, "\(outcome)")
                let text = outcome.output
                #expect(field("Uid", of: text) == "3\t3\t3\t3")
                #expect(field("Gid", of: text) == "4\t4\t4\t4")
                #expect(field("Groups", of: text) == "5")
                #expect(field("NoNewPrivs", of: text) == "1")
                let status = box.contents("/proc/\(own)/status") ?? ""
                for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
                    #expect(field(set, of: text) == field(set, of: status), "\(set)")
                }
                #expect(text.contains("cwd /tmp\n"))
                #expect(text.contains("id \(box.id)\n"))
                #expect(text.contains("oom 321\n"))
                #expect(text.contains("Max open files            77                   88"), "\(text)")
                let namespace = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(own)/ns/mnt")
                #expect(text.hasSuffix("\(namespace)\n"))
            }
        }
    }

    /// What execve refuses is the program's own end, in runc's words: callers look for them.
    @Test func aProgramThatCannotRunIsAProgramThatEnds() throws {
        try Sandbox.use("execbad") { box in
            try Data("#!/nothing/there\n".utf8).write(to: URL(fileURLWithPath: box.rootfs + "/bin/bad"))
            chmod(box.rootfs + "/bin/bad", 0o755)
            try box.withContainer(box.document("sleep 60")) {
                let outcome = try box.apus("exec", box.id, "bad")
                #expect(outcome.status == 1, "\(outcome)")
                #expect(outcome.errors == "exec /bin/bad: no such file or directory\n", "\(outcome)")
                let terminal = try box.apus("exec", "--tty", box.id, "bad")
                #expect(terminal.status == 1, "\(terminal)")
                #expect(terminal.output == "exec /bin/bad: no such file or directory\r\n", "\(terminal)")
                let pidFile = box.directory + "/pid"
                let detached = try box.apus("exec", "--detach", "--pid-file", pidFile, box.id, "bad")
                #expect(detached.status == 0, "\(detached)")
                #expect(box.contents(pidFile) != nil)
            }
        }
    }

    @Test func optionsChangeTheProcess() throws {
        try Sandbox.use("execoptions") { box in
            var document = box.document("while :; do sleep 1000; done")
            document.change("process") { process in
                process["noNewPrivileges"] = false
                process["env"] = ["PATH=/bin", "APUS_TEST_ID=\(box.id)", "ONE=own", "TWO=own"]
                let sets = ["bounding", "effective", "permitted", "inheritable"]
                process["capabilities"] = Dictionary(uniqueKeysWithValues: sets.map { ($0, ["CAP_KILL"]) })
            }
            try box.withContainer(document) {
                let options = [
                    "--user", "7:8", "-g", "9", "--additional-gids=10", "--cwd", "/tmp", "-e", "ONE=new", "--env=SIX==",
                    "--no-new-privs",
                ]
                let outcome = try box.exec(options, "cat /proc/self/status; env; pwd")
                #expect(field("Uid", of: outcome.output) == "7\t7\t7\t7", "\(outcome)")
                #expect(field("Gid", of: outcome.output) == "8\t8\t8\t8")
                #expect(field("Groups", of: outcome.output) == "9 10")
                #expect(field("NoNewPrivs", of: outcome.output) == "1")
                let lines = outcome.output.split(separator: "\n")
                for line in ["ONE=new", "TWO=own", "SIX==", "/tmp"] {
                    #expect(lines.contains { $0 == line }, "\(line)")
                }
                #expect(!lines.contains("ONE=own"))

                // CAP_KILL is 5, CAP_NET_ADMIN is 12.
                let capable = try box.exec(["--cap", "CAP_NET_ADMIN"], "cat /proc/self/status").output
                #expect(field("CapEff", of: capable) == "0000000000001020")
                #expect(field("CapBnd", of: capable) == "0000000000001020")
                #expect(field("CapInh", of: capable) == "0000000000000020", "CVE-2022-29162")
                #expect(field("CapAmb", of: capable) == "0000000000000000")
                #expect(field("NoNewPrivs", of: capable) == "0")

                let words = ["--cap", "CAP_NET_ADMIN", "--cap", "net_raw", "--cap", "CAP_MAGIC"]
                let partly = try box.exec(words, "cat /proc/self/status")
                #expect(partly.status == 0 && field("CapEff", of: partly.output) == "0000000000001020", "\(partly)")
                for name in ["net_raw", "CAP_MAGIC"] {
                    #expect(partly.errors.contains("level=warning msg=\"--cap: \\\"\(name)\\\" is left out"))
                }
            }
        }
    }

    @Test func aFileDescribesItAll() throws {
        try Sandbox.use("execfile") { box in
            try box.withContainer {
                let file = try box.processFile([
                    "cwd": "/etc", "args": ["/bin/sh", "-c", "cat /proc/self/status; env; pwd"],
                    "env": ["ONLY=this"], "user": ["uid": 1, "gid": 2, "umask": 0o27],
                ])
                let outcome = try box.start(["exec", "--process", file, box.id]).wait()
                #expect(outcome.status == 0, "\(outcome)")
                #expect(field("Uid", of: outcome.output) == "1\t1\t1\t1")
                #expect(field("Umask", of: outcome.output) == "0027")
                // A file without capabilities does not ask for all of them, nor for none.
                #expect(field("CapBnd", of: outcome.output) == "0000000000000020")
                #expect(outcome.output.contains("ONLY=this\n"))
                #expect(!outcome.output.contains("APUS_TEST_ID"))
                #expect(outcome.output.hasSuffix("/etc\n"))
            }
        }
    }

    /// What only the file asks for is a warning; what the container's own configuration asked for was one at create.
    @Test func aFileMayAskForTooMuch() throws {
        try Sandbox.use("execmagic") { box in
            var document = box.document("while :; do sleep 1000; done")
            document.change("process") { $0["capabilities"] = ["bounding": ["CAP_OLD", "CAP_KILL"]] }
            try box.withContainer(document) {
                let file = try box.processFile([
                    "cwd": "/", "args": ["/bin/true"],
                    "capabilities": ["bounding": ["CAP_OLD", "CAP_NEW", "CAP_KILL"]],
                ])
                let outcome = try box.start(["exec", "--process", file, box.id]).wait()
                #expect(outcome.status == 0, "\(outcome)")
                #expect(
                    outcome.errors.contains(
                        "level=warning msg=\"capabilities.bounding: \\\"CAP_NEW\\\" cannot be granted"
                    )
                )
                #expect(!outcome.errors.contains("CAP_OLD"), "\(outcome)")
            }
        }
    }

    @Test(arguments: [("true", Int32(0)), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137), ("kill -15 $$", 143)])
    func returnsTheStatus(script: String, status: Int32) throws {
        try Sandbox.use("execstatus") { box in
            try box.withContainer {
                let outcome = try box.exec([], script)
                #expect(outcome.status == status, "\(outcome)")
            }
        }
    }

    /// A caller as conmon and containerd's shim are: a subreaper that waits for the pid in the file.
    private static let shim = """
        import ctypes, os, subprocess, sys
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
        print("apus", subprocess.call(sys.argv[2:]))
        pid = int(open(sys.argv[1]).read())
        print("parent", int(open(f"/proc/{pid}/stat").read().rsplit(")")[1].split()[1]) == os.getpid())
        print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        try: print("also", os.waitpid(-1, 0))
        except ChildProcessError: print("alone")
        """

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "needs python3"))
    func detachedItBelongsToTheCaller() throws {
        try Sandbox.use("execdetach") { box in
            try box.withContainer {
                let pidFile = box.directory + "/pid"
                let words = ["exec", "--detach", "--pid-file", pidFile, box.id, "/bin/sh", "-c", "sleep 0.2; exit 9"]
                let outcome = try box.start(words, prefix: ["/usr/bin/python3", "-uc", Self.shim, pidFile]).wait()
                #expect(outcome.output == "apus 0\nparent True\nstatus 9\nalone\n", "\(outcome)")
                // One that does not come to run leaves no file.
                let missing = ["exec", "--detach", "--pid-file", pidFile + "-2", box.id, "/bin/nothing"]
                #expect(try box.start(missing).wait().status == 255)
                #expect(box.contents(pidFile + "-2") == nil)
            }
        }
    }

    @Test func sendsAPidfd() throws {
        try Sandbox.use("execpidfd") { box in
            try box.withContainer {
                let path = box.directory + "/pidfd.sock"
                let listener = try DescriptorSocket.listen(at: path)
                defer { close(listener) }
                let pidFile = box.directory + "/pid"
                let words = ["exec", "--pidfd-socket", path, "--pid-file", pidFile, box.id, "sleep", "1000"]
                let exec = try box.start(words)
                let (text, pidfd) = try DescriptorSocket.receive(from: listener)
                defer { close(pidfd) }
                #expect(text == "setns")
                TestMachine.wait(seconds: 2) { box.contents(pidFile) != nil }
                let info = box.contents("/proc/self/fdinfo/\(pidfd)") ?? ""
                #expect(field("Pid", of: info) == box.contents(pidFile), "\(info)")
                kill(exec.pid, SIGTERM)
                #expect(exec.wait().status == 143)
            }
        }
    }

    @Test func forwardsSignals() throws {
        try Sandbox.use("execsignal") { box in
            try box.withContainer {
                let script = "trap 'echo hup; exit 21' HUP; echo ready; while :; do sleep 0.05; done"
                let exec = try box.start(["exec", box.id, "/bin/sh", "-c", script])
                while !exec.output.contains("ready") && !box.isStopped { usleep(5000) }
                kill(exec.pid, SIGHUP)
                let outcome = exec.wait()
                #expect(outcome.status == 21, "\(outcome)")
                #expect(outcome.output == "ready\nhup\n")
            }
        }
    }

    @Test func affinityBeforeAndAfterTheCgroup() throws {
        try Sandbox.use("execaffinity") { box in
            try box.withContainer {
                let plain = try box.start(["exec", box.id, "/bin/cat", "/proc/self/status"]).wait()
                let own = field("Cpus_allowed_list", of: plain.output) ?? ""
                // Before Linux 6.2 entering a cgroup with a cpuset takes the first choice back.
                for (affinity, seen) in [
                    (["initial": "0", "final": "1"], ["1"]), (["final": "0"], ["0"]), (["initial": "1"], ["1", own]),
                ]
                where sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 {
                    let process: Document = [
                        "cwd": "/", "args": ["/bin/cat", "/proc/self/status"], "execCPUAffinity": affinity,
                    ]
                    let outcome = try box.start(["exec", "-p", try box.processFile(process), box.id]).wait()
                    let found = field("Cpus_allowed_list", of: outcome.output) ?? ""
                    #expect(seen.contains(found), "\(affinity): \(outcome)")
                }
                let none: Document = ["cwd": "/", "args": ["/bin/true"], "execCPUAffinity": ["initial": "4000"]]
                try box.failExec(
                    ["-p", try box.processFile(none), box.id],
                    with: "exec \(box.id): runtime, step 2 setAffinity: run on the CPUs 4000 of "
                        + "process.execCPUAffinity.initial (sched_setaffinity): EINVAL (invalid argument)"
                )
            }
        }
    }

    @Test func keepsDescriptorsThatItIsGiven() throws {
        try Sandbox.use("execpreserve") { box in
            try box.withContainer {
                try Data("three\n".utf8).write(to: URL(fileURLWithPath: box.directory + "/3"))
                let three = open(box.directory + "/3", O_RDONLY | O_CLOEXEC)
                defer { close(three) }
                let script = "cat <&3; echo $LISTEN_FDS $(($LISTEN_PID - $$)) $LISTEN_FDNAMES; ls /proc/$$/fd"
                let outcome = try box.start(
                    ["exec", box.id, "/bin/sh", "-c", script],
                    prefix: ["/bin/sh", "-c", "export LISTEN_PID=$$; exec \"$@\"", "sh"],
                    environment: ["LISTEN_FDS=1", "LISTEN_FDNAMES=web"],
                    descriptors: [(3, three), (9, three)]
                ).wait()
                #expect(outcome.status == 0, "\(outcome)")
                let lines = outcome.output.split(separator: "\n").map(String.init)
                #expect(lines.starts(with: ["three", "1 0 web", "0", "1", "2", "3"]), "\(outcome)")
                #expect(!lines.contains("9"), "\(outcome)")
                let counted = try box.start(
                    ["exec", "--preserve-fds", "1", box.id, "cat", "/proc/self/fd/3"],
                    descriptors: [(3, three)]
                ).wait()
                #expect(counted.status == 0, "\(counted)")
                try box.failExec(
                    ["--preserve-fds", "1", box.id, "true"],
                    with: "exec \(box.id): --preserve-fds 1: descriptor 3 is not open"
                )
            }
        }
    }

    @Test func isInTheCgroupsOfTheContainer() throws {
        try Sandbox.use("execcgroup") { box in
            try box.withContainer {
                let own = box.contents("/proc/\(try box.state().pid)/cgroup") ?? ""
                #expect(own.contains(box.id))
                let pidFile = box.directory + "/pid"
                let exec = try box.start(["exec", "--pid-file", pidFile, box.id, "sleep", "1000"])
                TestMachine.wait(seconds: 2) { box.contents(pidFile) != nil }
                let pid = try #require(pid_t(box.contents(pidFile) ?? ""))
                #expect(box.contents("/proc/\(pid)/cgroup") == own)
                kill(pid, SIGKILL)
                #expect(exec.wait().status == 137)
                try box.failExec(
                    ["--cgroup", "nothing:x", box.id, "true"],
                    with: "exec \(box.id): --cgroup nothing:x: "
                        + (FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.procs")
                            ? "cgroup v2 has no controllers of their own place"
                            : "the container has no cgroup of this controller")
                )
            }
        }
    }

    @Test func canBeInACgroupBelow() throws {
        try Sandbox.use("execsubcgroup") { box in
            try box.withContainer {
                let isUnified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.procs")
                let parent = isUnified ? "/sys/fs/cgroup/\(box.id)" : "/sys/fs/cgroup/pids/\(box.id)"
                let word = isUnified ? "inner" : "pids:inner"
                try Sandbox.makeDirectory(parent + "/inner")
                let outcome = try box.exec(["--cgroup", word], "cat /proc/self/cgroup")
                let line = isUnified ? "0::/\(box.id)/inner" : "pids:/\(box.id)/inner"
                #expect(outcome.output.contains(line), "\(outcome)")
                rmdir(parent + "/inner")
                let missing = try box.exec(["--cgroup", word], "true")
                #expect(missing.status == 255)
                #expect(missing.errors.contains("the cgroup \(parent)/inner does not exist"), "\(missing)")
            }
        }
    }
}
