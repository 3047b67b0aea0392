// The filter on system calls, as far as it can be checked without knowing the kernel: actions, operators, the listener.
// Names of calls that nobody knows are Confinement's to skip: a profile may be newer than the machine.

import OCISpec

extension Validator {
    /// The kernel's MAX_ERRNO.
    private static let greatestErrno: UInt = 4095
    /// EPERM, libseccomp's default in the runtime-spec.
    private static let defaultErrno: UInt = 1

    static func seccomp(_ linux: Linux) throws(ConfigurationProblem) -> SeccompConfiguration? {
        guard let seccomp = linux.seccomp else { return nil }
        // Higher runtimes write an empty section for "no filter".
        if seccomp.defaultAction.isEmpty && (seccomp.syscalls ?? []).isEmpty { return nil }
        let place = Place(keyPath: "linux.seccomp")
        var checked = SeccompConfiguration(
            defaultAction: try action(
                seccomp.defaultAction,
                errno: seccomp.defaultErrnoRet,
                at: place,
                "defaultAction",
                "defaultErrnoRet"
            )
        )
        guard checked.defaultAction != .notify else {
            throw place.member("defaultAction").problem(
                "SCMP_ACT_NOTIFY cannot be used as default action, since the agent's own answer would wait for it"
            )
        }
        let architectures = SeccompConfiguration.architectureNames.map { (name: $0, value: $0) }
        checked.architectures = try place.member("architectures").each(seccomp.architectures) {
            (name, place) throws(ConfigurationProblem) in try place.word(name, from: architectures)
        }
        if let flags = seccomp.flags {
            let known = SeccompConfiguration.flagBits.map { (name: $0.name, value: $0.name) }
            checked.flags = try place.member("flags").each(flags) { (name, place) throws(ConfigurationProblem) in
                try place.word(name, from: known)
            }
        }
        checked.rules = try place.member("syscalls").each(seccomp.syscalls, rule)
        try addListener(seccomp, at: place, to: &checked)
        return checked
    }

    private static func addListener(
        _ seccomp: Seccomp,
        at place: Place,
        to checked: inout SeccompConfiguration
    ) throws(ConfigurationProblem) {
        if let path = seccomp.listenerPath, !path.isEmpty {
            let place = place.member("listenerPath")
            checked.listenerPath = try place.absolutePath(path)
            // sun_path of unix(7) holds 108 bytes, the last one zero.
            guard path.utf8.count <= 107 else {
                throw place.expected("a path of at most 107 bytes", found: "\(path.utf8.count)")
            }
        }
        if let metadata = seccomp.listenerMetadata, !metadata.isEmpty {
            guard checked.listenerPath != nil else {
                throw place.member("listenerMetadata").problem("expected listenerPath with it")
            }
            checked.listenerMetadata = metadata
        }
        guard checked.rules.contains(where: { $0.action == .notify }) else { return }
        guard checked.listenerPath != nil else {
            throw place.member("listenerPath").problem("required for SCMP_ACT_NOTIFY, but missing")
        }
    }

    private static func rule(_ rule: SyscallRule, at place: Place) throws(ConfigurationProblem)
        -> SeccompConfiguration.Rule
    {
        let names = place.member("names")
        guard !rule.names.isEmpty else { throw names.problem("expected at least one system call") }
        let action = try self.action(rule.action, errno: rule.errnoRet, at: place, "action", "errnoRet")
        for (index, name) in rule.names.enumerated() {
            try names.element(index).wholeString(name)
            guard !name.isEmpty else { throw names.element(index).expected("a system call", found: quoted(name)) }
            // The runtime itself has to write while the filter is on and nobody listens yet.
            guard action != .notify || name != "write" else {
                throw names.element(index).problem("SCMP_ACT_NOTIFY cannot be used for the write syscall")
            }
        }
        let conditions = try place.member("args").each(rule.args, condition)
        return SeccompConfiguration.Rule(names: rule.names, action: action, conditions: conditions)
    }

    private static let actions: [(name: String, value: SeccompConfiguration.Action)] = [
        ("SCMP_ACT_KILL", .killThread), ("SCMP_ACT_KILL_PROCESS", .killProcess), ("SCMP_ACT_KILL_THREAD", .killThread),
        ("SCMP_ACT_TRAP", .trap), ("SCMP_ACT_ERRNO", .errno(1)), ("SCMP_ACT_TRACE", .trace(1)),
        ("SCMP_ACT_ALLOW", .allow), ("SCMP_ACT_LOG", .log), ("SCMP_ACT_NOTIFY", .notify),
    ]

    private static func action(
        _ name: String,
        errno: UInt?,
        at place: Place,
        _ actionKey: String,
        _ errnoKey: String
    ) throws(ConfigurationProblem) -> SeccompConfiguration.Action {
        let action = try place.member(actionKey).word(name, from: actions)
        let place = place.member(errnoKey)
        switch action {
        case .errno:
            return .errno(UInt16(try place.number(errno ?? defaultErrno, in: 0...greatestErrno)))
        case .trace:
            return .trace(UInt16(try place.number(errno ?? defaultErrno, in: 0...UInt(UInt16.max))))
        default:
            guard let errno else { return action }
            throw place.expected("none with \(name), which returns no errno", found: "\(errno)")
        }
    }

    private static let operators: [(name: String, value: SeccompConfiguration.Operator)] =
        SeccompConfiguration.Operator.allCases.map { ($0.rawValue, $0) }

    /// The `SCMP_ACT_*` names that are accepted.
    package static var seccompActionNames: [String] { actions.map(\.name) }
    /// The `SCMP_CMP_*` names that are accepted.
    package static var seccompOperatorNames: [String] { operators.map(\.name) }

    private static func condition(
        _ argument: SyscallArgument,
        at place: Place
    ) throws(ConfigurationProblem) -> SeccompConfiguration.Condition {
        SeccompConfiguration.Condition(
            index: UInt32(try place.member("index").number(argument.index, in: 0...5)),
            comparison: try place.member("op").word(argument.op, from: operators),
            value: argument.value,
            valueTwo: argument.valueTwo ?? 0
        )
    }
}
