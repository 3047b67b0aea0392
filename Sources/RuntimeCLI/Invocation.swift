// From the words of the command line to a command: global options, verb, the verb's options and arguments.
// Called once, by main. It reads nothing but its arguments, so that every spelling can be tested.

/// A command line that cannot be understood.
package struct UsageProblem: Error, Equatable, Sendable {
    /// One line, without a final period.
    package let message: String
    package let status: ExitStatus
    /// The global options up to the mistake: they say where the message must go.
    package let globals: GlobalOptions
}

/// What one call of apus was asked for.
package struct Invocation: Equatable, Sendable {
    package let globals: GlobalOptions
    package let command: Command

    /// Reads a command line.
    /// - Parameter arguments: The words behind the program's own name.
    /// - Throws: `UsageProblem`, for the first word that is not understood.
    package static func parse(
        _ arguments: [String],
        in surroundings: Surroundings
    ) throws(UsageProblem) -> Invocation {
        var globals = GlobalOptions(in: surroundings)
        var verb: Verb?
        do throws(OptionProblem) {
            var scanner = OptionScanner(arguments[...], rows: Verb.globalOptions)
            while let item = try scanner.next() {
                switch item {
                case .flag(.help, true): return Invocation(globals: globals, command: .text(Usage.program))
                case .flag(.version, true): return Invocation(globals: globals, command: .version)
                case .flag(let name, let isOn): globals.note(name, isOn: isOn)
                case .value(let name, let text): try globals.note(name, text)
                case .argument(let word):
                    verb = Verb.named(word)
                    guard let verb else { throw .noHelpTopic(word) }
                    return Invocation(
                        globals: globals,
                        command: try GivenWords(scanner.words, of: verb).command()
                    )
                }
            }
            return Invocation(globals: globals, command: .text(Usage.program))
        } catch {
            throw UsageProblem(
                message: "\(error.message); see \"apus \(verb.map { $0.name.rawValue + " " } ?? "")--help\"",
                status: verb?.name == .exec ? .execFailure : error.status,
                globals: globals
            )
        }
    }
}
