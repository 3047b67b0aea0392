// The manual page, printed from the verb table in the man macros of roff. See man(7) and man-pages(7).

internal import Diagnostics

/// The manual page of apus.
enum Manual {
    /// The page. It bears no date, so that the same source gives the same page.
    static var page: String {
        var lines = [".TH APUS 1 \"\" \"apus \(Version.number)\" \"User Commands\"", ".SH NAME"]
        lines.append(text(Usage.tagline))
        lines += [
            ".SH SYNOPSIS", ".B apus", ".RI [ \"global options\" ]", ".I command", ".RI [ options ]",
            ".RI [ arguments ]",
            ".SH DESCRIPTION",
        ]
        lines.append(
            text(
                "apus makes Linux containers from bundles as the Open Container Initiative's runtime specification "
                    + "describes them. A bundle is a directory with a config.json and a root filesystem. Container "
                    + "engines call it; it can be called by hand as well."
            )
        )
        lines.append(".SH GLOBAL OPTIONS")
        lines += options(Verb.globalOptions)
        lines.append(".SH COMMANDS")
        for verb in Verb.table {
            lines.append(".SS \(text(Usage.synopsis(verb)))")
            lines.append(text(verb.summary + "."))
            if !verb.description.isEmpty { lines.append(text(verb.description)) }
            lines += options(verb.options)
        }
        lines += [
            ".SH EXIT STATUS",
            text("0 on success, 1 on failure, 3 for an unknown command."), ".B apus run",
            "and", ".B apus exec",
            text("exit as the program did, with 128+N if signal N ended it;"), ".B apus exec",
            text("exits with 255 when it fails itself."),
            ".SH ENVIRONMENT", ".TP", ".B DBUS_SYSTEM_BUS_ADDRESS",
            text(
                "Where --systemd-cgroup finds systemd; /run/dbus/system_bus_socket, else systemd's own socket. For an "
                    + "ordinary user DBUS_SESSION_BUS_ADDRESS, else the sockets in XDG_RUNTIME_DIR."
            ),
            ".TP", ".B APUS_DBUS_TIMEOUT",
            text("How many seconds a whole conversation with systemd may take, 1 to 600; 30 if absent."),
            ".SH LOG",
            text(
                "With --log-format json every line is one object with level, msg and time. An error also has code, the "
                    + "class of the failure, and, where they are known: subject (the path, id, option or key that it is "
                    + "about), call (the kernel call), errno (its name), process, step and hint. The codes:"
            ),
        ]
        lines += FailureCode.allCases.flatMap { [".TP", "\\fB\(text($0.rawValue))\\fR", text($0.meaning + ".")] }
        lines += [
            ".SH FILES", ".TP", ".I \(text("/run/apus"))",
            text("The state of root's containers; $XDG_RUNTIME_DIR/apus for an ordinary user."),
        ]
        return lines.map { $0 + "\n" }.joined()
    }

    private static func options(_ rows: [OptionRow]) -> [String] {
        rows.flatMap { row in
            let value = row.placeholder.map { " \\fI\($0)\\fR" } ?? ""
            let spellings = row.spellings.map { "\\fB\(text($0))\\fR" + value }
            return [".TP", spellings.joined(separator: ", "), text(Usage.help(row) + ".")]
        }
    }

    /// Text that roff prints as it stands: no escape, no request at the start of a line, hyphens that can be copied.
    private static func text(_ text: String) -> String {
        var escaped = text.utf8.starts(with: ".".utf8) || text.utf8.starts(with: "'".utf8) ? "\\&" : ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
