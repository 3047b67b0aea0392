// The `process` section, typed.

package import KernelTypes

/// What runs in the container, and as whom.
package struct ProcessConfiguration: Equatable, Sendable {
    package var terminal: Bool
    /// Only with `terminal`.
    package var consoleSize: ConsoleSize?
    /// Absolute.
    package var workingDirectory: String
    /// `NAME=value`, in document order.
    package var environment: [String]
    /// At least one.
    package var arguments: [String]
    package var user: UserConfiguration
    package var capabilities: CapabilitySets
    package var limits: [ResourceLimit]
    package var noNewPrivileges: Bool
    package var oomScoreAdjustment: Int?
    package var apparmorProfile: String?
    package var selinuxLabel: String?
    package var scheduler: SchedulerAttributes?
    /// Class in bits 13 up, level below; see ioprio_set(2).
    package var ioPriority: Int32?
    /// For a process that joins the container; the container's own process does not look at it.
    package var execAffinity: ExecAffinity?

    package init(workingDirectory: String, arguments: [String], user: UserConfiguration) {
        terminal = false
        self.workingDirectory = workingDirectory
        environment = []
        self.arguments = arguments
        self.user = user
        capabilities = CapabilitySets()
        limits = []
        noNewPrivileges = false
    }
}

/// `process.execCPUAffinity`: the CPUs of a process that joins the container, before and after it is in the cgroup.
package struct ExecAffinity: Equatable, Sendable {
    /// `nil`: as inherited.
    package let initial: NumberList?
    /// `nil`: the cgroup's.
    package let final: NumberList?

    package init(initial: NumberList?, final: NumberList?) {
        self.initial = initial
        self.final = final
    }
}

/// Characters, `process.consoleSize`.
package struct ConsoleSize: Equatable, Sendable {
    package let rows: UInt16
    package let columns: UInt16

    package init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// `process.user`; ids are the container's.
package struct UserConfiguration: Equatable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    /// `nil`: as inherited.
    package var umask: UInt32?
    package var additionalGroups: [UInt32]

    package init(uid: UInt32, gid: UInt32, umask: UInt32? = nil, additionalGroups: [UInt32] = []) {
        self.uid = uid
        self.gid = gid
        self.umask = umask
        self.additionalGroups = additionalGroups
    }
}

/// One `process.rlimits` entry; see getrlimit(2). `UInt64.max` is no limit.
package struct ResourceLimit: Equatable, Sendable {
    /// `RLIMIT_NOFILE` and so on.
    package let name: String
    /// The kernel's number of it.
    package let resource: Int32
    package let soft: UInt64
    package let hard: UInt64

    package init(name: String, resource: Int32, soft: UInt64, hard: UInt64) {
        self.name = name
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}

/// The five capability sets, each one bit a capability; see capabilities(7).
package struct CapabilitySets: Equatable, Sendable {
    package var bounding = CapabilitySet()
    package var effective = CapabilitySet()
    package var inheritable = CapabilitySet()
    package var permitted = CapabilitySet()
    package var ambient = CapabilitySet()
    /// What was asked for in the ambient set and the kernel keeps out of it: it wants it permitted and inheritable.
    package var voidAmbient = CapabilitySet()

    package init() {}

    /// What deserves a warning, although engines ask for it as a matter of course: what they once wrote into all five
    /// sets they still write into the ambient one, and no longer into the inheritable one (CVE-2022-29162).
    package var customaryWarnings: [String] {
        let names = voidAmbient.memberNames
        if names.isEmpty { return [] }
        let subject = names.count == 1 ? "it is" : "they are"
        return [
            "process.capabilities.ambient: \(names.joined(separator: ", ")) cannot be granted: "
                + "\(subject) not in both permitted and inheritable"
        ]
    }
}
