// Much output through the terminal of a foreground `run` and `exec`: every byte in its place. And what the runtime does
// meanwhile when there is none: nothing. A gibibyte through `run`, a quarter of one through `exec`; `APUS_TERMINAL_MIB`
// says otherwise.

import Foundation
import Testing

@Suite("Terminal streams", .serialized, .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct TerminalStreamTests {
    /// Writes a mebibyte again and again, with its number before it: what is lost, doubled or out of its place shows.
    static func script(_ mebibytes: Int, _ data: String) -> String {
        let count = ProcessInfo.processInfo.environment["APUS_TERMINAL_MIB"].flatMap { Int($0) } ?? mebibytes
        return "i=0; while [ $i -lt \(count) ]; do echo mebibyte $i; cat \(data); i=$((i+1)); done"
    }

    /// A mebibyte of lines of letters that look random and are always the same.
    static func data() -> Data {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var state: UInt64 = 42
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1 << 20)
        while bytes.count < 1 << 20 {
            // Knuth's generator of MMIX; its upper bits are the good ones.
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            bytes.append(bytes.count % 77 == 76 ? UInt8(ascii: "\n") : letters[Int(state >> 58)])
        }
        bytes[bytes.count - 1] = UInt8(ascii: "\n")
        return Data(bytes)
    }

    /// The digest of what comes out of a command of the program, which must succeed.
    static func digest(_ box: Sandbox, _ words: [String], filter: String = "cat") throws -> String {
        let status = box.directory + "/status"
        try? FileManager.default.removeItem(atPath: status)
        let pipeline = "{ \"$@\"; echo $? > \(status); } | \(filter) | sha256sum"
        let outcome = try box.start(words, prefix: ["/bin/sh", "-c", pipeline, "sh"]).wait(seconds: 300)
        #expect(box.contents(status) == "0\n", "\(outcome)")
        return outcome.output
    }

    /// The digest of the same without a container.
    static func expected(_ box: Sandbox, _ mebibytes: Int, filter: String) throws -> String {
        let line = "{ \(script(mebibytes, box.rootfs + "/data")); } | \(filter) | sha256sum"
        let outcome = try ChildProcess(
            ["/bin/sh", "-c", line],
            environment: box.environment,
            files: box.directory + "/sum"
        )
        .wait(seconds: 300)
        try #require(outcome.status == 0 && outcome.output.count > 64, "\(outcome)")
        return outcome.output
    }

    /// As a terminal is by default: each line feed becomes a carriage return and a line feed.
    @Test func runLosesNothing() throws {
        try Sandbox.use("runbytes") { box in
            try Self.data().write(to: URL(fileURLWithPath: box.rootfs + "/data"))
            var document = box.document(Self.script(1024, "/data"))
            document.change("process") { $0["terminal"] = true }
            try box.configure(document)
            let expected = try Self.expected(box, 1024, filter: "sed 's/$/\\r/'")
            #expect(try Self.digest(box, ["run", box.id]) == expected)
        }
    }

    @Test func execLosesNothing() throws {
        try Sandbox.use("execbytes") { box in
            try Self.data().write(to: URL(fileURLWithPath: box.rootfs + "/data"))
            try box.withContainer {
                let script = "stty raw -echo; " + Self.script(256, "/data")
                let words = ["exec", "-t", box.id, "/bin/sh", "-c", script]
                let expected = try Self.expected(box, 256, filter: "cat")
                #expect(try Self.digest(box, words) == expected)
            }
        }
    }

    /// What the program makes once its terminal is as it wants it.
    static let waitUntilSet = "until [ -e rootfs/set ]; do sleep 0.05; done"

    /// Whoever reads lines sees the end, also of a line that has none of its own.
    @Test(arguments: ["", "abc", "abc\\n"])
    func endOfInputReachesTheProgram(input: String) throws {
        try Sandbox.use("inputend") { box in
            try box.withContainer {
                let words = ["exec", "-t", box.id, "/bin/sh", "-c", "stty -echo; : > /set; cat; echo end"]
                let pipeline = "{ \(Self.waitUntilSet); printf '\(input)'; } | \"$@\""
                let outcome = try box.start(words, prefix: ["/bin/sh", "-c", pipeline, "sh"]).wait()
                let text = input.replacingOccurrences(of: "\\n", with: "\r\n")
                #expect(outcome.status == 0 && outcome.output == text + "end\r\n", "\(outcome)")
            }
        }
    }

    /// In raw mode nothing says the end: a character for it would be input, and be echoed.
    @Test func endOfInputAddsNothingInRawMode() throws {
        try Sandbox.use("rawend") { box in
            try box.withContainer {
                let words = [
                    "exec", "-t", box.id, "/bin/sh", "-c", "stty raw; echo ready; : > /set; sleep 1; echo end",
                ]
                let pipeline = "{ \(Self.waitUntilSet); } | \"$@\""
                let outcome = try box.start(words, prefix: ["/bin/sh", "-c", pipeline, "sh"]).wait()
                #expect(outcome.status == 0 && outcome.output == "ready\nend\n", "\(outcome)")
            }
        }
    }

    /// How often the process was run since it began, and the processor time that it had, in ticks.
    static func activity(of pid: pid_t) throws -> (switches: Int, ticks: Int) {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let stat = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        let fields = try #require(stat.split(separator: ")").last).split(separator: " ")
        let switches = try #require(field("voluntary_ctxt_switches", of: status).flatMap { Int($0) })
        return (switches, try #require(Int(fields[11])) + (try #require(Int(fields[12]))))
    }

    @Test(arguments: [false, true])
    func isIdleWithTheContainer(hasTerminal: Bool) throws {
        try Sandbox.use("idle") { box in
            var document = box.document("while :; do sleep 1000; done")
            document.change("process") { $0["terminal"] = hasTerminal }
            try box.configure(document)
            let (primary, terminal) = try makeTerminal()
            defer { close(primary) }
            let run = try box.start(["run", box.id], streams: terminal)
            close(terminal)
            try TestMachine.wait(seconds: 4) { try box.apus("state", box.id).output.contains("running") }
            // What is left of the start.
            usleep(500_000)
            let before = try Self.activity(of: run.pid)
            usleep(3_000_000)
            let after = try Self.activity(of: run.pid)
            #expect(after.switches == before.switches && after.ticks == before.ticks, "\(before), then \(after)")
            try box.succeed("kill", box.id, "KILL")
            #expect(run.wait().status == 137)
        }
    }
}
