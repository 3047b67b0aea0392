// Root filesystems and configurations that were the way out of other runtimes. Each test has something of the host
// that an escape would touch.

import Foundation
import Testing

@Suite("Hostile bundles", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct HostileTests {
    /// CVE-2024-21626: a working directory that is a descriptor of the runtime's, open on the host.
    @Test func theWorkingDirectoryIsInside() throws {
        try Sandbox.use("cwd") { box in
            try Data("canary".utf8).write(to: URL(fileURLWithPath: box.directory + "/canary"))
            let up = String(repeating: "../", count: 12)
            for number in 3..<24 {
                var document = box.document("cat \(up)\(box.directory)/canary")
                document.change("process") { $0["cwd"] = "/proc/self/fd/\(number)" }
                try box.configure(document)
                let outcome = try box.apus("run", box.id)
                #expect(outcome.status == 1, "\(number): \(outcome)")
                #expect(!outcome.output.contains("canary"), "\(number): \(outcome)")
            }
        }
    }

    /// CVE-2019-19921: /proc of the image is a link, so that what is written to it goes elsewhere.
    @Test(arguments: ["/dev", "../../..", "/etc"])
    func procIsNotALink(target: String) throws {
        try Sandbox.use("proclink") { box in
            rmdir(box.rootfs + "/proc")
            symlink(target, box.rootfs + "/proc")
            try box.configure(box.document("true"))
            let outcome = try box.apus("create", box.id)
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.contains("/proc"), "\(outcome)")
        }
    }

    /// CVE-2025-31133: /dev/null of the image is a link, which masked paths would show instead of hiding.
    @Test func nullIsTheRealOne() throws {
        try Sandbox.use("nulllink") { box in
            try Data("canary".utf8).write(to: URL(fileURLWithPath: box.rootfs + "/etc/canary"))
            try Data("hidden".utf8).write(to: URL(fileURLWithPath: box.rootfs + "/etc/hidden"))
            symlink("/etc/canary", box.rootfs + "/dev/null")
            var document = box.document("cat /etc/hidden; echo changed > /etc/hidden; cat /etc/canary")
            document["mounts"] = [["destination": "/proc", "type": "proc", "source": "proc"]] as [Document]
            document.change("linux") { $0["maskedPaths"] = ["/etc/hidden"] }
            try box.configure(document)
            let outcome = try box.apus("run", box.id)
            #expect(outcome.status == 1 || outcome.output == "canary", "\(outcome)")
            #expect(box.contents(box.rootfs + "/etc/canary") == "canary")
        }
    }

    /// CVE-2026-41579: /dev of the image is a link to the host, where device nodes would be made.
    @Test func devIsNotALinkToTheHost() throws {
        try Sandbox.use("devlink") { box in
            let outside = box.directory + "/outside"
            try Sandbox.makeDirectory(outside)
            rmdir(box.rootfs + "/dev")
            symlink("../../outside", box.rootfs + "/dev")
            var document = box.document("true")
            for mounts in [
                document["mounts"] as? [Document] ?? [], [["destination": "/proc", "type": "proc", "source": "proc"]],
            ] {
                document["mounts"] = mounts
                try box.configure(document)
                let outcome = try box.apus("run", box.id)
                #expect(outcome.status == 1 || outcome.status == 0, "\(outcome)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
                #expect(Leaks.mounts(box.id).isEmpty)
            }
        }
    }

    /// What somebody with every power tries on `/proc/PID/exe`, held open until nobody executes it any more; a line each.
    static let attack = """
        import ctypes, errno, os, sys
        libc = ctypes.CDLL(None, use_errno=True)
        held, place, other = os.open(sys.argv[1], os.O_PATH), sys.argv[2], sys.argv[3]
        path = f"/proc/self/fd/{held}".encode()
        print("held", flush=True)
        sys.stdin.readline()
        def attempt(name, act):
            ctypes.set_errno(0)
            try:
                result = act()
            except OSError as error:
                result, code = -1, error.errno
            else:
                code = ctypes.get_errno()
            print(name, "worked" if result >= 0 else errno.errorcode[code])
        attempt("write", lambda: os.write(os.open(path, os.O_WRONLY), b"x"))
        attempt("truncate", lambda: os.truncate(path, 0) or 0)
        attempt("copy the mount", lambda: libc.syscall(428, held, b"", 1 | 0x1000))
        attempt("copy all mounts", lambda: libc.syscall(428, held, b"", 1 | 0x1000 | 0x8000))
        attributes = (ctypes.c_uint64 * 4)(0, 1, 0, 0)
        attempt("make it writable", lambda: libc.syscall(442, held, b"", 0x1000, attributes, 32))
        attempt("remount it", lambda: libc.mount(b"none", path, None, 32 | 4096, None))
        attempt("bind it", lambda: libc.mount(path, other.encode(), None, 4096, None))
        attempt("move the mount", lambda: libc.syscall(429, held, b"", -100, other.encode(), 4))
        attempt("configure it", lambda: libc.syscall(433, held, b"", 8))
        attempt("link it", lambda: libc.linkat(held, b"", -100, place.encode(), 0x1000))
        """

    /// CVE-2019-5736: the runtime's own file, through a process of it that waits in the container. The program is a copy
    /// that nobody else executes: otherwise the kernel would say that it is busy, whatever it is mounted from.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "needs python3"))
    func theProgramItselfCannotBeWritten() throws {
        try Sandbox.use("sealed") { box in
            let program = box.directory + "/apus"
            try box.copyProgram(to: program)
            let before = try Data(contentsOf: URL(fileURLWithPath: program))
            let facts = try FileManager.default.attributesOfItem(atPath: program)
            try box.configure(box.document("exec sleep 1000"))
            #expect(try box.start(["create", box.id], program: program).wait().status == 0)
            #expect(try Self.mountsOfMappedFiles(try box.state().pid).count == 1)
            let other = box.directory + "/other"
            try Data().write(to: URL(fileURLWithPath: other))
            let go = box.directory + "/go"
            mkfifo(go, 0o600)
            let words = ["/proc/\(try box.state().pid)/exe", box.directory + "/link", other]
            let attacker = try ChildProcess(
                ["/bin/sh", "-c", "exec /usr/bin/python3 -c \"$0\" \"$@\" <\(go)", Self.attack] + words,
                environment: box.environment,
                files: box.directory + "/attack"
            )
            let gate = open(go, O_WRONLY | O_CLOEXEC)
            TestMachine.wait(seconds: 5) { attacker.output == "held\n" }
            #expect(open(words[0], O_WRONLY | O_CLOEXEC) == -1)
            try box.succeed("start", box.id)
            let pid = try box.state().pid
            TestMachine.wait(seconds: 1) { box.contents("/proc/\(pid)/comm")?.hasPrefix("apus") != true }
            close(gate)
            let lines = attacker.wait().output.split(separator: "\n").map(String.init)
            // A mount that is read-only for good, or a file in memory whose content is sealed.
            #expect(["write EROFS", "write EPERM"].contains(lines.dropFirst().first), "\(lines)")
            #expect(["truncate EROFS", "truncate EPERM"].contains(lines.dropFirst(2).first), "\(lines)")
            let refused = ["copy the mount", "copy all mounts", "make it writable", "remount it", "bind it"]
            #expect(
                Array(lines.dropFirst(3))
                    == (refused + ["move the mount", "configure it"]).map { "\($0) EINVAL" } + ["link it EXDEV"],
                "\(lines)"
            )
            try box.succeed("delete", "--force", box.id)
            #expect(try Data(contentsOf: URL(fileURLWithPath: program)) == before)
            let after = try FileManager.default.attributesOfItem(atPath: program)
            #expect(after[.modificationDate] as? Date == facts[.modificationDate] as? Date)
            #expect(after[.posixPermissions] as? Int == facts[.posixPermissions] as? Int)
        }
    }

    /// The mounts through which a process's executable and the files that it has mapped can be reached.
    private static func mountsOfMappedFiles(_ pid: Int32) throws -> Set<String> {
        let mapped = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/map_files")
            .map { "/proc/\(pid)/map_files/\($0)" }
            .filter { try !FileManager.default.destinationOfSymbolicLink(atPath: $0).hasPrefix("/dev/zero") }
        #expect(mapped.count > 2)
        return try Set(
            (mapped + ["/proc/\(pid)/exe"]).map { path in
                let file = open(path, 0x20_0000 | O_CLOEXEC)  // O_PATH
                defer { close(file) }
                let facts = try String(contentsOfFile: "/proc/self/fdinfo/\(file)", encoding: .utf8)
                return try #require(facts.split(separator: "\n").first { $0.hasPrefix("mnt_id:") }.map(String.init))
            }
        )
    }

    /// Runs the container from a mount namespace of its own, with the program that the script executes with `"$@"`.
    private static func runAfter(_ script: String, _ box: Sandbox) throws -> ChildProcess {
        try ChildProcess(
            ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, "sh", "--root", box.stateRoot, "run", box.id],
            environment: box.environment,
            directory: box.bundle,
            files: box.directory + "/run"
        )
    }

    /// A mount that is read-only but can be made writable again is not enough, though it cannot be copied either.
    @Test func aReadOnlyMountInANamespaceIsSeenThrough() throws {
        try Sandbox.use("readonly") { box in
            try box.configure(box.document("exec sleep 1000"))
            let place = box.directory + "/program"
            try Sandbox.makeDirectory(place)
            try box.copyProgram(to: place + "/apus")
            let script = """
                mount --bind \(place) \(place) && mount -o remount,bind,ro \(place) &&
                mount --make-unbindable \(place) && exec \(place)/apus "$@"
                """
            let run = try Self.runAfter(script, box)
            TestMachine.wait(seconds: 5) { (try? box.apus("state", box.id))?.output.contains("running") == true }
            let exe = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(run.pid)/exe")
            #expect(exe.hasPrefix("/memfd:apus"), "\(exe)")
            try box.succeed("kill", box.id, "KILL")
            #expect(run.wait().status == 137)
        }
    }

    /// When the program has mapped itself anew and the kernel then refuses, it is as good as not begun.
    @Test(
        .enabled(if: TestMachine.strace != nil, "needs strace"),
        arguments: ["mmap:error=ENOMEM:when=1", "mmap:error=ENOMEM:when=3", "prctl:error=EPERM:when=1"]
    )
    func halfASealIsNone(fault: String) throws {
        try Sandbox.use("half") { box in
            try box.configure(box.document("exec sleep 1000"))
            let prefix = [TestMachine.strace ?? "strace", "-D", "-qq", "-o", "/dev/null", "-e", "inject=\(fault)"]
            let run = try box.start(["run", box.id], prefix: prefix)
            TestMachine.wait(seconds: 5) { (try? box.apus("state", box.id))?.output.contains("running") == true }
            let exe = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(run.pid)/exe")
            #expect(exe.hasPrefix("/memfd:apus"), "\(exe)")
            try box.succeed("kill", box.id, "KILL")
            let outcome = run.wait()
            #expect(outcome.status == 137, "\(outcome)")
        }
    }

    /// The path of the program may lead to another one, where a file is mounted over it.
    @Test func whatIsBelowAMountIsNotExecuted() throws {
        try Sandbox.use("covered") { box in
            try box.configure(box.document("exit 7"))
            let program = box.directory + "/program"
            let script =
                "cp /bin/true \(program) && mount --bind \(TestMachine.binary) \(program) && exec \(program) \"$@\""
            let run = try Self.runAfter(script, box)
            #expect(run.wait().status == 7)
        }
    }

    /// The same from inside, where the runtime's image is the container's program.
    @Test func theProgramAsTheContainersProgram() throws {
        try Sandbox.use("selfexe") { box in
            try box.configure(box.document(arguments: ["/proc/self/exe", "--version"]))
            let before = try Data(contentsOf: URL(fileURLWithPath: TestMachine.binary))
            let outcome = try box.apus("run", box.id)
            #expect([0, 1, 127].contains(outcome.status ?? -1), "\(outcome)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: TestMachine.binary)) == before)
        }
    }

    /// A link in the image that leads out of it, as a place to mount at.
    @Test func mountPointsStayInside() throws {
        try Sandbox.use("mountlink") { box in
            let outside = box.directory + "/outside"
            try Sandbox.makeDirectory(outside)
            symlink("/../../../../../../../..\(outside)", box.rootfs + "/link")
            var document = box.document("true")
            document.add("mounts", ["destination": "/link/made", "type": "tmpfs", "source": "tmpfs"])
            try box.configure(document)
            let outcome = try box.apus("run", box.id)
            #expect(outcome.status == 0 || outcome.status == 1, "\(outcome)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
        }
    }
}
