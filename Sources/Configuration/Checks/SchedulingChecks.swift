// When and where the kernel lets the process run. See sched_setattr(2), ioprio_set(2), set_mempolicy(2),
// personality(2). The kernel's own rules are applied here, so that the error names the key at fault.

import KernelTypes
import OCISpec

extension Validator {
    // MARK: - CPU

    private static let policies: [(name: String, value: UInt32)] = [
        ("SCHED_OTHER", 0), ("SCHED_FIFO", 1), ("SCHED_RR", 2), ("SCHED_BATCH", 3), ("SCHED_IDLE", 5),
        ("SCHED_DEADLINE", 6),
    ]

    private static let schedulerFlags: [(name: String, value: UInt64)] = [
        ("SCHED_FLAG_RESET_ON_FORK", 0x01), ("SCHED_FLAG_RECLAIM", 0x02), ("SCHED_FLAG_DL_OVERRUN", 0x04),
        ("SCHED_FLAG_KEEP_POLICY", 0x08), ("SCHED_FLAG_KEEP_PARAMS", 0x10), ("SCHED_FLAG_UTIL_CLAMP_MIN", 0x20),
        ("SCHED_FLAG_UTIL_CLAMP_MAX", 0x40),
    ]

    static func scheduler(_ scheduler: Scheduler, at place: Place) throws(ConfigurationProblem) -> SchedulerAttributes {
        var attributes = SchedulerAttributes()
        attributes.policy = try place.member("policy").word(scheduler.policy, from: policies)
        attributes.nice = try place.member("nice").number(scheduler.nice ?? 0, in: -20...19)
        let flags = place.member("flags")
        for (index, flag) in (scheduler.flags ?? []).enumerated() {
            attributes.flags |= try flags.element(index).word(flag, from: schedulerFlags)
        }
        let isRealTime = ["SCHED_FIFO", "SCHED_RR"].contains(scheduler.policy)
        let priority = scheduler.priority ?? 0
        if isRealTime {
            attributes.priority = UInt32(try place.member("priority").number(priority, in: 1...99))
        } else if priority != 0 {
            throw place.member("priority").problem(
                "scheduler.priority can only be specified for SCHED_FIFO or SCHED_RR policy, "
                    + "found \(priority) with \(scheduler.policy)"
            )
        }
        try addDeadline(scheduler, at: place, to: &attributes)
        return attributes
    }

    private static func addDeadline(
        _ scheduler: Scheduler,
        at place: Place,
        to attributes: inout SchedulerAttributes
    ) throws(ConfigurationProblem) {
        let runtime = scheduler.runtime ?? 0
        let deadline = scheduler.deadline ?? 0
        let period = scheduler.period ?? 0
        guard scheduler.policy == "SCHED_DEADLINE" else {
            for (key, value) in [("runtime", runtime), ("deadline", deadline), ("period", period)] where value != 0 {
                throw place.member(key).problem(
                    "scheduler runtime/deadline/period can only be specified for SCHED_DEADLINE policy, "
                        + "found \(value) with \(scheduler.policy)"
                )
            }
            return
        }
        // Below 1024 ns the kernel could not count the runtime; above 2^63 it could not compare it.
        let longest = UInt64(Int64.max)
        attributes.runtime = try place.member("runtime").number(runtime, in: 1024...longest)
        attributes.deadline = try place.member("deadline").number(deadline, in: runtime...longest)
        attributes.period = period
        if period != 0 { _ = try place.member("period").number(period, in: deadline...longest) }
    }

    static func execAffinity(_ affinity: ExecCPUAffinity, at place: Place) throws(ConfigurationProblem) -> ExecAffinity
    {
        ExecAffinity(
            initial: try numberList(affinity.initial, at: place.member("initial")),
            final: try numberList(affinity.final, at: place.member("final"))
        )
    }

    /// Returns the set that `text` lists; an empty text is as good as none.
    static func numberList(_ text: String?, at place: Place) throws(ConfigurationProblem) -> NumberList? {
        guard let text, !text.isEmpty else { return nil }
        guard let list = NumberList(text) else {
            throw place.expected(
                "a list of numbers up to \(NumberList.maximum) and ranges such as 0-3,7",
                found: quoted(text)
            )
        }
        return list
    }

    // MARK: - I/O

    private static let ioClasses: [(name: String, value: Int32)] = [
        ("IOPRIO_CLASS_RT", 1), ("IOPRIO_CLASS_BE", 2), ("IOPRIO_CLASS_IDLE", 3),
    ]

    static func ioPriority(_ priority: IOPriority, at place: Place) throws(ConfigurationProblem) -> Int32 {
        let ioClass = try place.member("class").word(priority.class, from: ioClasses)
        let level = try place.member("priority").number(priority.priority ?? 0, in: 0...7)
        return ioClass << 13 | Int32(level)
    }

    // MARK: - Memory

    private static let memoryModes: [(name: String, value: Int32)] = [
        ("MPOL_DEFAULT", 0), ("MPOL_PREFERRED", 1), ("MPOL_BIND", 2), ("MPOL_INTERLEAVE", 3), ("MPOL_LOCAL", 4),
        ("MPOL_PREFERRED_MANY", 5), ("MPOL_WEIGHTED_INTERLEAVE", 6),
    ]

    private static let memoryFlags: [(name: String, value: Int32)] = [
        ("MPOL_F_NUMA_BALANCING", 1 << 13), ("MPOL_F_RELATIVE_NODES", 1 << 14), ("MPOL_F_STATIC_NODES", 1 << 15),
    ]

    /// The `MPOL_*` modes that are accepted.
    package static var memoryModeNames: [String] { memoryModes.map(\.name) }
    /// The `MPOL_F_*` flags that are accepted.
    package static var memoryFlagNames: [String] { memoryFlags.map(\.name) }

    static func memoryPolicy(_ linux: Linux) throws(ConfigurationProblem) -> MemoryPolicy? {
        guard let policy = linux.memoryPolicy else { return nil }
        let place = Place(keyPath: "linux.memoryPolicy")
        let mode = try place.member("mode").word(policy.mode, from: memoryModes)
        var flags: Int32 = 0
        for (index, flag) in (policy.flags ?? []).enumerated() {
            flags |= try place.member("flags").element(index).word(flag, from: memoryFlags)
        }
        let nodes = try numberList(policy.nodes, at: place.member("nodes"))
        try checkNodes(nodes, of: policy, at: place.member("nodes"))
        try checkFlags(flags, of: policy, hasNodes: nodes != nil, at: place.member("flags"))
        return MemoryPolicy(mode: mode | flags, nodes: nodes?.words ?? [])
    }

    private static func checkNodes(
        _ nodes: NumberList?,
        of policy: OCISpec.MemoryPolicy,
        at place: Place
    ) throws(ConfigurationProblem) {
        switch policy.mode {
        case "MPOL_DEFAULT", "MPOL_LOCAL":
            guard nodes == nil else {
                throw place.expected("no nodes with \(policy.mode)", found: quoted(policy.nodes ?? ""))
            }
        case "MPOL_PREFERRED":
            // Without nodes the kernel takes the nearest one.
            break
        default:
            guard nodes != nil else { throw place.expected("nodes with \(policy.mode)", found: "none") }
        }
    }

    private static func checkFlags(
        _ flags: Int32,
        of policy: OCISpec.MemoryPolicy,
        hasNodes: Bool,
        at place: Place
    ) throws(ConfigurationProblem) {
        let relative: Int32 = 1 << 14
        let fixed: Int32 = 1 << 15
        guard flags & (relative | fixed) != relative | fixed else {
            throw place.problem("expected at most one of MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES, found both")
        }
        guard hasNodes || flags & (relative | fixed) == 0 else {
            throw place.problem(
                "expected no MPOL_F_RELATIVE_NODES or MPOL_F_STATIC_NODES where linux.memoryPolicy.nodes names none"
            )
        }
        guard flags & 1 << 13 == 0 || ["MPOL_BIND", "MPOL_PREFERRED_MANY"].contains(policy.mode) else {
            throw place.problem(
                "expected MPOL_F_NUMA_BALANCING only with MPOL_BIND or MPOL_PREFERRED_MANY, "
                    + "found it with \(policy.mode)"
            )
        }
    }

    // MARK: - Execution domain

    private static let domains: [(name: String, value: PersonalityDomain)] = [("LINUX", .linux), ("LINUX32", .linux32)]

    static func personality(_ linux: Linux) throws(ConfigurationProblem) -> PersonalityDomain? {
        guard let personality = linux.personality else { return nil }
        let place = Place(keyPath: "linux.personality")
        if let flag = personality.flags?.first {
            throw place.member("flags").expected("no flags, since none is defined", found: quoted(flag))
        }
        return try place.member("domain").word(personality.domain, from: domains)
    }
}
