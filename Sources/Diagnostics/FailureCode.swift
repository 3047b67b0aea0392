// The classes of failure, as words that tools can rely on: a JSON log line carries one. Tables only: one row a class
// with its meaning, and one row a group of errnos for failures whose thrower named none. Printed in docs/ERRORS.md.

internal import LinuxSystem

/// The class of a failure. The raw value is the word in the log; a word once published is never changed.
package enum FailureCode: String, Sendable, CaseIterable {
    case usage
    case configInvalid = "config-invalid"
    case containerExists = "container-exists"
    case containerNotFound = "container-not-found"
    case wrongState = "wrong-state"
    case stateDamaged = "state-damaged"
    case execNotFound = "exec-not-found"
    case execFailed = "exec-failed"
    case hookFailed = "hook-failed"
    case initDied = "init-died"
    case oomKilled = "oom-killed"
    case timeout
    case notPermitted = "not-permitted"
    case notFound = "not-found"
    case unsupported
    case exhausted
    case kernel
    case failed

    /// What the word says, for the documentation.
    package var meaning: String {
        switch self {
        case .usage: "the command line is wrong"
        case .configInvalid: "config.json, or another document that was given, breaks a rule"
        case .containerExists: "the id is in use"
        case .containerNotFound: "there is no container of that id"
        case .wrongState: "the container is not in a state in which the command can be carried out"
        case .stateDamaged: "what is recorded of the container cannot be read"
        case .execNotFound: "the program does not exist in the container"
        case .execFailed: "the program exists and cannot be executed"
        case .hookFailed: "a hook could not be run, exited with an error, or ran past its timeout"
        case .initDied: "the container's process ended without a word before its program ran"
        case .oomKilled: "the container's process was killed because its memory limit was reached"
        case .timeout: "something did not happen in time"
        case .notPermitted: "the kernel does not permit it to the caller"
        case .notFound: "a file, directory or process that is needed does not exist"
        case .unsupported: "this kernel or host cannot do what was asked for"
        case .exhausted: "a limit of the machine or of the caller is reached"
        case .kernel: "the kernel refused a call for another reason: see errno"
        case .failed: "anything else: see msg"
        }
    }

    /// The class that an errno speaks of, where the thrower named none. The first row that fits counts.
    static let byErrno: [(errnos: [Errno], code: FailureCode)] = [
        ([.EPERM, .EACCES, .EROFS], .notPermitted),
        ([.ENOENT, .ENOTDIR, .ESRCH], .notFound),
        ([.ENOSYS, .ENOTSUP], .unsupported),
        ([.EMFILE, .ENOSPC, .ENOMEM, .EAGAIN, .EDQUOT, .EUSERS], .exhausted),
        ([.ETIMEDOUT], .timeout),
    ]

    /// The class of a refused call.
    static func of(_ call: SystemCall?, _ errno: Errno) -> FailureCode {
        if call == .execve { return .execFailed }
        return byErrno.first { $0.errnos.contains(errno) }?.code ?? .kernel
    }

    /// In a failure's record: the place in `allCases`, counted from 1.
    var wireNumber: UInt8 { UInt8(truncatingIfNeeded: (Self.allCases.firstIndex(of: self) ?? 0) + 1) }

    init?(wireNumber: UInt8) {
        guard Self.allCases.indices.contains(Int(wireNumber) - 1) else { return nil }
        self = Self.allCases[Int(wireNumber) - 1]
    }
}
