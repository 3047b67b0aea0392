// Cgroups that systemd makes: a transient scope around the container's process. systemd places, and hears of every limit
// that it has a property for, so that it never sets another; everything that has a file is then done by the driver of the
// machine's cgroup version. Called through CgroupManager.

package import Configuration
package import Diagnostics
internal import DBus
internal import LinuxSystem
internal import Systemd

/// What a driver of files can do with cgroups that somebody else has made.
protocol ScopeFiles: CgroupManager {
    /// Completes what systemd has made.
    /// - Parameter memberships: Where the process is now.
    func adopt(_ process: CInt, _ memberships: [CgroupMembership], _ resources: ResourceConfiguration) throws(Failure)
}

/// The manager for containers in scopes of systemd.
package final class SystemdDriver: CgroupManager {
    package let placement: CgroupPlacement
    private let scope: ScopePlacement
    private let files: any ScopeFiles
    private var conversation: SystemdConversation?
    /// Whether a unit of the name is the container's: on record, or agreed to by systemd. A failed try makes it nobody's.
    private var isOurs = true
    /// What the unit was started with: setting these again needs no call.
    private var started: ResourceConfiguration?
    package private(set) var warnings: [String] = []

    init(_ placement: CgroupPlacement, _ scope: ScopePlacement, _ conversation: SystemdConversation? = nil) {
        self.placement = placement
        self.scope = scope
        self.conversation = conversation
        files = placement.makeFileManager()
    }

    /// The manager of a container that is to be created. Asks systemd where its cgroups are.
    /// - Parameter resources: For hierarchies that are mounted in an unusual place.
    package static func plan(
        _ scope: ScopePlacement,
        resources: ResourceConfiguration,
        isRootless: Bool
    ) throws(Failure) -> SystemdDriver {
        let conversation = try SystemdConversation(with: scope.instance, environment: Processes.environment)
        let placement = try CgroupPlacement.plan(
            scope: scope,
            controlGroup: conversation.controlGroup,
            resources: resources,
            isRootless: isRootless
        )
        let noted = placement.mode == .unified ? placement : placement.notingMissingParents()
        return SystemdDriver(noted, scope, conversation)
    }

    private func talk() throws(Failure) -> SystemdConversation {
        if let conversation { return conversation }
        let new = try SystemdConversation(with: scope.instance, environment: Processes.environment)
        conversation = new
        return new
    }

    // MARK: Making

    package func create() throws(Failure) {
        throw Failure("make the cgroups of \(scope.name.unit): systemd makes them around a process")
    }

    package func createBirthplace() throws(Failure) -> CgroupJoin {
        throw Failure("make a cgroup to be born in for \(scope.name.unit): systemd makes it around a process")
    }

    package func startScope(_ request: ScopeRequest) throws(Failure) {
        let systemd = try talk()
        isOurs = false
        var properties: [UnitProperty] = [
            UnitProperty("Description", .string("apus container \(request.id)")),
            UnitProperty("Slice", .string(scope.name.slice)),
            UnitProperty("PIDs", .array(of: .uint32, [.uint32(UInt32(bitPattern: request.process))])),
            UnitProperty("Delegate", .boolean(true)),
            UnitProperty("DefaultDependencies", .boolean(false)),
            // A container that was killed for lack of memory must not keep its name.
            UnitProperty("CollectMode", .string("inactive-or-failed")),
        ]
        properties += try translation(systemd).accounting
        properties += try translation(systemd).properties(of: request.resources)
        let given = request.properties.map(\.name)
        properties = properties.filter { !given.contains($0.name) } + request.properties
        defer { isOurs = systemd.acceptedScope == scope.name.unit }
        try systemd.startScope(scope.name.unit, properties)
        // What is asked later has a deadline of its own.
        conversation = nil
        let memberships = try verify(request.process)
        try files.adopt(request.process, memberships, request.resources)
        started = request.resources
    }

    package func attach(_ process: CInt) throws(Failure) {
        let components = placement.locations.first?.path.parts(separatedBy: "/") ?? []
        let inner = components.drop { $0 != scope.name.unit }.dropFirst()
        try talk().attach(process, to: scope.name.unit, below: inner.map { "/\($0)" }.joined())
        _ = try verify(process)
    }

    private func translation(_ systemd: SystemdConversation) throws(Failure) -> SystemdTranslation {
        SystemdTranslation(
            isUnified: placement.mode == .unified,
            isUser: scope.instance.isUser,
            version: systemd.version
        )
    }

    /// systemd says that it is done; the kernel says where the process is.
    private func verify(_ process: CInt) throws(Failure) -> [CgroupMembership] {
        let path = "/proc/\(process)/cgroup"
        let bytes = try attempt("read \(path)", .read) { () throws(Errno) in
            try BorrowedFD.workingDirectory.contents(of: path, limit: 65_536)
        }
        let memberships = CgroupMembership.parse(bytes)
        let hierarchy = placement.mode == .unified ? "" : "name=systemd"
        let present = memberships.first { $0.hierarchy == hierarchy }?.path
        let wanted = placement.locations.first { $0.hierarchy == hierarchy }.map { "/\($0.path)" }
        guard let present, present == wanted else {
            throw Failure(
                "start the scope \(scope.name.unit): process \(process) should be in the cgroup \(wanted ?? "of no name"), "
                    + "and is in \(present ?? "none") although systemd is done"
            )
        }
        return memberships
    }

    // MARK: Limits

    package func apply(_ resources: ResourceConfiguration) throws(Failure) {
        if started != resources { try setProperties(for: resources) }
        try files.apply(resources)
    }

    /// The files decide; systemd is told afterwards.
    package func update(_ resources: ResourceConfiguration, devices: DeviceChange?) throws(Failure) {
        try files.update(resources, devices: devices)
        do throws(Failure) {
            try setProperties(for: resources)
        } catch {
            warnings.append("the limits hold, but systemd may go back to the old ones: \(error.line)")
        }
    }

    /// Tells systemd of limits, so that it does not set others when it looks at the unit again.
    package func setProperties(for resources: ResourceConfiguration) throws(Failure) {
        let systemd = try talk()
        let properties = try translation(systemd).properties(of: resources)
        if !properties.isEmpty { try systemd.setProperties(of: scope.name.unit, properties) }
        started = resources
    }

    // MARK: The end

    package func remove(deadline: Int64) throws(Failure) {
        if !isOurs {
            // A unit of that name is somebody else's, unless systemd fell silent before it could say so: then it ends by
            // itself, because its process has ended.
            if conversation?.breakdown != nil, try files.processes().isEmpty { try files.remove(deadline: deadline) }
            return
        }
        var failure: Failure?
        do throws(Failure) {
            // Nothing is asked of a systemd that did not answer before.
            if let breakdown = conversation?.breakdown { throw breakdown }
            try talk().stop(scope.name.unit)
        } catch {
            failure = error
        }
        // Without processes and without cgroups a scope ends by itself.
        try files.remove(deadline: deadline)
        if let failure {
            warnings.append("the cgroups of \(scope.name.unit) were removed without systemd: \(failure.line)")
        }
    }

    // MARK: What only the files know

    package func openJoin(subgroups: [CgroupSubgroup]) throws(Failure) -> CgroupJoin {
        try files.openJoin(subgroups: subgroups)
    }

    package func freeze(deadline: Int64) throws(Failure) { try files.freeze(deadline: deadline) }
    package func thaw() throws(Failure) { try files.thaw() }
    package func thawToKill() throws(Failure) { try files.thawToKill() }
    package func statistics() throws(Failure) -> CgroupStatistics { try files.statistics() }
    package func watchMemory() throws(Failure) -> MemoryWatch? { try files.watchMemory() }
    package func isFrozen() throws(Failure) -> Bool { try files.isFrozen() }
    package func signalAll(_ number: CInt) throws(Failure) { try files.signalAll(number) }
    package func killAll(deadline: Int64) throws(Failure) { try files.killAll(deadline: deadline) }
    package func processes() throws(Failure) -> [CInt] { try files.processes() }
    package func oomKillCount() throws(Failure) -> UInt64? { try files.oomKillCount() }
    package func delegate(to uid: UInt32) throws(Failure) { try files.delegate(to: uid) }
}
