// The one error type above the system-call layer: which act, on which object, by which call, with which errno, and,
// once the step runner has stamped it, in which step of which process. Thrown by every room above LinuxSystem;
// rendered by Rendering.swift; carried between processes by FailureRecord.swift. Nothing here logs.

package import LinuxSystem

/// The process in which something happened, by its part in a container's birth.
package enum ProcessRole: UInt8, Sendable, CaseIterable {
    /// The process that the caller started (`create`, `start`, ...).
    case runtime
    /// Lives only to enter namespaces that must be entered before init is born.
    case intermediate
    /// Becomes the container's process.
    case initial

    /// The role's word in texts: `runtime`, `intermediate`, `init`.
    package var name: String {
        switch self {
        case .runtime: "runtime"
        case .intermediate: "intermediate"
        case .initial: "init"
        }
    }
}

/// A step's place in its list.
package struct StepName: Equatable, Sendable {
    /// Counted from 1.
    package let index: Int
    package let name: String

    package init(index: Int, name: String) {
        self.index = index
        self.name = name
    }
}

/// A failed act.
package struct Failure: Error, Sendable {
    /// Imperative, our words: `mount the proc filesystem on /proc`. Names the object.
    package var action: String { facts.action }
    package var call: SystemCall? { facts.call }
    package var errno: Errno? { facts.errno }
    /// What qualifies the call (`nosuid,nodev`), or what the other side said.
    package var detail: String? { facts.detail }
    package var hint: String? { facts.hint }
    package var step: StepName? { facts.step }
    package var role: ProcessRole? { facts.role }

    // Typed throws return the error by value everywhere: one word.
    private let facts: Facts

    private final class Facts: Sendable {
        let action: String
        let call: SystemCall?
        let errno: Errno?
        let detail: String?
        let hint: String?
        let step: StepName?
        let role: ProcessRole?

        init(
            _ action: String,
            _ call: SystemCall?,
            _ errno: Errno?,
            _ detail: String?,
            _ hint: String?,
            _ step: StepName?,
            _ role: ProcessRole?
        ) {
            self.action = action
            self.call = call
            self.errno = errno
            self.detail = detail
            self.hint = hint
            self.step = step
            self.role = role
        }
    }

    /// A kernel call that failed.
    package init(_ action: String, _ call: SystemCall, _ errno: Errno, detail: String? = nil, hint: String? = nil) {
        facts = Facts(action, call, errno, detail, hint, nil, nil)
    }

    /// A situation that is wrong without a kernel call saying so.
    package init(_ statement: String, hint: String? = nil) {
        facts = Facts(statement, nil, nil, nil, hint, nil, nil)
    }

    private init(_ facts: Facts) {
        self.facts = facts
    }

    init(
        action: String,
        call: SystemCall?,
        errno: Errno?,
        detail: String?,
        hint: String?,
        step: StepName?,
        role: ProcessRole?
    ) {
        facts = Facts(action, call, errno, detail, hint, step, role)
    }

    /// The same failure, placed in a step; a place given earlier (in another process) stays.
    package func stamped(_ step: StepName, _ role: ProcessRole) -> Failure {
        guard facts.step == nil else { return self }
        return Failure(Facts(action, call, errno, detail, hint, step, role))
    }

    /// The same failure with more advice.
    package func hinting(_ hint: String) -> Failure {
        Failure(Facts(action, call, errno, detail, hint, step, role))
    }
}

/// Runs a kernel call and, when it fails, says what was being done.
/// - Parameters:
///   - action: Imperative, naming the object; evaluated only on failure.
///   - call: The call that `body` makes.
///   - detail: What qualifies it; evaluated only on failure.
@inline(__always)
package func attempt<Value: ~Copyable>(
    _ action: @autoclosure () -> String,
    _ call: SystemCall,
    detail: @autoclosure () -> String? = nil,
    _ body: () throws(Errno) -> Value
) throws(Failure) -> Value {
    do throws(Errno) {
        return try body()
    } catch {
        throw Failure(action(), call, error, detail: detail())
    }
}
