// events: numbers that agree with what the container does, and the news that it ran out of memory.

import Foundation
import Testing

@Suite("Events", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct EventTests {
    private static let mebibyte = 1 << 20

    /// The statistics of a line.
    private struct Line: Decodable {
        struct Data: Decodable {
            struct CPU: Decodable {
                struct Usage: Decodable {
                    let total: UInt64
                    let kernel: UInt64
                    let user: UInt64
                }
                let usage: Usage
            }
            struct Memory: Decodable {
                struct Counter: Decodable {
                    let limit: UInt64
                    let usage: UInt64
                }
                let usage: Counter
                let raw: [String: UInt64]
            }
            struct Pids: Decodable {
                let current: Int
                let limit: Int
            }
            struct Interface: Decodable {
                let Name: String
            }
            let cpu: CPU
            let memory: Memory
            let pids: Pids
            let hugetlb: [String: [String: UInt64]]
            let network_interfaces: [Interface]?
        }
        let type: String
        let id: String
        let data: Data
    }

    private func decode(_ line: String) throws -> Line.Data {
        let decoded = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
        #expect(decoded.type == "stats")
        return decoded.data
    }

    @Test func numbersAreThoseOfTheContainer() throws {
        try Sandbox.use("stats") { box in
            try box.runReady("dd if=/dev/zero of=/dev/blob bs=1M count=8; sleep 1001 & sleep 1002 &") {
                var mounts = $0["mounts"] as? [Document] ?? []
                mounts[1]["options"] = ["nosuid", "mode=755", "size=32m"]
                $0["mounts"] = mounts
                $0.setLinux("resources", ["memory": ["limit": 64 * Self.mebibyte], "pids": ["limit": 50]])
                $0.setLinux("namespaces", ["pid", "mount", "ipc", "uts", "network"].map { ["type": $0] })
            }
            let output = try box.succeed("events", "--stats", box.id).output
            let start = "{\"type\":\"stats\",\"id\":\"\(box.id)\",\"data\":{\"cpu\":{\"usage\":{\"total\":"
            #expect(output.hasPrefix(start) && output.hasSuffix("}\n"))
            #expect(output.split(separator: "\n").count == 1)
            let stats = try decode(output)
            #expect(stats.cpu.usage.total > 0)
            #expect(stats.memory.usage.usage >= 8 * Self.mebibyte)
            #expect(stats.memory.usage.usage <= 64 * Self.mebibyte)
            #expect(stats.memory.usage.limit == 64 * Self.mebibyte)
            #expect(try #require(stats.memory.raw["shmem"]) == 8 * Self.mebibyte)
            #expect(stats.pids.current == 4)
            #expect(stats.pids.limit == 50)
            // A network namespace with nothing but its loopback.
            #expect(stats.network_interfaces?.isEmpty == true)
            try box.succeed("update", "--pids-limit", "-1", box.id)
            #expect(try decode(try box.succeed("events", "--stats", box.id).output).pids.limit == 0)
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func goesOnUntilTheContainerEnds() throws {
        try Sandbox.use("events") { box in
            try box.runReady("while :; do :; done &")
            // Long enough for a busy machine to give the container time in between.
            let stream = try box.start(["events", "--interval", "500ms", box.id])
            let totals = try lines(4, of: stream, box).map { try decode($0).cpu.usage.total }
            #expect(zip(totals, totals.dropFirst()).allSatisfy { $0 < $1 }, "\(totals)")
            // Its own network is the host's, whose numbers are not the container's.
            #expect(try decode(try #require(lines(1, of: stream, box).first)).network_interfaces == nil)
            try box.succeed("pause", box.id)
            let seen = lines(1, of: stream, box).count
            _ = lines(seen + 2, of: stream, box)
            try box.succeed("delete", "--force", box.id)
            let outcome = stream.wait()
            #expect(outcome.status == 0)
            #expect(outcome.errors.isEmpty)
            #expect(!outcome.output.contains("\"oom\""))
        }
    }

    private func lines(_ count: Int, of stream: ChildProcess, _ box: Sandbox) -> [String] {
        box.lines(count, of: stream)
    }

    /// Doubles a string until memory ends; the shell that waits for it lives on.
    private static let eater = "(a=x; while :; do a=$a$a; done)"

    @Test(arguments: ["echo $? > /tmp/eaten; while :; do sleep 1000; done", ""])
    func hearsThatMemoryRanOut(rest: String) throws {
        try Sandbox.use("oom") { box in
            let limit: Document = ["limit": 16 * Self.mebibyte, "swap": 16 * Self.mebibyte]
            let eater = rest.isEmpty ? "a=x; while :; do a=$a$a; done" : "\(Self.eater); \(rest)"
            try box.configure(
                {
                    var document = box.document("while [ ! -e /tmp/go ]; do sleep 0.05; done; \(eater)")
                    document.setLinux("resources", ["memory": limit])
                    return document
                }()
            )
            try box.succeed("run", "--detach", box.id)
            let stream = try box.start(["events", "--interval", "1h", box.id])
            // Not before it listens.
            TestMachine.wait(seconds: 5) { isListening(stream.pid) }
            _ = FileManager.default.createFile(atPath: box.rootfs + "/tmp/go", contents: nil)
            #expect(lines(1, of: stream, box) == ["{\"type\":\"oom\",\"id\":\"\(box.id)\"}"])
            if rest.isEmpty {
                #expect(stream.wait().status == 0)
                try box.waitFor(status: "stopped")
            } else {
                try box.waitFor("eaten", "137\n")
                #expect(try box.state().status == "running")
            }
            try box.succeed("delete", "--force", box.id)
            #expect(stream.wait().status == 0)
        }
    }

    /// Whether the process waits in poll(2), which comes after everything that it opens.
    private func isListening(_ pid: pid_t) -> Bool {
        let path = "/proc/\(pid)/syscall"
        guard let data = FileManager.default.contents(atPath: path) else { return false }
        // Of x86-64.
        return String(decoding: data, as: UTF8.self).hasPrefix("7 ")
    }

    @Test func refusesWhatIsNotThere() throws {
        try Sandbox.use("eventsbad") { box in
            let id = box.id
            try box.fail(
                "events",
                id,
                with: "events \(id): container does not exist: \(id) (state root \(box.stateRoot))"
            )
            try box.configure(box.document("true"))
            try box.succeed("run", "--detach", id)
            try box.waitFor(status: "stopped")
            for words in [["events", id], ["events", "--stats", id]] {
                let outcome = try box.start(words).wait()
                #expect(outcome.status == 1)
                #expect(outcome.errors == "apus: events \(id): container with id \(id) is not running\n")
            }
            let usage = "; see \"apus events --help\""
            try box.fail(
                "events",
                "--interval",
                "5",
                id,
                with: "--interval: \"5\" is not a duration such as 500ms, 5s or 1m30s\(usage)"
            )
            try box.fail(
                "events",
                "--interval",
                "0",
                id,
                with: "--interval: \"0\" is too short; expected at least 1ms\(usage)"
            )
            try box.succeed("delete", id)
        }
    }
}
