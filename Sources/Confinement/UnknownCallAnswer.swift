// The instructions before the profile's own: a call newer than everything that the profile names is answered with
// ENOSYS, whatever the profile's default. The C library probes new calls and falls back on ENOSYS; an EPERM for
// clone3 or faccessat2 would break programs that the profile's author never thought of. Pure. Called by
// SeccompCompiler.swift.

/// The answer to calls newer than a profile.
package enum UnknownCallAnswer {
    /// The calls that a profile names, on one architecture.
    package struct Knowledge: Equatable, Sendable {
        /// As in the spec: `SCMP_ARCH_X86_64`.
        package let architecture: String
        /// `AUDIT_ARCH_*`, as the kernel passes it to the filter.
        package let token: UInt32
        /// The highest number among them.
        package let highest: UInt32

        package init(architecture: String, token: UInt32, highest: UInt32) {
            self.architecture = architecture
            self.token = token
            self.highest = highest
        }
    }

    /// Calls of x32 come with the architecture of x86_64 and this bit.
    private static let x32Bit: UInt32 = 0x4000_0000
    private static let x32Name = "SCMP_ARCH_X32"
    private static let x86Name = "SCMP_ARCH_X86_64"

    /// The instructions. They end by running into whatever follows them.
    package static func instructions(_ known: [Knowledge]) -> [FilterInstruction] {
        let x32 = known.first { $0.architecture == x32Name }
        let blocks = known.filter { $0.architecture != x32Name }.map { block(for: $0, x32: x32) }
        if blocks.isEmpty { return [] }
        var instructions: [FilterInstruction] = [.loadArchitecture]
        for (token, block) in blocks {
            // A block is shorter than the 255 instructions that a conditional jump spans.
            instructions.append(.ifEqual(token, 0, UInt8(block.count)))
            instructions += block
        }
        // What a block does not answer leaves for the profile: by an unconditional jump, which has 32 bits of range.
        for index in instructions.indices where instructions[index].code == FilterInstruction.jump(0).code {
            instructions[index] = .jump(instructions.count - index - 1)
        }
        return instructions
    }

    private static func block(
        for knowledge: Knowledge,
        x32: Knowledge?
    ) -> (token: UInt32, block: [FilterInstruction]) {
        let leave = FilterInstruction.jump(0)
        let refuse = FilterInstruction.answer(errno: SeccompProfile.noSuchCall)
        var block: [FilterInstruction] = [.loadCallNumber]
        switch knowledge.architecture {
        case x86Name:
            // Without rules for x32 its calls are the profile's business, which has a word on foreign architectures.
            block += [.ifAtLeast(x32Bit, x32 == nil ? 2 : 3, 0)]
            block += [.ifGreater(knowledge.highest, 0, 1), refuse, leave]
            if let x32 { block += [.ifGreater(x32.highest, 0, 1), refuse, leave] }
        case "SCMP_ARCH_S390", "SCMP_ARCH_S390X":
            // There the kernel hands in every number that it does not have as 0, once setup(2).
            block += [.ifEqual(0, 1, 0), .ifGreater(knowledge.highest, 0, 1), refuse, leave]
        default:
            block += [.ifGreater(knowledge.highest, 0, 1), refuse, leave]
        }
        return (knowledge.token, block)
    }
}
