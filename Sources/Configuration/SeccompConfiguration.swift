// `linux.seccomp`, typed. Turned into a program by Confinement, once: what a section of the same text was turned into is
// kept, and then nothing but what the start itself needs to know is left of it.

/// The filter of one container.
package struct SeccompSection: Equatable, Sendable {
    /// What it is made from.
    package enum Source: Equatable, Sendable {
        /// - Parameter text: The section as it stands in config.json; empty if that is not known.
        case rules(SeccompConfiguration, text: [UInt8])
        /// It was made before, from the same text.
        case compiled(CompiledFilter)
    }

    package let ruleCount: Int
    /// Whether some system call is to be answered by an agent.
    package let notifies: Bool
    package let listenerPath: String?
    package let listenerMetadata: String?
    package let source: Source

    package init(_ configuration: SeccompConfiguration, text: [UInt8] = []) {
        ruleCount = configuration.rules.count
        notifies = configuration.notifies
        listenerPath = configuration.listenerPath
        listenerMetadata = configuration.listenerMetadata
        source = .rules(configuration, text: text)
    }

    package init(
        ruleCount: Int,
        notifies: Bool,
        listenerPath: String?,
        listenerMetadata: String?,
        compiled: CompiledFilter
    ) {
        self.ruleCount = ruleCount
        self.notifies = notifies
        self.listenerPath = listenerPath
        self.listenerMetadata = listenerMetadata
        source = .compiled(compiled)
    }

    /// The section as it is in the configuration, unless its filter is made already.
    package var configuration: SeccompConfiguration? {
        guard case .rules(let configuration, _) = source else { return nil }
        return configuration
    }
}

/// What a section was turned into.
package struct CompiledFilter: Equatable, Sendable {
    /// 8 bytes an instruction, in the machine's byte order.
    package var program: [UInt8]
    /// `SECCOMP_FILTER_FLAG_*` bits of seccomp(2).
    package var flags: UInt32
    /// Calls that the library does not know, in the section's order, once each.
    package var unknownCalls: [String]
    /// Architectures that this machine cannot run, because their byte order is the other one.
    package var foreignArchitectures: [String]

    package init(program: [UInt8], flags: UInt32, unknownCalls: [String], foreignArchitectures: [String]) {
        self.program = program
        self.flags = flags
        self.unknownCalls = unknownCalls
        self.foreignArchitectures = foreignArchitectures
    }
}

/// A system-call filter as it is asked for.
package struct SeccompConfiguration: Hashable, Sendable {
    package enum Action: Hashable, Sendable {
        case killThread, killProcess, trap, allow, log, notify
        case errno(UInt16)
        case trace(UInt16)
    }

    package enum Operator: String, Hashable, Sendable, CaseIterable {
        case notEqual = "SCMP_CMP_NE"
        case lessThan = "SCMP_CMP_LT"
        case lessOrEqual = "SCMP_CMP_LE"
        case equal = "SCMP_CMP_EQ"
        case greaterOrEqual = "SCMP_CMP_GE"
        case greaterThan = "SCMP_CMP_GT"
        case maskedEqual = "SCMP_CMP_MASKED_EQ"
    }

    package struct Condition: Hashable, Sendable {
        /// 0 to 5.
        package let index: UInt32
        package let comparison: Operator
        /// With `maskedEqual`: the mask.
        package let value: UInt64
        /// With `maskedEqual`: what the masked argument must be.
        package let valueTwo: UInt64

        package init(index: UInt32, comparison: Operator, value: UInt64, valueTwo: UInt64) {
            self.index = index
            self.comparison = comparison
            self.value = value
            self.valueTwo = valueTwo
        }
    }

    package struct Rule: Hashable, Sendable {
        package let names: [String]
        package let action: Action
        /// All must hold.
        package let conditions: [Condition]

        package init(names: [String], action: Action, conditions: [Condition]) {
            self.names = names
            self.action = action
            self.conditions = conditions
        }
    }

    package var defaultAction: Action
    /// `SCMP_ARCH_*` names, as in the spec, each one known; the native one is always meant too.
    package var architectures: [String]
    /// `SECCOMP_FILTER_FLAG_*` names, each one known; `nil` when the section has none.
    package var flags: [String]?
    package var rules: [Rule]
    package var listenerPath: String?
    package var listenerMetadata: String?

    package init(defaultAction: Action) {
        self.defaultAction = defaultAction
        architectures = []
        rules = []
    }

    /// `SCMP_ARCH_*` names that libseccomp 2.5 and the spec know.
    package static let architectureNames: [String] = [
        "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",
        "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
        "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X",
        "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",
    ]

    /// `SECCOMP_FILTER_FLAG_*` names with the kernel's bits.
    package static let flagBits: [(name: String, bit: UInt32)] = [
        ("SECCOMP_FILTER_FLAG_TSYNC", 1), ("SECCOMP_FILTER_FLAG_LOG", 2), ("SECCOMP_FILTER_FLAG_SPEC_ALLOW", 4),
        ("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", 32),
    ]
}

extension SeccompConfiguration {
    /// Whether some system call is to be answered by an agent.
    package var notifies: Bool {
        rules.contains { $0.action == .notify }
    }
}
