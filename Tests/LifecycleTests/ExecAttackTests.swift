// Mistakes of the caller with their sentences, and attacks of the container on who enters it.

import Foundation
import Testing

@Suite("Exec against mistakes and attacks", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct ExecAttackTests {
    @Test func saysWhatIsWrongWithAFile() throws {
        try Sandbox.use("execbadfile") { box in
            try box.withContainer {
                let file = box.directory + "/process.json"
                for (text, problem) in [
                    ("{\"cwd\": 5}", "cwd: expected a string, found a number (line 1, column 9)"),
                    ("{\"cwd\": \"/\"}", "args: args must not be empty; expected a program with its arguments"),
                    ("{\"cwd\": \"x\", \"args\": [\"a\"]}", "cwd: Cwd must be an absolute path, found \"x\""),
                    (
                        "{\"cwd\": \"/\", \"args\": [\"a\"], \"env\": [\"SECRET\"]}",
                        "env[0]: invalid environment variable: missing '='; expected NAME=value"
                    ),
                    (
                        "{\"cwd\": \"/\", \"args\": [\"a\"], \"execCPUAffinity\": {\"final\": \"3-1\"}}",
                        "execCPUAffinity.final: expected a list of numbers up to 8191 and ranges such as 0-3,7, found \"3-1\""
                    ),
                ] {
                    try Data(text.utf8).write(to: URL(fileURLWithPath: file))
                    try box.failExec(["-p", file, box.id], with: "exec \(box.id): \(file): \(problem)")
                }
                let none = box.directory + "/none"
                try box.failExec(
                    ["-p", none, box.id],
                    with: "exec \(box.id): read \(none) (read): ENOENT (no such file or directory)"
                )
            }
        }
    }

    @Test func saysWhyTheProgramDoesNotRun() throws {
        try Sandbox.use("execnoprogram") { box in
            try box.withContainer {
                try Data("no program".utf8).write(to: URL(fileURLWithPath: box.rootfs + "/bin/bad"))
                chmod(box.rootfs + "/bin/bad", 0o755)
                for (program, reason) in [
                    ("nothing", "exec: \"nothing\": executable file not found in $PATH"),
                    ("/nothing", "exec: \"/nothing\": no such file or directory"),
                    ("/proc/self/status", "exec: \"/proc/self/status\": permission denied"),
                    ("/etc", "exec: \"/etc\": is a directory: permission denied"),
                ] {
                    let outcome = try box.start(["exec", box.id, program]).wait()
                    #expect(outcome.status == 255)
                    #expect(outcome.errors.contains(": \(reason)\n"), "\(outcome)")
                }
                let bad = try box.start(["exec", box.id, "/bin/bad"]).wait()
                #expect(bad.status == 1 && bad.errors == "exec /bin/bad: exec format error\n", "\(bad)")
            }
        }
    }

    /// CVE-2016-3697: a user is a number, whatever the container's files call by that name.
    @Test func usersAreNumbers() throws {
        try Sandbox.use("execpasswd") { box in
            let passwd = "1000:x:0:0:root:/root:/bin/sh\n"
            try Data(passwd.utf8).write(to: URL(fileURLWithPath: box.rootfs + "/etc/passwd"))
            try box.withContainer {
                let outcome = try box.exec(["-u", "1000"], "cat /proc/self/status")
                #expect(field("Uid", of: outcome.output) == "1000\t1000\t1000\t1000")
            }
        }
    }

    /// CVE-2024-21626: a working directory that is a descriptor of the runtime's, open on the host.
    @Test func theWorkingDirectoryIsInside() throws {
        try Sandbox.use("execcwd") { box in
            try box.withContainer {
                let other = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                defer { close(other) }
                for number in 3..<16 {
                    let outcome = try box.start(
                        ["exec", "--cwd", "/proc/self/fd/\(number)", box.id, "/bin/sh", "-c", "pwd; ls"],
                        descriptors: [(5, other), (9, other)]
                    ).wait()
                    #expect(outcome.status == 255 && outcome.output.isEmpty, "\(number): \(outcome)")
                }
            }
        }
    }

    /// CVE-2016-9962 and CVE-2019-5736: root of the container reads descriptors and the executable of whatever appears
    /// in its pid namespace, as fast as it can, while processes enter.
    @Test func nobodyLooksIntoWhoEnters() throws {
        try Sandbox.use("execspy") { box in
            // What is still the runtime's after a success was so before it.
            let script = """
                caught() { n=; read -r n < $p/comm 2>/dev/null; case $n in apus*) echo "$1" >> /tmp/caught;; esac; }
                while :; do
                  for p in /proc/[0-9]*; do
                    n=; read -r n < $p/comm 2>/dev/null
                    case $n in apus*)
                      echo "saw $n" >> /tmp/seen
                      for l in $p/exe $p/root $p/cwd $p/fd/*; do readlink $l >/dev/null 2>&1 && caught $l; done
                      ( exec 4>>$p/exe ) 2>/dev/null && caught "$p/exe written"
                      ( exec 4<$p/mem ) 2>/dev/null && caught "$p/mem" ;;
                    esac
                  done
                done
                """
            let before = try Data(contentsOf: URL(fileURLWithPath: TestMachine.binary))
            var document = box.document(script)
            document.change("process") { process in
                process["capabilities"] = [
                    "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"],
                ]
            }
            try box.withContainer(document) {
                var rounds = 0
                while rounds < 50 || (rounds < 400 && box.contents(box.rootfs + "/tmp/seen") == nil) {
                    rounds += 1
                    let outcome = try box.start(["exec", box.id, "true"]).wait()
                    #expect(outcome.status == 0, "\(outcome)")
                }
            }
            #expect(box.contents(box.rootfs + "/tmp/seen") != nil, "the spy has seen nobody: the test proves nothing")
            #expect(box.contents(box.rootfs + "/tmp/caught") == nil)
            #expect(try Data(contentsOf: URL(fileURLWithPath: TestMachine.binary)) == before)
        }
    }

    /// A runtime that is killed at any moment of an exec leaves no process that has half entered.
    @Test(.enabled(if: TestMachine.isTraceable, "needs strace"))
    func aKilledRuntimeLeavesNobody() throws {
        try Sandbox.use("execkill") { box in
            try box.withContainer {
                let trace = box.directory + "/trace"
                for call in ["clone3", "prlimit64", "read", "write"] {
                    for occurrence in 1..<9 {
                        let point = FaultPoint(isOfChild: false, call: call, occurrence: occurrence)
                        let prefix = point.prefix("signal=SIGKILL", trace: trace)
                        let words = ["exec", "-d", box.id, "/bin/sleep", "0.01"]
                        _ = try box.start(words, prefix: prefix).wait()
                        TestMachine.wait(seconds: 2) { entered(box).isEmpty }
                        #expect(entered(box).isEmpty, "killed at \(point)")
                    }
                }
            }
        }
    }

    /// Processes of the runtime or of the exec in the container.
    private func entered(_ box: Sandbox) -> [String] {
        let hierarchies = ["/sys/fs/cgroup/pids/\(box.id)", "/sys/fs/cgroup/\(box.id)"]
        let pids = hierarchies.compactMap { box.contents($0 + "/cgroup.procs") }.first ?? ""
        return pids.split(separator: "\n").compactMap { pid in
            let name = box.contents("/proc/\(pid)/comm") ?? ""
            let command = box.contents("/proc/\(pid)/cmdline") ?? ""
            return name.hasPrefix("apus") || command.contains("0.01") ? "\(pid) \(name)" : nil
        }
    }
}
