// Changing limits of cgroups that live: what would take a write back, and the v2 driver on this machine's v2 hierarchy.

import Configuration
import Diagnostics
import Foundation
import LinuxSystem
import Testing

@testable import Cgroups

@Suite struct RestorationTests {
    /// File, value to be written, text before; the value that restores it.
    static let cases: [(String, String, String, String)] = [
        ("memory.limit_in_bytes", "4096", "9223372036854771712", "9223372036854771712"),
        ("cpu.max", "50000 100000", "max 100000", "max 100000"),
        ("memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 3", "0"),
        ("cpuset.cpus", "0", "", " "),
        ("io.bfq.weight", "200", "default 100\n8:0 300", "default 100\n8:0 300"),
        ("io.bfq.weight", "8:0 200", "default 100\n8:0 300", "8:0 300"),
        ("io.weight", "8:16 200", "default 100\n8:0 300", "8:16 default"),
        ("io.max", "8:0 rbps=1", "8:0 rbps=7 wbps=max riops=max wiops=9", "8:0 rbps=7 wbps=max riops=max wiops=9"),
        ("io.max", "8:0 rbps=1 wiops=2", "8:16 rbps=7", "8:0 rbps=max wiops=max"),
        ("blkio.throttle.read_bps_device", "8:0 4096", "8:0 100", "8:0 100"),
        ("blkio.throttle.read_bps_device", "8:0 4096", "8:1 100", "8:0 0"),
        ("rdma.max", "mlx hca_handle=2", "mlx hca_handle=max hca_object=5", "mlx hca_handle=max hca_object=5"),
        ("rdma.max", "mlx hca_handle=2", "", "mlx hca_handle=max"),
        ("net_prio.ifpriomap", "eth0 5", "lo 0\neth0 2", "eth0 2"),
    ]

    @Test(arguments: cases)
    func takesBack(file: String, value: String, present: String, restored: String) {
        let write = CgroupWrite("x", file, value, key: "linux.resources.x")
        let back = write.restoring(write.choices[0], present)
        #expect(back.choices == [CgroupWrite.Choice(file, restored)])
    }
}

/// The v2 driver, in the v2 hierarchy of this machine; controllers may all be on v1.
@Suite(.enabled(if: Machine.hasUnified, "needs root and a mounted cgroup v2"))
struct UnifiedUpdateTests {
    private func settings(_ pairs: (String, String)...) -> ResourceConfiguration {
        TranslationTests.make { $0.unified = pairs.map { UnifiedSetting(file: $0.0, value: $0.1) } }
    }

    @Test func allOrNothing() throws {
        try TestCgroups(unified: "update").use { cgroups in
            let manager = cgroups.manager
            try manager.create()
            try manager.update(settings(("cgroup.max.depth", "7"), ("cgroup.max.descendants", "8")), devices: nil)
            #expect(try cgroups.read("", "cgroup.max.depth") == "7")
            #expect(try cgroups.read("", "cgroup.max.descendants") == "8")
            let bad = settings(("cgroup.max.depth", "9"), ("cgroup.max.descendants", "many"))
            #expect(
                failure { try manager.update(bad, devices: nil) }
                    == "not all limits could be set, so the old ones are back: set "
                    + "linux.resources.unified.cgroup.max.descendants to many (write, cgroup.max.descendants): "
                    + "EINVAL (invalid argument)"
            )
            #expect(try cgroups.read("", "cgroup.max.depth") == "7")
            let place = try cgroups.directory("")
            try cgroups.withhold("memory")
            let missing = TranslationTests.make {
                $0.unified = [UnifiedSetting(file: "cgroup.max.depth", value: "9")]
                $0.memory.limit = 1 << 30
            }
            // Memory comes first: nothing was changed yet.
            #expect(
                failure { try manager.update(missing, devices: nil) }
                    == "set linux.resources.memory.limit to 1073741824: the cgroup controller memory is not available "
                    + "in \(place)"
            )
            #expect(try cgroups.read("", "cgroup.max.depth") == "7")
        }
    }

    @Test func deviceRulesAreExchanged() throws {
        try TestCgroups(unified: "upddev").use { cgroups in
            try cgroups.manager.create()
            try cgroups.manager.apply(ResourceConfiguration())
            let kmsg = DeviceRule(allow: true, kind: .character, major: 1, minor: 11, access: .read)
            for round in 0..<10_000 {
                let (old, new) = round % 2 == 0 ? ([], [kmsg]) : ([kmsg], [])
                let manager = cgroups.manager.placement.makeManager()
                try manager.update(ResourceConfiguration(), devices: DeviceChange(from: old, to: new))
                if round < 2 { #expect(try deviceReport(cgroups).last == (round == 0 ? "kmsg r" : "kmsg ")) }
            }
            let directory = try BorrowedFD.workingDirectory.open(cgroups.directory(""), [.directory])
            #expect(try DevicePrograms.attached(to: directory.borrowed).count == 1)
        }
    }

    @Test func countsWhatEveryCgroupCounts() throws {
        try TestCgroups(unified: "stats").use { cgroups in
            try cgroups.manager.create()
            #expect(try cgroups.manager.statistics().cpu.total == 0)
            try cgroups.probe(["born"])
            let statistics = try cgroups.manager.statistics()
            #expect(statistics.cpu.total > 0)
            // The kernel rounds each of the three to microseconds.
            let parts = statistics.cpu.user + statistics.cpu.kernel
            #expect(statistics.cpu.total >= parts && statistics.cpu.total - parts <= 2000)
            if try cgroups.read("", "cgroup.controllers").isEmpty {
                #expect(statistics.memory.usage.usage == 0)
                #expect(try cgroups.manager.watchMemory() == nil)
            }
        }
    }
}

@Suite struct StatisticsTextTests {
    @Test func lists() {
        #expect(StatisticsText.numbers("0-2,65") == [0, 1, 2, 65])
        #expect(StatisticsText.numbers("") == [])
        #expect(StatisticsText.counts("a 1\nb 2\nodd\n").map(\.value) == [1, 2])
        #expect(
            ["hugepages-2048kB", "hugepages-1048576kB", "hugepages-64kB", "x"].map(StatisticsText.hugepageSize)
                == ["2MB", "1GB", "64KB", nil]
        )
    }

    @Test func pressure() throws {
        let text = """
            some avg10=1.50 avg60=0.25 avg300=0.00 total=12345
            full avg10=0.50 avg60=0.00 avg300=0.00 total=99
            """
        let pressure = try #require(StatisticsText.pressure(text))
        #expect(pressure.some.average10 == 1.5)
        #expect(pressure.some.average60 == 0.25)
        #expect(pressure.some.total == 12345)
        #expect(pressure.full.average10 == 0.5)
        #expect(pressure.full.total == 99)
    }

    @Test func blockDevices() {
        let legacy = StatisticsText.legacyBlockEntries("8:0 Read 4096\n8:0 Write 1\n8:0 Total 4097\nTotal 4097")
        #expect(legacy.map(\.operation) == ["Read", "Write", "Total"])
        #expect(legacy.map(\.value) == [4096, 1, 4097])
        let unified = StatisticsText.unifiedBlockEntries(
            "8:16 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n7:0 \n"
        )
        #expect(
            unified.bytes.map { "\($0.major):\($0.minor) \($0.operation) \($0.value)" }
                == ["8:16 Read 1", "8:16 Write 2", "8:16 Discard 5"]
        )
        #expect(unified.operations.map(\.value) == [3, 4, 6])
    }
}
