// The options of `exec`, whose words have forms of their own: users, groups, capabilities, variables, cgroups. Used by
// GivenWords alone. Values of variables never appear in a message.

internal import Configuration
internal import LinuxSystem

extension GivenWords {
    /// Options that a process file leaves nothing to say for. Not `--tty`, which conmon gives beside a file: the process
    /// then has a terminal, whatever the file says.
    private static let changes: [OptionName] = [
        .cwd, .env, .user, .additionalGids, .cap, .noNewPrivs, .apparmor, .processLabel,
    ]

    func execOptions() throws(OptionProblem) -> ExecOptions {
        var options = ExecOptions(id: arguments[0], program: try execProgram())
        options.detach = isOn(.detach)
        options.pidFile = text(.pidFile)
        options.consoleSocket = text(.consoleSocket)
        options.pidfdSocket = text(.pidfdSocket)
        if let count = try number(.preserveFDs, in: 0...Int(Int32.max)) { options.preserveFDs = count }
        options.ignorePaused = isOn(.ignorePaused)
        options.cgroups = try texts(.cgroup).map(Self.cgroup)
        return options
    }

    private func execProgram() throws(OptionProblem) -> ExecOptions.Program {
        guard let file = text(.process) else {
            guard arguments.count > 1 else {
                throw OptionProblem(message: "\"apus exec\" requires a command behind the id, or --process")
            }
            return .command(Array(arguments.dropFirst()), try changes())
        }
        guard arguments.count == 1 else {
            throw OptionProblem(message: "\"apus exec\" takes a command or --process, not both")
        }
        if let given = Self.changes.first(where: { isOn($0) || text($0) != nil }) {
            throw OptionProblem(message: "--\(given.rawValue): cannot be given with --process, whose file says it all")
        }
        return .file(file, tty: isOn(.tty))
    }

    private func changes() throws(OptionProblem) -> ProcessOptions {
        var changes = ProcessOptions()
        changes.tty = isOn(.tty)
        if let directory = text(.cwd) {
            guard directory.utf8.first == UInt8(ascii: "/") else {
                throw OptionProblem(message: "--cwd: \"\(directory)\" is not an absolute path")
            }
            changes.cwd = directory
        }
        for (index, variable) in texts(.env).enumerated() {
            guard let end = variable.utf8.firstIndex(of: UInt8(ascii: "=")), end != variable.startIndex else {
                throw OptionProblem(message: "--env: the \(Self.ordinal(index + 1)) one is not of the form NAME=VALUE")
            }
            changes.environment.append(variable)
        }
        if let user = text(.user) { (changes.userID, changes.groupID) = try Self.user(user) }
        changes.additionalGroups = try texts(.additionalGids).map { text throws(OptionProblem) in
            try Self.id(text, of: "--additional-gids", text)
        }
        // What cannot be granted is worth a warning and no error, as in config.json.
        for name in texts(.cap) {
            if CapabilitySet(name: name) == nil {
                changes.unknownCapabilities.append(name)
            } else {
                changes.capabilities.append(name)
            }
        }
        changes.noNewPrivileges = isOn(.noNewPrivs)
        changes.apparmorProfile = text(.apparmor)
        changes.selinuxLabel = text(.processLabel)
        return changes
    }

    /// `UID` or `UID:GID`. Numbers only: a name would have to be looked up in a file of the container.
    private static func user(_ text: String) throws(OptionProblem) -> (UInt32, UInt32?) {
        let parts = text.split(separator: ":" as Character, maxSplits: 1, omittingEmptySubsequences: false)
        let uid = try id(String(parts[0]), of: "--user", text)
        return (uid, parts.count == 2 ? try id(String(parts[1]), of: "--user", text) : nil)
    }

    /// Digits and nothing else; the largest number means "none" to the kernel.
    private static func id(_ digits: String, of option: String, _ text: String) throws(OptionProblem) -> UInt32 {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let id = UInt32(digits), id != .max else {
            let form = option == "--user" ? "UID or UID:GID, numbers" : "a number"
            throw OptionProblem(message: "\(option): \"\(text)\" is not \(form) from 0 to 4294967294")
        }
        return id
    }

    /// `PATH` or `CONTROLLER[,CONTROLLER]:PATH`.
    private static func cgroup(_ text: String) throws(OptionProblem) -> ExecOptions.Cgroup {
        let parts = text.split(separator: ":" as Character, maxSplits: 1, omittingEmptySubsequences: false)
        let controllers = parts.count == 2 ? parts[0].split(separator: "," as Character).map(String.init) : []
        let path = String(parts[parts.count - 1])
        guard !path.isEmpty, parts.count == 1 || !controllers.isEmpty else {
            throw OptionProblem(message: "--cgroup: \"\(text)\" is not [CONTROLLER[,CONTROLLER...]:]PATH")
        }
        if path.parts(separatedBy: "/").contains("..") {
            throw OptionProblem(message: "--cgroup: \"\(text)\" leads out of the container's cgroup")
        }
        return ExecOptions.Cgroup(controllers: controllers, path: path)
    }

    private static func ordinal(_ number: Int) -> String {
        switch number {
        case 1: "first"
        case 2: "second"
        case 3: "third"
        default: "\(number)th"
        }
    }
}
