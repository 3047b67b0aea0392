// The process section, which is also what `exec` reads: program, environment, terminal and labels.
// Environment values never appear in a message: they are often secrets.

package import OCISpec

extension Validator {
    /// Returns the process that `process` describes, to run in `container`.
    ///
    /// - Parameter place: Where the section is: `process` in a config.json, the document in a process.json.
    /// - Parameter warnings: Gets a sentence for each capability that cannot be granted.
    package static func process(
        _ process: OCISpec.Process,
        at place: Place,
        in container: ContainerConfiguration,
        facts: HostFacts,
        warnings: inout [String]
    ) throws(ConfigurationProblem) -> ProcessConfiguration {
        var checked = ProcessConfiguration(
            workingDirectory: try workingDirectory(process.cwd, at: place.member("cwd")),
            arguments: try arguments(process.args, at: place.member("args")),
            user: try user(process.user, at: place.member("user"), in: container, facts: facts)
        )
        checked.environment = try environment(process.env, at: place.member("env"))
        checked.terminal = process.terminal ?? false
        if checked.terminal, let size = process.consoleSize {
            checked.consoleSize = try consoleSize(size, at: place.member("consoleSize"))
        }
        checked.capabilities = capabilities(process.capabilities, at: place.member("capabilities"), warnings: &warnings)
        checked.limits = try limits(process.rlimits, at: place.member("rlimits"))
        checked.noNewPrivileges = process.noNewPrivileges ?? false
        if let adjustment = process.oomScoreAdj {
            checked.oomScoreAdjustment = try place.member("oomScoreAdj").number(adjustment, in: -1000...1000)
        }
        checked.apparmorProfile = try appArmorProfile(
            process.apparmorProfile,
            at: place.member("apparmorProfile"),
            facts: facts
        )
        checked.selinuxLabel = try seLinuxLabel(process.selinuxLabel, at: place.member("selinuxLabel"), facts: facts)
        if let scheduler = process.scheduler {
            checked.scheduler = try self.scheduler(scheduler, at: place.member("scheduler"))
        }
        if let priority = process.ioPriority {
            checked.ioPriority = try ioPriority(priority, at: place.member("ioPriority"))
        }
        if let affinity = process.execCPUAffinity {
            checked.execAffinity = try execAffinity(affinity, at: place.member("execCPUAffinity"))
        }
        return checked
    }

    private static func workingDirectory(_ path: String, at place: Place) throws(ConfigurationProblem) -> String {
        guard !path.isEmpty else { throw place.problem("Cwd property must not be empty; expected an absolute path") }
        try place.wholeString(path)
        guard LexicalPath.isAbsolute(path) else {
            throw place.problem("Cwd must be an absolute path, found \(quoted(path))")
        }
        // Not cleaned: a link before a .. leads elsewhere for chdir(2).
        return path
    }

    private static func arguments(_ arguments: [String]?, at place: Place) throws(ConfigurationProblem) -> [String] {
        guard let arguments, !arguments.isEmpty else {
            throw place.problem("args must not be empty; expected a program with its arguments")
        }
        for (index, argument) in arguments.enumerated() {
            try place.element(index).wholeString(argument)
        }
        guard !arguments[0].isEmpty else {
            throw place.element(0).expected("the name or path of a program", found: quoted(arguments[0]))
        }
        return arguments
    }

    /// Returns the entries; of several with one name the last counts, in its own place.
    static func environment(_ entries: [String]?, at place: Place) throws(ConfigurationProblem) -> [String] {
        guard let entries, !entries.isEmpty else { return [] }
        var names: [String] = []
        names.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            guard let end = entry.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                throw place.element(index).problem("invalid environment variable: missing '='; expected NAME=value")
            }
            guard end > entry.startIndex else {
                throw place.element(index).problem(
                    "invalid environment variable: name cannot be empty; expected NAME=value"
                )
            }
            try place.element(index).wholeString(entry)
            names.append(String(entry[..<end]))
        }
        // The last of several with one name prevails.
        var later = TextSet(capacity: names.count)
        let kept = names.indices.reversed().filter { later.insert(names[$0]) }
        return kept.count == entries.count ? entries : kept.reversed().map { entries[$0] }
    }

    private static func consoleSize(
        _ size: OCISpec.ConsoleSize,
        at place: Place
    ) throws(ConfigurationProblem) -> ConsoleSize {
        let most = UInt(UInt16.max)
        let rows = try place.member("height").number(size.height, in: 0...most)
        let columns = try place.member("width").number(size.width, in: 0...most)
        return ConsoleSize(rows: UInt16(rows), columns: UInt16(columns))
    }

    private static func appArmorProfile(
        _ profile: String?,
        at place: Place,
        facts: HostFacts
    ) throws(ConfigurationProblem) -> String? {
        guard let profile, !profile.isEmpty else { return nil }
        try place.wholeString(profile)
        guard facts.appArmorIsEnabled else {
            throw place.problem(
                "apparmor: config provided but apparmor not supported: the kernel of this machine does not use it, "
                    + "found \(quoted(profile))"
            )
        }
        return profile
    }

    static func seLinuxLabel(
        _ label: String?,
        at place: Place,
        facts: HostFacts
    ) throws(ConfigurationProblem) -> String? {
        guard let label, !label.isEmpty else { return nil }
        try place.wholeString(label)
        guard facts.seLinuxIsEnabled else {
            throw place.problem(
                "selinux label is specified in config, but selinux is disabled or not supported, "
                    + "found \(quoted(label))"
            )
        }
        return label
    }
}
