// What `exec` is asked for, and the process that this amounts to: a file that describes it whole, or the container's own
// process with another program and what the options change.

internal import Configuration
internal import Diagnostics
internal import JSON
internal import LinuxSystem
internal import OCISpec

/// What `exec` is asked for.
package struct ExecRequest: Sendable {
    /// What runs.
    package enum Program: Sendable {
        /// A file with a process section; `terminal` is true whatever the file says.
        case file(String, terminal: Bool)
        /// A program with its arguments.
        case command([String], ProcessChanges)
    }

    package var id: String
    package var program: Program
    package var detach = false
    package var consoleSocket: String?
    package var pidFile: String?
    package var pidfdSocket: String?
    /// From 3 up, those of `listenEnvironment` included.
    package var preservedDescriptors = 0
    /// What the program is told of sockets passed to it.
    package var listenEnvironment: [String] = []
    /// Cgroups below the container's own, with the v1 controllers they are about; none stands for all.
    package var cgroups: [(controllers: [String], path: String)] = []
    package var ignoresPause = false

    package init(id: String, program: Program) {
        self.id = id
        self.program = program
    }
}

/// What the options of `exec` change in the container's process section.
package struct ProcessChanges: Sendable {
    package var terminal = false
    package var workingDirectory: String?
    /// `NAME=value`; each takes the place of the container's.
    package var environment: [String] = []
    package var userID: UInt32?
    package var groupID: UInt32?
    /// Beside the container's.
    package var additionalGroups: [UInt32] = []
    /// Beside the container's; see capabilities(7) for the names.
    package var capabilities: [String] = []
    package var noNewPrivileges = false
    package var apparmorProfile: String?
    package var selinuxLabel: String?

    package init() {}
}

extension ExecRequest {
    private static let maximumFileSize = 16 << 20

    /// The new process, checked.
    /// - Parameters:
    ///   - own: The container's process section.
    ///   - warnings: Gets a sentence for each capability that cannot be granted.
    func process(
        besides own: OCISpec.Process?,
        in container: ContainerConfiguration,
        facts: HostFacts,
        warnings: inout [String]
    ) throws(Failure) -> ProcessConfiguration {
        var process: OCISpec.Process
        let source: String
        let place: Place
        switch program {
        case .file(let path, let terminal):
            source = "\(path): "
            place = .document
            process = try Self.read(path).completed(by: own)
            if terminal { process.terminal = true }
        case .command(let arguments, let changes):
            source = ""
            place = Place(keyPath: "process")
            process = changes.applied(to: own ?? OCISpec.Process(cwd: "/"), arguments)
        }
        do throws(ConfigurationProblem) {
            return try Validator.process(process, at: place, in: container, facts: facts, warnings: &warnings)
        } catch {
            throw Failure("\(source)\(error)", .configInvalid, subject: error.keyPath)
        }
    }

    private static func read(_ path: String) throws(Failure) -> OCISpec.Process {
        let bytes: [UInt8]
        do throws(Errno) {
            let file = try BorrowedFD.workingDirectory.open(path, .readOnly)
            bytes = try file.borrowed.readToEnd(limit: maximumFileSize)
        } catch .EOVERFLOW {
            throw Failure("read \(path): it is longer than \(maximumFileSize >> 20) MiB", .configInvalid, subject: path)
        } catch {
            throw Failure("read \(path)", .read, error, subject: path)
        }
        do throws(JSONError) {
            return try JSONDecoder().decode(OCISpec.Process.self, from: bytes)
        } catch {
            throw Failure("\(path): \(error)", .configInvalid, subject: path)
        }
    }
}

extension OCISpec.Process {
    /// What holds the container's own process back holds this one back, too, unless the file says otherwise: a label
    /// that is left out is no wish to be unconfined.
    fileprivate func completed(by own: OCISpec.Process?) -> OCISpec.Process {
        guard let own else { return self }
        var process = self
        if (apparmorProfile ?? "").isEmpty { process.apparmorProfile = own.apparmorProfile }
        if (selinuxLabel ?? "").isEmpty { process.selinuxLabel = own.selinuxLabel }
        if capabilities == nil { process.capabilities = own.capabilities }
        if (rlimits ?? []).isEmpty { process.rlimits = own.rlimits }
        if oomScoreAdj == nil { process.oomScoreAdj = own.oomScoreAdj }
        if execCPUAffinity == nil { process.execCPUAffinity = own.execCPUAffinity }
        return process
    }
}

extension ProcessChanges {
    fileprivate func applied(to own: OCISpec.Process, _ arguments: [String]) -> OCISpec.Process {
        var process = own
        process.args = arguments
        process.terminal = terminal
        if let workingDirectory { process.cwd = workingDirectory }
        process.env = (own.env ?? []) + environment
        if let userID { process.user.uid = userID }
        if let groupID { process.user.gid = groupID }
        if !additionalGroups.isEmpty {
            process.user.additionalGids = (own.user.additionalGids ?? []) + additionalGroups
        }
        if !capabilities.isEmpty { process.capabilities = grown(own.capabilities) }
        if noNewPrivileges { process.noNewPrivileges = true }
        if let apparmorProfile { process.apparmorProfile = apparmorProfile }
        if let selinuxLabel { process.selinuxLabel = selinuxLabel }
        return process
    }

    /// Never inheritable: that would hand capabilities to programs whose files have inheritable ones (CVE-2022-29162).
    /// Ambient only where the container's own are inheritable, since the kernel wants both.
    private func grown(_ own: OCISpec.CapabilitySets?) -> OCISpec.CapabilitySets {
        var sets = own ?? OCISpec.CapabilitySets()
        sets.bounding = (sets.bounding ?? []) + capabilities
        sets.effective = (sets.effective ?? []) + capabilities
        sets.permitted = (sets.permitted ?? []) + capabilities
        let inheritable = sets.inheritable ?? []
        sets.ambient = (sets.ambient ?? []) + capabilities.filter { inheritable.contains($0) }
        return sets
    }
}
