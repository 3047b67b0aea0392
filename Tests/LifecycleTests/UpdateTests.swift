// update: what the kernel has afterwards, on whichever cgroup version the machine has.

import Foundation
import Testing

@Suite("Update", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct UpdateTests {
    private static let mebibyte = 1 << 20

    /// Option, value; controller, file and text on v1; file and text on v2.
    private static let options = [
        ("--memory", "64m", "memory", "memory.limit_in_bytes", "67108864", "memory.max", "67108864"),
        ("--memory-reservation", "0.5MiB", "memory", "memory.soft_limit_in_bytes", "524288", "memory.low", "524288"),
        ("--cpu-share", "512", "cpu", "cpu.shares", "512", "cpu.weight", "59"),
        ("--cpu-quota", "50000", "cpu", "cpu.cfs_quota_us", "50000", "cpu.max", "50000 100000"),
        ("--cpu-period", "50000", "cpu", "cpu.cfs_period_us", "50000", "cpu.max", "max 50000"),
        ("--cpu-idle", "1", "cpu", "cpu.idle", "1", "cpu.idle", "1"),
        ("--cpuset-cpus", "0", "cpuset", "cpuset.cpus", "0", "cpuset.cpus", "0"),
        ("--cpuset-mems", "0", "cpuset", "cpuset.mems", "0", "cpuset.mems", "0"),
        ("--pids-limit", "33", "pids", "pids.max", "33", "pids.max", "33"),
        ("--pids-limit", "-1", "pids", "pids.max", "max", "pids.max", "max"),
    ]

    @Test func everyOptionReachesItsFile() throws {
        try Sandbox.use("updopt") { box in
            for (option, value, controller, legacy, legacyText, unified, unifiedText) in Self.options {
                try box.runReady("")
                try box.succeed("update", option, value, box.id)
                let expected = TestMachine.isUnified ? unifiedText : legacyText
                #expect(box.cgroupFile(controller, legacy, unified) == expected, "\(option)")
                try box.succeed("delete", "--force", box.id)
                try FileManager.default.removeItem(atPath: box.rootfs + "/tmp/ready")
            }
        }
    }

    @Test func readsAFileOrStandardInput() throws {
        try Sandbox.use("updfile") { box in
            try box.runReady("")
            let file = try box.resourcesFile(["pids": ["limit": 44], "cpu": ["shares": 300], "unknown": 1])
            try box.succeed("update", "--resources", file, box.id)
            #expect(box.cgroupFile("pids", "pids.max", "pids.max") == "44")
            #expect(box.cgroupFile("cpu", "cpu.shares", "cpu.weight") == (TestMachine.isUnified ? "39" : "300"))
            let other = try box.resourcesFile(["pids": ["limit": 45]])
            let shell = ["/bin/sh", "-c", "exec \"$@\" < \(other)", "sh"]
            for words in [["--resources=-"], ["-r", "-"]] {
                let outcome = try box.start(["update"] + words + [box.id], prefix: shell).wait()
                #expect(outcome.status == 0 && outcome.errors.isEmpty && outcome.output.isEmpty, "\(outcome)")
                #expect(box.cgroupFile("pids", "pids.max", "pids.max") == "45")
            }
            // Nothing to change is no mistake, as in runc.
            for words in [[], ["--memory="]] {
                let outcome = try box.start(["update"] + words + [box.id]).wait()
                #expect(outcome.status == 0 && outcome.errors.isEmpty && outcome.output.isEmpty, "\(outcome)")
            }
            #expect(box.cgroupFile("pids", "pids.max", "pids.max") == "45")
            let kept = try box.keptResources()
            #expect((kept["pids"] as? Document)?["limit"] as? Int == 45)
            #expect((kept["cpu"] as? Document)?["shares"] as? Int == 300)
            try box.succeed("delete", "--force", box.id)
        }
    }

    /// The kernel holds memory below memory with swap at every moment, so the order of writing turns with the direction.
    @Test func memoryAndSwapGoUpAndDown() throws {
        try Sandbox.use("updswap") { box in
            try box.runReady("") {
                $0.setLinux("resources", ["memory": ["limit": 64 * Self.mebibyte, "swap": 96 * Self.mebibyte]])
            }
            for (memory, swap) in [(256, 512), (32, 48), (48, 48), (64, 128)] {
                try box.succeed("update", "--memory", "\(memory)m", "--memory-swap", "\(swap)M", box.id)
                expectMemory(box, memory, swap)
            }
            // The total stays what it was.
            try box.succeed("update", "--memory", "100m", box.id)
            expectMemory(box, 100, 128)
            try box.succeed("update", "--memory-swap", "200m", box.id)
            expectMemory(box, 100, 200)
            let id = box.id
            try box.fail(
                "update",
                "--memory-swap",
                "50m",
                id,
                with: "update \(id): --memory-swap: memory+swap limit must be >= memory limit, found 52428800 with a "
                    + "limit of 104857600"
            )
            expectMemory(box, 100, 200)
            // No limit of memory is none of both.
            try box.succeed("update", "--memory", "-1", id)
            let unlimited = TestMachine.isUnified ? "max" : "9223372036854771712"
            #expect(box.cgroupFile("memory", "memory.limit_in_bytes", "memory.max") == unlimited)
            if let swap = box.cgroupFile("memory", "memory.memsw.limit_in_bytes", "memory.swap.max") {
                #expect(swap == unlimited)
            }
            try box.succeed("delete", "--force", id)
        }
    }

    private func expectMemory(_ box: Sandbox, _ memory: Int, _ swap: Int, location: SourceLocation = #_sourceLocation) {
        let limit = box.cgroupFile("memory", "memory.limit_in_bytes", "memory.max")
        #expect(limit == "\(memory * Self.mebibyte)", sourceLocation: location)
        // A kernel without swap accounting has no such file.
        if let found = box.cgroupFile("memory", "memory.memsw.limit_in_bytes", "memory.swap.max") {
            let expected = TestMachine.isUnified ? swap - memory : swap
            #expect(found == "\(expected * Self.mebibyte)", sourceLocation: location)
        }
    }

    @Test func quotaAndPeriodKeepEachOther() throws {
        try Sandbox.use("updquota") { box in
            try box.runReady("") { $0.setLinux("resources", ["cpu": ["quota": 30000, "period": 60000]]) }
            func expect(_ quota: Int, _ period: Int) {
                if TestMachine.isUnified {
                    #expect(box.cgroupFile("cpu", "", "cpu.max") == "\(quota) \(period)")
                } else {
                    #expect(box.cgroupFile("cpu", "cpu.cfs_quota_us", "") == "\(quota)")
                    #expect(box.cgroupFile("cpu", "cpu.cfs_period_us", "") == "\(period)")
                }
            }
            expect(30000, 60000)
            try box.succeed("update", "--cpu-quota", "20000", box.id)
            expect(20000, 60000)
            try box.succeed("update", "--cpu-period", "40000", box.id)
            expect(20000, 40000)
            try box.fail(
                "update",
                "--cpu-burst",
                "20001",
                box.id,
                with: "update \(box.id): --cpu-burst: expected a number from 0 to 20000, found 20001"
            )
            try box.succeed("delete", "--force", box.id)
        }
    }

    /// The last value is one that the kernel refuses.
    /// The kernel gives a cgroup that becomes idle another weight, and hears of no weight while it is idle.
    @Test func whatIdleChangesComesBackToo() throws {
        try Sandbox.use("updidle") { box in
            try box.runReady("") { $0.setLinux("resources", ["cpu": ["shares": 700]] as Document) }
            let weight = box.cgroupFile("cpu", "cpu.shares", "cpu.weight")
            let refused: Document =
                TestMachine.isUnified ? ["unified": ["memory.high": "x"]] : ["memory": ["limit": 4096]]
            let wanted = refused.merging(["cpu": ["idle": 1]]) { first, _ in first }
            let outcome = try box.apus("update", "--resources", try box.resourcesFile(wanted), box.id)
            #expect(outcome.status == 1 && outcome.errors.contains("so the old ones are back"), "\(outcome)")
            #expect(box.cgroupFile("cpu", "cpu.shares", "cpu.weight") == weight)
            #expect(box.cgroupFile("cpu", "cpu.idle", "cpu.idle") == "0")

            try box.succeed("update", "--cpu-idle", "1", box.id)
            let idle = try box.apus("update", "--cpu-share", "512", box.id)
            #expect(idle.status == 1 && !idle.errors.contains("nor all set back"), "\(idle)")
            try box.succeed("update", "--cpu-idle", "0", "--cpu-share", "512", box.id)
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func nothingChangesWhenOneLimitFails() throws {
        try Sandbox.use("updback") { box in
            let before: Document = ["cpu": ["shares": 700, "quota": 30000], "pids": ["limit": 55]]
            try box.runReady("") { $0.setLinux("resources", before) }
            var wanted: Document = ["cpu": ["shares": 300, "quota": 40000, "cpus": "0"]]
            if TestMachine.isUnified {
                wanted["pids"] = ["limit": 66]
                wanted["unified"] = ["memory.high": "nonsense"]
            } else {
                wanted["memory"] = ["limit": 4096]
            }
            let cpus = box.cgroupFile("cpuset", "cpuset.cpus", "cpuset.cpus.effective")
            let weight = box.cgroupFile("cpu", "cpu.shares", "cpu.weight")
            let memory = box.cgroupFile("memory", "memory.limit_in_bytes", "memory.high")
            let outcome = try box.apus("update", "--resources", try box.resourcesFile(wanted), box.id)
            #expect(outcome.status == 1)
            let cause =
                TestMachine.isUnified
                ? "set linux.resources.unified.memory.high to nonsense (write, memory.high): EINVAL (invalid argument)"
                : "set linux.resources.memory.limit to 4096 (write, memory.limit_in_bytes): EBUSY (device or resource "
                    + "busy)"
            let line = "apus: update \(box.id): not all limits could be set, so the old ones are back: \(cause)\n"
            #expect(outcome.errors.hasPrefix(line), "\(outcome)")
            #expect(box.cgroupFile("cpu", "cpu.shares", "cpu.weight") == weight)
            #expect(box.cgroupFile("cpu", "cpu.cfs_quota_us", "cpu.max")?.hasPrefix("30000") == true)
            #expect(box.cgroupFile("cpuset", "cpuset.cpus", "cpuset.cpus.effective") == cpus)
            #expect(box.cgroupFile("pids", "pids.max", "pids.max") == "55")
            #expect(box.cgroupFile("memory", "memory.limit_in_bytes", "memory.high") == memory)
            #expect((try box.keptResources()["cpu"] as? Document)?["shares"] as? Int == 700)
            #expect(try box.keptResources()["memory"] == nil)
            try box.succeed("delete", "--force", box.id)
        }
    }

    /// Its old limit was none, which cannot be written either.
    @Test func aDeviceThatIsNotThereHasNothingToSetBack() throws {
        try Sandbox.use("upddevice") { box in
            try box.runReady("") { $0.setLinux("resources", ["pids": ["limit": 55]] as Document) }
            // Major 60 is kept free for local use.
            let device: Document = ["major": 60, "minor": 99, "rate": 1000]
            let wanted: Document = ["pids": ["limit": 66], "blockIO": ["throttleReadBpsDevice": [device]]]
            let outcome = try box.apus("update", "-r", try box.resourcesFile(wanted), box.id)
            #expect(outcome.status == 1 && outcome.errors.contains("60:99"), "\(outcome)")
            #expect(!outcome.errors.contains("nor all set back"), "\(outcome)")
            #expect(box.cgroupFile("pids", "pids.max", "pids.max") == "55")
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func aLimitBelowTheUseIsRefusedOnRequest() throws {
        try Sandbox.use("updcheck") { box in
            try box.runReady("dd if=/dev/zero of=/dev/blob bs=1M count=8") {
                var mounts = $0["mounts"] as? [Document] ?? []
                mounts[1]["options"] = ["nosuid", "mode=755", "size=32m"]
                $0["mounts"] = mounts
            }
            let memory: Document = ["limit": 4 * Self.mebibyte, "checkBeforeUpdate": true]
            let outcome = try box.apus("update", "-r", try box.resourcesFile(["memory": memory]), box.id)
            #expect(outcome.status == 1)
            let line = "apus: update \(box.id): set linux.resources.memory.limit to 4194304: "
            #expect(outcome.errors.hasPrefix(line), "\(outcome)")
            #expect(outcome.errors.contains(" bytes are in use, and checkBeforeUpdate forbids a lower limit\n"))
            #expect(try box.state().status == "running")
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func refusesInWordsThatNameTheOption() throws {
        try Sandbox.use("updbad") { box in
            try box.runReady("")
            let id = box.id
            let usage = "; see \"apus update --help\""
            let size = "is not a size such as 512m\(usage)"
            let number = "is not a number that is accepted here\(usage)"
            let cases: [([String], String)] = [
                (["--memory", "lots"], "--memory: \"lots\" \(size)"),
                (["--memory-swap", "-2"], "--memory-swap: \"-2\" \(size)"),
                (["--pids-limit", "1.5"], "--pids-limit: \"1.5\" \(number)"),
                (["--blkio-weight", "70000"], "--blkio-weight: \"70000\" \(number)"),
                (["--blkio-weight", "5"], "update \(id): --blkio-weight: expected a number from 10 to 1000, found 5"),
                (["--cpu-quota", "999"], "update \(id): --cpu-quota: expected -1 or a number from 1000, found 999"),
                (["--cpu-idle", "2"], "update \(id): --cpu-idle: expected a number from 0 to 1, found 2"),
                (
                    ["-r", "x", "--memory", "1m"],
                    "--resources and --memory exclude each other: give all limits in one place\(usage)"
                ),
                (
                    ["--l3-cache-schema", "L3:0=f"],
                    "--l3-cache-schema: linux.intelRdt is not supported, so no container has such a schema\(usage)"
                ),
                (["-r", "/nothing"], "update \(id): read /nothing (read): ENOENT (no such file or directory)"),
            ]
            for (words, message) in cases {
                let outcome = try box.start(["update"] + words + [id]).wait()
                #expect(outcome.status == 1)
                #expect(outcome.errors.split(separator: "\n").first.map(String.init) == "apus: \(message)")
            }
            let file = try box.resourcesFile(["pids": ["limit": "many"]])
            #expect(
                try box.apus("update", "-r", file, id).errors.hasPrefix("apus: update \(id): \(file): pids.limit: ")
            )
            try box.succeed("kill", id, "KILL")
            try box.waitFor(status: "stopped")
            try box.fail(
                "update",
                "--memory",
                "1g",
                id,
                with: "update \(id): container not running: \(id) is stopped"
            )
            try box.succeed("delete", id)
        }
    }

    @Test func changesAlsoAPausedOne() throws {
        try Sandbox.use("updpaused") { box in
            try box.runReady("")
            try box.succeed("pause", box.id)
            try box.succeed("update", "--pids-limit", "12", box.id)
            #expect(box.cgroupFile("pids", "pids.max", "pids.max") == "12")
            #expect(try box.state().status == "paused")
            try box.succeed("delete", "--force", box.id)
        }
    }
}
