import Configuration
import Testing

@testable import Confinement

/// Small, and the same in every run.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ state >> 29) &* 0x9E37_79B9_7F4A_7C15
    }

    mutating func pick<Element>(_ list: [Element]) -> Element { list[Int.random(in: list.indices, using: &self)] }
}

private typealias Code = FilterInstruction.Code

/// BPF_ALU | BPF_AND | BPF_K, which libseccomp uses on arguments alone.
private let bitwiseAnd: UInt16 = 0x54

private func bytes(_ program: [FilterInstruction]) -> [UInt8] {
    var bytes: [UInt8] = []
    for instruction in program { instruction.append(to: &bytes) }
    return bytes
}

private func answer(_ value: UInt32) -> FilterInstruction { FilterInstruction(code: Code.answer, operand: value) }

private func load(_ offset: UInt32) -> FilterInstruction { FilterInstruction(code: Code.load, operand: offset) }

/// Values at which comparisons of the random programs change their mind.
private let values: [UInt32] = [0, 1, 5, 6, 7, 100, 101, 0x4000_0000, 0xc000_003e, 0xffff_fffe, 0xffff_ffff]

@Suite struct FilterRegionsTests {
    /// A program of forward jumps over architecture, number and arguments, as no library writes it.
    private func randomProgram(_ dice: inout Dice) -> [FilterInstruction] {
        let count = Int.random(in: 4...40, using: &dice)
        var program: [FilterInstruction] = [load(Bool.random(using: &dice) ? 0 : 4)]
        for position in 1..<count {
            let reach = UInt8(min(count - position - 1, 6))
            let value = dice.pick(values)
            switch Int.random(in: 0..<12, using: &dice) {
            case 0, 1: program.append(load(0))
            case 2: program.append(load(4))
            case 3: program.append(load(16 + 4 * UInt32.random(in: 0..<4, using: &dice)))
            case 4 where reach > 0: program.append(.jump(Int.random(in: 0..<Int(reach), using: &dice)))
            case 5: program.append(answer(0x0005_0000 | UInt32.random(in: 0..<4, using: &dice)))
            case 6 where value == 5: program.append(FilterInstruction(code: bitwiseAnd, operand: 6))
            default:
                guard reach > 0 else { continue }
                let codes = [Code.jumpIfEqual, Code.jumpIfEqual, Code.jumpIfGreater, Code.jumpIfAtLeast]
                program.append(
                    FilterInstruction(
                        code: dice.pick(codes),
                        ifTrue: UInt8.random(in: 0..<reach, using: &dice),
                        ifFalse: UInt8.random(in: 0..<reach, using: &dice),
                        operand: value
                    )
                )
            }
        }
        return program + [answer(0x7fff_0000), answer(0x0003_0000)].shuffled(using: &dice)
            + Array(repeating: answer(0), count: 6)
    }

    @Test func everyProgramDecidesWhatItDecided() throws {
        var dice = Dice(state: 20_261_129)
        var changed = 0
        for _ in 0..<1500 {
            let program = randomProgram(&dice)
            let compact = FilterRegions.compact(program, limit: 4096)
            if compact != program { changed += 1 }
            let (before, after) = (FilterMachine(bytes(program)), FilterMachine(bytes(compact)))
            for architecture in values {
                for number in values {
                    let arguments = [values, values].map { UInt64($0.randomElement(using: &dice)!) }
                    let expected = before.verdict(architecture, number, arguments)
                    guard after.verdict(architecture, number, arguments) == expected else {
                        Issue.record("\(architecture) \(number) \(arguments): \(expected) for \(program)")
                        return
                    }
                }
            }
        }
        #expect(changed > 1000)
    }

    /// Each number has another answer: no neighbours to join, and for some lengths what a conditional jump cannot reach.
    @Test(arguments: [1, 120, 125, 126, 127, 128, 129, 130, 200, 250, 251, 252, 253, 254, 255, 256, 257, 258, 300, 700])
    func jumpsThatAreTooLongForAConditionGoByTwo(_ count: Int) {
        var chain: [FilterInstruction] = [.loadCallNumber]
        for number in 0..<count {
            chain += [.ifEqual(UInt32(2 * number), 0, 1), answer(0x0005_0000 | UInt32(number))]
        }
        chain.append(answer(0x7fff_0000))
        let machine = FilterMachine(bytes(FilterRegions.compact(chain, limit: 4096)))
        for number in 0..<UInt32(count) {
            #expect(machine.verdict(.x86, 2 * number) == .errno(UInt16(number)))
            #expect(machine.verdict(.x86, 2 * number + 1) == .allow)
        }
    }

    @Test func whatWouldBeTooLongStays() {
        var chain: [FilterInstruction] = [.loadCallNumber]
        for number in 0..<20 {
            chain += [.ifEqual(UInt32(3 * number), 0, 1), answer(0x0005_0000 | UInt32(number % 2))]
        }
        chain.append(answer(0x7fff_0000))
        let search = FilterRegions.compact(chain, limit: 4096)
        #expect(search != chain)
        // As short as the limit, or as what there was.
        #expect(FilterRegions.compact(chain, limit: search.count) == search)
        #expect((FilterRegions.compact(chain, limit: 1) == search) == (search.count <= chain.count))
    }

    @Test func whatComparesSomethingElseStays() {
        let masked: [FilterInstruction] = [
            .loadCallNumber, FilterInstruction(code: bitwiseAnd, operand: 6), .ifEqual(6, 0, 1), answer(0),
            .loadCallNumber, .ifEqual(6, 0, 1), answer(0), answer(0x7fff_0000),
        ]
        #expect(FilterRegions.compact(masked, limit: 4096) == masked)
        let unloaded: [FilterInstruction] = [.ifEqual(0, 0, 1), answer(0), .ifEqual(0, 0, 0), answer(0x7fff_0000)]
        #expect(FilterRegions.compact(unloaded, limit: 4096) == unloaded)
    }

    /// The kernel makes code of each instruction at every start.
    @Test func neighboursWithOneAnswerAreOneRange() throws {
        let names = ["read", "write", "open", "close", "stat", "fstat", "lstat", "poll"]
        let dense = try machine(section(.log, [], [Rule(names: names, action: .allow, conditions: [])]))
        #expect(dense.count <= 10)
        for number in UInt32(0)..<20 { #expect(dense.verdict(.x86_64, number) == (number < 8 ? .allow : .log)) }
    }

    /// A call passes few comparisons, also where the numbers are scattered.
    @Test func scatteredNumbersAreSearchedFor() throws {
        var chain: [FilterInstruction] = [.loadCallNumber]
        for number in 0..<200 { chain += [.ifEqual(UInt32(3 * number), 0, 1), answer(0x7fff_0000)] }
        chain.append(answer(0x0005_0001))
        let compact = FilterRegions.compact(chain, limit: 4096)
        #expect(compact.count < 280)
        let machine = FilterMachine(bytes(compact))
        for number in UInt32(0)..<620 {
            #expect(machine.verdict(.x86, number) == (number % 3 == 0 && number < 600 ? .allow : .errno(1)))
            // Two loads, six to divide fifty segments, four exceptions, and now and then a jump.
            #expect(machine.steps(.x86, number) <= 14)
        }
    }
}
