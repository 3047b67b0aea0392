// What every command works with, passed and never global.

package import Diagnostics
package import Launch
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
