import Configuration
import Confinement
import Diagnostics
import Testing

typealias Rule = SeccompConfiguration.Rule
typealias Condition = SeccompConfiguration.Condition

/// A section with one list of rules.
func section(
    _ defaultAction: SeccompConfiguration.Action,
    _ architectures: [String] = [],
    _ rules: [Rule]
) -> SeccompConfiguration {
    var section = SeccompConfiguration(defaultAction: defaultAction)
    section.architectures = architectures
    section.rules = rules
    return section
}

extension SeccompFilter {
    /// Compiles what no config.json says.
    static func prepare(
        _ configuration: SeccompConfiguration,
        unknownCalls: UnknownCalls = .skipped
    ) throws(Failure) -> Preparation {
        try prepare(SeccompSection(configuration), cache: nil, unknownCalls: unknownCalls)
    }
}

func machine(_ section: SeccompConfiguration) throws(Failure) -> FilterMachine {
    FilterMachine(try SeccompFilter.prepare(section).filter.program)
}

/// Numbers of calls, from the kernel's tables.
private enum Call {
    static let read64: UInt32 = 0
    static let write64: UInt32 = 1
    static let mkdir64: UInt32 = 83
    static let personality64: UInt32 = 135
    static let openat2x64: UInt32 = 437
    static let mkdir86: UInt32 = 39
    static let read86: UInt32 = 3
    static let readARM: UInt32 = 63
    static let x32: UInt32 = 0x4000_0000
}

@Suite struct SeccompCompilerTests {
    @Test(arguments: [
        (SeccompConfiguration.Action.killThread, Verdict.killThread), (.killProcess, .killProcess), (.trap, .trap),
        (.errno(1), .errno(1)), (.errno(0), .errno(0)), (.errno(4094), .errno(4094)), (.trace(7), .trace(7)),
        (.log, .log), (.notify, .notify), (.allow, .allow),
    ]) func everyActionOfARuleIsReturned(_ action: SeccompConfiguration.Action, _ verdict: Verdict) throws {
        let fallback: SeccompConfiguration.Action = action == .allow ? .errno(38) : .allow
        var profile = section(fallback, [], [Rule(names: ["mkdir"], action: action, conditions: [])])
        profile.listenerPath = "/run/agent"
        let filter = try machine(profile)
        #expect(filter.verdict(.x86_64, Call.mkdir64) == verdict)
        #expect(filter.verdict(.x86_64, Call.read64) == (action == .allow ? .errno(38) : .allow))
    }

    @Test(arguments: [
        (SeccompConfiguration.Action.killThread, Verdict.killThread), (.killProcess, .killProcess), (.trap, .trap),
        (.errno(13), .errno(13)), (.trace(7), .trace(7)), (.log, .log),
    ]) func everyDefaultActionHolds(_ action: SeccompConfiguration.Action, _ verdict: Verdict) throws {
        let filter = try machine(section(action, [], [Rule(names: ["openat2"], action: .allow, conditions: [])]))
        #expect(filter.verdict(.x86_64, Call.mkdir64) == verdict)
        #expect(filter.verdict(.x86_64, Call.openat2x64) == .allow)
    }

    /// Whether `argument` meets the comparison with 5_000_000_007 (above 32 bits, so that both halves count).
    @Test(arguments: [
        (SeccompConfiguration.Operator.equal, [false, false, true, false]),
        (.notEqual, [true, true, false, true]),
        (.lessThan, [true, true, false, false]),
        (.lessOrEqual, [true, true, true, false]),
        (.greaterThan, [false, false, false, true]),
        (.greaterOrEqual, [false, false, true, true]),
    ]) func everyComparisonDecides(_ comparison: SeccompConfiguration.Operator, _ expected: [Bool]) throws {
        let value: UInt64 = 5_000_000_007
        let arguments = [7, value - 1, value, value + (1 << 32)]
        for index in 0..<UInt32(6) {
            let condition = Condition(index: index, comparison: comparison, value: value, valueTwo: 0)
            let filter = try machine(
                section(.allow, [], [Rule(names: ["personality"], action: .errno(1), conditions: [condition])])
            )
            for (argument, met) in zip(arguments, expected) {
                var list = [UInt64](repeating: 0, count: 6)
                list[Int(index)] = argument
                #expect(filter.verdict(.x86_64, Call.personality64, list) == (met ? .errno(1) : .allow), "\(argument)")
            }
        }
    }

    @Test func maskedComparisonLooksAtTheMaskOnly() throws {
        // clone without CLONE_NEW* flags, as profiles have it.
        let condition = Condition(index: 0, comparison: .maskedEqual, value: 0x7e02_0000, valueTwo: 0)
        let filter = try machine(
            section(.errno(1), [], [Rule(names: ["clone", "openat2"], action: .allow, conditions: [condition])])
        )
        #expect(filter.verdict(.x86_64, 56, [0x11]) == .allow)
        #expect(filter.verdict(.x86_64, 56, [0x1000_0011]) == .errno(1))
        #expect(filter.verdict(.x86_64, 56, [0x2_0000]) == .errno(1))
    }

    @Test func conditionsOnDifferentArgumentsMustAllHold() throws {
        let conditions = [
            Condition(index: 0, comparison: .equal, value: 2, valueTwo: 0),
            Condition(index: 1, comparison: .greaterThan, value: 5, valueTwo: 0),
        ]
        let filter = try machine(
            section(.allow, [], [Rule(names: ["socket"], action: .errno(97), conditions: conditions)])
        )
        #expect(filter.verdict(.x86_64, 41, [2, 6]) == .errno(97))
        #expect(filter.verdict(.x86_64, 41, [2, 5]) == .allow)
        #expect(filter.verdict(.x86_64, 41, [3, 6]) == .allow)
    }

    @Test func conditionsOnOneArgumentAreAlternatives() throws {
        let conditions = [0, 8].map { Condition(index: 0, comparison: .equal, value: $0, valueTwo: 0) }
        let filter = try machine(
            section(.errno(1), [], [Rule(names: ["personality"], action: .allow, conditions: conditions)])
        )
        #expect(filter.verdict(.x86_64, Call.personality64, [0]) == .allow)
        #expect(filter.verdict(.x86_64, Call.personality64, [8]) == .allow)
        #expect(filter.verdict(.x86_64, Call.personality64, [4]) == .errno(1))
    }

    @Test func theNativeArchitectureIsAlwaysMeant() throws {
        let rules = [Rule(names: ["mkdir", "mkdirat"], action: .errno(1), conditions: [])]
        let filter = try machine(section(.allow, ["SCMP_ARCH_AARCH64"], rules))
        #expect(filter.verdict(.x86_64, Call.mkdir64) == .errno(1))
        // mkdirat there.
        #expect(filter.verdict(.aarch64, 34) == .errno(1))
        // An architecture that nobody named is not let through.
        #expect(filter.verdict(.x86, Call.mkdir86) == .killThread)
    }

    @Test func everyNamedArchitectureGetsTheRules() throws {
        let rules = [Rule(names: ["read", "openat2"], action: .allow, conditions: [])]
        let filter = try machine(section(.errno(1), ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"], rules))
        #expect(filter.verdict(.x86_64, Call.read64) == .allow)
        #expect(filter.verdict(.x86_64, Call.x32 | Call.read64) == .allow)
        #expect(filter.verdict(.x86, Call.read86) == .allow)
        #expect(filter.verdict(.aarch64, Call.readARM) == .allow)
        #expect(filter.verdict(.x86_64, Call.write64) == .errno(1))
        #expect(filter.verdict(.x86, 4) == .errno(1))
        #expect(filter.verdict(.riscv64, 63) == .killThread)
    }

    @Test func architecturesOfTheOtherByteOrderAreSkippedWithAWarning() throws {
        let preparation = try SeccompFilter.prepare(section(.allow, ["SCMP_ARCH_S390X"], []))
        #expect(
            preparation.warnings == ["linux.seccomp.architectures: this machine cannot run SCMP_ARCH_S390X: skipped"]
        )
    }

    @Test func unknownCallsAreSkippedOrRefused() throws {
        let rules = [
            Rule(names: ["read", "no_such_call", "nor_this", "no_such_call"], action: .errno(1), conditions: [])
        ]
        let preparation = try SeccompFilter.prepare(section(.allow, [], rules))
        let text = "linux.seccomp.syscalls: libseccomp 2.5.4 does not know no_such_call, nor_this"
        #expect(preparation.warnings == [text + ": skipped"])
        let error = #expect(throws: Failure.self) {
            try SeccompFilter.prepare(section(.allow, [], rules), unknownCalls: .refused)
        }
        #expect(error?.line == text)
    }

    @Test func aRuleThatRepeatsTheDefaultIsNoError() throws {
        let rules = [Rule(names: ["mkdir"], action: .errno(1), conditions: [])]
        #expect(try machine(section(.errno(1), [], rules)).verdict(.x86_64, Call.mkdir64) == .errno(1))
    }

    @Test func sameRuleTwiceIsNoError() throws {
        let rule = Rule(names: ["mkdir"], action: .errno(1), conditions: [])
        #expect(try machine(section(.allow, [], [rule, rule])).verdict(.x86_64, Call.mkdir64) == .errno(1))
    }

    @Test func longProfilesWithManyConditionsStayCorrect() throws {
        // More than 255 instructions between a call's test and its end.
        let conditions = (0..<300).map { Condition(index: 0, comparison: .equal, value: UInt64($0 * 3), valueTwo: 0) }
        let filter = try machine(
            section(
                .errno(1),
                ["SCMP_ARCH_X86"],
                [Rule(names: ["personality"], action: .allow, conditions: conditions)]
            )
        )
        #expect(filter.count > 300)
        for value in 0..<UInt64(900) {
            #expect(filter.verdict(.x86_64, Call.personality64, [value]) == (value % 3 == 0 ? .allow : .errno(1)))
            #expect(filter.verdict(.x86, 136, [value]) == (value % 3 == 0 ? .allow : .errno(1)))
        }
    }

    @Test func aFilterThatTheKernelWouldRefuseIsRefusedByName() throws {
        let conditions = (0..<4500).map { Condition(index: 0, comparison: .equal, value: UInt64($0), valueTwo: 0) }
        let error = #expect(throws: Failure.self) {
            try SeccompFilter.prepare(
                section(
                    .errno(1),
                    ["SCMP_ARCH_X86"],
                    [Rule(names: ["personality"], action: .allow, conditions: conditions)]
                )
            )
        }
        #expect(error?.line.contains("instructions, the kernel takes 4096") == true)
    }
}

@Suite struct SeccompProfileTests {
    @Test func notificationsThatWouldLockTheStartAreRefused() {
        var profile = section(.notify, [], [])
        profile.listenerPath = "/run/agent"
        var error = #expect(throws: Failure.self) { try SeccompFilter.prepare(profile) }
        #expect(error?.line.hasPrefix("linux.seccomp.defaultAction: SCMP_ACT_NOTIFY would make init wait") == true)

        profile = section(.allow, [], [Rule(names: ["read", "write"], action: .notify, conditions: [])])
        profile.listenerPath = "/run/agent"
        error = #expect(throws: Failure.self) { try SeccompFilter.prepare(profile) }
        #expect(error?.line.hasPrefix("linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY on write would") == true)

        profile = section(.allow, [], [Rule(names: ["mkdir"], action: .notify, conditions: [])])
        error = #expect(throws: Failure.self) { try SeccompFilter.prepare(profile) }
        #expect(error?.line.hasPrefix("linux.seccomp.listenerPath: required by SCMP_ACT_NOTIFY") == true)
    }

    @Test func errorNumbersThatTheKernelLacksAreRefused() {
        var error = #expect(throws: Failure.self) {
            try SeccompFilter.prepare(section(.errno(4095), [], []))
        }
        #expect(error?.line == "linux.seccomp.defaultErrnoRet: found 4095, accepted is 0 to 4094")
        let rules = [Rule(names: ["mkdir"], action: .errno(5000), conditions: [])]
        error = #expect(throws: Failure.self) { try SeccompFilter.prepare(section(.allow, [], rules)) }
        #expect(error?.line == "linux.seccomp.syscalls[0].errnoRet: found 5000, accepted is 0 to 4094")
    }

    @Test func flagsBecomeBits() throws {
        var profile = section(.allow, [], [])
        #expect(try SeccompFilter.prepare(profile).filter.flags == 4)
        profile.flags = []
        #expect(try SeccompFilter.prepare(profile).filter.flags == 0)
        profile.flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC"]
        #expect(try SeccompFilter.prepare(profile).filter.flags == 3)
        // Valid only with a listener; without one it means nothing.
        profile.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]
        #expect(try SeccompFilter.prepare(profile).filter.flags == 0)
        profile.rules = [Rule(names: ["mkdir"], action: .notify, conditions: [])]
        profile.listenerPath = "/run/agent"
        #expect(try SeccompFilter.prepare(profile).filter.flags == 32 | 8)
        profile.flags = ["SECCOMP_FILTER_FLAG_TSYNC"]
        #expect(try SeccompFilter.prepare(profile).filter.flags == 1 | 8 | 16)
    }
}

@Suite struct UnknownCallTests {
    private func profile(_ defaultAction: SeccompConfiguration.Action, _ architectures: [String] = [])
        -> SeccompConfiguration
    {
        // openat2 is 437 on all of these but x32, where the bit is added.
        section(defaultAction, architectures, [Rule(names: ["read", "openat2"], action: .allow, conditions: [])])
    }

    @Test(arguments: [SeccompConfiguration.Action.errno(1), .killProcess, .killThread, .trap])
    func callsNewerThanTheProfileDoNotExist(_ action: SeccompConfiguration.Action) throws {
        let filter = try machine(profile(action, ["SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]))
        for architecture in [Architecture.x86_64, .x86, .aarch64] {
            #expect(filter.verdict(architecture, 437) == .allow)
            #expect(filter.verdict(architecture, 438) == .errno(38))
            #expect(filter.verdict(architecture, 0x3fff_ffff) == .errno(38))
            #expect(filter.verdict(architecture, 436) != .errno(38))
        }
        #expect(filter.verdict(.x86_64, Call.x32 | 437) == .allow)
        #expect(filter.verdict(.x86_64, Call.x32 | 438) == .errno(38))
        #expect(filter.verdict(.x86_64, Call.x32 | 436) != .errno(38))
        #expect(filter.verdict(.x86, 0xffff_ffff) == .errno(38))
    }

    @Test func withoutX32ItsCallsAreForeign() throws {
        let filter = try machine(profile(.errno(1)))
        #expect(filter.verdict(.x86_64, Call.x32 | 0) == .killThread)
        #expect(filter.verdict(.x86_64, Call.x32 | 500) == .killThread)
        #expect(filter.verdict(.x86_64, 500) == .errno(38))
    }

    @Test(arguments: [SeccompConfiguration.Action.allow, .log, .trace(1), .errno(38)])
    func permissiveDefaultsAreLeftAlone(_ action: SeccompConfiguration.Action) throws {
        let profile = section(action, [], [Rule(names: ["read"], action: .errno(1), conditions: [])])
        #expect(try machine(profile).verdict(.x86_64, 500) != .errno(38) || action == .errno(38))
    }

    @Test func rulesThatRefuseCountAsKnown() throws {
        let rules = [
            Rule(names: ["openat2"], action: .errno(1), conditions: []),
            Rule(names: ["read"], action: .allow, conditions: []),
        ]
        let filter = try machine(section(.errno(1), [], rules))
        #expect(filter.verdict(.x86_64, 437) == .errno(1))
        #expect(filter.verdict(.x86_64, 438) == .errno(38))
    }

    @Test func s390HandsUnknownNumbersInAsZero() {
        let known = UnknownCallAnswer.Knowledge(
            architecture: "SCMP_ARCH_S390X",
            token: Architecture.s390x.rawValue,
            highest: 437
        )
        var program: [UInt8] = []
        for instruction in UnknownCallAnswer.instructions([known]) { instruction.append(to: &program) }
        // What follows: allow.
        program += [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]
        let filter = FilterMachine(program)
        #expect(filter.verdict(.s390x, 0) == .errno(38))
        #expect(filter.verdict(.s390x, 1) == .allow)
        #expect(filter.verdict(.s390x, 437) == .allow)
        #expect(filter.verdict(.s390x, 438) == .errno(38))
        #expect(filter.verdict(.x86_64, 438) == .allow)
    }

    @Test func manyArchitecturesStayInReach() {
        let known =
            (0..<100).map {
                UnknownCallAnswer.Knowledge(architecture: "SCMP_ARCH_AARCH64", token: 1000 + $0, highest: 437)
            } + [.init(architecture: "SCMP_ARCH_X86", token: Architecture.x86.rawValue, highest: 3)]
        var program: [UInt8] = []
        for instruction in UnknownCallAnswer.instructions(known) { instruction.append(to: &program) }
        program += [0x06, 0, 0, 0, 0, 0, 0xff, 0x7f]
        let filter = FilterMachine(program)
        #expect(filter.verdict(.x86, 3) == .allow)
        #expect(filter.verdict(.x86, 4) == .errno(38))
        #expect(filter.verdict(.riscv64, 4) == .allow)
    }
}
