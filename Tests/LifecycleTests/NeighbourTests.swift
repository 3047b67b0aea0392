// What a container must not do to others, nor others to it: cgroups that two were given, the caller's environment and
// keys, a root that is read-only.

import Foundation
import Testing

@Suite("Neighbours", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct NeighbourTests {
    /// The cgroup of a stopped container is empty, so it may be given to another; deleting the first one must leave it.
    @Test func deletionLeavesWhoCameLater() throws {
        try Sandbox.use("neighbour") { box in
            var document = box.document("sleep 60")
            var linux = try #require(document["linux"] as? Document)
            linux["cgroupsPath"] = "/\(box.id)"
            document["linux"] = linux
            try box.configure(document)
            let other = "\(box.id)-later"
            try box.succeed("run", "--detach", box.id)
            try box.succeed("kill", box.id, "KILL")
            try box.waitFor(status: "stopped")
            try box.succeed("run", "--detach", other)
            try box.succeed("kill", "--all", box.id, "KILL")
            #expect(try box.state(other).status == "running")
            let outcome = try box.succeed("delete", box.id)
            #expect(outcome.errors.contains("1 process(es) of others are in it"), "\(outcome)")
            #expect(try box.state(other).status == "running")
            try box.succeed("delete", "--force", other)
        }
    }

    /// systemd removes a scope's cgroup when the last process has ended, also while a deletion is about to kill what is left.
    @Test(.enabled(if: TestMachine.isTraceable, "needs strace"))
    func aCgroupMayGoMeanwhile() throws {
        try Sandbox.use("going") { box in
            let isUnified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")
            let place = isUnified ? "/sys/fs/cgroup/\(box.id)" : "/sys/fs/cgroup/unified/\(box.id)"
            var document = box.document("exit 0")
            document.change("linux") { linux in
                linux["namespaces"] = ["mount", "ipc", "uts"].map { ["type": $0] }
                linux["cgroupsPath"] = "/\(box.id)"
            }
            try box.configure(document)
            try box.succeed("run", "--detach", box.id)
            try box.waitFor(status: "stopped")
            guard FileManager.default.fileExists(atPath: "\(place)/cgroup.kill") else {
                try box.succeed("delete", box.id)
                return
            }
            let prefix = [TestMachine.strace ?? "strace", "-qq", "-o", box.directory + "/calls"]
            let fault = ["-P", "\(place)/cgroup.kill", "-e", "inject=write:error=ENODEV"]
            let outcome = try box.apus("delete", box.id, prefix: prefix + fault)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(box.contents(box.directory + "/calls")?.contains("ENODEV") == true)
        }
    }

    /// A cgroup with somebody in it is refused, and stays as it is: neither the refused creation nor its deletion ends who is
    /// there, or takes away what was there before.
    @Test func aRefusedCgroupStays() throws {
        try Sandbox.use("refused") { box in
            var document = box.document("sleep 60")
            document.change("linux") { $0["cgroupsPath"] = "/\(box.id)/shared" }
            try box.configure(document)
            let other = "\(box.id)-other"
            try box.succeed("run", "--detach", box.id)
            for words in [["create", other], ["run", "--detach", other]] {
                let outcome = try box.start(words).wait()
                #expect(outcome.status == 1 && outcome.errors.contains("cgroup is not empty"), "\(outcome)")
                #expect(!outcome.errors.contains("cleaning up"), "\(outcome)")
                #expect(try box.succeed("list", "-q").output == "\(box.id)\n")
            }
            try box.succeed("delete", "--force", other)
            #expect(try box.state().status == "running")
            #expect(try box.succeed("exec", box.id, "cat", "/proc/self/cgroup").output.contains("\(box.id)/shared"))
            try box.succeed("delete", "--force", box.id)
        }
    }

    /// The same of one that is empty and frozen: it was not made here.
    @Test func aFrozenCgroupStays() throws {
        try Sandbox.use("frozen") { box in
            var document = box.document("true")
            document.change("linux") { $0["cgroupsPath"] = "/\(box.id)" }
            try box.configure(document)
            let isUnified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")
            let place = isUnified ? "/sys/fs/cgroup/\(box.id)" : "/sys/fs/cgroup/freezer/\(box.id)"
            try #require(mkdir(place, 0o755) == 0)
            defer { rmdir(place) }
            let file = "\(place)/\(isUnified ? "cgroup.freeze" : "freezer.state")"
            try (isUnified ? "1" : "FROZEN").write(toFile: file, atomically: false, encoding: .utf8)
            let outcome = try box.apus("run", box.id)
            #expect(outcome.status == 1 && outcome.errors.contains("unexpectedly frozen"), "\(outcome)")
            #expect(box.contents(file)?.hasPrefix(isUnified ? "1" : "FROZEN") == true)
            #expect(try box.succeed("list", "-q").output == "")
            #expect(rmdir(place) == 0)
        }
    }

    /// A hierarchy that is mounted for others, where this runtime sees an empty directory.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/sys/fs/cgroup/pids"), "needs cgroup v1"))
    func whatOthersHaveMountedIsNotMissed() throws {
        try Sandbox.use("unmounted") { box in
            try box.configure(box.document("cat /proc/self/cgroup"))
            let cover = "mount -t tmpfs none /sys/fs/cgroup/pids && exec \"$@\""
            let outcome = try box.apus("run", box.id, prefix: ["/usr/bin/unshare", "-m", "/bin/sh", "-c", cover, "sh"])
            #expect(outcome.status == 0, "\(outcome)")
            let pids = outcome.output.split(separator: "\n").first { $0.contains(":pids:") }
            let memory = outcome.output.split(separator: "\n").first { $0.contains(":memory:") }
            #expect(pids?.contains(box.id) == false && memory?.hasSuffix(box.id) == true, "\(outcome)")
        }
    }

    /// The same where the cgroup that tells of processes is gone, and a hierarchy of v1 has them.
    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/sys/fs/cgroup/unified"), "needs a hybrid machine"))
    func deletionLeavesWhoIsOnlyInOtherHierarchies() throws {
        try Sandbox.use("hybrid") { box in
            try box.configure(box.document("sleep 60"))
            try box.succeed("run", "--detach", box.id)
            try box.succeed("kill", box.id, "KILL")
            try box.waitFor(status: "stopped")
            #expect(rmdir("/sys/fs/cgroup/unified/\(box.id)") == 0)
            let place = "/sys/fs/cgroup/devices/\(box.id)"
            let stranger = try ChildProcess(
                ["/bin/sh", "-c", "echo $$ > \(place)/cgroup.procs; exec sleep 60"],
                environment: ["PATH=/bin:/usr/bin"],
                files: box.directory + "/stranger"
            )
            TestMachine.wait(seconds: 5) { box.contents("\(place)/cgroup.procs") == "\(stranger.pid)\n" }
            let outcome = try box.succeed("delete", box.id)
            #expect(outcome.errors.contains("1 process(es) of others are in it"), "\(outcome)")
            kill(stranger.pid, SIGKILL)
            #expect(stranger.wait().status == 137)
            for hierarchy in try FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup") {
                let left = "/sys/fs/cgroup/\(hierarchy)/\(box.id)"
                guard FileManager.default.fileExists(atPath: left) else { continue }
                for _ in 0..<100 {
                    if rmdir(left) == 0 { break }
                    usleep(10_000)
                }
            }
        }
    }

    @Test func startHookDoesNotSeeTheCallersEnvironment() throws {
        try Sandbox.use("environment") { box in
            var document = box.document("exit 0")
            let hook: Document = ["path": "/bin/sh", "args": ["sh", "-c", "env >&2; exit 1"]]
            document["hooks"] = ["startContainer": [hook]]
            try box.configure(document)
            let outcome = try box.apus("run", box.id, environment: ["SECRET_OF_THE_CALLER=1"])
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.contains("APUS_TEST_ID=\(box.id)"), "\(outcome)")
            #expect(!outcome.errors.contains("SECRET_OF_THE_CALLER"), "\(outcome)")
        }
    }

    @Test func missingWorkingDirectoryIsMadeUnderAReadOnlyRoot() throws {
        try Sandbox.use("cwd") { box in
            var document = box.document("readlink /proc/self/cwd; echo x > /file || exit 6")
            var process = try #require(document["process"] as? Document)
            process["cwd"] = "/made/here"
            document["process"] = process
            document["root"] = ["path": "rootfs", "readonly": true] as Document
            try box.configure(document)
            let outcome = try box.apus("run", box.id)
            #expect(outcome.output == "/made/here\n", "\(outcome)")
            #expect(outcome.status == 6, "\(outcome)")
        }
    }

    @Test func sessionKeyringIsItsOwn() throws {
        try Sandbox.use("keyring") { box in
            try box.configure(box.document("cat /proc/keys"))
            let own = try box.apus("run", box.id)
            #expect(own.output.contains("_ses.\(box.id)"), "\(own)")
            let inherited = try box.apus("run", "--no-new-keyring", "\(box.id)-old")
            #expect(!inherited.output.contains("_ses.\(box.id)-old"), "\(inherited)")
        }
    }

    /// A profile from before these calls were there: the program is found and started all the same.
    @Test(arguments: [false, true])
    func oldFilterDoesNotHideTheProgram(noNewPrivileges: Bool) throws {
        try Sandbox.use("filter") { box in
            var document = box.document(arguments: ["true"])
            var process = try #require(document["process"] as? Document)
            process["noNewPrivileges"] = noNewPrivileges
            document["process"] = process
            var linux = try #require(document["linux"] as? Document)
            let newer: Document = [
                "names": ["faccessat2", "close_range", "clone3", "openat2"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38,
            ]
            linux["seccomp"] = ["defaultAction": "SCMP_ACT_ALLOW", "syscalls": [newer]] as Document
            document["linux"] = linux
            try box.configure(document)
            let outcome = try box.apus("run", box.id)
            #expect(outcome.status == 0, "\(outcome)")
        }
    }
}
