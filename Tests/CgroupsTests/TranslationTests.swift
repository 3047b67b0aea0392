// What each family of limits becomes on v1 and on v2, against fixtures; and the scale of weights.

import Cgroups
import Configuration
import Diagnostics
import Foundation
import Testing

/// Each family of limits, as it is asked for and as it is written: spec-fixtures/cgroups/FAMILY-v1.txt and -v2.txt.
/// Run with UPDATE_FIXTURES=1 to write the files.
@Suite struct TranslationTests {
    static let families: [(name: String, resources: ResourceConfiguration)] = [
        ("nothing", make { _ in }),
        (
            "memory",
            make {
                $0.memory.limit = 67_108_864
                $0.memory.reservation = 33_554_432
                $0.memory.swap = 134_217_728
            }
        ),
        (
            "memory-unlimited",
            make {
                $0.memory.limit = -1
                $0.memory.reservation = -1
            }
        ),
        (
            "memory-no-swap",
            make {
                $0.memory.limit = 4096
                $0.memory.swap = 4096
                $0.memory.checkBeforeUpdate = true
            }
        ),
        ("memory-swap-alone", make { $0.memory.swap = 8192 }),
        (
            "memory-swap-below-limit",
            make {
                $0.memory.limit = 8192
                $0.memory.swap = 4096
            }
        ),
        (
            "memory-zero",
            make {
                $0.memory.limit = 0
                $0.memory.swap = 0
                $0.memory.kernel = 4096
            }
        ),
        (
            "memory-legacy",
            make {
                $0.memory.swappiness = 60
                $0.memory.disableOOMKiller = true
                $0.memory.useHierarchy = true
                $0.memory.kernelTCP = 4096
            }
        ),
        (
            "cpu",
            make {
                $0.cpu.shares = 2048
                $0.cpu.quota = 50_000
                $0.cpu.period = 100_000
                $0.cpu.burst = 10_000
                $0.cpu.idle = 0
            }
        ),
        ("cpu-unlimited", make { $0.cpu.quota = -1 }),
        ("cpu-period", make { $0.cpu.period = 20_000 }),
        (
            "cpu-realtime",
            make {
                $0.cpu.realtimePeriod = 1_000_000
                $0.cpu.realtimeRuntime = 950_000
            }
        ),
        (
            "cpuset",
            make {
                $0.cpu.cpus = "0-3,7"
                $0.cpu.mems = "0"
            }
        ),
        ("pids", make { $0.pidsLimit = 100 }),
        ("pids-zero", make { $0.pidsLimit = 0 }),
        ("pids-unlimited", make { $0.pidsLimit = -1 }),
        (
            "blockio",
            make {
                $0.blockIO.weight = 500
                $0.blockIO.weightDevices = [
                    BlockIOResources.DeviceWeight(major: 8, minor: 0, weight: 1000, leafWeight: nil)
                ]
                $0.blockIO.readBytes = [BlockIOResources.DeviceRate(major: 8, minor: 0, rate: 1_048_576)]
                $0.blockIO.writeBytes = [BlockIOResources.DeviceRate(major: 8, minor: 16, rate: 0)]
                $0.blockIO.readOperations = [BlockIOResources.DeviceRate(major: 8, minor: 0, rate: 600)]
                $0.blockIO.writeOperations = [BlockIOResources.DeviceRate(major: 8, minor: 0, rate: 300)]
            }
        ),
        ("blockio-leaf", make { $0.blockIO.leafWeight = 10 }),
        (
            "hugepages",
            make {
                $0.hugepages = [
                    HugepageLimit(pageSize: "2MB", limit: 4_194_304), HugepageLimit(pageSize: "1GB", limit: 0),
                ]
            }
        ),
        (
            "network",
            make {
                $0.network.classID = 1_048_577
                $0.network.priorities = [NetworkResources.Priority(interface: "eth0", priority: 5)]
            }
        ),
        (
            "rdma",
            make {
                $0.rdma = [
                    RDMALimit(device: "mlx5_0", handles: 3, objects: 10),
                    RDMALimit(device: "mlx4_0", handles: nil, objects: 9),
                ]
            }
        ),
        (
            "unified",
            make {
                $0.unified = [
                    UnifiedSetting(file: "memory.high", value: "1073741824"),
                    UnifiedSetting(file: "io.max", value: "8:0 rbps=1\n8:16 rbps=2"),
                    UnifiedSetting(file: "cgroup.max.depth", value: "2"),
                ]
            }
        ),
        ("unified-slash", make { $0.unified = [UnifiedSetting(file: "../memory.high", value: "1")] }),
        ("unified-no-controller", make { $0.unified = [UnifiedSetting(file: "memory", value: "1")] }),
    ]

    static func make(_ change: (inout ResourceConfiguration) -> Void) -> ResourceConfiguration {
        var resources = ResourceConfiguration()
        change(&resources)
        return resources
    }

    @Test(arguments: families.map(\.name), ["v1", "v2"])
    func family(name: String, version: String) throws {
        let resources = try #require(Self.families.first { $0.name == name }).resources
        let text: String
        do throws(Failure) {
            let writes =
                try version == "v1" ? ResourceTranslation.legacy(resources) : ResourceTranslation.unified(resources)
            text = writes.map { Self.describe($0) + "\n" }.joined()
        } catch {
            text = "refused: \(error.line)\n"
        }
        let file = Self.fixtures.appendingPathComponent("\(name)-\(version).txt")
        if ProcessInfo.processInfo.environment["UPDATE_FIXTURES"] != nil {
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try text == String(contentsOf: file, encoding: .utf8))
    }

    static var fixtures: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("spec-fixtures/cgroups")
    }

    /// `linux.resources.pids.limit: pids.max = 100`, and under which conditions.
    static func describe(_ write: CgroupWrite) -> String {
        var text = "\(write.key): "
        text += write.choices.map { "\($0.file) = \($0.value.replacing("\n", with: "; "))" }.joined(separator: " | ")
        if write.isInterdependent { text += ", again at the end after EINVAL" }
        if let file = write.usageFile { text += ", not below \(file)" }
        for errno in write.ignorable { text += ", or \(errno.description.prefix { $0 != " " })" }
        return text
    }

    /// Every fixture belongs to a family.
    @Test func noFixtureIsLeftOver() throws {
        let present = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures.path)
        let expected = Self.families.flatMap { ["\($0.name)-v1.txt", "\($0.name)-v2.txt"] }
        #expect(Set(present) == Set(expected))
    }

    @Test(arguments: [(1, "minimum allowed cpu-shares is 2"), (262_145, "maximum allowed cpu-shares is 262144")])
    func sharesThatV1WouldChange(shares: UInt64, sentence: String) {
        let resources = Self.make { $0.cpu.shares = shares }
        do throws(Failure) {
            _ = try ResourceTranslation.legacy(resources)
            Issue.record("accepted")
        } catch {
            #expect(error.line == "linux.resources.cpu.shares: the \(sentence), found \(shares)")
        }
    }

    @Test(arguments: [
        (0, 1), (2, 1), (3, 2), (256, 35), (512, 59), (1024, 100), (2048, 174), (262_144, 10_000), (.max, 10_000),
    ])
    func weightOfShares(shares: UInt64, weight: UInt64) {
        #expect(ResourceTranslation.weight(ofShares: shares) == weight)
    }
}
