// Completion scripts for bash, zsh and fish, printed from the verb table. They offer verbs, options, the words that an
// option accepts, files, and the ids of the containers that `apus list --quiet` prints.

/// The completion scripts.
enum Completion {
    /// The script to source from the shell's startup file.
    static func script(for shell: Shell) -> String {
        switch shell {
        case .bash: bash
        case .zsh: zsh
        case .fish: fish
        }
    }

    /// Whether the verb's argument is a container's id.
    private static func takesID(_ verb: Verb) -> Bool {
        verb.arguments.utf8.starts(with: "ID".utf8) && verb.name != .create && verb.name != .run
    }

    // MARK: bash

    private static var bash: String {
        let skipping = Verb.globalOptions.filter { $0.placeholder != nil }.flatMap(\.spellings)
        let verbs = Verb.table.map(\.name.rawValue).joined(separator: " ")
        var text = """
            # bash completion for apus
            _apus() {
                local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb= skip= word
                for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                    if [[ -n $skip ]]; then skip=; continue; fi
                    case $word in
                        \(skipping.joined(separator: "|"))) skip=1 ;;
                        -*) ;;
                        *) verb=$word; break ;;
                    esac
                done
                local words=
                case $verb:$previous in

            """
        text += bashValues(of: "", Verb.globalOptions)
        for verb in Verb.table { text += bashValues(of: verb.name.rawValue, verb.options) }
        text += """
                esac
                case $verb in
                    "") words="\(verbs) \(bashSpellings(Verb.globalOptions))" ;;

            """
        for verb in Verb.table {
            let words = verb.choices + [bashSpellings(verb.options)] + (takesID(verb) ? ["$(apus list --quiet)"] : [])
            text += "        \(verb.name.rawValue)) words=\"\(words.joined(separator: " "))\" ;;\n"
        }
        text += """
                esac
                COMPREPLY=($(compgen -W "$words" -- "$current"))
            }
            complete -F _apus apus

            """
        return text
    }

    private static func bashSpellings(_ rows: [OptionRow]) -> String {
        rows.flatMap(\.spellings).joined(separator: " ")
    }

    /// What completes the values of options; the pattern is the verb, a colon and the option.
    private static func bashValues(of verb: String, _ rows: [OptionRow]) -> String {
        rows.filter { $0.placeholder != nil }.map { row in
            let pattern = row.spellings.map { verb + ":" + $0 }.joined(separator: "|")
            let source =
                switch row.placeholder {
                case _ where !row.choices.isEmpty: "-W \"\(row.choices.joined(separator: " "))\""
                case "DIR": "-d"
                default: "-f"
                }
            return "        \(pattern)) COMPREPLY=($(compgen \(source) -- \"$current\")); return ;;\n"
        }.joined()
    }

    // MARK: zsh

    private static var zsh: String {
        var text = """
            #compdef apus
            _apus_ids() { compadd -- ${(f)"$(apus list --quiet 2>/dev/null)"} }
            _apus_verbs() {
                local -a verbs=(
            \(Verb.table.map { "        '\($0.name.rawValue):\(quoted($0.summary))'" }.joined(separator: "\n"))
                )
                _describe command verbs
            }
            _apus() {
                local curcontext=$curcontext state line
                _arguments -C \\
            \(zshArguments(Verb.globalOptions))
                    '1: :_apus_verbs' \\
                    '*:: :->rest'
                [[ $state == rest ]] || return
                case $words[1] in

            """
        for verb in Verb.table {
            let argument =
                switch verb.choices {
                case []: takesID(verb) ? "'*:id:_apus_ids'" : "'*: : '"
                default: "'1: :(\(verb.choices.joined(separator: " ")))'"
                }
            text += """
                        \(verb.name.rawValue)) _arguments \\
                \(zshArguments(verb.options))
                        \(argument) ;;

                """
        }
        return text + "    esac\n}\ncompdef _apus apus\n"
    }

    private static func zshArguments(_ rows: [OptionRow]) -> String {
        rows.flatMap { row in
            row.spellings.map { spelling in
                let source =
                    switch row.placeholder {
                    case nil: ""
                    case let name? where !row.choices.isEmpty: ":\(name):(\(row.choices.joined(separator: " ")))"
                    case "DIR"?: ":DIR:_directories"
                    case let name?: ":\(name):_files"
                    }
                return "        '\(spelling)[\(quoted(row.help))]\(source)' \\"
            }
        }.joined(separator: "\n")
    }

    // MARK: fish

    private static var fish: String {
        var lines = ["# fish completion for apus", "complete -c apus -f"]
        for row in Verb.globalOptions {
            lines.append("complete -c apus -n __fish_use_subcommand" + fishOption(row))
        }
        for verb in Verb.table {
            let name = verb.name.rawValue
            lines.append("complete -c apus -n __fish_use_subcommand -a \(name) -d '\(quoted(verb.summary))'")
            let here = "complete -c apus -n '__fish_seen_subcommand_from \(name)'"
            lines += verb.options.map { here + fishOption($0) }
            if takesID(verb) { lines.append(here + " -a '(apus list --quiet)'") }
            if !verb.choices.isEmpty { lines.append(here + " -a '\(verb.choices.joined(separator: " "))'") }
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func fishOption(_ row: OptionRow) -> String {
        let letters = row.letters.map { " -s \($0)" }.joined()
        let source =
            switch row.placeholder {
            case nil: ""
            case _ where !row.choices.isEmpty: " -x -a '\(row.choices.joined(separator: " "))'"
            case "DIR": " -x -a '(__fish_complete_directories)'"
            default: " -r -F"
            }
        return " -l \(row.name.rawValue)\(letters)\(source) -d '\(quoted(row.help))'"
    }

    /// Text for between single quotes, in all three shells.
    private static func quoted(_ text: String) -> String {
        text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    }
}
