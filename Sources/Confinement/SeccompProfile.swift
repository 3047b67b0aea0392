// What a seccomp section means, without any library: which rules reach the compiler, what is refused, which flags the
// load gets. Pure but for the question which flags the kernel knows. Called by SeccompFilter.swift in the runtime.

internal import Configuration
internal import Diagnostics

enum SeccompProfile {
    /// Bits of seccomp(2) that the section's flags do not name.
    enum LoadFlags {
        static let specAllow: UInt32 = 4
        static let newListener: UInt32 = 8
        /// Makes TSYNC and a listener compatible.
        static let tsyncESRCH: UInt32 = 16
        static let tsync: UInt32 = 1
        static let waitKillable: UInt32 = 32
    }

    /// Refuses sections that would lock the container's start up, or that nobody could answer.
    static func check(_ configuration: SeccompConfiguration) throws(Failure) {
        if configuration.defaultAction == .notify {
            throw Failure(
                "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY would make init wait for an agent that it has not told "
                    + "yet"
            )
        }
        try checkNumber(configuration.defaultAction, "linux.seccomp.defaultErrnoRet")
        for (index, rule) in configuration.rules.enumerated() {
            try checkNumber(rule.action, "linux.seccomp.syscalls[\(index)].errnoRet")
            if rule.action == .notify && rule.names.contains("write") {
                throw Failure(
                    "linux.seccomp.syscalls[\(index)]: SCMP_ACT_NOTIFY on write would make init wait for an agent that "
                        + "it has not told yet"
                )
            }
        }
        if configuration.notifies && configuration.listenerPath == nil {
            throw Failure(
                "linux.seccomp.listenerPath: required by SCMP_ACT_NOTIFY, which needs an agent to answer",
                .configInvalid,
                subject: "linux.seccomp.listenerPath"
            )
        }
    }

    /// The kernel cuts larger numbers, the library refuses them without a word.
    private static func checkNumber(_ action: SeccompConfiguration.Action, _ key: String) throws(Failure) {
        guard case .errno(let number) = action, number > 4094 else { return }
        throw Failure("\(key): found \(number), accepted is 0 to 4094", .configInvalid, subject: key)
    }

    /// The alternatives of one rule, each a list of conditions that must all hold. Conditions on one argument are
    /// alternatives of each other: the library takes at most one an argument, and this is how runc reads them.
    static func alternatives(_ rule: SeccompConfiguration.Rule) -> [[SeccompConfiguration.Condition]] {
        let indices = Set(rule.conditions.map(\.index))
        return indices.count == rule.conditions.count ? [rule.conditions] : rule.conditions.map { [$0] }
    }

    /// The flags for loading.
    /// - Parameter knows: Whether the kernel knows this combination of bits.
    static func loadFlags(
        _ configuration: SeccompConfiguration,
        knows: (UInt32) -> Bool
    ) throws(Failure) -> UInt32 {
        var flags: UInt32 = 0
        if let names = configuration.flags {
            for (name, bit) in SeccompConfiguration.flagBits where names.contains(name) {
                // This one is valid only together with a listener, and means nothing without.
                let probe = bit == LoadFlags.waitKillable ? bit | LoadFlags.newListener : bit
                guard knows(probe) else {
                    throw Failure(
                        "linux.seccomp.flags: this kernel does not know \(name)",
                        .unsupported,
                        subject: "linux.seccomp.flags"
                    )
                }
                flags |= bit
            }
        } else if knows(LoadFlags.specAllow) {
            flags = LoadFlags.specAllow
        }
        if configuration.notifies {
            flags |= LoadFlags.newListener
            if flags & LoadFlags.tsync != 0 { flags |= LoadFlags.tsyncESRCH }
        } else {
            flags &= ~LoadFlags.waitKillable
        }
        return flags
    }

    /// Whether calls that the profile does not mention are let through or already answered with ENOSYS: then no answer
    /// of ours for calls newer than the profile is needed.
    static func answersUnknownCalls(_ defaultAction: SeccompConfiguration.Action) -> Bool {
        switch defaultAction {
        case .allow, .log, .trace, .notify: true
        case .errno(let number): number == SeccompProfile.noSuchCall
        case .killThread, .killProcess, .trap: false
        }
    }

    /// ENOSYS.
    static let noSuchCall: UInt16 = 38
}
