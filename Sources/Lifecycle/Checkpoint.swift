// `checkpoint`: criu writes the container's processes to images, from which `restore` makes them again.

package import Diagnostics
internal import CRIU
internal import Cgroups
internal import Configuration
internal import KernelTypes
internal import Launch
internal import LinuxSystem
internal import OCISpec
internal import Records

/// `checkpoint`.
package enum Checkpoint {
    static let logFile = "dump.log"

    /// Writes a running or paused container to images. It ends then, and is stopped until it is deleted, unless it is to
    /// be left running.
    package static func run(id: String, _ settings: CheckpointSettings, _ context: RuntimeContext) throws(Failure) {
        let (directory, record) = try Pause.openForChange(id, context)
        let status = try context.status(of: record, in: directory, isLocked: true)
        guard status == .running || status == .paused else {
            throw Failure("container \(id) is \(status.rawValue): only a running or paused one can be checkpointed")
        }
        context.log.begin(act: "plan")
        let facts = HostProbe.facts()
        let configuration = try KeptConfiguration.read(directory, record, facts)
        try CheckpointLimits.check(configuration, facts)
        let program = try CRIUProgram(context.criu)
        if settings.preDump { try program.checkMemoryTracking() }
        let directories = try CheckpointDirectories(settings, makes: true)
        let options = try options(settings, record, configuration, facts, directories)
        context.log.end(.runtime)
        guard let process = try ProcessIdentity.open(record) else { throw Failure("container not running: \(id)") }
        try dump(program, settings.preDump ? .preDump(options) : .dump(options), context.log)
        if !settings.preDump && !settings.leaveRunning { try waitForEnd(process.borrowed, record, context.log) }
    }

    private static func options(
        _ settings: CheckpointSettings,
        _ record: ContainerRecord,
        _ configuration: ContainerConfiguration,
        _ facts: HostFacts,
        _ directories: CheckpointDirectories
    ) throws(Failure) -> CRIUOptions {
        let placement = record.cgroups.placement
        var options = settings.options(configuration, directories, logFile: logFile)
        options.pid = record.pid
        options.leaveRunning = settings.leaveRunning
        options.trackMemory = settings.preDump || settings.parentPath != nil
        options.pageServer = settings.pageServer
        options.statusDescriptor = settings.statusDescriptor
        options.freezeCgroup = placement.freezer
        if placement.locations.isEmpty { options.cgroupMode = .ignore }
        let streams = try StandardStreams(ofProcess: record.pid)
        options.external = try ExternalMount.list(configuration, facts, placement).dumped(from: record.pid)
        options.external += try ExternalNamespace.list(configuration).map { namespace throws(Failure) in
            try namespace.dumped(from: record.pid)
        }
        options.external += streams.external
        if !settings.preDump { try streams.write(to: directories.images) }
        return options
    }

    private static func dump(_ program: CRIUProgram, _ request: CRIURequest, _ log: Log) throws(Failure) {
        log.begin(act: "dump")
        defer { log.end(.runtime) }
        try program.start(request).finish()
    }

    /// criu has killed the processes; whoever asks for the status next must not find them ending.
    private static func waitForEnd(
        _ process: BorrowedFD,
        _ record: ContainerRecord,
        _ log: Log
    ) throws(Failure) {
        log.begin(act: "waitForEnd")
        defer { log.end(.runtime) }
        let cgroup = record.cgroups.placement.makeManager()
        if try cgroup.isFrozen() { try cgroup.thaw() }
        let ended = try attempt("wait for process \(record.pid) to end", .poll) { () throws(Errno) in
            try Polling.wait(for: process, .readable, deadline: Deadline.cleanup)
        }
        guard ended != nil else {
            throw Failure("the images are complete, but process \(record.pid) did not end within 10 s")
        }
    }
}

/// What criu cannot do, or this program does not do with it.
enum CheckpointLimits {
    static func check(_ c: ContainerConfiguration, _ f: HostFacts) throws(Failure) {
        guard f.effectiveUserID == 0 && !f.isInUserNamespace else {
            throw Failure("checkpoint and restore need the machine's root: criu cannot do it for ordinary users")
        }
        if !c.namespaces.isSeparate(.pid) {
            throw Failure(
                "linux.namespaces has no pid namespace: the container's process ids could not be had again"
            )
        }
        if !c.namespaces.creates(.mount) {
            throw Failure(
                "linux.namespaces has no new mount namespace: criu needs one to build the container's root in"
            )
        }
        if c.namespaces.isSeparate(.user) {
            throw Failure("linux.namespaces has a user namespace: such a container cannot be checkpointed or restored")
        }
    }
}

/// A namespace that the container has joined: criu leaves it as it is.
struct ExternalNamespace: Equatable, Sendable {
    let kind: NamespaceKind
    let path: String

    static func list(_ c: ContainerConfiguration) -> [ExternalNamespace] {
        c.namespaces.joined.compactMap { joined in
            guard joined.kind == .network || joined.kind == .pid else { return nil }
            return ExternalNamespace(kind: joined.kind, path: joined.path)
        }
    }

    /// Its name in the images: runc's, so that they can be exchanged.
    var name: String { kind == .network ? "extRootNetNS" : "extRootPidNS" }

    func dumped(from pid: CInt) throws(Failure) -> String {
        let path = "/proc/\(pid)/ns/\(kind.procName)"
        let inode = try attempt("look at \(path)", .statx) { () throws(Errno) in
            try BorrowedFD.workingDirectory.facts(of: path, following: true).inode
        }
        return "\(kind.procName)[\(inode)]:\(name)"
    }
}

extension CgroupPlacement {
    /// The cgroup that criu freezes while it collects the processes; `nil` where there is no freezer.
    fileprivate var freezer: String? {
        locations.first { mode == .unified ? $0.isUnified : $0.carries("freezer") }?.directory
    }
}
