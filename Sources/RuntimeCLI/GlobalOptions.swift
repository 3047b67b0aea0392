// What is said before the verb: where state is kept, where messages go, who makes cgroups.
// Filled by Invocation option by option, so that a mistake further on can still be written to the log asked for.

package import Diagnostics

/// How log lines look.
package typealias LogFormat = Log.Format

/// The least important messages to log.
package typealias LogLevel = Log.Level

/// Who creates the cgroups.
package enum CgroupManagerChoice: String, Sendable, CaseIterable {
    case cgroupfs, systemd
    /// Nobody: the container stays in the caller's cgroup.
    case disabled
}

/// Whether cgroups that may not be written are gone without.
package enum RootlessChoice: String, Sendable, CaseIterable {
    case yes = "true"
    case no = "false"
    /// Decided by what the caller is allowed.
    case automatic = "auto"

    /// `nil`: to be decided.
    var answer: Bool? {
        switch self {
        case .yes: true
        case .no: false
        case .automatic: nil
        }
    }
}

/// Where `--log` says that messages go.
package enum LogTarget: Equatable, Sendable {
    case file(String)
    case journal(identifier: String)
    case systemLog(identifier: String)

    /// A path, or crun's spellings `file:PATH`, `journald:IDENTIFIER` and `syslog:IDENTIFIER`. Behind its hyphen an
    /// empty value counts as not given, an empty identifier as this program's name.
    init?(_ value: String) {
        func rest(behind scheme: String) -> String? {
            value.utf8.starts(with: scheme.utf8) ? String(value.utf8.dropFirst(scheme.utf8.count)) : nil
        }
        if let identifier = rest(behind: "journald:") {
            self = .journal(identifier: identifier.isEmpty ? "apus" : identifier)
        } else if let identifier = rest(behind: "syslog:") {
            self = .systemLog(identifier: identifier.isEmpty ? "apus" : identifier)
        } else {
            let path = rest(behind: "file:") ?? value
            if path.isEmpty { return nil }
            self = .file(path)
        }
    }
}

/// What parsing needs to know of the process.
package struct Surroundings: Equatable, Sendable {
    /// The effective user id, as the machine sees it.
    package var userID: UInt32
    /// The value of `XDG_RUNTIME_DIR`.
    package var runtimeDirectory: String?
    /// Whether root is root of a user namespace only, as an ordinary user's engine makes itself.
    package var isInUserNamespace: Bool
    /// The value of `APUS_TRACE`, for engines that cannot be told to pass an option.
    package var trace: String?

    package init(
        userID: UInt32,
        runtimeDirectory: String?,
        isInUserNamespace: Bool = false,
        trace: String? = nil
    ) {
        self.trace = trace
        self.userID = userID
        self.runtimeDirectory = runtimeDirectory
        self.isInUserNamespace = isInUserNamespace
    }

    /// Root's own place, or the user's, so that every call by the same user finds the same containers.
    /// Only root may write to /run; a relative `XDG_RUNTIME_DIR` is void by the XDG base directory specification.
    var stateRoot: String {
        guard userID != 0 || isInUserNamespace, let runtimeDirectory, runtimeDirectory.utf8.starts(with: "/".utf8)
        else {
            return "/run/apus"
        }
        return runtimeDirectory + "/apus"
    }
}

/// The global options.
package struct GlobalOptions: Equatable, Sendable {
    /// The directory that holds the containers' state, as it was written: it may be relative to the working directory.
    package var root: String
    /// `nil` for standard error.
    package var log: LogTarget?
    package var logFormat: LogFormat = .text
    /// `nil` unless it was given.
    package var logLevel: LogLevel?
    package var cgroupManager: CgroupManagerChoice = .cgroupfs
    package var rootless: RootlessChoice = .automatic
    /// Where the times of the steps go: a file, or a directory that gets one file for each command.
    package var trace: String?
    /// The criu to use: a path, or a name to be found in `PATH`.
    package var criu = "criu"
    private var debug = false

    /// `--debug` counts as `--log-level debug`.
    package var level: LogLevel { debug ? .debug : logLevel ?? .warning }
    /// Whether somebody asked for that level.
    package var isLevelChosen: Bool { debug || logLevel != nil }

    /// The options as they are if none is given.
    package init(in surroundings: Surroundings) {
        root = surroundings.stateRoot
        trace = surroundings.trace
    }

    /// Notes one option that was given.
    mutating func note(_ name: OptionName, _ value: String) throws(OptionProblem) {
        switch name {
        case .root:
            // Containers are directories below it, and deleting one removes a tree.
            guard !value.isEmpty, value != "/" else {
                throw OptionProblem(message: "--root: \"\(value)\" cannot hold state; give a directory below /")
            }
            root = value
        case .trace: trace = value.isEmpty ? nil : value
        case .criu: criu = value.isEmpty ? "criu" : value
        case .log: log = LogTarget(value)
        case .logFormat: logFormat = try choice("--\(name.rawValue)", value)
        case .logLevel: logLevel = try choice("--\(name.rawValue)", value)
        case .cgroupManager: cgroupManager = try choice("--\(name.rawValue)", value)
        case .rootless: rootless = try choice("--\(name.rawValue)", value)
        default: break
        }
    }

    /// Notes one switch that was given.
    mutating func note(_ name: OptionName, isOn: Bool) {
        switch name {
        case .debug: debug = isOn
        case .systemdCgroup where isOn: cgroupManager = .systemd
        case .systemdCgroup where cgroupManager == .systemd: cgroupManager = .cgroupfs
        default: break
        }
    }

}
