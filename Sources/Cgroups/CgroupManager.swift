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

    /// Makes the cgroups, and the missing ones above them. What this call made is removed again when it throws.
    /// An existing cgroup is taken over if it is empty and not frozen.
    func create() throws(Failure)

    /// Makes the cgroups around a process that waits for it; instead of `create`, where `placement.scope` is set. The limits
    /// hold from then on as far as systemd knows them; `apply` sets them all.
    func startScope(_ request: ScopeRequest) throws(Failure)

    /// Sets the limits and the device rules. Also on a running container: a limit that is absent is not touched.
    /// - Throws: A failure that names the key: `set linux.resources.memory.limit to 4096 (write, memory.limit_in_bytes)`.
    func apply(_ resources: ResourceConfiguration) throws(Failure)

    /// Opens what a process needs in order to enter the cgroups. To be called by a process that has left no
    /// namespace yet: the kernel checks the credentials at opening.
    /// - Parameter subgroups: Cgroups below the container's own ones; empty for these themselves.
    func openJoin(subgroups: [CgroupSubgroup]) throws(Failure) -> CgroupJoin

    /// Stops every process, and returns when all stand still. Undone when it throws.
    /// - Parameter deadline: On the monotonic clock, nanoseconds.
    func freeze(deadline: Int64) throws(Failure)

    /// Lets the processes run again; nothing happens if they do.
    func thaw() throws(Failure)

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

    /// Removes the cgroups and what is below them, waiting for dying processes. What does not exist is removed. Parents
    /// stay, as with runc. Can be called again after it threw.
    /// - Parameter deadline: On the monotonic clock, nanoseconds.
    /// - Throws: A failure that names the processes in the way.
    func remove(deadline: Int64) throws(Failure)

    /// What could not be done in the best way, one sentence each; to be logged.
    var warnings: [String] { get }

    /// Gives the cgroup to the container's root (v2 only). Runtime-spec: config-linux.md, Cgroup ownership.
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

    package var warnings: [String] { [] }
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
    func apply(_ resources: ResourceConfiguration) throws(Failure) {}
    func openJoin(subgroups: [CgroupSubgroup]) throws(Failure) -> CgroupJoin { CgroupJoin() }
    func freeze(deadline: Int64) throws(Failure) { throw unavailable("freeze the container") }
    func thaw() throws(Failure) {}
    func isFrozen() throws(Failure) -> Bool { false }
    func signalAll(_ number: CInt) throws(Failure) { throw unavailable("signal every process of the container") }
    func killAll(deadline: Int64) throws(Failure) {}
    func processes() throws(Failure) -> [CInt] { throw unavailable("list the processes of the container") }
    func oomKillCount() throws(Failure) -> UInt64? { nil }
    func remove(deadline: Int64) throws(Failure) {}
    func delegate(to uid: UInt32) throws(Failure) {}

    private func unavailable(_ action: String) -> Failure {
        Failure("\(action): it has no cgroup of its own")
    }
}
