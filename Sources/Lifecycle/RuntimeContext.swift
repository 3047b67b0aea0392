// What every command works with, passed and never global.

internal import Configuration
package import Diagnostics
package import Launch
internal import LinuxSystem
internal import OCISpec
package import Records

/// The surroundings of one invocation.
package struct RuntimeContext: Sendable {
    package let stateRoot: StateRoot
    package let log: Log
    package let cgroupDriver: LaunchRequest.CgroupDriver
    /// `--rootless`: whether cgroups that may not be made are gone without; `nil` decides by what the caller is.
    package let toleratesMissingCgroups: Bool?
    /// The criu to use: a path, or a name to be found in `PATH`.
    package let criu: String

    package init(
        stateRoot: StateRoot,
        log: Log,
        cgroupDriver: LaunchRequest.CgroupDriver,
        toleratesMissingCgroups: Bool? = nil,
        criu: String = "criu"
    ) {
        self.criu = criu
        self.toleratesMissingCgroups = toleratesMissingCgroups
        self.stateRoot = stateRoot
        self.log = log
        self.cgroupDriver = cgroupDriver
    }
}

// What commands find out before they do anything, with a place in the trace.
extension RuntimeContext {
    /// What the decisions depend on.
    func hostFacts() -> HostFacts {
        log.begin(act: "probeHost")
        defer { log.end(.runtime) }
        return HostProbe.facts()
    }

    /// Opens a container's directory. Waiting for its lock is a part of this.
    func open(_ id: String, lock: BorrowedFD.LockKind?) throws(Failure) -> ContainerDirectory {
        log.begin(act: "openRecord", id)
        defer { log.end(.runtime) }
        return try stateRoot.open(id, lock: lock)
    }

    /// The same, or `nil` when there is no such container.
    func openIfPresent(_ id: String, lock: BorrowedFD.LockKind?) throws(Failure) -> ContainerDirectory? {
        log.begin(act: "openRecord", id)
        defer { log.end(.runtime) }
        return try stateRoot.openIfPresent(id, lock: lock)
    }

    /// The container's record; `nil` when its creation was cut off before the first word.
    func record(in directory: ContainerDirectory) throws(Failure) -> ContainerRecord? {
        log.begin(act: "readRecord", directory.id)
        defer { log.end(.runtime) }
        return try directory.readRecord()
    }

    /// What the container is doing now.
    /// - Parameter isLocked: Whether this command itself holds the container's lock.
    func status(
        of record: ContainerRecord,
        in directory: ContainerDirectory,
        isLocked: Bool
    ) throws(Failure) -> ContainerStatus {
        log.begin(act: "findStatus", record.id)
        defer { log.end(.runtime) }
        return try ContainerStatus.of(record, in: directory, isLocked: isLocked)
    }
}

/// What `create` and `run` are asked for.
package struct CreateRequest: Sendable {
    package var id: String
    package var bundle: String
    package var configFile: String?
    package var consoleSocket: String?
    package var pidFile: String?
    package var pidfdSocket: String?
    package var noPivot = false
    package var noNewKeyring = false
    /// From 3 up, those of `listenEnvironment` included.
    package var preservedDescriptors = 0
    /// What the program is told of sockets passed to it.
    package var listenEnvironment: [String] = []
    /// The service manager that hears of the container; see `NotifySocket`.
    package var notifySocket: String?

    package init(id: String, bundle: String) {
        self.id = id
        self.bundle = bundle
    }
}
