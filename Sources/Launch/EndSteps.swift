// What `start` and `delete` do, both in the runtime process. Plain values like the steps of a birth; executed by
// Lifecycle, which has the record that they work on.

package import Configuration

/// One act of `start`.
package enum StartStep: StepText {
    /// Finds the process at its gate.
    case openGate
    /// Lets it through.
    case openTheWay
    /// The end of init's report: the program runs.
    case waitForExecution
    case hook(HookPoint, index: Int, Hook)
    /// Connects to the caller's service manager and makes the container's own socket.
    case listenForNotices
    /// Until the container says that it is ready, which the service manager is told, or ends.
    case waitForReadiness

    package var name: String {
        switch self {
        case .openGate: "openGate"
        case .openTheWay: "openTheWay"
        case .waitForExecution: "waitForExecution"
        case .hook: "hook"
        case .listenForNotices: "listenForNotices"
        case .waitForReadiness: "waitForReadiness"
        }
    }

    package var detail: String {
        if case .hook(let point, let index, let hook) = self { return "\(point.rawValue)[\(index)] \(hook.path)" }
        return ""
    }

    package var subject: String? {
        if case .hook(_, _, let hook) = self { return hook.path }
        return nil
    }
}

/// One act of `delete`.
package enum DeletionStep: StepText {
    case endProcesses
    case removeCgroup
    case hook(HookPoint, index: Int, Hook)
    /// Last, when nothing is left that the record describes.
    case removeRecord

    package var name: String {
        switch self {
        case .endProcesses: "endProcesses"
        case .removeCgroup: "removeCgroup"
        case .hook: "hook"
        case .removeRecord: "removeRecord"
        }
    }

    package var detail: String {
        if case .hook(let point, let index, let hook) = self { return "\(point.rawValue)[\(index)] \(hook.path)" }
        return ""
    }

    package var subject: String? {
        if case .hook(_, _, let hook) = self { return hook.path }
        return nil
    }
}
