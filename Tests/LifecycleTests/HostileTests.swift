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

    /// CVE-2019-5736: the runtime's own file, through a process of it that waits in the container.
    @Test func theProgramItselfCannotBeWritten() throws {
        try Sandbox.use("sealed") { box in
            let before = try Data(contentsOf: URL(fileURLWithPath: TestMachine.binary))
            try box.configure(box.document("exec sleep 1000"))
            try box.succeed("create", box.id)
            let exe = "/proc/\(try box.state().pid)/exe"
            // O_PATH, as an attacker would hold it until the file is no longer executed.
            let held = open(exe, 0o10000000 | O_CLOEXEC)
            try #require(held >= 0)
            defer { close(held) }
            #expect(open(exe, O_WRONLY | O_CLOEXEC) == -1)
            try box.succeed("start", box.id)
            let pid = try box.state().pid
            TestMachine.wait(seconds: 1) { box.contents("/proc/\(pid)/comm")?.hasPrefix("apus") != true }
            let writable = open("/proc/self/fd/\(held)", O_WRONLY | O_CLOEXEC)
            let problem = errno
            #expect(writable == -1)
            // A read-only file system, or a file whose content is sealed: not the host's own file, which is only busy.
            #expect(problem == EROFS || problem == EPERM, "errno \(problem)")
            try box.succeed("delete", "--force", box.id)
            #expect(try Data(contentsOf: URL(fileURLWithPath: TestMachine.binary)) == before)
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
