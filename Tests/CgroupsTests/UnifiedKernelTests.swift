// The v2 driver below a cgroup of its own in the v2 hierarchy of this machine, whose controllers may all be on v1.

import Cgroups
import Configuration
import Diagnostics
import Foundation
import LinuxSystem
import Testing

/// The v2 driver, in the v2 hierarchy of this machine; controllers may all be on v1.
@Suite(.enabled(if: Machine.hasUnified, "needs root and a mounted cgroup v2"))
struct UnifiedKernelTests {
    @Test func devicesAreGuardedByOneProgram() throws {
        try TestCgroups(unified: "devices").use { cgroups in
            try cgroups.manager.create()
            var resources = ResourceConfiguration()
            resources.devices = [DeviceRule(allow: true, kind: .character, major: 1, minor: 11, access: .read)]
            try cgroups.manager.apply(resources)
            #expect(try deviceReport(cgroups) == ["null rw", "zero rw", "full rw", "urandom rw", "kmsg r"])
            // Another command does not add a second program.
            for _ in 0..<100 {
                try cgroups.manager.placement.makeManager().apply(ResourceConfiguration())
            }
            #expect(try deviceReport(cgroups).last == "kmsg ")
            let directory = try BorrowedFD.workingDirectory.open(cgroups.directory(""), [.directory])
            #expect(try DevicePrograms.attached(to: directory.borrowed).count == 1)
        }
    }

    /// Also where a name begins with an accent, which Swift takes for a part of the "/" before it.
    @Test func everyParentPassesControllersOn() throws {
        try TestCgroups(unified: "parents", path: "middle/\u{301}inner").use { cgroups in
            try cgroups.manager.create()
            let file = "\(cgroups.locations[0].mountPoint)/cgroup.controllers"
            let offered = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .newlines)
            #expect(try cgroups.read("", "cgroup.controllers") == offered)
        }
    }

    @Test func kernelAcceptsEveryKindOfRule() throws {
        let accesses: [DeviceRule.Access] = [.read, [.read, .write], .everything]
        let rules = [true, false].flatMap { allow in
            [DeviceRule.Kind.all, .character, .block].flatMap { kind in
                accesses.map { DeviceRule(allow: allow, kind: kind, major: 8, minor: nil, access: $0) }
            }
        }
        _ = try DevicePrograms.load(DeviceProgram(rules: rules).bytes)
        let everything = DeviceRule(allow: true, kind: .all, major: nil, minor: nil, access: .everything)
        _ = try DevicePrograms.load(DeviceProgram(rules: rules + [everything]).bytes)
    }

    @Test func processesAreBornFrozenAndKilled() throws {
        try TestCgroups(unified: "life").use { cgroups in
            try cgroups.manager.create()
            let pid = try cgroups.probe(["born"]).pid
            #expect(try cgroups.manager.processes() == [pid])
            try cgroups.manager.freeze(deadline: Machine.deadline(seconds: 2))
            #expect(try cgroups.manager.isFrozen())
            let second = cgroups.manager.placement.makeManager()
            #expect(failure { try second.create() } == "container's cgroup is not empty: 1 process(es) found")
            mkdir("\(try cgroups.directory(""))/below", 0o755)
        }
    }

    /// A container may put its threads into threaded cgroups: they are no processes, and die with theirs.
    @Test func threadedCgroupsBelow() throws {
        try TestCgroups(unified: "threaded").use { cgroups in
            try cgroups.manager.create()
            let pid = try cgroups.probe(["threads"]).pid
            let place = try cgroups.directory("")
            let threads = try String(contentsOfFile: "\(place)/cgroup.threads", encoding: .utf8).split(separator: "\n")
            let thread = try #require(threads.first { $0 != "\(pid)" })
            mkdir("\(place)/below", 0o755)
            for (file, value) in [("cgroup.type", "threaded"), ("cgroup.threads", String(thread))] {
                try value.write(toFile: "\(place)/below/\(file)", atomically: false, encoding: .utf8)
            }
            #expect(try cgroups.read("", "cgroup.type") == "domain threaded")
            #expect(try cgroups.manager.processes() == [pid])
            try cgroups.manager.freeze(deadline: Machine.deadline(seconds: 5))
            #expect(try cgroups.manager.isFrozen())
            let read = try String(contentsOfFile: "\(place)/below/cgroup.events", encoding: .utf8)
            #expect(read.contains("frozen 1"))
            // Killing and removing them is what tearing down does.
        }
    }

    @Test func pressureIsRead() throws {
        try TestCgroups(unified: "pressure").use { cgroups in
            try cgroups.manager.create()
            try cgroups.probe(["born"])
            let statistics = try cgroups.manager.statistics()
            let isCounted = FileManager.default.fileExists(atPath: try cgroups.directory("") + "/cpu.pressure")
            #expect((statistics.cpu.pressure != nil) == isCounted)
            #expect((statistics.memory.pressure != nil) == isCounted)
            #expect((statistics.blockIO.pressure != nil) == isCounted)
        }
    }

    @Test func removalWaitsForTheLastExit() throws {
        try TestCgroups(unified: "wait").use { cgroups in
            try cgroups.manager.create()
            let pid = try cgroups.probe(["enter"]).pid
            let line = failure { try cgroups.manager.remove(deadline: Machine.deadline(seconds: 0)) } ?? ""
            #expect(line.contains("1 process(es) in it: \(pid)): EBUSY"))
            Thread.detachNewThread {
                usleep(200_000)
                kill(pid, SIGKILL)
            }
            let start = LinuxSystem.Machine.monotonicNanoseconds()
            try cgroups.manager.remove(deadline: Machine.deadline(seconds: 5))
            let milliseconds = (LinuxSystem.Machine.monotonicNanoseconds() - start) / 1_000_000
            #expect((150...1000).contains(milliseconds))
        }
    }

    @Test func missingControllerIsNamed() throws {
        try TestCgroups(unified: "missing").use { cgroups in
            try cgroups.manager.create()
            try cgroups.withhold("memory")
            let place = try cgroups.directory("")
            #expect(
                failure { try cgroups.manager.apply(TranslationTests.make { $0.memory.limit = 4096 }) }
                    == "set linux.resources.memory.limit to 4096: the cgroup controller memory is not available in \(place)"
            )
            let raw = TranslationTests.make { $0.unified = [UnifiedSetting(file: "memory.high", value: "1")] }
            #expect(
                failure { try cgroups.manager.apply(raw) }
                    == "set linux.resources.unified.memory.high to 1: "
                    + "the cgroup controller memory is not available in \(place)"
            )
        }
    }

    @Test func rawFilesAreWritten() throws {
        try TestCgroups(unified: "raw").use { cgroups in
            try cgroups.manager.create()
            let raw = TranslationTests.make { $0.unified = [UnifiedSetting(file: "cgroup.max.depth", value: "2")] }
            try cgroups.manager.apply(raw)
            #expect(try cgroups.read("", "cgroup.max.depth") == "2")
            let unknown = TranslationTests.make { $0.unified = [UnifiedSetting(file: "cgroup.nonesuch", value: "2")] }
            #expect(
                failure { try cgroups.manager.apply(unknown) }
                    == "set linux.resources.unified.cgroup.nonesuch to 2 (write, cgroup.nonesuch): "
                    + "ENOENT (no such file or directory)"
            )
        }
    }

    @Test func delegation() throws {
        try TestCgroups(unified: "owner").use { cgroups in
            try cgroups.manager.create()
            try cgroups.manager.delegate(to: 1234)
            let place = try cgroups.directory("")
            let owner = { (path: String) in
                try FileManager.default.attributesOfItem(atPath: path)[.ownerAccountID] as? Int
            }
            #expect(try owner(place) == 1234)
            #expect(try owner(place + "/cgroup.procs") == 1234)
            #expect(try owner(place + "/cgroup.freeze") == 0)
        }
    }

    @Test func disabledManagerDoesNothing() throws {
        let manager = CgroupPlacement.disabled.makeManager()
        try manager.create()
        try manager.apply(TranslationTests.make { $0.memory.limit = 1 })
        try manager.remove(deadline: 0)
        #expect(
            failure { _ = try manager.processes() }
                == "list the processes of the container: it has no cgroup of its own"
        )
    }
}
