// What the runtime asks of a container's cgroups, whichever version the machine has. Called by Launch (create, apply,
// join) and Lifecycle (everything else). A manager is made from a placement alone, so that a later command finds the
// cgroups that an earlier one made.

package import Configuration
package import Diagnostics
package import Systemd

/// A container's cgroups.
package protocol CgroupManager: AnyObject {
    /// What the container's record keeps, before `create` makes anything.
    var placement: CgroupPlacement { get }

    /// Makes the cgroups that `createBirthplace` did not, and the missing ones above them. What this call made is
    /// removed again when it throws. An existing cgroup is taken over if it is empty and not frozen.
    func create() throws(Failure)

    /// Makes only the v2 cgroup of a hybrid machine, which a process must be born in: moving there costs an RCU grace
    /// period.
    /// - Returns: What the process needs for that.
    func createBirthplace() throws(Failure) -> CgroupJoin

    /// Makes the cgroups around a process that waits for it; instead of `create`, where `placement.scope` is set. The limits
    /// hold from then on as far as systemd knows them; `apply` sets them all.
    func startScope(_ request: ScopeRequest) throws(Failure)

    /// Has a further process put into the cgroups of a scope, which this process may not do: see
    /// `CgroupPlacement.needsSystemdToEnter`.
    /// - Parameter process: Of the same user, by its number in the runtime's pid namespace.
    func attach(_ process: CInt) throws(Failure)

    /// Sets the limits and the device rules. Also on a running container: a limit that is absent is not touched.
    /// - Throws: A failure that names the key: `set linux.resources.memory.limit to 4096 (write, memory.limit_in_bytes)`.
    func apply(_ resources: ResourceConfiguration) throws(Failure)

    /// Changes limits of a container that lives: all of them or, when it throws, none. What could not be set back is
    /// then named in the failure.
    /// - Parameters:
    ///   - resources: A limit that is absent is not touched; its devices are not looked at.
    ///   - devices: `nil` leaves the device rules alone.
    func update(_ resources: ResourceConfiguration, devices: DeviceChange?) throws(Failure)

    /// Opens what a process needs in order to enter the cgroups. To be called by a process that has left no
    /// namespace yet: the kernel checks the credentials at opening.
    /// - Parameter subgroups: Cgroups below the container's own ones; empty for these themselves.
    func openJoin(subgroups: [CgroupSubgroup]) throws(Failure) -> CgroupJoin

    /// Stops every process, and returns when all stand still. Undone when it throws.
    /// - Parameter deadline: On the monotonic clock, nanoseconds.
    func freeze(deadline: Int64) throws(Failure)

    /// Lets the processes run again; nothing happens if they do.
    func thaw() throws(Failure)

    /// Thaws, also what the container froze below its own cgroup, where a frozen process does not die of `SIGKILL`:
    /// on v1. Nothing happens on v2, whose frozen processes do.
    func thawToKill() throws(Failure)

    /// Whether the processes are frozen, by `freeze` or otherwise.
    func isFrozen() throws(Failure) -> Bool

    /// Sends a signal to every process, once.
    func signalAll(_ number: CInt) throws(Failure)

    /// Kills every process, also frozen ones and those that are being born meanwhile.
    /// - Parameter deadline: On the monotonic clock, nanoseconds.
    func killAll(deadline: Int64) throws(Failure)

    /// The pids of all processes, also of those in cgroups below; empty when the cgroups do not exist.
    func processes() throws(Failure) -> [CInt]

    /// How often the kernel killed for lack of memory; `nil` when it does not count here.
    func oomKillCount() throws(Failure) -> UInt64?

    /// What the kernel counted; nothing where the cgroups do not exist.
    func statistics() throws(Failure) -> CgroupStatistics

    /// Hears from now on when memory runs out; `nil` when nobody says it here.
    func watchMemory() throws(Failure) -> MemoryWatch?

    /// Removes the cgroup that tells whether there are processes, if there are none; `remove` is still to be called.
    /// - Returns: Whether this call removed it; false also where it takes more than a look.
    func removeIfUnused() throws(Failure) -> Bool

    /// Removes what `create` and `createBirthplace` of this very manager made, when the birth failed: what was there before
    /// may be another container's.
    /// - Parameter deadline: On the monotonic clock, nanoseconds.
    func takeBack(deadline: Int64) throws(Failure)

    /// Removes the cgroups and what is below them, waiting for dying processes. What does not exist is removed. Parents
    /// stay, as with runc. Can be called again after it threw.
    /// - Parameter deadline: On the monotonic clock, nanoseconds.
    /// - Throws: A failure that names the processes in the way.
    func remove(deadline: Int64) throws(Failure)

    /// What could not be done in the best way, one sentence each; to be logged.
    var warnings: [String] { get }

    /// Gives the cgroup to the container's user (v2 only). Runtime-spec: config-linux.md, Cgroup ownership.
    /// - Parameter uid: On the host.
    func delegate(to uid: UInt32) throws(Failure)
}

/// What a container's scope unit is to be.
package struct ScopeRequest: Sendable {
    /// The process to put into it, by its number in the runtime's pid namespace.
    package let process: CInt
    package let id: String
    package let resources: ResourceConfiguration
    /// From annotations; they win over what the resources ask for.
    package let properties: [UnitProperty]

    package init(process: CInt, id: String, resources: ResourceConfiguration, properties: [UnitProperty]) {
        self.process = process
        self.id = id
        self.resources = resources
        self.properties = properties
    }
}

extension CgroupManager {
    package func startScope(_ request: ScopeRequest) throws(Failure) {
        throw Failure("start a scope: these cgroups are not made by systemd")
    }

    package func attach(_ process: CInt) throws(Failure) {
        throw Failure("move process \(process) into a scope: these cgroups are not made by systemd")
    }

    package var warnings: [String] { [] }

    package func removeIfUnused() throws(Failure) -> Bool { false }

    package func takeBack(deadline: Int64) throws(Failure) { try remove(deadline: deadline) }
}

/// `exec --cgroup`: where below the container's cgroups a process is to go.
package struct CgroupSubgroup: Equatable, Sendable {
    /// v1 controllers that this is about; empty for all.
    package let controllers: [String]
    /// From the container's own cgroup.
    package let path: String

    package init(controllers: [String], path: String) {
        self.controllers = controllers
        self.path = path
    }
}

/// Device rules before and after an update.
package struct DeviceChange: Equatable, Sendable {
    package let old: [DeviceRule]
    package let new: [DeviceRule]

    package init(from old: [DeviceRule], to new: [DeviceRule]) {
        self.old = old
        self.new = new
    }
}

extension CgroupPlacement {
    /// The manager for these cgroups; without locations, one that does nothing.
    package func makeManager() -> any CgroupManager {
        if locations.isEmpty { return DisabledDriver(self) }
        if let scope { return SystemdDriver(self, scope) }
        return makeFileManager()
    }

    /// The manager that works on the files alone.
    func makeFileManager() -> any ScopeFiles {
        mode == .unified ? UnifiedDriver(self) : LegacyDriver(self)
    }

    /// `--cgroup-manager disabled`: the container stays in the runtime's cgroups.
    package static let disabled = CgroupPlacement(mode: .none, locations: [], isRootless: false)
}

/// No cgroups: nothing is made, nothing is limited.
final class DisabledDriver: CgroupManager {
    let placement: CgroupPlacement

    init(_ placement: CgroupPlacement) {
        self.placement = placement
    }

    func create() throws(Failure) {}
    func createBirthplace() throws(Failure) -> CgroupJoin { CgroupJoin() }
    func apply(_ resources: ResourceConfiguration) throws(Failure) {}
    func update(_ resources: ResourceConfiguration, devices: DeviceChange?) throws(Failure) {
        throw unavailable("change the limits of the container")
    }
    func openJoin(subgroups: [CgroupSubgroup]) throws(Failure) -> CgroupJoin { CgroupJoin() }
    func freeze(deadline: Int64) throws(Failure) { throw unavailable("freeze the container") }
    func thaw() throws(Failure) {}
    func thawToKill() throws(Failure) {}
    func isFrozen() throws(Failure) -> Bool { false }
    func signalAll(_ number: CInt) throws(Failure) { throw unavailable("signal every process of the container") }
    func killAll(deadline: Int64) throws(Failure) {}
    func processes() throws(Failure) -> [CInt] { throw unavailable("list the processes of the container") }
    func oomKillCount() throws(Failure) -> UInt64? { nil }
    func statistics() throws(Failure) -> CgroupStatistics { throw unavailable("count what the container uses") }
    func watchMemory() throws(Failure) -> MemoryWatch? { nil }
    func remove(deadline: Int64) throws(Failure) {}
    func delegate(to uid: UInt32) throws(Failure) {}

    private func unavailable(_ action: String) -> Failure {
        Failure("\(action): it has no cgroup of its own", .unsupported)
    }
}
