// Executes the runtime's steps of an exec, and ends the process when one fails. Each case calls one function; what to
// do is decided in ExecBirth.swift.

package import Cgroups
package import Configuration
internal import Confinement
package import Diagnostics
internal import KernelTypes
package import LinuxSystem
package import Records

/// The runtime's part in an exec.
package final class ExecSide {
    private let configuration: ContainerConfiguration
    private let facts: HostFacts
    private let request: LaunchRequest
    private let entry: ContainerEntry
    private let stateRoot: StateRoot
    private let cgroup: any CgroupManager
    private let subgroups: [CgroupSubgroup]
    private let containerPID: CInt
    private let log: Log
    private let plan: ExecPlan
    private let resources: LaunchResources
    private var next = 0
    /// The number of the last message that was waited for.
    private var received: CInt = 0
    /// Whether the process ended without a word.
    private var wasKilled = false
    private var intermediatePID: CInt = 0
    private let processPIDFD = FDTable()
    private let intermediatePIDFD = FDTable()
    private let memoryKills: MemoryKills

    /// The pid of the new process; 0 before it is born.
    package private(set) var pid: CInt = 0
    package var descriptor: BorrowedFD { processPIDFD[0] }
    package var hasForegroundTerminal: Bool { request.console == .foreground }

    /// - Parameters:
    ///   - configuration: The container's, with the new process in the place of its own and without sysctls.
    ///   - container: The container's process, verified to be it.
    ///   - subgroups: Cgroups below the container's own ones; empty for these themselves.
    package init(
        _ configuration: ContainerConfiguration,
        _ facts: HostFacts,
        _ request: LaunchRequest,
        _ entry: ContainerEntry,
        container: consuming OwnedFD,
        containerPID: CInt,
        stateRoot: StateRoot,
        cgroup: any CgroupManager,
        subgroups: [CgroupSubgroup],
        log: Log
    ) throws(Failure) {
        self.configuration = configuration
        self.facts = facts
        self.request = request
        self.entry = entry
        self.stateRoot = stateRoot
        self.cgroup = cgroup
        self.subgroups = subgroups
        self.containerPID = containerPID
        self.log = log
        plan = try ExecPlan(
            configuration,
            facts,
            entry,
            request,
            capabilities: try CapabilityFacts.ofThisProcess(),
            hardLimits: HostProbe.hardLimits()
        )
        resources = try LaunchResources()
        memoryKills = MemoryKills(cgroup, isNew: false)
        resources.container.add(container)
    }

    /// Performs the steps up to the start: the process is there, and waits if it has something to wait for.
    package func enter() throws(Failure) {
        try perform { $0 == .tell(.start) || $0 == .waitForExecution }
    }

    /// Performs the others, until the program runs.
    package func start() throws(Failure) {
        try perform { _ in false }
        for warning in configuration.warnings { log.warning(warning) }
        // Of the machine, and said when the container was created.
        for warning in configuration.customaryWarnings + plan.warnings { log.debug(warning) }
    }

    /// Whether the kernel killed for lack of memory in the container since this began.
    package var ranOutOfMemory: Bool { memoryKills.happened }

    /// The terminal's primary, in the foreground.
    package func receiveTerminal() throws(Failure) -> OwnedFD {
        try resources.receiveTerminal()
    }

    /// Ends the process, because a step after its birth failed.
    package func rollBack(after failure: Failure) -> Failure {
        for table in [intermediatePIDFD, processPIDFD] where !table.isEmpty {
            try? Processes.signal(table[0], 9)
            // Reaped already when its death was explained.
            _ = try? Processes.reap(pidfd: table[0])
        }
        guard hasEndedToo(failure) else { return failure }
        return Failure("cannot exec in a stopped container: it ended meanwhile (\(failure.line))", .wrongState)
    }

    /// Whether the container's end is the reason. Its first process takes the others of its pid namespace along before
    /// it counts as ended itself, so that end is waited for where the failure looks like it.
    private func hasEndedToo(_ failure: Failure) -> Bool {
        let isSuspect = wasKilled || failure.errno == .ESRCH || failure.errno == .ENOMEM
        let deadline = isSuspect ? Deadline.ending : 0
        return (try? Polling.wait(for: resources.container[0], .readable, deadline: deadline)) != nil
    }

    private func perform(until isBorder: (ExecStep) -> Bool) throws(Failure) {
        while next < plan.runtime.count, !isBorder(plan.runtime[next]) {
            let step = plan.runtime[next]
            next += 1
            log.begin(.runtime, next, of: plan.runtime.count, step.name, step.detail)
            resources.breadcrumb[.runtime] = next
            do throws(Failure) {
                defer { log.end(.runtime) }
                try perform(step)
            } catch {
                throw rollBack(
                    after: error.stamped(StepName(index: next, name: step.name), .runtime, about: step.subject)
                )
            }
        }
    }

    private func perform(_ step: ExecStep) throws(Failure) {
        switch step {
        case .checkLabel(let label, let key): try SELinux.validate(label, of: key)
        case .compileFilter: try resources.compileFilter(configuration, stateRoot, log)
        case .openCgroup: resources.cgroupEntry = CgroupEntry(try cgroup.openJoin(subgroups: subgroups))
        case .attachToScope: try cgroup.attach(intermediatePID)
        case .connectConsole(let path): try resources.connectConsole(path)
        case .makeConsoleSocket: try resources.makeConsoleSocket()
        case .setAffinity(let cpus): try Affinity.set(cpus, "initial")
        case .becomeUntraceable: try Untraceable.become()
        case .enterPIDNamespace: try NamespaceEntry.joinContainer([.pid], resources)
        case .cloneProcess: try cloneProcess()
        case .cloneIntermediate: try cloneIntermediate()
        case .findProcess: try findProcess()
        case .setOOMScoreAdjustment(let value): try OOMScoreAdjustment.set(value, ofProcess: "\(pid)")
        case .passListener(let path): try passListener(path)
        case .setLimit(let limit): try limit.set(ofProcess: pid)
        case .sendPidfd(let path): try sendPidfd(path)
        case .waitForExecution: try waitForExecution()
        case .writePIDFile(let path): try PIDFile.write(pid, to: path)
        case .tell(let message): try tell(message)
        case .waitFor(let message): received = try wait(for: message)
        }
    }
}

// MARK: - Acts

extension ExecSide {
    private var processSide: InitSide {
        InitSide(configuration, facts, request, resources, steps: plan.initial, cgroups: .disabled, log: log)
    }

    private func cloneProcess() throws(Failure) {
        let side = processSide
        let birthplace = resources.cgroupEntry?.join.birthplace
        let child = try attempt("clone the process", .clone3) { () throws(Errno) in
            try Processes.clone(cgroup: birthplace) { side.live() }
        }
        pid = child.pid
        processPIDFD.add(child.takeDescriptor())
        resources.closeChildSide()
    }

    private func cloneIntermediate() throws(Failure) {
        let side = IntermediateSide(resources, steps: plan.intermediate, initSide: processSide, log: log)
        let child = try attempt("clone the intermediate process", .clone3) { () throws(Errno) in
            try Processes.clone { side.live() }
        }
        intermediatePID = child.pid
        intermediatePIDFD.add(child.takeDescriptor())
        resources.closeChildSide()
    }

    private func findProcess() throws(Failure) {
        // The intermediate ends by itself as soon as the process is born.
        _ = try attempt("wait for the intermediate process", .waitid) { () throws(Errno) in
            try Processes.reap(pidfd: intermediatePIDFD[0])
        }
        intermediatePIDFD.closeAll()
        pid = received
        processPIDFD.add(
            try attempt("open a pidfd for the process", .pidfdOpen) { () throws(Errno) in
                try Processes.open(pid: received)
            }
        )
    }

    private func passListener(_ path: String) throws(Failure) {
        try SeccompListener.pass(
            descriptor: received,
            of: processPIDFD[0],
            pid: pid,
            to: path,
            metadata: configuration.seccomp?.listenerMetadata,
            state: HookState(configuration, request),
            status: "running",
            containerPID: containerPID
        )
    }

    private func sendPidfd(_ path: String) throws(Failure) {
        try attempt("send the pidfd to \(path)", .sendmsg) { () throws(Errno) in
            let socket = try Sockets.connect(toStreamAt: path)
            try socket.borrowed.send(Array("setns".utf8), descriptors: [processPIDFD[0]])
        }
    }

    private func waitForExecution() throws(Failure) {
        do throws(Failure) {
            guard try resources.waitForExecution(after: plan.initial) else {
                throw explainDeath(waitingFor: "the program")
            }
        } catch  where error.isOfProgram {
            log.quietWarnings([error.line])
        }
    }

    private func tell(_ message: SyncMessage) throws(Failure) {
        do throws(Failure) {
            try resources.runtimeChannel.tell(message)
        } catch  where (error.errno == .EPIPE || error.errno == .ECONNRESET) && error.step == nil {
            // The process is gone without a report.
            throw explainDeath(waitingFor: "the process")
        }
    }

    private func wait(for message: SyncMessage) throws(Failure) -> CInt {
        guard let number = try resources.runtimeChannel.wait(for: message) else {
            throw explainDeath(waitingFor: message.name)
        }
        return number
    }

    private func explainDeath(waitingFor expected: String) -> Failure {
        wasKilled = true
        let names = (plan.initial.map(\.name), plan.intermediate.map(\.name))
        let text = resources.describeDeath(
            waitingFor: expected,
            processPIDFD,
            initial: names.0,
            intermediate: names.1
        )
        return memoryKills.failure(of: "the process", text, subject: request.id)
    }
}
