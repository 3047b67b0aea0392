// What the command line adds to the configuration.

package import Systemd

/// How a container is to be created, beside what its config.json says.
package struct LaunchRequest: Equatable, Sendable {
    /// Where init waits for its start.
    package enum Gate: Equatable, Sendable {
        /// At fifos in the state directory, for another command.
        case fifo
        /// At the channel, for this same command.
        case channel
    }

    /// Where the container's terminal goes.
    package enum Console: Equatable, Sendable {
        /// `process.terminal` is false.
        case none
        /// To whoever listens at this socket.
        case socket(path: String)
        /// To this same command.
        case foreground
    }

    /// Who looks after cgroups.
    package enum CgroupDriver: String, Equatable, Sendable {
        case cgroupfs, systemd, disabled
    }

    package var id: String
    /// Absolute.
    package var bundle: String
    package var gate: Gate
    package var console: Console
    package var cgroupDriver: CgroupDriver
    /// For the systemd driver: what annotations ask of the container's unit.
    package var unitProperties: [UnitProperty]
    package var noPivot: Bool
    package var noNewKeyring: Bool
    /// Descriptors from 3 up that the program keeps.
    package var preservedDescriptors: Int
    /// Added to the program's environment.
    package var listenEnvironment: [String]
    package var pidFile: String?
    package var pidfdSocket: String?
    /// Whether the container has a socket for notices to the caller's service manager.
    package var notifies: Bool

    package init(id: String, bundle: String) {
        self.id = id
        self.bundle = bundle
        gate = .fifo
        console = .none
        cgroupDriver = .cgroupfs
        unitProperties = []
        noPivot = false
        noNewKeyring = false
        preservedDescriptors = 0
        listenEnvironment = []
        notifies = false
    }
}
