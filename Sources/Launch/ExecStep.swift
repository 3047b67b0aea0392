// What the runtime process does in `exec`. Plain values, executed by ExecSide; the lists are in ExecBirth.swift. What
// the new process does itself is said in the words of InitStep: it is in the place of init.

package import Configuration

/// One act of the runtime process in `exec`.
package enum ExecStep: StepText {
    /// Asks the loaded SELinux policy whether it knows a label.
    case checkLabel(String, key: String)
    case compileFilter(rules: Int)
    /// Opens what the process needs to be in the container's cgroup.
    case openCgroup([String])
    /// Has systemd move the intermediate process, where the runtime may not.
    case attachToScope([String])
    case connectConsole(path: String)
    case makeConsoleSocket
    /// `process.execCPUAffinity.initial`, which the process inherits.
    case setAffinity(NumberList)
    /// What is born from here on cannot be looked into, from its first instruction (CVE-2016-9962).
    case becomeUntraceable
    /// For the children: this process stays where it is.
    case enterPIDNamespace
    case cloneProcess
    case cloneIntermediate
    case findProcess
    case setOOMScoreAdjustment(Int)
    case passListener(path: String)
    case setLimit(ResourceLimit)
    case sendPidfd(path: String)
    case waitForExecution
    case writePIDFile(path: String)
    case tell(SyncMessage)
    case waitFor(SyncMessage)

    package var name: String {
        switch self {
        case .checkLabel: "checkLabel"
        case .compileFilter: "compileFilter"
        case .openCgroup: "openCgroup"
        case .attachToScope: "attachToScope"
        case .connectConsole: "connectConsole"
        case .makeConsoleSocket: "makeConsoleSocket"
        case .setAffinity: "setAffinity"
        case .becomeUntraceable: "becomeUntraceable"
        case .enterPIDNamespace: "enterPIDNamespace"
        case .cloneProcess: "cloneProcess"
        case .cloneIntermediate: "cloneIntermediate"
        case .findProcess: "findProcess"
        case .setOOMScoreAdjustment: "setOOMScoreAdjustment"
        case .passListener: "passListener"
        case .setLimit: "setLimit"
        case .sendPidfd: "sendPidfd"
        case .waitForExecution: "waitForExecution"
        case .writePIDFile: "writePIDFile"
        case .tell: "tell"
        case .waitFor: "waitFor"
        }
    }

    package var detail: String {
        switch self {
        case .checkLabel(let label, let key): "\(label) (\(key))"
        case .compileFilter(let rules): "\(rules) rules"
        case .openCgroup(let paths), .attachToScope(let paths): paths.joined(separator: " ")
        case .connectConsole(let path), .passListener(let path), .sendPidfd(let path), .writePIDFile(let path): path
        case .setAffinity(let cpus): cpus.text
        case .setOOMScoreAdjustment(let value): "\(value)"
        case .setLimit(let limit): limit.text
        case .tell(let message), .waitFor(let message): message.name
        case .makeConsoleSocket, .becomeUntraceable, .enterPIDNamespace, .cloneProcess, .cloneIntermediate,
            .findProcess, .waitForExecution:
            ""
        }
    }

    package var subject: String? {
        switch self {
        case .compileFilter: "linux.seccomp"
        case .connectConsole(let path), .passListener(let path), .sendPidfd(let path), .writePIDFile(let path): path
        case .setLimit(let limit): limit.name
        default: nil
        }
    }
}
