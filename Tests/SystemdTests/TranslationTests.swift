// Limits as properties.

import Cgroups
import Configuration
import DBus
import Systemd
import Testing

@Suite("limits as properties")
struct TranslationTests {
    static func properties(
        isUnified: Bool = true,
        isUser: Bool = true,
        version: Int = 252,
        _ change: (inout ResourceConfiguration) -> Void
    ) throws -> [UnitProperty] {
        var resources = ResourceConfiguration()
        change(&resources)
        return try SystemdTranslation(isUnified: isUnified, isUser: isUser, version: version)
            .properties(of: resources)
    }

    static func number(_ name: String, _ value: UInt64) -> UnitProperty { UnitProperty(name, .uint64(value)) }

    @Test func memory() throws {
        let change = { (r: inout ResourceConfiguration) in
            r.memory.limit = 100
            r.memory.reservation = 50
            r.memory.swap = 150
        }
        #expect(
            try Self.properties(change) == [
                Self.number("MemoryMax", 100), Self.number("MemoryLow", 50), Self.number("MemorySwapMax", 50),
            ]
        )
        #expect(try Self.properties(isUnified: false, change) == [Self.number("MemoryLimit", 100)])
        #expect(
            try Self.properties { $0.memory.limit = -1 } == [
                Self.number("MemoryMax", .max), Self.number("MemorySwapMax", .max),
            ]
        )
        #expect(try Self.properties { $0.memory.limit = 0 } == [])
    }

    @Test func processor() throws {
        #expect(try Self.properties { $0.cpu.shares = 1024 } == [Self.number("CPUWeight", 100)])
        #expect(try Self.properties(isUnified: false) { $0.cpu.shares = 1 } == [Self.number("CPUShares", 2)])
        // Whole percents, never less than was asked for.
        #expect(try Self.properties { $0.cpu.quota = 25_100 } == [Self.number("CPUQuotaPerSecUSec", 260_000)])
        #expect(try Self.properties { $0.cpu.quota = -1 } == [Self.number("CPUQuotaPerSecUSec", .max)])
        #expect(try Self.properties { $0.cpu.quota = .max } == [Self.number("CPUQuotaPerSecUSec", .max)])
        let both = { (r: inout ResourceConfiguration) in
            r.cpu.quota = 25_000
            r.cpu.period = 50_000
        }
        #expect(
            try Self.properties(both) == [
                Self.number("CPUQuotaPeriodUSec", 50_000), Self.number("CPUQuotaPerSecUSec", 500_000),
            ]
        )
        #expect(try Self.properties(version: 241, both) == [Self.number("CPUQuotaPerSecUSec", 500_000)])
        #expect(try Self.properties { $0.cpu.idle = 1 } == [Self.number("CPUWeight", 0)])
        #expect(try Self.properties(version: 251) { $0.cpu.idle = 1 } == [])
    }

    @Test func sets() throws {
        let change = { (r: inout ResourceConfiguration) in
            r.cpu.cpus = "0-2,9"
            r.cpu.mems = "0"
        }
        #expect(
            try Self.properties(change) == [
                UnitProperty("AllowedCPUs", .bytes([0b111, 0b10])), UnitProperty("AllowedMemoryNodes", .bytes([1])),
            ]
        )
        #expect(try Self.properties(version: 243, change) == [])
        #expect(try Self.properties(isUnified: false, change) == [])
    }

    @Test func tasks() throws {
        #expect(try Self.properties { $0.pidsLimit = 0 } == [Self.number("TasksMax", 1)])
        #expect(try Self.properties { $0.pidsLimit = -1 } == [Self.number("TasksMax", .max)])
        #expect(try Self.properties { $0.pidsLimit = 9 } == [Self.number("TasksMax", 9)])
    }

    @Test func unifiedFilesWin() throws {
        #expect(
            try Self.properties {
                $0.memory.limit = 100
                $0.unified = [
                    UnifiedSetting(file: "memory.max", value: "70"), UnifiedSetting(file: "memory.high", value: "max"),
                    UnifiedSetting(file: "cpu.max", value: "20000 100000"),
                    UnifiedSetting(file: "cpuset.cpus", value: "1"),
                    UnifiedSetting(file: "pids.max", value: "nonsense"),
                    UnifiedSetting(file: "memory.oom.group", value: "1"),
                ]
            } == [
                Self.number("MemoryMax", 70), Self.number("MemoryHigh", .max),
                Self.number("CPUQuotaPeriodUSec", 100_000), Self.number("CPUQuotaPerSecUSec", 200_000),
                UnitProperty("AllowedCPUs", .bytes([2])),
            ]
        )
    }

    static func rule(_ allow: Bool, _ kind: DeviceRule.Kind, _ major: UInt32?, _ minor: UInt32?) -> DeviceRule {
        DeviceRule(allow: allow, kind: kind, major: major, minor: minor, access: .everything)
    }

    static func policy(isUnified: Bool = true, _ rules: [DeviceRule]) throws -> (policy: DBusValue?, allowed: [String])
    {
        let properties = try Self.properties(isUnified: isUnified, isUser: false) { $0.devices = rules }
        var allowed: [String] = []
        if case .array(_, let entries)? = properties.last(where: { $0.name == "DeviceAllow" })?.value {
            for case .structure(let members) in entries {
                allowed.append(members.compactMap(\.text).joined(separator: " "))
            }
        }
        return (properties.first { $0.name == "DevicePolicy" }?.value, allowed)
    }

    @Test func devices() throws {
        let none = Self.rule(false, .all, nil, nil)
        let strict = try Self.policy([none, Self.rule(true, .character, 10, 200), Self.rule(true, .block, 8, nil)])
        #expect(strict.policy == .string("strict"))
        #expect(strict.allowed.prefix(3) == ["/dev/char/10:200 rwm", "block-8 rwm", "char-* m"])
        #expect(strict.allowed.contains("/dev/char/1:3 rwm"))
        // Everything is allowed: nothing to hold back.
        #expect(try Self.policy([Self.rule(true, .all, nil, nil)]).policy == .string("auto"))
        // What systemd cannot say must not be held back by it, where the runtime's own program decides too ...
        let odd = [none, Self.rule(true, .character, nil, 5)]
        #expect(try Self.policy(odd).policy == .string("auto"))
        // ... and must not become more where it alone decides.
        #expect(try Self.policy(isUnified: false, odd).policy == .string("strict"))
        // Taken back again.
        let back = try Self.policy([none, Self.rule(true, .character, 10, 200), Self.rule(false, .character, 10, nil)])
        #expect(!back.allowed.contains("/dev/char/10:200 rwm"))
        // A user's systemd has no say in devices.
        #expect(try Self.properties { $0.devices = odd } == [])
    }
}
