// Help for the program and for each verb, printed from the verb table. Returns text; main prints it.

/// The help texts.
enum Usage {
    /// The first line of help and manual.
    static let tagline = "apus - Open Container Initiative runtime"

    /// Help for the program.
    static var program: String {
        section("NAME", [tagline])
            + section("USAGE", ["apus [global options] COMMAND [options] [arguments]"])
            + section("COMMANDS", columns(Verb.table.map { ($0.name.rawValue, $0.summary) }))
            + section("GLOBAL OPTIONS", columns(Verb.globalOptions.map { (spelling($0), help($0)) }))
            + "\n\"apus COMMAND --help\" tells more about a command.\n"
    }

    /// Help for one verb.
    static func of(_ verb: Verb) -> String {
        section("NAME", ["apus \(verb.name.rawValue) - \(verb.summary)"])
            + section("USAGE", [synopsis(verb)])
            + (verb.description.isEmpty ? "" : section("DESCRIPTION", [verb.description]))
            + section("OPTIONS", columns(verb.options.map { (spelling($0), help($0)) }))
    }

    /// `apus kill [options] ID [SIGNAL]`.
    static func synopsis(_ verb: Verb) -> String {
        "apus \(verb.name.rawValue) [options]" + (verb.arguments.isEmpty ? "" : " " + verb.arguments)
    }

    /// What the option does, with the words it accepts.
    static func help(_ row: OptionRow) -> String {
        row.choices.isEmpty ? row.help : "\(row.help); one of \(row.choices.joined(separator: ", "))"
    }

    /// `--bundle DIR, -b DIR`.
    private static func spelling(_ row: OptionRow) -> String {
        row.spellings.map { $0 + (row.placeholder.map { " " + $0 } ?? "") }.joined(separator: ", ")
    }

    private static func section(_ title: String, _ lines: [String]) -> String {
        (title == "NAME" ? "" : "\n") + "\(title):\n" + lines.map { "   \($0)\n" }.joined()
    }

    private static func columns(_ rows: [(String, String)]) -> [String] {
        let width = rows.map(\.0.utf8.count).max() ?? 0
        return rows.map { left, right in
            left + String(repeating: " ", count: width - left.utf8.count + 2) + right
        }
    }
}
