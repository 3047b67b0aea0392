// One instruction of a seccomp program, as libseccomp writes them and the kernel reads them: classic BPF, see seccomp(2)
// and linux/filter.h. Used by UnknownCallAnswer.swift and FilterRegions.swift.

/// One instruction of classic BPF.
package struct FilterInstruction: Equatable, Sendable {
    enum Code {
        /// A word of `struct seccomp_data`, at the operand's offset, into the accumulator.
        static let load: UInt16 = 0x20
        static let jump: UInt16 = 0x05
        static let jumpIfEqual: UInt16 = 0x15
        static let jumpIfGreater: UInt16 = 0x25
        static let jumpIfAtLeast: UInt16 = 0x35
        static let answer: UInt16 = 0x06
    }

    let code: UInt16
    /// How many instructions a conditional jump skips when its condition holds, and when it does not.
    var ifTrue: UInt8 = 0
    var ifFalse: UInt8 = 0
    var operand: UInt32

    /// Offsets in `struct seccomp_data`.
    static let numberOffset: UInt32 = 0
    static let architectureOffset: UInt32 = 4

    static let loadCallNumber = FilterInstruction(code: Code.load, operand: numberOffset)
    static let loadArchitecture = FilterInstruction(code: Code.load, operand: architectureOffset)

    static func jump(_ instructions: Int) -> FilterInstruction {
        FilterInstruction(code: Code.jump, operand: UInt32(truncatingIfNeeded: instructions))
    }

    static func ifEqual(_ value: UInt32, _ ifTrue: UInt8, _ ifFalse: UInt8) -> FilterInstruction {
        FilterInstruction(code: Code.jumpIfEqual, ifTrue: ifTrue, ifFalse: ifFalse, operand: value)
    }

    static func ifGreater(_ value: UInt32, _ ifTrue: UInt8, _ ifFalse: UInt8) -> FilterInstruction {
        FilterInstruction(code: Code.jumpIfGreater, ifTrue: ifTrue, ifFalse: ifFalse, operand: value)
    }

    static func ifAtLeast(_ value: UInt32, _ ifTrue: UInt8, _ ifFalse: UInt8) -> FilterInstruction {
        FilterInstruction(code: Code.jumpIfAtLeast, ifTrue: ifTrue, ifFalse: ifFalse, operand: value)
    }

    static func answer(errno: UInt16) -> FilterInstruction {
        FilterInstruction(code: Code.answer, operand: 0x0005_0000 | UInt32(errno))
    }

    /// Whether it jumps on a condition.
    var isConditional: Bool { code & 7 == Code.jump && code != Code.jump }

    // MARK: As bytes

    /// In the machine's byte order, as the kernel reads it.
    package func append(to program: inout [UInt8]) {
        #if _endian(big)
            program += [UInt8(code >> 8), UInt8(code & 0xff), ifTrue, ifFalse]
            program += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: operand >> UInt32($0)) }
        #else
            program += [UInt8(code & 0xff), UInt8(code >> 8), ifTrue, ifFalse]
            program += [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: operand >> UInt32($0)) }
        #endif
    }

    /// The instructions of a program: 8 bytes each, as `append` writes them.
    package static func list(_ program: [UInt8]) -> [FilterInstruction] {
        stride(from: 0, to: program.count & ~7, by: 8).map { offset in
            func word(_ first: Int, _ size: Int) -> UInt32 {
                var word: UInt32 = 0
                for index in 0..<size {
                    #if _endian(big)
                        word = word << 8 | UInt32(program[offset + first + index])
                    #else
                        word |= UInt32(program[offset + first + index]) << UInt32(8 * index)
                    #endif
                }
                return word
            }
            return FilterInstruction(
                code: UInt16(word(0, 2)),
                ifTrue: program[offset + 2],
                ifFalse: program[offset + 3],
                operand: word(4, 4)
            )
        }
    }
}
