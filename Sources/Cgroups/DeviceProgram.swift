// The device rules of cgroup v2: a program that the kernel runs at each use of a device. Pure: an assembler for the
// dozen instructions that it takes; see bpf(2) and the kernel's Documentation/bpf/standardization/instruction-set.rst.

package import Configuration

/// An eBPF program of type `BPF_PROG_TYPE_CGROUP_DEVICE`. Its argument points to three 32-bit numbers: the device's
/// kind (1 block, 2 character) with the wanted access in the upper half, its major and its minor number. It returns 1
/// to allow, 0 to deny.
///
/// Rules are asked from the last to the first, each kind of access on its own: what a rule allows is no longer
/// wanted; what a rule denies and is still wanted ends in refusal; so does what no rule allows.
package struct DeviceProgram: Equatable, Sendable {
    /// Instructions of eight bytes.
    package private(set) var bytes: [UInt8] = []

    private enum Register {
        static let result: UInt8 = 0
        static let context: UInt8 = 1
        static let kind: UInt8 = 2
        static let wanted: UInt8 = 3
        static let major: UInt8 = 4
        static let minor: UInt8 = 5
        static let scratch: UInt8 = 6
    }

    private enum Operation {
        static let load32: UInt8 = 0x61
        static let and: UInt8 = 0x54
        static let shiftRight: UInt8 = 0x74
        static let move: UInt8 = 0xb4
        static let moveRegister: UInt8 = 0xbc
        static let jumpIfEqual: UInt8 = 0x16
        static let jumpIfNotEqual: UInt8 = 0x56
        static let exit: UInt8 = 0x95
    }

    /// - Parameter rules: In the order of config.json; `DeviceRule.defaults` are added behind them.
    package init(rules: [DeviceRule]) {
        emit(Operation.load32, Register.kind, source: Register.context, offset: 0)
        emit(Operation.moveRegister, Register.wanted, source: Register.kind)
        emit(Operation.and, Register.kind, immediate: 0xffff)
        emit(Operation.shiftRight, Register.wanted, immediate: 16)
        emit(Operation.load32, Register.major, source: Register.context, offset: 4)
        emit(Operation.load32, Register.minor, source: Register.context, offset: 8)
        for rule in (rules + DeviceRule.defaults).reversed() {
            append(rule)
            // The kernel refuses instructions that are never reached.
            if rule.decidesEverything { return }
        }
        emitReturn(0)
    }

    private mutating func append(_ rule: DeviceRule) {
        var conditions: [(UInt8, UInt32)] = []
        if let kind = rule.kind.number { conditions.append((Register.kind, kind)) }
        if let major = rule.major { conditions.append((Register.major, major)) }
        if let minor = rule.minor { conditions.append((Register.minor, minor)) }

        var verdict = DeviceProgram()
        verdict.emitVerdict(of: rule)
        // Each condition that fails jumps behind the verdict, over the conditions that follow it.
        for (index, condition) in conditions.enumerated() {
            let distance = conditions.count - 1 - index + verdict.bytes.count / 8
            emit(
                Operation.jumpIfNotEqual,
                condition.0,
                offset: Int16(truncatingIfNeeded: distance),
                immediate: condition.1
            )
        }
        bytes += verdict.bytes
    }

    private init() {}

    private mutating func emitVerdict(of rule: DeviceRule) {
        let access = UInt32(rule.access.rawValue)
        if rule.allow {
            if rule.access != .everything {
                emit(Operation.and, Register.wanted, immediate: ~access)
                emit(Operation.jumpIfNotEqual, Register.wanted, offset: 2, immediate: 0)
            }
            emitReturn(1)
        } else {
            if rule.access != .everything {
                emit(Operation.moveRegister, Register.scratch, source: Register.wanted)
                emit(Operation.and, Register.scratch, immediate: access)
                emit(Operation.jumpIfEqual, Register.scratch, offset: 2, immediate: 0)
            }
            emitReturn(0)
        }
    }

    private mutating func emitReturn(_ value: UInt32) {
        emit(Operation.move, Register.result, immediate: value)
        emit(Operation.exit, 0)
    }

    private mutating func emit(
        _ operation: UInt8,
        _ target: UInt8,
        source: UInt8 = 0,
        offset: Int16 = 0,
        immediate: UInt32 = 0
    ) {
        let place = UInt16(bitPattern: offset)
        bytes += [operation, target | source << 4, UInt8(truncatingIfNeeded: place), UInt8(place >> 8)]
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: immediate >> ($0 * 8)) }
    }
}

extension DeviceRule {
    fileprivate var decidesEverything: Bool {
        kind == .all && major == nil && minor == nil && access == .everything
    }
}

extension DeviceRule.Kind {
    /// `BPF_DEVCG_DEV_*`; `nil` for both.
    fileprivate var number: UInt32? {
        switch self {
        case .all: nil
        case .block: 1
        case .character: 2
        }
    }
}
