// What stands behind a verb, and the command it amounts to. Used by Invocation alone.

/// The options and arguments behind one verb.
struct GivenWords {
    /// An option's value, as it stands on the command line.
    struct Value {
        let name: OptionName
        let text: String
    }

    private let verb: Verb
    private var flags: [(name: OptionName, isOn: Bool)] = []
    private(set) var values: [Value] = []
    private(set) var arguments: [String] = []

    /// Reads `words`; options and arguments may be mixed.
    init(_ words: ArraySlice<String>, of verb: Verb) throws(OptionProblem) {
        self.verb = verb
        var scanner = OptionScanner(words, rows: verb.options, misplaced: Verb.globalOptions)
        while let item = try scanner.next() {
            switch item {
            case .flag(let name, let isOn): flags.append((name, isOn))
            case .value(let name, let text): values.append(Value(name: name, text: text))
            case .argument(let word): arguments.append(word)
            }
            if verb.passesOptionsOn && arguments.count == 1 {
                arguments += scanner.words.first == "--" ? scanner.words.dropFirst() : scanner.words
                return
            }
            // What stands behind a call for help does not matter any more.
            if isOn(.help) { return }
        }
    }

    /// The command that was asked for.
    func command() throws(OptionProblem) -> Command {
        if isOn(.help) { return .text(Usage.of(verb)) }
        try checkArgumentCount()
        switch verb.name {
        case .create: return .create(try createOptions(), id: arguments[0])
        case .run: return .run(try runOptions(), id: arguments[0])
        case .exec: return .exec(try execOptions())
        case .start: return .start(id: arguments[0])
        case .state: return .state(id: arguments[0])
        case .kill: return .kill(killOptions())
        case .delete: return .delete(try deleteOptions())
        case .list: return .list(try listOptions())
        case .pause: return .pause(id: arguments[0])
        case .resume: return .resume(id: arguments[0])
        case .ps: return .ps(try psOptions())
        case .update: return .update(try updateOptions())
        case .events: return .events(try eventsOptions())
        case .checkpoint: return .checkpoint(try checkpointSettings(), id: arguments[0])
        case .restore:
            return .restore(try runOptions(), try restoreSettings(), id: arguments[0])
        case .spec: return .spec(specOptions())
        case .explain: return .explain(try explainOptions())
        case .features: return .features
        case .help: return .text(try helpText())
        case .completion: return .text(Completion.script(for: try choice("SHELL", arguments[0])))
        case .man: return .text(Manual.page)
        }
    }

    private func checkArgumentCount() throws(OptionProblem) {
        let accepted = verb.argumentCount
        guard !accepted.contains(arguments.count) else { return }
        let least = accepted.lowerBound
        let most = accepted.upperBound
        let number =
            switch (least, most) {
            case (0, 0): "accepts no arguments"
            case (0, _): "accepts at most \(most) argument\(most == 1 ? "" : "s")"
            case (_, Int.max): "requires at least \(least) argument\(least == 1 ? "" : "s")"
            case (most, _): "requires exactly \(least) argument\(least == 1 ? "" : "s")"
            case (_, _): "requires \(least) to \(most) arguments"
            }
        throw OptionProblem(message: "\"apus \(verb.name.rawValue)\" \(number)")
    }

    // MARK: Options

    /// Whether the switch was given; the last one counts.
    func isOn(_ name: OptionName) -> Bool {
        flags.last { $0.name == name }?.isOn ?? false
    }

    /// The value given last; `nil` if it is empty, as callers pass their own unset values on.
    func text(_ name: OptionName) -> String? {
        guard let text = values.last(where: { $0.name == name })?.text, !text.isEmpty else { return nil }
        return text
    }

    /// All values given, in their order.
    func texts(_ name: OptionName) -> [String] {
        values.filter { $0.name == name }.map(\.text)
    }

    func number(_ name: OptionName, in range: ClosedRange<Int>) throws(OptionProblem) -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let bounds = "\(range.lowerBound) to \(range.upperBound)"
            throw OptionProblem(message: "--\(name.rawValue): \"\(text)\" is not a number from \(bounds)")
        }
        return number
    }

    func chosen<Value: RawRepresentable & CaseIterable>(_ name: OptionName) throws(OptionProblem) -> Value?
    where Value.RawValue == String {
        guard let text = text(name) else { return nil }
        return try choice("--\(name.rawValue)", text)
    }

    // MARK: Verbs

    private func createOptions() throws(OptionProblem) -> CreateOptions {
        var options = CreateOptions()
        if let bundle = text(.bundle) { options.bundle = bundle }
        options.configFile = text(.config)
        options.pidFile = text(.pidFile)
        options.consoleSocket = text(.consoleSocket)
        options.pidfdSocket = text(.pidfdSocket)
        if let count = try number(.preserveFDs, in: 0...Int(Int32.max)) { options.preserveFDs = count }
        options.noPivot = isOn(.noPivot)
        options.noNewKeyring = isOn(.noNewKeyring)
        options.noSubreaper = isOn(.noSubreaper)
        return options
    }

    private func runOptions() throws(OptionProblem) -> RunOptions {
        var options = RunOptions()
        options.create = try createOptions()
        options.detach = isOn(.detach)
        options.keep = isOn(.keep)
        return options
    }

    private func killOptions() -> KillOptions {
        var options = KillOptions(isOn(.regex) ? .matching(arguments[0]) : .ids([arguments[0]]))
        if arguments.count == 2 { options.signal = arguments[1] }
        options.all = isOn(.all)
        return options
    }

    private func deleteOptions() throws(OptionProblem) -> DeleteOptions {
        if isOn(.regex), arguments.count > 1 {
            throw OptionProblem(
                message: "--regex: \"apus delete\" takes one regular expression, not \(arguments.count)"
            )
        }
        var options = DeleteOptions(isOn(.regex) ? .matching(arguments[0]) : .ids(arguments))
        options.force = isOn(.force)
        return options
    }

    private func listOptions() throws(OptionProblem) -> ListOptions {
        var options = ListOptions()
        if let format: ListFormat = try chosen(.format) { options.format = format }
        options.quiet = isOn(.quiet)
        return options
    }

    private func specOptions() -> SpecOptions {
        var options = SpecOptions()
        if let bundle = text(.bundle) { options.bundle = bundle }
        options.file = text(.file)
        options.rootless = isOn(.rootless)
        return options
    }

    private func explainOptions() throws(OptionProblem) -> ExplainOptions {
        var options = ExplainOptions()
        if let bundle = arguments.first ?? text(.bundle) { options.bundle = bundle }
        options.configFile = text(.config)
        if let format: ExplainFormat = try chosen(.format) { options.format = format }
        return options
    }

    private func helpText() throws(OptionProblem) -> String {
        guard let word = arguments.first else { return Usage.program }
        guard let verb = Verb.named(word) else { throw .noHelpTopic(word) }
        return Usage.of(verb)
    }
}
