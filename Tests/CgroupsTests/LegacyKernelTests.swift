// The v1 and hybrid driver on the hierarchies of this machine: made, limited, read back, entered, killed, removed.

import Cgroups
import Configuration
import Diagnostics
import Foundation
import LinuxSystem
import Testing

@Suite(.enabled(if: Machine.hasLegacy, "needs root and cgroup v1"))
struct LegacyKernelTests {
    @Test func memory() throws {
        try TestCgroups("memory").use { cgroups in
            try cgroups.manager.create()
            var resources = ResourceConfiguration()
            resources.memory.limit = 67_108_864
            resources.memory.swap = 134_217_728
            resources.memory.reservation = 33_554_432
            resources.memory.swappiness = 10
            try cgroups.manager.apply(resources)
            #expect(try cgroups.read("memory", "memory.limit_in_bytes") == "67108864")
            #expect(try cgroups.read("memory", "memory.memsw.limit_in_bytes") == "134217728")
            #expect(try cgroups.read("memory", "memory.soft_limit_in_bytes") == "33554432")
            #expect(try cgroups.read("memory", "memory.swappiness") == "10")
            // Above the old limit of memory and swap: the order must turn round. And back, and to none.
            for (limit, swap) in [(268_435_456, 536_870_912), (16_777_216, 16_777_216), (-1, nil as Int64?)] {
                var next = ResourceConfiguration()
                next.memory.limit = Int64(limit)
                next.memory.swap = swap
                try cgroups.manager.apply(next)
                if limit > 0 {
                    #expect(try cgroups.read("memory", "memory.limit_in_bytes") == "\(limit)")
                    #expect(try cgroups.read("memory", "memory.memsw.limit_in_bytes") == "\(swap ?? 0)")
                }
            }
            #expect(try cgroups.read("memory", "memory.memsw.limit_in_bytes").count > 16)
            #expect(try cgroups.manager.oomKillCount() == 0)
        }
    }

    @Test func memoryBelowItsUse() throws {
        try TestCgroups("usage").use { cgroups in
            try cgroups.manager.create()
            try cgroups.probe(["enter"])
            var resources = ResourceConfiguration()
            resources.memory.limit = 4096
            resources.memory.checkBeforeUpdate = true
            let line = failure { try cgroups.manager.apply(resources) } ?? ""
            #expect(line.hasPrefix("set linux.resources.memory.limit to 4096: "))
            #expect(line.hasSuffix("bytes are in use, and checkBeforeUpdate forbids a lower limit"))
            #expect(try cgroups.read("memory", "memory.limit_in_bytes") != "4096")
        }
    }

    @Test func cpu() throws {
        try TestCgroups("cpu").use { cgroups in
            try cgroups.manager.create()
            var resources = ResourceConfiguration()
            resources.cpu.shares = 2048
            resources.cpu.period = 50_000
            resources.cpu.quota = 25_000
            resources.cpu.burst = 10_000
            resources.cpu.cpus = "0"
            resources.cpu.mems = "0"
            try cgroups.manager.apply(resources)
            #expect(try cgroups.read("cpu", "cpu.shares") == "2048")
            #expect(try cgroups.read("cpu", "cpu.cfs_period_us") == "50000")
            #expect(try cgroups.read("cpu", "cpu.cfs_quota_us") == "25000")
            #expect(try cgroups.read("cpu", "cpu.cfs_burst_us") == "10000")
            #expect(try cgroups.read("cpuset", "cpuset.cpus") == "0")
            var idle = ResourceConfiguration()
            idle.cpu.idle = 1
            idle.cpu.quota = -1
            idle.cpu.burst = 0
            try cgroups.manager.apply(idle)
            #expect(try cgroups.read("cpu", "cpu.idle") == "1")
            // Idle forbids shares until it is taken back, which comes after them in the list.
            var back = ResourceConfiguration()
            back.cpu.shares = 512
            back.cpu.idle = 0
            try cgroups.manager.apply(back)
            #expect(try cgroups.read("cpu", "cpu.shares") == "512")
        }
    }

    @Test func pidsAndBlockIO() throws {
        try TestCgroups("pids").use { cgroups in
            try cgroups.manager.create()
            var resources = ResourceConfiguration()
            resources.pidsLimit = 7
            // No weights without the scheduler that heeds them, which may be a module.
            let files = try FileManager.default.contentsOfDirectory(atPath: cgroups.directory("blkio"))
            let weight = files.first { $0 == "blkio.weight" || $0 == "blkio.bfq.weight" }
            if weight != nil { resources.blockIO.weight = 500 }
            try cgroups.manager.apply(resources)
            #expect(try cgroups.read("pids", "pids.max") == "7")
            if let weight { #expect(try cgroups.read("blkio", weight) == "500") }
            resources.pidsLimit = 0
            try cgroups.manager.apply(resources)
            #expect(try cgroups.read("pids", "pids.max") == "0")
            resources.pidsLimit = -1
            try cgroups.manager.apply(resources)
            #expect(try cgroups.read("pids", "pids.max") == "max")
        }
    }

    @Test func networkBelowADirectoryOfItsOwn() throws {
        #expect(
            try report(["network", Machine.uniqueName("network")])
                == "net_cls.classid: 1048577\nnet_prio.ifpriomap: lo 5\n"
        )
    }

    /// Without limits the missing right does not matter; a limit is not left out silently.
    @Test func rootlessNeedsNoCgroupUntilALimitIsAsked() throws {
        let name = Machine.uniqueName("rootless")
        let mount = try #require(Machine.layout?.hierarchies.first { $0.name == "pids" }).mountPoint
        let memberships = CgroupMembership.parse([UInt8](try Data(contentsOf: URL(filePath: "/proc/self/cgroup"))))
        let own = try #require(memberships.first { $0.hierarchy == "pids" }).path
        let place = mount + (own == "/" ? "" : own)
        #expect(
            try report(["rootless", name]) == """
                created 0
                set linux.resources.pids.limit to 5: make the cgroup \(place)/\(name) (mkdir): EACCES (permission denied)

                """
        )
    }

    @Test func refusalsNameTheKey() throws {
        try TestCgroups("refusal").use { cgroups in
            try cgroups.manager.create()
            func apply(_ change: (inout ResourceConfiguration) -> Void) -> String? {
                failure { try cgroups.manager.apply(TranslationTests.make(change)) }
            }
            #expect(
                apply { $0.cpu.cpus = "99999" }
                    == "set linux.resources.cpu.cpus to 99999 (write, cpuset.cpus): ERANGE (numerical result out of range)"
                    || apply { $0.cpu.cpus = "99999" }
                        == "set linux.resources.cpu.cpus to 99999 (write, cpuset.cpus): EINVAL (invalid argument)"
            )
            #expect(
                apply { $0.blockIO.leafWeight = 300 }
                    == "set linux.resources.blockIO.leafWeight to 300 (write, blkio.leaf_weight): "
                    + "ENOENT (no such file or directory)"
            )
            #expect(
                apply { $0.rdma = [RDMALimit(device: "x", handles: 1, objects: nil)] }
                    == "set linux.resources.rdma.x to x hca_handle=1"
                    + (Machine.layout?.hierarchies.contains { $0.name == "rdma" } == true
                        ? " (write, rdma.max): ENODEV (no such device)" : ": the cgroup controller rdma is not mounted")
            )
            #expect(
                apply {
                    $0.memory.limit = 4096; $0.memory.swap = 1024
                }
                    == "linux.resources.memory.swap: 1024 is below linux.resources.memory.limit (4096); "
                    + "it limits memory and swap together, or is -1"
            )
            #expect(
                apply { $0.hugepages = [HugepageLimit(pageSize: "../2MB", limit: 1)] }?
                    .hasPrefix("set linux.resources.hugepageLimits[0].limit to 1") == true
            )
        }
    }

    @Test func devices() throws {
        try TestCgroups("devices").use { cgroups in
            try cgroups.manager.create()
            var resources = ResourceConfiguration()
            resources.devices = [
                DeviceRule(allow: true, kind: .character, major: 1, minor: 11, access: .read)
            ]
            try cgroups.manager.apply(resources)
            var wanted = Set(DeviceTests.defaultLines).union(["c 1:11 r"])
            #expect(Set(try cgroups.read("devices", "devices.list").split(separator: "\n").map(String.init)) == wanted)
            #expect(try deviceReport(cgroups) == ["null rw", "zero rw", "full rw", "urandom rw", "kmsg r"])
            // Another command, which knows nothing of the first one.
            let later = cgroups.manager.placement.makeManager()
            resources.devices = [DeviceRule(allow: true, kind: .block, major: 8, minor: nil, access: .everything)]
            try later.apply(resources)
            wanted.remove("c 1:11 r")
            wanted.insert("b 8:* rwm")
            #expect(Set(try cgroups.read("devices", "devices.list").split(separator: "\n").map(String.init)) == wanted)
            #expect(try deviceReport(cgroups).last == "kmsg ")
        }
    }

    @Test func everyHierarchyIsEntered() throws {
        try TestCgroups("enter").use { cgroups in
            try cgroups.manager.create()
            #expect(try cgroups.manager.processes() == [])
            for act in ["enter", "born"] {
                let pid = try cgroups.probe([act]).pid
                let text = try String(contentsOfFile: "/proc/\(pid)/cgroup", encoding: .utf8)
                let memberships = CgroupMembership.parse(Array(text.utf8))
                for location in cgroups.locations {
                    #expect(
                        memberships.contains { $0.hierarchy == location.hierarchy && $0.path == "/" + location.path }
                    )
                }
                #expect(try cgroups.manager.processes().contains(pid))
            }
        }
    }

    @Test func nestedPathIsMadeAndItsParentsStay() throws {
        let parent = "/" + Machine.uniqueName("parent")
        let first = try TestCgroups("one", below: parent)
        try first.use { cgroups in
            try cgroups.manager.create()
            #expect(try !cgroups.read("cpuset", "cpuset.cpus").isEmpty)
            try cgroups.probe(["enter"])
        }
    }

    @Test func cgroupInUseIsRefused() throws {
        try TestCgroups("used").use { cgroups in
            try cgroups.manager.create()
            try cgroups.probe(["enter"])
            let second = cgroups.manager.placement.makeManager()
            #expect(failure { try second.create() } == "container's cgroup is not empty: 1 process(es) found")
            #expect(try cgroups.manager.processes().count == 1)
        }
    }

    @Test func frozenCgroupIsRefused() throws {
        try TestCgroups("cold").use { cgroups in
            try cgroups.manager.create()
            try cgroups.manager.freeze(deadline: Machine.deadline(seconds: 2))
            let second = cgroups.manager.placement.makeManager()
            #expect(failure { try second.create() } == "container's cgroup unexpectedly frozen")
            try cgroups.manager.thaw()
            try second.create()
        }
    }

    @Test func failedCreationLeavesNothing() throws {
        let layout = try #require(Machine.layout)
        let name = Machine.uniqueName("undo")
        var locations = try CgroupPlacement(layout: layout, cgroupsPath: "/\(name)/a", id: "x", isRootless: false)
            .locations
        locations.append(CgroupLocation(hierarchy: "none", mountPoint: "/proc", path: name))
        let manager = CgroupPlacement(mode: .hybrid, locations: locations, isRootless: false).makeManager()
        #expect(failure { try manager.create() } == "what is mounted on /proc is not cgroup v1")
        for location in locations {
            #expect(!FileManager.default.fileExists(atPath: "\(location.mountPoint)/\(name)"))
        }
    }

    @Test func freezeAndThaw() throws {
        try TestCgroups("freeze").use { cgroups in
            try cgroups.manager.create()
            let pid = try cgroups.probe(["enter"]).pid
            #expect(try !cgroups.manager.isFrozen())
            try cgroups.manager.freeze(deadline: Machine.deadline(seconds: 2))
            #expect(try cgroups.manager.isFrozen())
            #expect(try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).contains("State:\tD"))
            try cgroups.manager.thaw()
            #expect(try !cgroups.manager.isFrozen())
        }
    }

    /// A frozen v1 cgroup does not die: killing thaws it.
    @Test func frozenTreeIsKilledAndRemoved() throws {
        try TestCgroups("tree").use { cgroups in
            try cgroups.manager.create()
            try cgroups.probe(["spawn", "20"])
            for location in cgroups.locations {
                mkdir("\(location.directory)/below", 0o755)
                mkdir("\(location.directory)/below/it", 0o755)
            }
            #expect(try cgroups.manager.processes().count == 21)
            try cgroups.manager.freeze(deadline: Machine.deadline(seconds: 2))
        }
    }

    /// Where there is no v2 hierarchy, processes are killed one by one.
    @Test func killingWithoutUnified() throws {
        try TestCgroups("single").use { cgroups in
            try cgroups.manager.create()
            let locations = cgroups.locations.filter { !$0.isUnified }
            let legacy = CgroupPlacement(mode: .legacy, locations: locations, isRootless: false).makeManager()
            try cgroups.probe(["spawn", "5"])
            try legacy.signalAll(0)
            try legacy.freeze(deadline: Machine.deadline(seconds: 2))
            try legacy.killAll(deadline: Machine.deadline(seconds: 5))
            #expect(try legacy.processes() == [])
        }
    }

    @Test func removalNamesWhatBlocksIt() throws {
        try TestCgroups("busy").use { cgroups in
            try cgroups.manager.create()
            let pid = try cgroups.probe(["enter"]).pid
            let line = failure { try cgroups.manager.remove(deadline: Machine.deadline(seconds: 0)) } ?? ""
            #expect(line.contains("rmdir, 1 process(es) in it: \(pid)): EBUSY"), "\(line)")
        }
        // What is not there is removed.
        try TestCgroups("absent").manager.remove(deadline: 0)
    }

    @Test func execEntersASubgroup() throws {
        try TestCgroups("sub").use { cgroups in
            try cgroups.manager.create()
            let sub = CgroupSubgroup(controllers: [], path: "/../below")
            let line = failure { _ = try cgroups.manager.openJoin(subgroups: [sub]) } ?? ""
            #expect(line.hasSuffix("/below does not exist"))
            for location in cgroups.locations { mkdir("\(location.directory)/below", 0o755) }
            _ = try cgroups.manager.openJoin(subgroups: [sub])
        }
    }
}
