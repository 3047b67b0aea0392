// Device rules: the v2 program in an interpreter against a plain reading of the rules, and the lines for v1.

import Cgroups
import Configuration
import Diagnostics
import Testing

/// What the rules mean, said in the simplest way: the last rule about a device decides each kind of access.
private func expected(_ rules: [DeviceRule], _ kind: DeviceRule.Kind, _ major: UInt32, _ minor: UInt32, _ access: UInt8)
    -> Bool
{
    [1, 2, 4].filter { access & $0 != 0 }.allSatisfy { bit in
        let last = (rules + DeviceRule.defaults).last { rule in
            (rule.kind == .all || rule.kind == kind) && (rule.major ?? major) == major
                && (rule.minor ?? minor) == minor && rule.access.rawValue & bit != 0
        }
        return last?.allow ?? false
    }
}

/// An interpreter for the instructions that `DeviceProgram` uses; `nil` for a program that the kernel would refuse.
private func run(_ program: [UInt8], _ kind: DeviceRule.Kind, _ major: UInt32, _ minor: UInt32, _ access: UInt8)
    -> UInt32?
{
    let context: [UInt32] = [UInt32(access) << 16 | (kind == .block ? 1 : 2), major, minor]
    var registers = [UInt32?](repeating: nil, count: 11)
    var next = 0
    while next * 8 < program.count {
        let bytes = Array(program[next * 8..<next * 8 + 8])
        let (target, source) = (Int(bytes[1] & 15), Int(bytes[1] >> 4))
        let offset = Int(Int16(bitPattern: UInt16(bytes[2]) | UInt16(bytes[3]) << 8))
        let immediate = (4..<8).reduce(UInt32(0)) { $0 | UInt32(bytes[$1]) << (($1 - 4) * 8) }
        next += 1
        switch bytes[0] {
        case 0x61:
            guard source == 1 else { return nil }
            registers[target] = context[offset / 4]
        case 0x54:
            guard let value = registers[target] else { return nil }
            registers[target] = value & immediate
        case 0x74:
            guard let value = registers[target] else { return nil }
            registers[target] = value >> immediate
        case 0xb4: registers[target] = immediate
        case 0xbc:
            guard let value = registers[source] else { return nil }
            registers[target] = value
        case 0x16, 0x56:
            guard let value = registers[target], offset >= 0 else { return nil }
            if (value == immediate) == (bytes[0] == 0x16) { next += offset }
        case 0x95: return registers[0]
        default: return nil
        }
    }
    return nil
}

private func rule(_ allow: Bool, _ kind: DeviceRule.Kind, _ major: UInt32?, _ minor: UInt32?, _ access: UInt8 = 7)
    -> DeviceRule
{
    DeviceRule(allow: allow, kind: kind, major: major, minor: minor, access: DeviceRule.Access(rawValue: access))
}

@Suite struct DeviceTests {
    static let denyAll = rule(false, .all, nil, nil)
    static let allowAll = rule(true, .all, nil, nil)
    static let defaultLines = [
        "c *:* m", "b *:* m", "c 1:3 rwm", "c 1:8 rwm", "c 1:7 rwm", "c 5:0 rwm", "c 1:5 rwm", "c 1:9 rwm", "c 5:2 rwm",
        "c 136:* rwm",
    ]

    @Test func programObeysRandomRules() {
        var random = SystemRandomNumberGenerator()
        let majors: [UInt32?] = [nil, 1, 8, 136, 0xffff_ffff]
        let minors: [UInt32?] = [nil, 0, 3, 0x8000_0000]
        for _ in 0..<400 {
            let rules = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                rule(
                    .random(using: &random),
                    [.all, .character, .block].randomElement(using: &random) ?? .all,
                    majors.randomElement(using: &random) ?? nil,
                    minors.randomElement(using: &random) ?? nil,
                    .random(in: 1...7, using: &random)
                )
            }
            let program = DeviceProgram(rules: rules).bytes
            for kind in [DeviceRule.Kind.character, .block] {
                for major in majors.compactMap({ $0 }) {
                    for minor in minors.compactMap({ $0 }) {
                        for access in UInt8(1)...7 {
                            let found = run(program, kind, major, minor, access)
                            let wanted = expected(rules, kind, major, minor, access)
                            #expect(found == (wanted ? 1 : 0), "\(rules) \(kind) \(major):\(minor) \(access)")
                        }
                    }
                }
            }
        }
    }

    @Test func programEndsAtARuleForEverything() {
        let long = DeviceProgram(rules: [rule(true, .character, 8, 0), Self.denyAll])
        #expect(long == DeviceProgram(rules: [Self.denyAll]))
    }

    private func lines(_ rules: [DeviceRule], from present: DeviceAccess? = nil) throws -> [String] {
        try DeviceAccess(rules: rules).writes(from: present).flatMap { write in
            write.choices.flatMap { choice in choice.value.split(separator: "\n").map { "\(choice.file) \($0)" } }
        }
    }

    @Test(arguments: [[], [denyAll], [rule(true, .character, 8, 0), denyAll]])
    func nothingIsAllowedButTheDefaults(rules: [DeviceRule]) throws {
        #expect(try lines(rules) == ["devices.deny a"] + Self.defaultLines.map { "devices.allow \($0)" })
    }

    @Test func allowedDevicesComeInOrderAndMerge() throws {
        let rules = [rule(true, .block, 8, 0, 2), rule(true, .character, 10, nil), rule(true, .block, 8, 0, 4)]
        #expect(
            try lines(rules).prefix(3) == ["devices.deny a", "devices.allow b 8:0 rw", "devices.allow c 10:* rwm"]
        )
    }

    @Test func laterDenialTakesAwayWhatItCovers() throws {
        let rules = [rule(true, .block, 8, 0), rule(true, .block, 8, 1), rule(false, .block, 8, nil, 6)]
        #expect(try lines(rules).filter { $0.contains(" b 8") } == ["devices.allow b 8:0 m", "devices.allow b 8:1 m"])
    }

    @Test func allowingEverythingThenDenyingADevice() throws {
        #expect(
            try lines([Self.allowAll, rule(false, .block, 8, 0, 4)]) == ["devices.allow a", "devices.deny b 8:0 w"]
        )
    }

    /// On v1 a line of kind `a` means everything, whatever else it says.
    @Test func bothKindsOfOneNumberAreTwoLines() throws {
        #expect(
            try lines([rule(true, .all, 7, 1, 2)]).prefix(3)
                == ["devices.deny a", "devices.allow c 7:1 r", "devices.allow b 7:1 r"]
        )
    }

    @Test func whatV1CannotSayIsRefused() {
        #expect {
            _ = try DeviceAccess(rules: [rule(true, .block, 8, nil), rule(false, .block, 8, 1, 4)])
        } throws: {
            ($0 as? Failure)?.line
                == "linux.resources.devices[1]: denies b 8:1 w, a part of what was allowed before it "
                + "(b 8:* rwm); cgroup v1 cannot do that"
        }
    }

    @Test func changeAllowsBeforeItDenies() throws {
        let present = DeviceAccess.parse(
            list: (Self.defaultLines + ["b 8:0 rwm", "c 10:1 rwm"]).joined(separator: "\n") + "\n"
        )
        #expect(
            try lines([rule(true, .block, 8, 0, 2), rule(true, .block, 9, 0)], from: present) == [
                "devices.allow b 8:0 r", "devices.allow b 9:0 rwm", "devices.deny b 8:0 wm", "devices.deny c 10:1 rwm",
            ]
        )
        #expect(try lines([], from: DeviceAccess.parse(list: Self.defaultLines.joined(separator: "\n"))) == [])
    }

    @Test func changeOfTheDefaultStartsAnew() throws {
        let open = DeviceAccess.parse(list: "a *:* rwm\n")
        #expect(try lines([], from: open).prefix(2) == ["devices.deny a", "devices.allow c *:* m"])
        #expect(try lines([Self.allowAll], from: open) == [])
    }
}
