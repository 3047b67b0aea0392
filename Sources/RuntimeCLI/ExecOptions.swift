// What `exec` was asked for, as values; see Command.swift.

/// Which process to run in which container, and how.
package struct ExecOptions: Equatable, Sendable {
    /// What runs.
    package enum Program: Equatable, Sendable {
        /// The path of a file with a process section; `tty` gives it a terminal whatever the file says.
        case file(String, tty: Bool)
        /// A program with its arguments, at least one word.
        case command([String], ProcessOptions)
    }

    /// A cgroup below the container's own.
    package struct Cgroup: Equatable, Sendable {
        /// v1 controllers; empty for all.
        package let controllers: [String]
        package let path: String
    }

    package var id: String
    package var program: Program
    package var detach = false
    package var pidFile: String?
    package var consoleSocket: String?
    package var pidfdSocket: String?
    /// How many descriptors to pass on, from 3 on: 0...2147483647.
    package var preserveFDs = 0
    package var cgroups: [Cgroup] = []
    package var ignorePaused = false

    package init(id: String, program: Program) {
        self.id = id
        self.program = program
    }

    /// What was asked for with `--cap` and is no capability.
    package var unknownCapabilities: [String] {
        guard case .command(_, let changes) = program else { return [] }
        return changes.unknownCapabilities
    }
}

/// What is different from the container's own process.
package struct ProcessOptions: Equatable, Sendable {
    package var tty = false
    /// Absolute.
    package var cwd: String?
    /// `NAME=VALUE`.
    package var environment: [String] = []
    package var userID: UInt32?
    package var groupID: UInt32?
    package var additionalGroups: [UInt32] = []
    /// Names that exist.
    package var capabilities: [String] = []
    /// Names that do not.
    package var unknownCapabilities: [String] = []
    package var noNewPrivileges = false
    package var apparmorProfile: String?
    package var selinuxLabel: String?

    package init() {}
}
