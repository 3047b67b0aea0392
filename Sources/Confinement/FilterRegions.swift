// The same filter in a few comparisons. libseccomp compares the number of a call with each number of the profile; but many
// neighbours have the same answer, and the others can be searched for. So the program is followed for all architectures and all
// numbers at once, every comparison dividing the ranges that arrive at it, until each range has an answer or comes to
// where arguments are looked at. That says exactly what the program decides, and a search among these ranges decides
// the same. What looks at arguments is copied as it is. Pure. Called by SeccompCompiler.swift.
//
// The kernel makes machine code of every instruction at each start, and tries every number once to learn which calls
// are always allowed: docs/decisions/0024.

/// What a filter program decides, region by region.
package enum FilterRegions {
    /// A program that answers every call as `program` does.
    /// - Parameter limit: The longest program that is of use, instructions.
    /// - Returns: `program` itself where it does something that libseccomp's do not, or only it is short enough.
    package static func compact(_ program: [FilterInstruction], limit: Int) -> [FilterInstruction] {
        guard let regions = regions(of: program) else { return program }
        var writer = BackwardWriter()
        writer.write(regions, of: program)
        let search = writer.program
        return search.count <= max(limit, program.count) ? search : program
    }

    /// What is decided about a range of calls.
    fileprivate enum Outcome: Equatable {
        case answer(UInt32)
        /// What the program does from this instruction on, which is a load.
        case rest(Int)
    }

    /// Up to the next entry's `lowest`.
    fileprivate struct Entry: Equatable {
        let lowest: UInt32
        let outcome: Outcome
    }

    /// One rectangle of the plane of architectures and numbers.
    fileprivate struct Region {
        let architectures: ClosedRange<UInt32>
        let numbers: ClosedRange<UInt32>
        let outcome: Outcome
    }

    /// Architectures from `lowest` to that of the next, which have the same entries.
    fileprivate struct Table: Equatable {
        let lowest: UInt32
        let entries: [Entry]
    }

    /// What is on its way through the program: where it is, what was loaded last, and the calls that come so far.
    fileprivate struct Traveller {
        var position = 0
        var loaded: UInt32?
        var architectures: ClosedRange<UInt32> = 0...UInt32.max
        var numbers: ClosedRange<UInt32> = 0...UInt32.max
    }

    /// Twenty times the steps of an engine's profile, a few hundredths of a second; a larger program stays as it is.
    private static let maximumSteps = 8_000_000

    private static func regions(of program: [FilterInstruction]) -> [Table]? {
        var regions: [Region] = []
        var travellers = [Traveller()]
        var steps = 0
        while var traveller = travellers.popLast() {
            while true {
                steps += 1
                guard steps < maximumSteps, traveller.position < program.count else { return nil }
                let instruction = program[traveller.position]
                traveller.position += 1
                if instruction.code == FilterInstruction.Code.jump {
                    traveller.position += Int(instruction.operand)
                } else if let known = outcome(of: instruction, at: traveller.position - 1) {
                    regions.append(
                        Region(architectures: traveller.architectures, numbers: traveller.numbers, outcome: known)
                    )
                    break
                } else if instruction.code == FilterInstruction.Code.load {
                    traveller.loaded = instruction.operand
                } else if let (holding, failing) = traveller.divided(by: instruction) {
                    if let holding { travellers.append(holding) }
                    guard let failing else { break }
                    traveller = failing
                } else {
                    return nil
                }
            }
        }
        return tables(regions)
    }

    /// Where a journey ends; `nil` if it does not end here.
    private static func outcome(of instruction: FilterInstruction, at position: Int) -> Outcome? {
        switch (instruction.code, instruction.operand) {
        case (FilterInstruction.Code.answer, let value): .answer(value)
        case (FilterInstruction.Code.load, FilterInstruction.numberOffset),
            (FilterInstruction.Code.load, FilterInstruction.architectureOffset):
            nil
        case (FilterInstruction.Code.load, _): .rest(position)
        default: nil
        }
    }

    private static func tables(_ regions: [Region]) -> [Table] {
        let edges = Set(regions.map(\.architectures.lowerBound)).sorted()
        var tables: [Table] = []
        for edge in edges {
            let here = regions.filter { $0.architectures.contains(edge) }
                .sorted { $0.numbers.lowerBound < $1.numbers.lowerBound }
            var entries: [Entry] = []
            for region in here where region.outcome != entries.last?.outcome {
                entries.append(Entry(lowest: region.numbers.lowerBound, outcome: region.outcome))
            }
            if entries != tables.last?.entries { tables.append(Table(lowest: edge, entries: entries)) }
        }
        return tables
    }
}

extension FilterRegions.Traveller {
    /// Those for whom a comparison holds and those for whom it does not, further on; `nil` where there are none.
    /// - Returns: `nil` if it compares something else, or in another way.
    fileprivate func divided(
        by instruction: FilterInstruction
    ) -> (holding: FilterRegions.Traveller?, failing: FilterRegions.Traveller?)? {
        let range: ClosedRange<UInt32>
        switch loaded {
        case FilterInstruction.numberOffset: range = numbers
        case FilterInstruction.architectureOffset: range = architectures
        default: return nil
        }
        let value = instruction.operand
        switch instruction.code {
        case FilterInstruction.Code.jumpIfAtLeast: return divided(range, from: value, instruction)
        case FilterInstruction.Code.jumpIfGreater:
            // Nothing is greater than the greatest.
            guard value < .max else { return (nil, skipping(instruction.ifFalse)) }
            return divided(range, from: value + 1, instruction)
        case FilterInstruction.Code.jumpIfEqual:
            guard range.contains(value) else { return (nil, skipping(instruction.ifFalse)) }
            if range.lowerBound == range.upperBound { return (skipping(instruction.ifTrue), nil) }
            // A hole would leave two ranges: the comparison is met again by what is above it.
            if value > range.lowerBound {
                let below = narrowed(range.lowerBound...(value - 1), instruction.ifFalse)
                return (staying(value...range.upperBound), below)
            }
            return (
                narrowed(value...value, instruction.ifTrue),
                narrowed((value + 1)...range.upperBound, instruction.ifFalse)
            )
        default: return nil
        }
    }

    private func divided(
        _ range: ClosedRange<UInt32>,
        from value: UInt32,
        _ instruction: FilterInstruction
    ) -> (FilterRegions.Traveller?, FilterRegions.Traveller?) {
        if value <= range.lowerBound { return (skipping(instruction.ifTrue), nil) }
        if value > range.upperBound { return (nil, skipping(instruction.ifFalse)) }
        return (
            narrowed(value...range.upperBound, instruction.ifTrue),
            narrowed(range.lowerBound...(value - 1), instruction.ifFalse)
        )
    }

    private func skipping(_ count: UInt8) -> FilterRegions.Traveller {
        var traveller = self
        traveller.position += Int(count)
        return traveller
    }

    private func narrowed(_ range: ClosedRange<UInt32>, _ count: UInt8) -> FilterRegions.Traveller {
        var traveller = skipping(count)
        if loaded == FilterInstruction.numberOffset {
            traveller.numbers = range
        } else {
            traveller.architectures = range
        }
        return traveller
    }

    /// A part of it, at the comparison itself once more.
    private func staying(_ range: ClosedRange<UInt32>) -> FilterRegions.Traveller {
        var traveller = narrowed(range, 0)
        traveller.position -= 1
        return traveller
    }
}

extension FilterRegions {
    /// Numbers with one outcome, but for some single ones among them: to ask for each of these takes half the instructions of
    /// a search for its two edges.
    fileprivate struct Segment {
        let lowest: UInt32
        let outcome: Outcome
        var exceptions: [Entry] = []

        /// More of them would be a chain.
        private static let maximumExceptions = 4

        static func list(_ entries: [Entry]) -> [Segment] {
            var segments: [Segment] = []
            var place = 0
            while place < entries.count {
                var segment = Segment(lowest: entries[place].lowest, outcome: entries[place].outcome)
                while place + 2 < entries.count, segment.exceptions.count < maximumExceptions,
                    entries[place + 2].outcome == segment.outcome,
                    entries[place + 2].lowest - entries[place + 1].lowest == 1
                {
                    segment.exceptions.append(entries[place + 1])
                    place += 2
                }
                segments.append(segment)
                place += 1
            }
            return segments
        }
    }
}

/// Writes a program from its end to its beginning: jumps only go forward, so what they jump to is there already.
private struct BackwardWriter {
    /// An instruction, counted from the end.
    private typealias Label = Int

    private var reversed: [FilterInstruction] = []
    private var answers: [UInt32: Label] = [:]
    /// Where the copied instructions are, by their place in the program that they come from.
    private var copies: [Int: Label] = [:]

    var program: [FilterInstruction] { reversed.reversed() }

    mutating func write(_ tables: [FilterRegions.Table], of program: [FilterInstruction]) {
        var starts: Set<Int> = []
        for entry in tables.flatMap(\.entries) {
            if case .rest(let position) = entry.outcome { starts.insert(position) }
        }
        copy(program, from: starts)
        let searches = tables.reversed().map { table in
            // One answer for all numbers needs no number.
            if table.entries.count == 1 { return (lowest: table.lowest, label: label(of: table.entries[0].outcome)) }
            let segments = FilterRegions.Segment.list(table.entries)
            let label = search(segments[...], lowest: \.lowest) { $0.ask($1) }
            return (lowest: table.lowest, label: put(.loadCallNumber, before: label))
        }
        let first = search(searches.reversed()[...], lowest: \.lowest) { $1.label }
        _ = put(.loadArchitecture, before: first)
    }

    /// Copies what can be reached from some instructions.
    private mutating func copy(_ program: [FilterInstruction], from starts: Set<Int>) {
        var reached = starts
        // Forward only, so one pass finds it all.
        for (position, instruction) in program.enumerated() where reached.contains(position) {
            switch instruction.code {
            case FilterInstruction.Code.answer: break
            case FilterInstruction.Code.jump: reached.insert(position + 1 + Int(instruction.operand))
            case _ where instruction.isConditional:
                reached.insert(position + 1 + Int(instruction.ifTrue))
                reached.insert(position + 1 + Int(instruction.ifFalse))
            default: reached.insert(position + 1)
            }
        }
        for (position, instruction) in program.enumerated().reversed() where reached.contains(position) {
            copies[position] =
                switch instruction.code {
                case FilterInstruction.Code.answer: answer(instruction.operand)
                case FilterInstruction.Code.jump: copied(position + 1 + Int(instruction.operand))
                case _ where instruction.isConditional:
                    branch(
                        instruction,
                        copied(position + 1 + Int(instruction.ifTrue)),
                        copied(position + 1 + Int(instruction.ifFalse))
                    )
                default: put(instruction, before: copied(position + 1))
                }
        }
    }

    private func copied(_ position: Int) -> Label {
        guard let label = copies[position] else {
            preconditionFailure("instruction \(position) of a filter program is jumped to, but not copied")
        }
        return label
    }

    /// A binary search for what was loaded.
    /// - Parameters:
    ///   - lowest: With which a part begins; it goes on to the next one's.
    ///   - found: Writes what follows when it is in this part.
    private mutating func search<Part>(
        _ parts: ArraySlice<Part>,
        lowest: (Part) -> UInt32,
        found: (inout BackwardWriter, Part) -> Label
    ) -> Label {
        if parts.count == 1 { return found(&self, parts[parts.startIndex]) }
        let middle = parts.startIndex + parts.count / 2
        let upper = search(parts[middle...], lowest: lowest, found: found)
        let lower = search(parts[..<middle], lowest: lowest, found: found)
        return branch(.ifAtLeast(lowest(parts[middle]), 0, 0), upper, lower)
    }

    /// Asks for the single numbers of a segment, one by one.
    private mutating func ask(_ segment: FilterRegions.Segment) -> Label {
        var next = label(of: segment.outcome)
        for exception in segment.exceptions.reversed() {
            next = branch(.ifEqual(exception.lowest, 0, 0), label(of: exception.outcome), next)
        }
        return next
    }

    private mutating func label(of outcome: FilterRegions.Outcome) -> Label {
        switch outcome {
        case .answer(let value): answer(value)
        case .rest(let position): copied(position)
        }
    }

    /// An answer within reach of the next few jumps: there is one more of it every so often.
    private mutating func answer(_ value: UInt32) -> Label {
        if let label = answers[value], distance(to: label) < Self.reach / 2 { return label }
        let label = append(FilterInstruction(code: FilterInstruction.Code.answer, operand: value))
        answers[value] = label
        return label
    }

    private mutating func branch(_ instruction: FilterInstruction, _ ifTrue: Label, _ ifFalse: Label) -> Label {
        if ifTrue == ifFalse { return ifTrue }
        var instruction = instruction
        // What is put in for one takes the other one further away.
        let near = within(Self.reach - 1, ifTrue)
        let other = within(Self.reach, ifFalse)
        instruction.ifTrue = UInt8(distance(to: near))
        instruction.ifFalse = UInt8(distance(to: other))
        return append(instruction)
    }

    /// How many instructions a conditional jump can skip.
    private static let reach = 255

    private func distance(to label: Label) -> Int { reversed.count - label - 1 }

    /// `label`, or a jump to it if it is too far away.
    private mutating func within(_ reach: Int, _ label: Label) -> Label {
        distance(to: label) <= reach ? label : append(.jump(distance(to: label)))
    }

    /// An instruction that is followed by the one at `label`.
    private mutating func put(_ instruction: FilterInstruction, before label: Label) -> Label {
        if distance(to: label) > 0 { _ = append(.jump(distance(to: label))) }
        return append(instruction)
    }

    private mutating func append(_ instruction: FilterInstruction) -> Label {
        reversed.append(instruction)
        return reversed.count - 1
    }
}
