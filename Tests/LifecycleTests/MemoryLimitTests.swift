// Memory limits that are too low for the container, for the runtime's own part in it, or for a program: whoever is
// killed for it, the caller hears why.

import Foundation
import Testing

@Suite("Low memory limits", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct MemoryLimitTests {
    static func configure(_ box: Sandbox, _ script: String, limit: Int) throws {
        var document = box.document(script)
        document.change("linux") { $0["resources"] = ["memory": ["limit": limit, "swap": limit]] }
        try box.configure(document)
    }

    static let limits = [64, 96, 128, 160, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192]

    /// Every limit either works or says OOM, and nothing stays.
    @Test(arguments: limits)
    func workOrSayWhy(kibibytes: Int) throws {
        try Sandbox.use("lowmem-\(kibibytes)") { box in
            try Self.configure(box, "true", limit: kibibytes << 10)
            let run = try box.apus("run", box.id)
            #expect(run.status == 0 || run.errors.contains("OOM"), "\(run)")
            #expect(Leaks.of(box).isEmpty)

            let create = try box.apus("create", box.id)
            if create.status == 0 {
                let start = try box.apus("start", box.id)
                #expect(start.status == 0 || start.errors.contains("OOM"), "\(start)")
                try box.succeed("delete", "--force", box.id)
            } else {
                #expect(create.errors.contains("container init was OOM-killed (memory limit too low?)"), "\(create)")
            }
        }
    }

    /// A page is too little for everybody.
    @Test func theLogNamesTheClass() throws {
        try Sandbox.use("lowmem-log") { box in
            try Self.configure(box, "true", limit: 4096)
            let line = try #require(try LogLineTests.lines(box, ["create", box.id]).last)
            #expect(line.contains("\"code\":\"oom-killed\",\"subject\":\"\(box.id)\""), "\(line)")
            #expect(line.contains("container init was OOM-killed (memory limit too low?): "), "\(line)")
        }
    }

    /// A program that runs and then takes too much; and one that is killed by somebody else, which is not told so.
    @Test func aProgramIsToldFromAKill() throws {
        try Sandbox.use("lowmem-program") { box in
            try Self.configure(box, "x=a; while :; do x=$x$x; done", limit: 8 << 20)
            let outcome = try box.apus("run", box.id)
            #expect(outcome.status == 137, "\(outcome)")
            let message = "the program was OOM-killed: the memory limit of container \(box.id) was reached"
            #expect(outcome.errors.contains(message), "\(outcome)")

            try Self.configure(box, "kill -9 $$", limit: 8 << 20)
            let killed = try box.apus("run", box.id)
            // The first process of a pid namespace is not killed by itself; it ends with the script.
            #expect(killed.status == 0 || killed.status == 137, "\(killed)")
            #expect(!killed.errors.contains("OOM"), "\(killed)")
        }
    }

    @Test func anExecIsToldWhy() throws {
        try Sandbox.use("lowmem-exec") { box in
            try Self.configure(box, "echo yes > /tmp/ready; exec sleep 1000", limit: 16 << 20)
            try box.succeed("run", "--detach", box.id)
            try box.waitFor("ready", "yes\n")
            let outcome = try box.apus("exec", box.id, "/bin/sh", "-c", "x=a; while :; do x=$x$x; done")
            #expect(outcome.status == 137, "\(outcome)")
            #expect(outcome.errors.contains("the program was OOM-killed"), "\(outcome)")
            // The earlier kill does not count for this one.
            let killed = try box.apus("exec", box.id, "/bin/sh", "-c", "kill -9 $$")
            #expect(killed.status == 137 && !killed.errors.contains("OOM"), "\(killed)")

            // No room left at all: the process is killed before its program runs, or the program at its start.
            let file = box.cgroup("memory") + "/" + (TestMachine.isUnified ? "memory.max" : "memory.limit_in_bytes")
            let usage = box.cgroupFile("memory", "memory.usage_in_bytes", "memory.current").flatMap { Int($0) } ?? 0
            // In v2 a limit below the use kills at once, and there is only the container.
            try? box.writeCgroup(file, "\(max(4096, TestMachine.isUnified ? usage : usage / 2))")
            let none = try box.apus("exec", box.id, "/bin/sh", "-c", "x=a; while :; do x=$x$x; done")
            #expect(none.status == 137 || none.status == 255, "\(none)")
            #expect(none.errors.contains("OOM"), "\(none)")
            try box.succeed("delete", "--force", box.id)
        }
    }
}
