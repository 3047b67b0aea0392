// A classic BPF machine for seccomp programs: what the kernel would answer to a call. Refuses what the kernel's own
// checker refuses.

import Confinement

/// `AUDIT_ARCH_*`.
enum Architecture: UInt32, CaseIterable {
    case x86 = 0x4000_0003
    case x86_64 = 0xc000_003e
    case aarch64 = 0xc000_00b7
    case riscv64 = 0xc000_00f3
    case s390x = 0x8000_0016
}

/// What a filter returned.
enum Verdict: Equatable {
    case killThread, killProcess, trap, allow, log, notify
    case errno(UInt16)
    case trace(UInt16)
    case malformed(String)

    init(returned value: UInt32) {
        let data = UInt16(truncatingIfNeeded: value)
        switch value & 0xffff_0000 {
        case 0x0000_0000: self = .killThread
        case 0x8000_0000: self = .killProcess
        case 0x0003_0000: self = .trap
        case 0x0005_0000: self = .errno(data)
        case 0x7fc0_0000: self = .notify
        case 0x7ff0_0000: self = .trace(data)
        case 0x7ffc_0000: self = .log
        case 0x7fff_0000: self = .allow
        default: self = .malformed("returned 0x\(String(value, radix: 16))")
        }
    }
}

/// One program.
struct FilterMachine {
    private struct Instruction {
        let code: UInt16
        let ifTrue: Int
        let ifFalse: Int
        let operand: UInt32
    }

    private let instructions: [Instruction]

    var count: Int { instructions.count }

    init(_ program: [UInt8]) {
        instructions = stride(from: 0, to: program.count, by: 8).map { offset in
            let byte = { UInt32(program[offset + $0]) }
            return Instruction(
                code: UInt16(byte(0) | byte(1) << 8),
                ifTrue: Int(byte(2)),
                ifFalse: Int(byte(3)),
                operand: byte(4) | byte(5) << 8 | byte(6) << 16 | byte(7) << 24
            )
        }
    }

    /// The answer to one call.
    func verdict(_ architecture: Architecture, _ number: UInt32, _ arguments: [UInt64] = []) -> Verdict {
        verdict(architecture.rawValue, number, arguments)
    }

    /// The same for any architecture.
    func verdict(_ architecture: UInt32, _ number: UInt32, _ arguments: [UInt64] = []) -> Verdict {
        run(architecture, number, arguments).verdict
    }

    /// How many instructions it takes to answer.
    func steps(_ architecture: Architecture, _ number: UInt32) -> Int { run(architecture.rawValue, number, []).steps }

    private func run(_ architecture: UInt32, _ number: UInt32, _ arguments: [UInt64]) -> (verdict: Verdict, steps: Int)
    {
        var data = [number, architecture, 0, 0]
        for index in 0..<6 {
            let value = index < arguments.count ? arguments[index] : 0
            data += [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
        }
        var accumulator: UInt32 = 0
        var position = 0
        var steps = 0
        while position < instructions.count {
            let instruction = instructions[position]
            let operand = instruction.operand
            position += 1
            steps += 1
            switch instruction.code {
            case 0x20:
                guard operand % 4 == 0, Int(operand / 4) < data.count else {
                    return (.malformed("load at \(operand)"), steps)
                }
                accumulator = data[Int(operand / 4)]
            case 0x54: accumulator &= operand
            case 0x05: position += Int(operand)
            case 0x15: position += accumulator == operand ? instruction.ifTrue : instruction.ifFalse
            case 0x25: position += accumulator > operand ? instruction.ifTrue : instruction.ifFalse
            case 0x35: position += accumulator >= operand ? instruction.ifTrue : instruction.ifFalse
            case 0x45: position += accumulator & operand != 0 ? instruction.ifTrue : instruction.ifFalse
            case 0x06: return (Verdict(returned: operand), steps)
            default: return (.malformed("instruction 0x\(String(instruction.code, radix: 16))"), steps)
            }
        }
        return (.malformed("ran past the end"), steps)
    }
}
