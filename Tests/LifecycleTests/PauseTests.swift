// pause and resume, and what every other command makes of a paused container.

import Foundation
import Testing

@Suite("Pause", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct PauseTests {
    /// Makes a file longer and longer.
    static let counter = "(while :; do echo >> /tmp/count; sleep 0.002; done) &"

    private func isFrozen(_ box: Sandbox) throws -> Bool {
        if TestMachine.isUnified {
            return try #require(box.contents(box.cgroup("") + "/cgroup.events")).contains("frozen 1")
        }
        return box.contents(box.cgroup("freezer") + "/freezer.state") == "FROZEN\n"
    }

    @Test func standsStillAndGoesOn() throws {
        try Sandbox.use("pause") { box in
            try box.runReady(Self.counter)
            try box.succeed("pause", box.id)
            #expect(try isFrozen(box))
            #expect(try box.state().status == "paused")
            #expect(try box.succeed("list").output.contains("   paused   "))
            let count = box.contents(box.rootfs + "/tmp/count")
            usleep(50_000)
            #expect(box.contents(box.rootfs + "/tmp/count") == count)
            try box.succeed("resume", box.id)
            #expect(try !isFrozen(box))
            #expect(try box.state().status == "running")
            TestMachine.wait(seconds: 5) { box.contents(box.rootfs + "/tmp/count") != count }
            #expect(box.contents(box.rootfs + "/tmp/count") != count)
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func refusesWhatDoesNotFitTheStatus() throws {
        try Sandbox.use("pausebad") { box in
            try box.configure(box.document("sleep 1000"))
            let id = box.id
            for verb in ["pause", "resume"] {
                try box.fail(
                    verb,
                    id,
                    with: "\(verb) \(id): container does not exist: \(id) (state root \(box.stateRoot))"
                )
            }
            try box.succeed("create", id)
            try box.fail("resume", id, with: "resume \(id): container not paused: \(id) is created")
            try box.succeed("pause", id)
            try box.fail("pause", id, with: "pause \(id): container already paused: \(id)")
            try box.fail("start", id, with: "start \(id): cannot start container \(id): it is paused")
            try box.fail(
                "delete",
                id,
                with: "delete \(id): cannot delete container \(id) that is not stopped: paused"
            )
            try box.succeed("resume", id)
            #expect(try box.state().status == "created")
            try box.succeed("start", id)
            try box.succeed("kill", id, "KILL")
            try box.waitFor(status: "stopped")
            try box.fail("pause", id, with: "pause \(id): container not running: \(id) is stopped")
            try box.fail("resume", id, with: "resume \(id): container not paused: \(id) is stopped")
            try box.succeed("delete", id)
        }
    }

    @Test func deletesAPausedOneByForce() throws {
        try Sandbox.use("pausedelete") { box in
            try box.runReady(Self.counter)
            try box.succeed("pause", box.id)
            try box.succeed("delete", "--force", box.id)
            try box.configure(box.document("sleep 1000"))
            try box.succeed("create", box.id)
            try box.succeed("pause", box.id)
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test(arguments: [["KILL"], ["--all", "KILL"]])
    func killEndsAPausedOne(words: [String]) throws {
        try Sandbox.use("pausekill") { box in
            try box.runReady(Self.counter)
            try box.succeed("pause", box.id)
            let options = words.dropLast()
            #expect(try box.start(["kill"] + options + [box.id, words[words.count - 1]]).wait().status == 0)
            try box.waitFor(status: "stopped")
            try box.succeed("delete", box.id)
        }
    }

    @Test func anotherSignalWaitsForTheResume() throws {
        try Sandbox.use("pauseterm") { box in
            try box.runReady("trap 'echo heard > /tmp/heard; exit 0' TERM; sleep 1000 & echo yes > /tmp/ready; wait")
            try box.succeed("pause", box.id)
            try box.succeed("kill", box.id, "TERM")
            #expect(try box.state().status == "paused")
            #expect(box.contents(box.rootfs + "/tmp/heard") == nil)
            try box.succeed("resume", box.id)
            try box.waitFor(status: "stopped")
            #expect(box.contents(box.rootfs + "/tmp/heard") == "heard\n")
            try box.succeed("delete", box.id)
        }
    }

    /// A `pause` that was cut off, or an administrator, leaves nothing but the cgroup's state.
    @Test func resumesWhatSomebodyElseFroze() throws {
        try Sandbox.use("pauseother") { box in
            try box.runReady("")
            if TestMachine.isUnified {
                try box.writeCgroup(box.cgroup("") + "/cgroup.freeze", "1")
            } else {
                try box.writeCgroup(box.cgroup("freezer") + "/freezer.state", "FROZEN")
            }
            #expect(try box.state().status == "paused")
            try box.succeed("resume", box.id)
            #expect(try box.state().status == "running")
            try box.succeed("delete", "--force", box.id)
        }
    }

    /// A container that freezes itself below its own cgroup must not withstand its end.
    @Test(arguments: ["delete", "kill"])
    func endsWhatFrozeItself(verb: String) throws {
        try Sandbox.use("pausebelow") { box in
            try box.runReady("")
            let below = box.cgroup("freezer") + "/below"
            #expect(mkdir(below, 0o755) == 0)
            try box.writeCgroup(below + "/cgroup.procs", "\(try box.state().pid)")
            if TestMachine.isUnified {
                try box.writeCgroup(below + "/cgroup.freeze", "1")
            } else {
                try box.writeCgroup(below + "/freezer.state", "FROZEN")
            }
            if verb == "kill" {
                try box.succeed("kill", box.id, "KILL")
                try box.waitFor(status: "stopped")
                try box.succeed("delete", box.id)
            } else {
                try box.succeed("delete", "--force", box.id)
            }
        }
    }

    @Test func freezesWhatForksWithoutEnd() throws {
        try Sandbox.use("pausefork") { box in
            try box.runReady("for i in 1 2 3 4; do (while :; do /bin/true; done) & done")
            for _ in 0..<15 {
                try box.succeed("pause", box.id)
                #expect(try isFrozen(box))
                try box.succeed("resume", box.id)
            }
            try box.succeed("delete", "--force", box.id)
        }
    }

    /// A process in a loop of page faults that only another program could end; see userfaultfd(2).
    private static let unfreezable = """
        import ctypes, fcntl, mmap, os, struct
        libc = ctypes.CDLL(None)
        fd = libc.syscall(323, os.O_CLOEXEC)
        fcntl.ioctl(fd, 0xc018aa3f, struct.pack("QQQ", 0xaa, 0, 0))
        page = mmap.mmap(-1, 4096)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        fcntl.ioctl(fd, 0xc020aa00, bytearray(struct.pack("QQQQ", address, 4096, 1, 0)))
        reader, writer = os.pipe()
        print("stuck", flush=True)
        libc.write(writer, ctypes.c_void_p(address), ctypes.c_size_t(1))
        """

    /// Takes the whole time that `pause` has.
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/python3"), "needs python3"))
    func givesUpWhatDoesNotStandStill() throws {
        try Sandbox.use("pausestuck") { box in
            try box.runReady("")
            let stuck = try ChildProcess(
                ["/usr/bin/python3", "-c", Self.unfreezable],
                environment: box.environment,
                files: box.directory + "/stuck"
            )
            defer {
                kill(stuck.pid, SIGKILL)
                _ = stuck.wait()
            }
            #expect(box.lines(1, of: stuck) == ["stuck"])
            try box.writeCgroup(box.cgroup("freezer") + "/cgroup.procs", "\(stuck.pid)")
            try box.fail(
                "pause",
                box.id,
                with: "pause \(box.id): freeze the container: its processes did not all stand still in time; "
                    + "they run again"
            )
            #expect(try box.state().status == "running")
            #expect(try !isFrozen(box))
            kill(stuck.pid, SIGKILL)
            _ = stuck.wait()
            try box.succeed("pause", box.id)
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func saysThatThereIsNoCgroup() throws {
        try Sandbox.use("pausenone") { box in
            try box.configure(box.document("sleep 1000"))
            try box.succeed("--cgroup-manager", "disabled", "create", box.id)
            try box.fail("pause", box.id, with: "pause \(box.id): freeze the container: it has no cgroup of its own")
            #expect(try box.state().status == "created")
            try box.succeed("delete", "--force", box.id)
        }
    }
}
