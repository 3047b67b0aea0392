// ps: the container's processes and nobody else's.

import Foundation
import Testing

@Suite("Process list", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct ProcessListTests {
    private func pids(_ box: Sandbox) throws -> [Int] {
        let output = try box.succeed("ps", "--format", "json", box.id).output
        return try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [Int])
    }

    /// A container of a shell and as many programs `sleep`, its own loop's among them: a slow machine has started them
    /// only after the container is ready.
    /// - Returns: The kernel's list.
    private func run(_ box: Sandbox, _ script: String, sleeping count: Int) throws -> [Int] {
        try box.runReady(script)
        for _ in 0..<2000 * TestMachine.slowness {
            let listed = try #require(box.contents(box.cgroup("pids") + "/cgroup.procs"))
            let pids = listed.split(separator: "\n").compactMap { Int($0) }.sorted()
            if pids.filter({ box.contents("/proc/\($0)/comm") == "sleep\n" }).count == count { return pids }
            usleep(5000)
        }
        throw Waiting(what: "\(count) programs sleep")
    }

    private struct Waiting: Error { let what: String }

    @Test func listsAllAlsoBelow() throws {
        try Sandbox.use("ps") { box in
            let expected = try run(box, "sleep 1001 & sleep 1002 &", sleeping: 3)
            try #require(expected.count == 4)
            #expect(try pids(box) == expected)
            for hierarchy in TestMachine.isUnified ? [""] : ["unified", "devices", "freezer", "pids"] {
                let below = box.cgroup(hierarchy) + "/below"
                guard mkdir(below, 0o755) == 0 else { continue }
                try box.writeCgroup(below + "/cgroup.procs", "\(expected[1])")
            }
            #expect(try pids(box) == expected)
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func tableIsThatOfTheHost() throws {
        try Sandbox.use("pstable") { box in
            _ = try run(box, "sleep 1001 &", sleeping: 2)
            let usual = try box.succeed("ps", box.id).output.split(separator: "\n")
            #expect(usual.first?.hasPrefix("UID ") == true)
            #expect(usual.count == 4)
            #expect(usual.contains { $0.hasSuffix(" sleep 1001") })
            let pid = try box.state().pid
            for words in [[box.id, "-o", "pid,args"], [box.id, "--", "-o", "pid,args"]] {
                // Without column widths that depend on what else runs.
                let output = try box.start(["ps", "-f", "table"] + words + ["-A", "-ww"]).wait().output
                let lines = output.split(separator: "\n")
                #expect(lines.first?.hasSuffix("PID COMMAND") == true)
                #expect(lines.count == 4, "\(output)")
                #expect(lines.contains { $0.split(separator: " ").first == "\(pid)" })
            }
            let bare = try box.apus("ps", box.id, prefix: ["/usr/bin/env", "-i"])
            #expect(bare.output.split(separator: "\n").count == 4, "\(bare)")
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func refusesATableThatItCannotRead() throws {
        try Sandbox.use("psbad") { box in
            try box.runReady("")
            let id = box.id
            let program = try box.apus("ps", id, "-o", "cmd").errors.split(separator: " ").dropFirst(3).first ?? ""
            try box.fail(
                "ps",
                id,
                "-o",
                "cmd",
                with: "ps \(id): \(program) -o cmd: its output has no column PID, by which the container's processes "
                    + "are found"
            )
            let outcome = try box.apus("ps", id, "--nothing")
            #expect(outcome.status == 1)
            #expect(outcome.errors.hasPrefix("apus: ps \(id): \(program) --nothing: exit status 1, stderr: "))
            let lost = try box.apus("ps", id, prefix: ["/usr/bin/env", "PATH=/nowhere"])
            #expect(lost.errors == "apus: ps \(id): exec: \"ps\": executable file not found in $PATH\n")
            try box.succeed("delete", "--force", id)
        }
    }

    @Test func aStoppedOneHasNone() throws {
        try Sandbox.use("psstopped") { box in
            try box.configure(box.document("true"))
            try box.succeed("run", "--detach", box.id)
            try box.waitFor(status: "stopped")
            #expect(try pids(box) == [])
            #expect(try box.succeed("ps", box.id).output.split(separator: "\n").count == 1)
            try box.succeed("delete", box.id)
            try box.fail(
                "ps",
                box.id,
                with: "ps \(box.id): container does not exist: \(box.id) (state root \(box.stateRoot))"
            )
        }
    }
}
