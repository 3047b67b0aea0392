// How words become options: the one reader of the command line, driven by rows of a table.
// Used by Invocation for the global options and again for each verb's. It knows no option by name, opens nothing,
// prints nothing, and accepts or refuses any words without a trap.
// It reads what callers of runc and crun write: `--x v`, `--x=v`, `-x v`, `-x=v`, `-xv`, `-ab`, and long names after
// one hyphen (`-no-subreaper`).

/// One row of an option table: how an option is written, and what help, manual and completion say about it.
struct OptionRow: Sendable {
    let name: OptionName
    /// What may stand behind one hyphen instead of the name; one letter each.
    let letters: [String]
    /// What the help calls the value, such as `DIR`; `nil` for a switch.
    let placeholder: String?
    /// The words accepted as value; empty if it is free.
    var choices: [String] { words() }
    private let words: @Sendable () -> [String]
    /// A sentence fragment without a final period.
    let help: String

    private init(
        _ name: OptionName,
        _ letters: [String],
        _ placeholder: String?,
        _ words: @escaping @Sendable () -> [String],
        _ help: String
    ) {
        self.name = name
        self.letters = letters
        self.placeholder = placeholder
        self.words = words
        self.help = help
    }

    /// An option that is on or off.
    static func flag(_ name: OptionName, _ letters: String..., help: String) -> OptionRow {
        OptionRow(name, letters, nil, { [] }, help)
    }

    /// An option with a value.
    static func value(
        _ name: OptionName,
        _ letters: String...,
        of placeholder: String,
        choices: @autoclosure @escaping @Sendable () -> [String] = [],
        help: String
    ) -> OptionRow {
        OptionRow(name, letters, placeholder, choices, help)
    }

    /// Every way to write it, the long name first: `--bundle`, `-b`.
    var spellings: [String] {
        ["--" + name.rawValue] + letters.map { "-" + $0 }
    }
}

/// Why the words are not understood.
struct OptionProblem: Error {
    /// Names the option or the word, without a final period.
    let message: String
    var status = ExitStatus.failure

    /// The word stands where a verb should, and is none.
    static func noHelpTopic(_ word: String) -> OptionProblem {
        // runc's words and status.
        OptionProblem(message: "No help topic for '\(word)'", status: .noHelpTopic)
    }
}

/// The value of a closed type that `text` names.
/// - Parameter place: Where it was written, for the message: `--format`.
func choice<Value: RawRepresentable & CaseIterable>(_ place: String, _ text: String) throws(OptionProblem) -> Value
where Value.RawValue == String {
    guard let value = Value(rawValue: text) else {
        let words = Value.allCases.map(\.rawValue).joined(separator: ", ")
        throw OptionProblem(message: "\(place): \"\(text)\" is not accepted; choose one of \(words)")
    }
    return value
}

/// Reads words from left to right.
struct OptionScanner {
    /// One thing that was written.
    enum Item: Equatable, Sendable {
        case flag(OptionName, Bool)
        case value(OptionName, String)
        case argument(String)
    }

    /// The words that were not read yet.
    private(set) var words: ArraySlice<String>
    private let rows: [OptionRow]
    /// Rows of another table, named in the error when their options stand here.
    private let misplaced: [OptionRow]
    /// Items of a word that held several letters.
    private var pending: ArraySlice<Item> = []
    /// Whether `--` was read: all that follows are arguments.
    private var optionsEnded = false

    init(_ words: ArraySlice<String>, rows: [OptionRow], misplaced: [OptionRow] = []) {
        self.words = words
        self.rows = rows
        self.misplaced = misplaced
    }

    /// The next item; `nil` at the end.
    mutating func next() throws(OptionProblem) -> Item? {
        if let item = pending.popFirst() { return item }
        guard let word = words.popFirst() else { return nil }
        if optionsEnded || word == "-" || !word.utf8.starts(with: "-".utf8) {
            return .argument(word)
        }
        if word == "--" {
            optionsEnded = true
            return try next()
        }
        return try option(word)
    }

    private mutating func option(_ word: String) throws(OptionProblem) -> Item {
        let isLong = word.utf8.starts(with: "--".utf8)
        let body = word.utf8.dropFirst(isLong ? 2 : 1)
        let equals = body.firstIndex(of: UInt8(ascii: "="))
        let name = String(Substring(body[..<(equals ?? body.endIndex)]))
        let attached = equals.map { String(Substring(body[body.index(after: $0)...])) }
        if let row = rows.first(where: { $0.name.rawValue == name || $0.letters.contains(name) }) {
            return try item(row, attached: attached)
        }
        if !isLong, let items = try letters(Substring(body)), let first = items.first {
            pending = items.dropFirst()
            return first
        }
        let advice = misplaced.contains { $0.name.rawValue == name } ? ", which goes before the command" : ""
        throw OptionProblem(message: "unknown option \(isLong ? "--" : "-")\(name)\(advice)")
    }

    private mutating func item(_ row: OptionRow, attached: String?) throws(OptionProblem) -> Item {
        let name = row.name.rawValue
        guard row.placeholder != nil else {
            guard let attached else { return .flag(row.name, true) }
            guard let isOn = Self.boolean(attached) else {
                throw OptionProblem(message: "--\(name): \"\(attached)\" is not true or false")
            }
            return .flag(row.name, isOn)
        }
        // The next word is the value whatever it looks like: callers pass paths that they did not choose.
        guard let value = attached ?? words.popFirst() else {
            // Engines probe for options and look for exactly these words.
            throw OptionProblem(message: "flag needs an argument: --\(name)")
        }
        return .value(row.name, value)
    }

    /// Reads `-ab` as `-a -b`, and `-aVALUE` as `-a VALUE`; `nil` if a letter is unknown.
    private mutating func letters(_ text: Substring) throws(OptionProblem) -> [Item]? {
        var items: [Item] = []
        var rest = text.unicodeScalars
        while let letter = rest.popFirst() {
            guard let row = rows.first(where: { $0.letters.contains(String(letter)) }) else { return nil }
            if row.placeholder == nil {
                items.append(.flag(row.name, true))
            } else {
                items.append(try item(row, attached: rest.isEmpty ? nil : String(rest)))
                break
            }
        }
        return items
    }

    /// The words that Go's flag parser takes, because runc's callers write them.
    private static func boolean(_ text: String) -> Bool? {
        switch text {
        case "true", "True", "TRUE", "t", "T", "1": true
        case "false", "False", "FALSE", "f", "F", "0": false
        default: nil
        }
    }
}
