// The probe's commands. Each ends the process.

import Configuration
import Confinement
import Diagnostics
import Glibc
import KernelTypes
import LinuxSystem

/// Becomes another program; words are separated by spaces.
private func run(_ command: String) -> Never {
    let words = command.split(separator: " ").map(String.init)
    let arguments = words.map { UnsafePointer<CChar>(strdup($0)) } + [nil]
    let environment: [UnsafePointer<CChar>?] = [nil]
    fail(Failure("start \(command)", .execve, Processes.execute(words[0], arguments, environment)))
}

/// Undergoes a whole plan, then reports; with `exec`, becomes a program that may look around.
func confine(_ options: Options) -> Never {
    do throws(Failure) {
        let facts = try CapabilityFacts.ofThisProcess()
        for name in (options["unshare"] ?? "").split(separator: ",").compactMap({ NamespaceKind(rawValue: String($0)) })
        {
            try attempt("unshare \(name)", .unshare) { () throws(Errno) in try Namespaces.unshare(name) }
        }
        if options.has("userns") {
            try attempt("enter a user namespace", .unshare) { () throws(Errno) in
                try enterUserNamespace()
            }
        }
        let plan = try ConfinementPlan(request(options, facts))
        for warning in plan.warnings { say("warning", warning) }
        for step in plan.steps { try step.perform() }
        if let path = options["show"] { say("shown", contents(path).split(separator: "\n").joined()) }
        if let command = options["exec"] { run(command) }
        report()
        Processes.exit(0)
    } catch {
        fail(error)
    }
}

/// Drops all privileges under a filter that kills for every call but those that dropping makes.
func strict(_ options: Options) -> Never {
    do throws(Failure) {
        var seccomp = SeccompConfiguration(defaultAction: .killProcess)
        let calls = [
            "statx", "fchownat", "prctl", "setgroups", "setresgid", "setresuid", "capset", "write", "exit_group",
        ]
        seccomp.rules = [SeccompConfiguration.Rule(names: calls, action: .allow, conditions: [])]
        var wanted = request(options, try CapabilityFacts.ofThisProcess())
        wanted.seccomp = SeccompSection(seccomp)
        let plan = try ConfinementPlan(wanted)
        let filter = try SeccompFilter.prepare(SeccompSection(seccomp), cache: nil).filter
        let text = Array("survived: yes\n".utf8)
        for step in plan.filterBeforeDrop { try step.perform(filter: filter) }
        if options.has("allocate") { Processes.exit(CInt([UInt8](repeating: 1, count: 1 << 22).count)) }
        for step in plan.privilegeDrop { try step.perform() }
        for step in plan.filterLast { try step.perform(filter: filter) }
        try attempt("write", .write) { () throws(Errno) in try BorrowedFD.standardOutput.write(text) }
        Processes.exit(0)
    } catch {
        fail(error)
    }
}

/// Loads a filter with a listener.
func listener() -> Never {
    do throws(Failure) {
        var seccomp = SeccompConfiguration(defaultAction: .allow)
        seccomp.listenerPath = "/run/agent.sock"
        seccomp.flags = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]
        seccomp.rules = [SeccompConfiguration.Rule(names: ["mkdirat"], action: .notify, conditions: [])]
        let filter = try SeccompFilter.prepare(SeccompSection(seccomp), cache: nil).filter
        guard let number = try ConfinementStep.loadSeccomp(listener: true).perform(filter: filter) else {
            say("failure", "no listener")
            Processes.exit(1)
        }
        say("flags", String(filter.flags))
        say("link", (try? BorrowedFD.workingDirectory.readLink("/proc/self/fd/\(number)")) ?? "none")
        Processes.exit(0)
    } catch {
        fail(error)
    }
}

/// Loads a filter that refuses some calls, and makes them. Without `nnp` and with `unprivileged` loading is refused.
func deny(_ options: Options) -> Never {
    do throws(Failure) {
        var seccomp = SeccompConfiguration(defaultAction: .allow)
        seccomp.rules = [
            SeccompConfiguration.Rule(names: ["mkdir", "mkdirat"], action: .errno(97), conditions: []),
            SeccompConfiguration.Rule(
                names: ["personality"],
                action: .errno(98),
                conditions: [.init(index: 0, comparison: .equal, value: 8, valueTwo: 0)]
            ),
        ]
        let filter = try SeccompFilter.prepare(SeccompSection(seccomp), cache: nil).filter
        if options.has("nnp") { try ConfinementStep.setNoNewPrivileges.perform() }
        if options.has("unprivileged") { try ConfinementStep.setUser(1000).perform() }
        try ConfinementStep.loadSeccomp(listener: false).perform(filter: filter)
        say("mkdir", mkdir("/nowhere/at/all", 0o700) == 0 ? "made" : "\(errno)")
        do { try Limits.setPersonality(8) } catch { say("personality 8", "\(error.rawValue)") }
        do {
            try Limits.setPersonality(0)
            say("personality 0", "set")
        } catch { say("personality 0", "\(error.rawValue)") }
        Processes.exit(0)
    } catch {
        fail(error)
    }
}

/// Times compiling against the cache, microseconds; call names come on standard input, the cache is the directory
/// `cache=`.
func measure(_ options: Options) -> Never {
    do throws(Failure) {
        let (names, cache) = try attempt("read the calls", .read) { () throws(Errno) in
            let text = String(decoding: try BorrowedFD.standardInput.readToEnd(limit: 1 << 20), as: UTF8.self)
            let cache = try BorrowedFD.workingDirectory.open(options["cache"] ?? ".", .directory)
            return (text.split(separator: "\n").map(String.init), cache.release())
        }
        var seccomp = SeccompConfiguration(defaultAction: .errno(1))
        seccomp.architectures = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]
        seccomp.rules = [SeccompConfiguration.Rule(names: names, action: .allow, conditions: [])]
        for index in 0..<5 {
            seccomp.rules.append(
                SeccompConfiguration.Rule(
                    names: ["personality"],
                    action: .allow,
                    conditions: [.init(index: 0, comparison: .equal, value: UInt64(index), valueTwo: 0)]
                )
            )
        }
        let text = Array("\(names)".utf8)
        let kept = SeccompSection(seccomp, text: text)
        for warning in try SeccompFilter.prepare(kept, cache: BorrowedFD(rawValue: cache)).warnings {
            say("warning", warning)
        }
        for round in 0..<(options["rounds"].flatMap { Int($0) } ?? 3) {
            let start = Machine.monotonicNanoseconds()
            let compiled = try SeccompFilter.prepare(SeccompSection(seccomp), cache: nil)
            let middle = Machine.monotonicNanoseconds()
            let known = SeccompFilter.known(text[...], in: BorrowedFD(rawValue: cache))
            let end = Machine.monotonicNanoseconds()
            say(
                "round \(round)",
                "\(names.count) names, \(compiled.filter.program.count / 8) instructions, compile "
                    + "\((middle - start) / 1000) us, cache \(known == nil ? "miss" : "hit") \((end - middle) / 1000) us"
            )
        }
        Processes.exit(0)
    } catch {
        fail(error)
    }
}

/// Writes what goes to files of this process in procfs, each for itself; then says what arrived at the kernel.
func labels() -> Never {
    let steps: [ConfinementStep] = [
        .setAppArmorProfile("canary", stacked: false), .setSELinuxLabel("canary:canary:canary:s0"),
        .setKeyringLabel("canary:canary:canary:s0"), .setOOMScoreAdjustment(321),
    ]
    for step in steps {
        do throws(Failure) {
            try step.perform()
            say(step.name, "written")
        } catch {
            say(step.name, error.line)
        }
    }
    do throws(Errno) {
        let context = try MountAPI.openFileSystem("proc")
        try MountAPI.create(context.borrowed)
        let proc = try MountAPI.mount(context.borrowed, [])
        let file = try proc.borrowed.open("self/oom_score_adj", .readOnly)
        say("oom", String(decoding: try file.borrowed.readToEnd(limit: 64).dropLast(), as: UTF8.self))
    } catch {
        say("failure", "read what arrived: \(error)")
    }
    Processes.exit(0)
}
