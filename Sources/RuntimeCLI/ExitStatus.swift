// What the process exits with, and how a failure is reported before it does. Callers decide by these numbers, so they
// are runc's. Used by main and the verbs; nothing here exits.

package import Diagnostics
internal import LinuxSystem

/// The exit status of apus.
package struct ExitStatus: RawRepresentable, Equatable, Sendable {
    /// 0...255.
    package let rawValue: CInt

    package init(rawValue: CInt) {
        self.rawValue = rawValue
    }

    package static let success = ExitStatus(rawValue: 0)
    /// A verb failed, or its options are wrong.
    package static let failure = ExitStatus(rawValue: 1)
    /// `exec` failed itself: 1 would be the program's.
    package static let execFailure = ExitStatus(rawValue: 255)
    /// There is no such verb.
    package static let noHelpTopic = ExitStatus(rawValue: 3)

    /// What `run` and `exec` exit with when the program exited with `code`: the same.
    package static func exited(_ code: CInt) -> ExitStatus {
        ExitStatus(rawValue: code & 0xff)
    }

    /// What `run` and `exec` exit with when a signal ended the program: 128 and the signal's number.
    package static func killed(by signal: CInt) -> ExitStatus {
        ExitStatus(rawValue: (128 | signal) & 0xff)
    }
}

extension Log {
    /// Reports the failure of a verb: `create web1: init, step 21 mount: ...` and what to do about it.
    /// - Parameters:
    ///   - failure: Its line is the message, its advice the hint; JSON lines carry its parts too.
    ///   - doing: What the user asked for: `create web1`.
    package func report(_ failure: Failure, doing: String) {
        var fields = [("code", failure.code.rawValue)]
        if let subject = failure.subject { fields.append(("subject", subject)) }
        if let call = failure.call { fields.append(("call", call.name)) }
        if let errno = failure.errno { fields.append(("errno", errno.name)) }
        if let role = failure.role { fields.append(("process", role.name)) }
        if let step = failure.step { fields.append(("step", step.name)) }
        if let advice = failure.advice { fields.append(("hint", advice)) }
        let message = doing.isEmpty ? failure.line : "\(doing): \(failure.line)"
        error(message, hint: failure.advice, fields: fields)
    }

    /// Reports a command line that was not understood.
    package func report(_ problem: UsageProblem) {
        error(problem.message.replacingLineBreaks, hint: nil, fields: [("code", FailureCode.usage.rawValue)])
    }
}

extension Log {
    /// The log that the global options ask for.
    /// - Parameter destination: Opened by the caller; `nil` for standard error.
    package init(_ globals: GlobalOptions, _ destination: LogDestination?) {
        let trace = globals.trace == nil ? nil : try? Trace()
        self.init(
            destination,
            format: globals.logFormat,
            level: globals.level,
            isLevelChosen: globals.isLevelChosen,
            trace: trace
        )
    }
}
