// Acts on how the process runs rather than on what it may do: one kernel call each. Called by
// ConfinementPerformer.swift in init.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import PathResolution

enum Scheduling {
    static func setNoNewPrivileges() throws(Failure) {
        try attempt("set no_new_privs for process.noNewPrivileges", .prctl) { () throws(Errno) in
            try Processes.setNoNewPrivileges()
        }
    }

    static func set(_ attributes: SchedulerAttributes) throws(Failure) {
        do throws(Errno) {
            try Limits.setScheduler(attributes)
        } catch {
            var hint: String?
            if error == .EPERM {
                hint =
                    "real-time and deadline policies and negative nice values need CAP_SYS_NICE or a limit that allows "
                    + "them, and a real-time budget in the cgroup"
            } else if error == .EBUSY {
                hint = "the machine's processors have no room for this runtime, deadline and period"
            }
            throw Failure(
                "set the scheduling of process.scheduler",
                .schedSetattr,
                error,
                detail: ConfinementStep.setScheduler(attributes).detail,
                hint: hint
            )
        }
    }

    static func setIOPriority(_ value: Int32) throws(Failure) {
        try attempt(
            "set the I/O priority of process.ioPriority",
            .ioprioSet,
            detail: ConfinementStep.setIOPriority(value).detail
        ) { () throws(Errno) in
            try Limits.setIOPriority(value)
        }
    }

    static func setPersonality(_ domain: PersonalityDomain) throws(Failure) {
        try attempt("set the execution domain of linux.personality to \(domain)", .personality) { () throws(Errno) in
            try Limits.setPersonality(domain.rawValue)
        }
    }

    static func setMemoryPolicy(_ policy: MemoryPolicy) throws(Failure) {
        do throws(Errno) {
            try Limits.setMemoryPolicy(mode: policy.mode, nodes: policy.nodes)
        } catch {
            throw Failure(
                "set the memory policy of linux.memoryPolicy",
                .setMempolicy,
                error,
                detail: ConfinementStep.setMemoryPolicy(policy).detail,
                hint: error == .EINVAL ? "the nodes must exist and be allowed by the cpuset of the container" : nil
            )
        }
    }
}

enum OOMScore {
    /// ORDER: not writable by a process that is not dumpable.
    static func set(_ score: Int, _ proc: borrowing ProcHandle?) throws(Failure) {
        try ProcAttribute.write("\(score)", to: "self/oom_score_adj", proc) { errno in
            Failure(
                "set the out-of-memory score of process.oomScoreAdj to \(score)",
                .write,
                errno,
                hint: errno == .EACCES ? "a score below the runtime's own needs CAP_SYS_RESOURCE" : nil
            )
        }
    }
}

/// Writing to a file of the process itself in procfs.
enum ProcAttribute {
    /// - Parameters:
    ///   - proc: Used when there is one; a private handle is made otherwise.
    ///   - failure: Says what a refused write means.
    static func write(
        _ value: String,
        to path: String,
        _ proc: borrowing ProcHandle?,
        _ failure: (Errno) -> Failure
    ) throws(Failure) {
        let file: OwnedFD
        switch proc {
        case .some(let handle): file = try handle.open(path, .writeOnly)
        case .none: file = try ProcHandle(.processes).open(path, .writeOnly)
        }
        do throws(Errno) {
            try file.borrowed.writeOnce(Array(value.utf8))
        } catch {
            throw failure(error)
        }
    }
}
