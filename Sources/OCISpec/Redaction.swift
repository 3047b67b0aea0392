// The text forms of the types that hold environment variables. Their values are often secrets, and a description ends
// up in logs. Everything that prints by reflection (String(describing:), dump, a debugger) goes through these mirrors.

/// Environment entries with the values left out.
private func namesOnly(_ env: [String]?) -> [String]? {
    env?.map { entry in
        guard let end = entry.utf8.firstIndex(of: UInt8(ascii: "=")) else { return "<hidden>" }
        return entry[..<end] + "=<hidden>"
    }
}

/// One line with the type's name and all members of its mirror.
private func text<Subject: CustomReflectable>(of subject: Subject) -> String {
    let members = subject.customMirror.children.map { "\($0.label ?? ""): \($0.value)" }
    return "\(Subject.self)(\(members.joined(separator: ", ")))"
}

extension Process: CustomReflectable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The members, with the names of the environment variables and without their values.
    public var customMirror: Mirror {
        let children: KeyValuePairs<String, Any> = [
            "terminal": terminal as Any, "consoleSize": consoleSize as Any, "user": user, "args": args as Any,
            "commandLine": commandLine as Any, "env": namesOnly(env) as Any, "cwd": cwd,
            "capabilities": capabilities as Any, "rlimits": rlimits as Any, "noNewPrivileges": noNewPrivileges as Any,
            "apparmorProfile": apparmorProfile as Any, "oomScoreAdj": oomScoreAdj as Any,
            "scheduler": scheduler as Any, "selinuxLabel": selinuxLabel as Any, "ioPriority": ioPriority as Any,
            "execCPUAffinity": execCPUAffinity as Any,
        ]
        return Mirror(self, children: children, displayStyle: .struct)
    }

    /// All members in one line, environment values hidden.
    public var description: String { text(of: self) }

    /// All members in one line, environment values hidden.
    public var debugDescription: String { description }
}

extension Hook: CustomReflectable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The members, with the names of the environment variables and without their values.
    public var customMirror: Mirror {
        let children: KeyValuePairs<String, Any> = [
            "path": path, "args": args as Any, "env": namesOnly(env) as Any, "timeout": timeout as Any,
        ]
        return Mirror(self, children: children, displayStyle: .struct)
    }

    /// All members in one line, environment values hidden.
    public var description: String { text(of: self) }

    /// All members in one line, environment values hidden.
    public var debugDescription: String { description }
}
