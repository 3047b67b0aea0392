// Executes the runtime's steps of a birth, and takes them back when one fails. Each case calls one function; what to do
// is decided in Birth.swift.

package import Cgroups
package import Configuration
internal import Confinement
package import Diagnostics
internal import KernelTypes
package import LinuxSystem
package import Records
internal import Rootfs

/// The runtime's part in a birth, and what is left of it for the verbs that go on (`run`).
package final class RuntimeSide {
    let configuration: ContainerConfiguration
    private let configurationBytes: [UInt8]
    private let facts: HostFacts
    let request: LaunchRequest
    private let stateRoot: StateRoot
    let cgroup: any CgroupManager
    let log: Log
    let plan: LaunchPlan
    let resources: LaunchResources
    let hookState: HookState
    private var record: ContainerRecord
    private(set) var initPID: CInt = 0
    let initPIDFD = FDTable()
    private var intermediatePID: CInt = 0
    let intermediatePIDFD = FDTable()
    var undo: [RuntimeStep.Undo] = []

    /// - Parameters:
    ///   - configurationBytes: config.json as it is now, kept for later commands.
    ///   - record: Names what will be made.
    package init(
        _ configuration: ContainerConfiguration,
        configurationBytes: [UInt8],
        _ facts: HostFacts,
        _ request: LaunchRequest,
        stateRoot: StateRoot,
        cgroup: any CgroupManager,
        record: ContainerRecord,
        log: Log
    ) throws(Failure) {
        self.configuration = configuration
        self.configurationBytes = configurationBytes
        self.facts = facts
        self.request = request
        self.stateRoot = stateRoot
        self.cgroup = cgroup
        self.record = record
        self.log = log
        plan = try LaunchPlan(
            configuration,
            facts,
            request,
            capabilities: try CapabilityFacts.ofThisProcess(),
            hardLimits: HostProbe.hardLimits(),
            cgroups: CgroupDirectories(cgroup.placement)
        )

        resources = try LaunchResources()
        hookState = HookState(configuration, request)
        // Lives as long as the process, whose end closes at once what would otherwise be closed one by one.
        _ = unsafe Unmanaged.passRetained(self)
    }

    /// Performs every step. When one fails, takes back those before it, in reverse.
    ///
    /// Warnings come when it has worked: an engine that reads the log for the reason of a failure expects one line.
    package func create() throws(Failure) {
        try performSteps()
        for warning in configuration.warnings + plan.warnings { log.warning(warning) }
        log.quietWarnings(configuration.customaryWarnings)
    }

    private func performSteps() throws(Failure) {
        for (index, step) in plan.runtime.enumerated() {
            log.begin(.runtime, index + 1, of: plan.runtime.count, step.name, step.detail)
            resources.breadcrumb[.runtime] = index + 1
            do throws(Failure) {
                defer { log.end(.runtime) }
                // Before the act: half of it may be done when it fails.
                if let act = step.undo, step.undoesWhenFailed { remember(act) }
                try perform(step)
                if let act = step.undo, !step.undoesWhenFailed { remember(act) }
            } catch {
                let name = StepName(index: index + 1, name: step.name)
                throw rollBack(after: error.stamped(name, .runtime, about: step.subject))
            }
        }
    }

    private func remember(_ act: RuntimeStep.Undo) {
        if !undo.contains(act) { undo.append(act) }
    }

    private func perform(_ step: RuntimeStep) throws(Failure) {
        switch step {
        case .reserveID(let id): resources.directory = try stateRoot.reserve(id)
        case .recordPlan: try recordPlan()
        case .makeNoticeDirectory: try resources.directory?.makeNoticeDirectory()
        case .openNamespace(let kind, let path): try openNamespace(kind, path)
        case .checkLabel(let label, let key): try SELinux.validate(label, of: key)
        case .compileFilter: try resources.compileFilter(configuration, stateRoot, log)
        case .createBirthplace: resources.cgroupEntry = CgroupEntry(try cgroup.createBirthplace())
        case .createCgroup: try cgroup.create()
        case .startScope: try startScope()
        case .limitResources: try cgroup.apply(configuration.resources)
        case .delegateCgroup(let uid): try cgroup.delegate(to: uid)
        case .openCgroup: resources.cgroupEntry = CgroupEntry(try cgroup.openJoin(subgroups: []))
        case .openMountSources: try openMountSources()
        case .connectConsole(let path): try resources.connectConsole(path)
        case .makeConsoleSocket: try resources.makeConsoleSocket()
        case .makeGate: try makeGate()
        case .cloneInit(let kinds): try cloneInit(kinds)
        case .cloneIntermediate: try cloneIntermediate()
        case .findInit: try findInit()
        case .mapIDs: try mapIDs()
        case .recordInit: try recordInit()
        case .setOOMScoreAdjustment(let value): try OOMScoreAdjustment.set(value, ofProcess: "\(initPID)")
        case .moveNetDevice(let device): try moveNetDevice(device)
        case .hook(let point, let index, let hook): try runHook(hook, point, index)
        case .passListener(let path): try passListener(path)
        case .setLimit(let limit): try limit.set(ofProcess: initPID)
        case .sendPidfd(let path): try sendPidfd(path)
        case .recordCreated: try recordCreated()
        case .writePIDFile(let path): try PIDFile.write(initPID, to: path)
        case .tell(let message): try tell(message)
        case .waitFor(let message): received = try wait(for: message)
        }
    }

    /// The number of the last message that was waited for.
    private var received: CInt = 0
}

// MARK: - What `run` goes on with

extension RuntimeSide {
    /// The container's process.
    package var initDescriptor: BorrowedFD { initPIDFD[0] }
    package var currentRecord: ContainerRecord { record }
    /// The container's cgroups with their files open; `nil` where systemd is to be asked anew, after however long.
    package var cgroupFiles: (any CgroupManager)? { cgroup.placement.scope == nil ? cgroup : nil }

    /// Opens the gate of a container whose gate is the channel, and waits until its program runs.
    /// - Returns: Whether it does; else it could not be executed, and is ending.
    package func start() throws(Failure) -> Bool {
        try resources.runtimeChannel.tell(.start)
        var runs = true
        do throws(Failure) {
            guard try resources.waitForExecution(after: plan.initial) else {
                throw explainDeath(waitingFor: "the program")
            }
        } catch  where error.isOfProgram {
            log.quietWarnings([error.line])
            runs = false
        }
        // The namespace ends with the container, whoever stays. After any other failure they are taken back.
        resources.networkDevices = nil
        return runs
    }

    package var hasForegroundTerminal: Bool { request.console == .foreground }

    /// The terminal's primary, in the foreground.
    package func receiveTerminal() throws(Failure) -> OwnedFD {
        try resources.receiveTerminal()
    }

    /// Tells the container's state directory from a later one of the same name.
    package var directoryInode: UInt64 { resources.directory?.inode ?? 0 }

    /// Gives up the lock on the container, so that other commands can work on it.
    package func releaseLock() {
        resources.directory = nil
    }
}

// MARK: - Acts

extension RuntimeSide {
    private func recordPlan() throws(Failure) {
        try resources.directory?.write(record)
    }

    private func openNamespace(_ kind: NamespaceKind, _ path: String) throws(Failure) {
        let fd = try attempt("open the \(kind.rawValue) namespace \(path) of linux.namespaces", .open) {
            () throws(Errno) in
            try BorrowedFD.workingDirectory.open(path, .readOnly)
        }
        let flag = try? Namespaces.kindFlag(of: fd.borrowed)
        guard flag == kind.cloneFlag else {
            let found = NamespaceKind.allCases.first { $0.cloneFlag == flag }.map { "a \($0.rawValue) namespace" }
            throw Failure(
                "linux.namespaces: expected a \(kind.rawValue) namespace, found \(found ?? "no namespace") at \(path)",
                .configInvalid,
                subject: "linux.namespaces"
            )
        }
        resources.namespaces.add(fd)
        resources.namespaceKinds.append(kind)
    }

    private func startScope() throws(Failure) {
        // Whichever was cloned first; the other is born where that one is.
        let process = initPID > 0 ? initPID : intermediatePID
        try cgroup.startScope(
            ScopeRequest(
                process: process,
                id: request.id,
                resources: configuration.resources,
                properties: request.unitProperties
            )
        )
    }

    private func openMountSources() throws(Failure) {
        resources.mountSources = try MountSources(opening: RootfsPlan.sources(configuration, facts))
    }

    private func makeGate() throws(Failure) {
        guard let gate = try resources.directory?.makeGate() else { return }
        let (start, report) = gate.release()
        resources.gate.add(OwnedFD(adopting: start))
        resources.gate.add(OwnedFD(adopting: report))
    }

    private var initSide: InitSide {
        InitSide(
            configuration,
            facts,
            request,
            resources,
            steps: plan.initial,
            cgroups: cgroup.placement,
            log: log
        )
    }

    private func cloneInit(_ kinds: [NamespaceKind]) throws(Failure) {
        let side = initSide
        let birthplace = resources.cgroupEntry?.join.birthplace
        let child = try attempt("clone init", .clone3, detail: kinds.map(\.rawValue).joined(separator: ",")) {
            () throws(Errno) in
            try Processes.clone(namespaces: kinds, cgroup: birthplace) { side.live() }
        }
        initPID = child.pid
        initPIDFD.add(child.takeDescriptor())
        resources.closeChildSide()
    }

    private func cloneIntermediate() throws(Failure) {
        let side = IntermediateSide(resources, steps: plan.intermediate, initSide: initSide, log: log)
        let child = try attempt("clone the intermediate process", .clone3) { () throws(Errno) in
            try Processes.clone { side.live() }
        }
        intermediatePID = child.pid
        intermediatePIDFD.add(child.takeDescriptor())
        resources.closeChildSide()
    }

    private func findInit() throws(Failure) {
        // The intermediate ends by itself as soon as init is born.
        try reapIntermediate()
        initPID = received
        initPIDFD.add(
            try attempt("open a pidfd for init", .pidfdOpen) { () throws(Errno) in try Processes.open(pid: received) }
        )
    }

    private func mapIDs() throws(Failure) {
        try UserNamespaceMapping.write(
            uid: configuration.uidMappings,
            gid: configuration.gidMappings,
            ofProcess: initPID > 0 ? initPID : intermediatePID,
            facts: facts
        )
    }

    private func recordInit() throws(Failure) {
        guard let facts = try ProcessIdentity.facts(pid: initPID) else { throw explainDeath(waitingFor: "init") }
        record.pid = initPID
        record.startTime = facts.startTime
        try resources.directory?.recordProcess(pid: initPID, startTime: facts.startTime)
        // Nobody asks for it before the container is created; here init works at the same time.
        try resources.directory?.keepConfiguration(configurationBytes)
    }

    private func runHook(_ hook: Hook, _ point: HookPoint, _ index: Int) throws(Failure) {
        try HookRunner.run(hook, point, index: index, of: hookState, status: "creating", pid: initPID)
    }

    private func passListener(_ path: String) throws(Failure) {
        try SeccompListener.pass(
            descriptor: received,
            of: initPIDFD[0],
            pid: initPID,
            to: path,
            metadata: configuration.seccomp?.listenerMetadata,
            state: hookState
        )
    }

    private func sendPidfd(_ path: String) throws(Failure) {
        try attempt("send the pidfd to \(path)", .sendmsg) { () throws(Errno) in
            let socket = try Sockets.connect(toStreamAt: path)
            try socket.borrowed.send(Array("standard".utf8), descriptors: [initPIDFD[0]])
        }
    }

    private func recordCreated() throws(Failure) {
        record.phase = .created
        try resources.directory?.markCreated()
    }

    private func tell(_ message: SyncMessage) throws(Failure) {
        do throws(Failure) {
            if message == .placed, let entry = resources.cgroupEntry {
                let mask = Int32(bitPattern: entry.join.mask(cgroup.placement))
                try resources.runtimeChannel.tell(message, number: mask, descriptors: entry.join.descriptors)
            } else {
                try resources.runtimeChannel.tell(message)
            }
        } catch  where (error.errno == .EPIPE || error.errno == .ECONNRESET) && error.step == nil {
            // Init is gone without a report.
            throw explainDeath(waitingFor: "init")
        }
    }

    private func wait(for message: SyncMessage) throws(Failure) -> CInt {
        guard let number = try resources.runtimeChannel.wait(for: message) else {
            throw explainDeath(waitingFor: message.name)
        }
        return number
    }
}
