// The command lines of ps, pause, resume, update and events, as engines and people write them.

import Lifecycle
import OCISpec
import Testing

@testable import RuntimeCLI

@Suite struct ControlCommandTests {
    private func command(_ words: String...) throws -> Command {
        try Invocation.parse(words, in: Surroundings(userID: 0, runtimeDirectory: nil)).command
    }

    private func ps(_ format: ListFormat, _ arguments: [String]) -> Command {
        var options = PsOptions("web1")
        options.format = format
        options.arguments = arguments
        return .ps(options)
    }

    private func message(_ words: String...) -> String? {
        do {
            _ = try Invocation.parse(words, in: Surroundings(userID: 0, runtimeDirectory: nil))
            return nil
        } catch {
            return error.message
        }
    }

    @Test func optionsBehindTheIDAreForPS() throws {
        #expect(try command("ps", "--format", "json", "web1") == ps(.json, []))
        #expect(try command("ps", "-f=json", "web1") == ps(.json, []))
        #expect(try command("ps", "web1", "-f", "--help") == ps(.table, ["-f", "--help"]))
        #expect(try command("ps", "web1", "--", "-o", "pid") == ps(.table, ["-o", "pid"]))
        #expect(try command("ps", "--", "web1", "-o", "pid") == ps(.table, ["-o", "pid"]))
        #expect(
            message("ps", "-f", "xml", "web1") == "--format: \"xml\" is not accepted; choose one of table, json"
                + "; see \"apus ps --help\""
        )
        // Elsewhere an option may still stand behind the id.
        #expect(try command("delete", "web1", "--force") == command("delete", "--force", "web1"))
    }

    @Test func pauseAndResume() throws {
        #expect(try command("pause", "web1") == .pause(id: "web1"))
        #expect(try command("resume", "web1") == .resume(id: "web1"))
    }

    @Test func checkpoints() throws {
        var settings = CheckpointSettings()
        settings.linkRemap = true
        settings.tcpSkipInFlight = true
        settings.networkLock = .nftables
        #expect(
            try command("checkpoint", "--link-remap", "--tcp-skip-in-flight", "--network-lock", "nftables", "web1")
                == .checkpoint(settings, id: "web1")
        )
        #expect(throws: UsageProblem.self) { try command("checkpoint", "--network-lock", "tables", "web1") }
    }

    @Test func limits() throws {
        #expect(try command("update", "--resources=-", "web1") == .update(UpdateOptions("web1", .file("-"))))
        #expect(try command("update", "-r", "/f", "web1") == .update(UpdateOptions("web1", .file("/f"))))
        var limits = Resources()
        limits.memory = MemoryResources()
        limits.memory?.limit = 1 << 29
        limits.memory?.reservation = -1
        limits.memory?.swap = 3 << 29
        limits.memory?.kernel = 1
        limits.memory?.kernelTCP = 2048
        limits.cpu = CPUResources()
        limits.cpu?.shares = 512
        limits.cpu?.quota = -1
        limits.cpu?.period = 100_000
        limits.cpu?.burst = 0
        limits.cpu?.realtimePeriod = 1_000_000
        limits.cpu?.realtimeRuntime = 950_000
        limits.cpu?.cpus = "0-3"
        limits.cpu?.mems = "0"
        limits.cpu?.idle = 1
        limits.blockIO = BlockIOResources()
        limits.blockIO?.weight = 300
        limits.pids = PidsResources(limit: 0)
        let given = try command(
            "update",
            "--memory",
            "512m",
            "--memory-reservation",
            "-1",
            "--memory-swap=1.5G",
            "--kernel-memory",
            "1b",
            "--kernel-memory-tcp",
            "2kib",
            "--cpu-share",
            "512",
            "--cpu-quota=-1",
            "--cpu-period",
            "100000",
            "--cpu-burst",
            "0",
            "--cpu-rt-period",
            "1000000",
            "--cpu-rt-runtime",
            "950000",
            "--cpuset-cpus",
            "0-3",
            "--cpuset-mems",
            "0",
            "--cpu-idle",
            "1",
            "--blkio-weight",
            "300",
            "--pids-limit",
            "9",
            "--pids-limit",
            "0",
            "web1"
        )
        #expect(given == .update(UpdateOptions("web1", .options(limits))))
    }

    @Test(
        arguments: [
            ("4096", 4096), ("4k", 4096), ("4K", 4096), ("4kb", 4096), ("4KiB", 4096), ("4 k", 4096),
            ("1.5m", 1_572_864),
            ("2g", 2 << 30), ("1t", 1 << 40), ("1P", 1 << 50), ("7b", 7), ("0", 0), ("-1", -1), ("-2", nil), ("", nil),
            ("k", nil), ("1x", nil), ("1ib", nil), (".5m", nil), ("1..5m", nil), ("1e3", nil), ("99999p", nil),
        ] as [(String, Int64?)]
    )
    func sizes(text: String, bytes: Int64?) {
        #expect(Quantity.bytes(text) == bytes)
    }

    @Test(
        arguments: [
            ("5s", 5_000_000_000), ("500ms", 500_000_000), ("1m30s", 90_000_000_000), ("1.5h", 5_400_000_000_000),
            ("10us", 10_000), ("10µs", 10_000), ("7ns", 7), ("0", 0), ("5", nil), ("", nil), ("s", nil), ("5 s", nil),
            ("-5s", nil), ("5s3", nil), ("5d", nil),
        ] as [(String, Int64?)]
    )
    func durations(text: String, nanoseconds: Int64?) {
        #expect(Quantity.nanoseconds(text) == nanoseconds)
    }

    @Test func events() throws {
        var options = EventsOptions("web1")
        #expect(options.interval == 5_000_000_000)
        #expect(try command("events", "web1") == .events(options))
        options.interval = 1_000_000_000
        #expect(try command("events", "--interval=1s", "web1") == .events(options))
        options = EventsOptions("web1")
        options.once = true
        #expect(try command("events", "--stats", "web1") == .events(options))
    }
}
