// Applies confinement to itself and prints what the kernel then says, one `key: value` a line. Started by
// ConfinementTests, which must not change their own process. Arguments are `name=value`, or bare words.

import Configuration
import Confinement
import Diagnostics
import Glibc
import KernelTypes
import LinuxSystem

/// The arguments.
struct Options {
    private var values: [String: String] = [:]

    init(_ arguments: [String]) {
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            values[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
    }

    subscript(name: String) -> String? { values[name] }
    func has(_ name: String) -> Bool { values[name] != nil }

    func capabilities(_ name: String) -> CapabilitySet {
        let names = (values[name] ?? "").split(separator: ",").map(String.init)
        if names == ["all"] { return CapabilitySet(rawValue: (1 << 41) - 1) }
        return names.reduce(into: CapabilitySet()) { $0.formUnion(CapabilitySet(name: $1) ?? CapabilitySet()) }
    }

    func numbers(_ name: String) -> [UInt32] {
        (values[name] ?? "").split(separator: ",").compactMap { UInt32($0) }
    }
}

func say(_ key: String, _ value: String) {
    try? BorrowedFD.standardOutput.write("\(key): \(value)\n")
}

func fail(_ failure: Failure) -> Never {
    say("failure", failure.line)
    if let advice = failure.advice { say("hint", advice) }
    Processes.exit(1)
}

func contents(_ path: String) -> String {
    guard let file = try? BorrowedFD.workingDirectory.open(path, .readOnly),
        let bytes = try? file.borrowed.readToEnd(limit: 1 << 20)
    else { return "unreadable" }
    return String(decoding: bytes, as: UTF8.self)
}

func overwrite(_ path: String, _ text: String) {
    guard let file = try? BorrowedFD.workingDirectory.open(path, .writeOnly) else {
        return say("failure", "open \(path)")
    }
    do { try file.borrowed.write(text) } catch { say("failure", "write \(path): \(error)") }
}

/// The request that the arguments describe.
func request(_ options: Options, _ facts: CapabilityFacts) -> ConfinementRequest {
    let user = UserConfiguration(
        uid: options["uid"].flatMap { UInt32($0) } ?? 0,
        gid: options["gid"].flatMap { UInt32($0) } ?? 0,
        umask: options["umask"].flatMap { UInt32($0, radix: 8) },
        additionalGroups: options.numbers("groups")
    )
    var process = ProcessConfiguration(workingDirectory: "/", arguments: ["true"], user: user)
    process.noNewPrivileges = options.has("nnp")
    process.capabilities.bounding = options.capabilities("bounding")
    process.capabilities.effective = options.capabilities("effective")
    process.capabilities.permitted = options.capabilities("permitted")
    process.capabilities.inheritable = options.capabilities("inheritable")
    process.capabilities.ambient = options.capabilities("ambient")
    process.oomScoreAdjustment = options["oom"].flatMap { Int($0) }
    process.ioPriority = options["ioprio"].flatMap { Int32($0) }
    if let nice = options["nice"].flatMap({ Int32($0) }) {
        var attributes = SchedulerAttributes()
        attributes.policy = options["policy"].flatMap { UInt32($0) } ?? 0
        attributes.nice = nice
        process.scheduler = attributes
    }
    process.apparmorProfile = options["apparmor"]
    process.selinuxLabel = options["selinux"]
    var host = HostFacts()
    host.appArmorIsEnabled = options.has("apparmor")
    host.seLinuxIsEnabled = options.has("selinux")
    var request = ConfinementRequest(
        containerID: options["id"] ?? "probe",
        process: process,
        host: host,
        capabilities: facts
    )
    request.entersUserNamespace = options.has("userns")
    request.keepsOriginalGroups = options.has("keep-groups")
    request.joinsSessionKeyring = !options.has("no-keyring")
    if options.has("linux32") { request.personality = .linux32 }
    if options.has("interleave") { request.memoryPolicy = MemoryPolicy(mode: 3, nodes: [1]) }
    if let sysctl = options["sysctl"]?.split(separator: "@").map(String.init), sysctl.count == 2 {
        request.sysctls = [SysctlSetting(path: sysctl[0], value: sysctl[1])]
    }
    return request
}

/// A new user namespace in which root is root. From inside it, one id can be mapped, and only without setgroups.
func enterUserNamespace() throws(Errno) {
    let (uid, gid) = (Processes.effectiveUserID, Processes.effectiveGroupID)
    try Namespaces.unshare(.user)
    overwrite("/proc/self/setgroups", "deny")
    overwrite("/proc/self/uid_map", "0 \(uid) 1\n")
    overwrite("/proc/self/gid_map", "0 \(gid) 1\n")
}

/// Prints what tests look at.
func report() {
    for line in contents("/proc/self/status").split(separator: "\n") {
        let wanted = ["Uid", "Gid", "Groups", "Umask", "Cap", "NoNewPrivs", "Seccomp:"]
        if wanted.contains(where: { line.hasPrefix($0) }) {
            let parts = line.split(separator: ":", maxSplits: 1).map(String.init)
            say(parts[0], parts[1].split(whereSeparator: \.isWhitespace).joined(separator: " "))
        }
    }
    say("oom", contents("/proc/self/oom_score_adj").split(separator: "\n").joined())
    say("personality", contents("/proc/self/personality").split(separator: "\n").joined())
    say("nice", "\(getpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0))")
    say("policy", "\(sched_getscheduler(0))")
    say(
        "numa",
        contents("/proc/self/numa_maps").split(separator: "\n").first?.split(separator: " ").dropFirst().first.map(
            String.init
        ) ?? ""
    )
    // -3: KEY_SPEC_SESSION_KEYRING.
    if let keyring = try? Keyrings.describe(-3) { say("keyring", keyring) }
}

let options = Options(Array(CommandLine.arguments.dropFirst(2)))
// Where /proc is covered, Swift finds no arguments.
switch CommandLine.arguments.dropFirst().first ?? getenv("PROBE_COMMAND").map({ String(cString: $0) }) {
case "confine": confine(options)
case "strict": strict(options)
case "listener": listener()
case "deny": deny(options)
case "measure": measure(options)
case "labels": labels()
case let command: say("failure", "unknown command \(command ?? "")")
}
