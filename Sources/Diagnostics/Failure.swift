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
    /// The one object that it is about: a path, an id, or a key of config.json.
    package var subject: String? { facts.subject }
    /// The class: the thrower's word, or what the errno says.
    package var code: FailureCode {
        facts.code ?? facts.errno.map { FailureCode.of(facts.call, $0) } ?? .failed
    }
    /// Only what the thrower said.
    var givenCode: FailureCode? { facts.code }

    // Typed throws return the error by value everywhere: one word.
    private let box: Box
    private var facts: Facts { box.facts }

    /// Everything that a failure says.
    struct Facts: Sendable {
        var action: String
        var code: FailureCode?
        var subject: String?
        var call: SystemCall?
        var errno: Errno?
        var detail: String?
        var hint: String?
        var step: StepName?
        var role: ProcessRole?
    }

    private final class Box: Sendable {
        let facts: Facts

        init(_ facts: Facts) {
            self.facts = facts
        }
    }

    /// A kernel call that failed.
    package init(
        _ action: String,
        _ call: SystemCall,
        _ errno: Errno,
        code: FailureCode? = nil,
        subject: String? = nil,
        detail: String? = nil,
        hint: String? = nil
    ) {
        self.init(
            Facts(action: action, code: code, subject: subject, call: call, errno: errno, detail: detail, hint: hint)
        )
    }

    /// A situation that is wrong without a kernel call saying so.
    package init(_ statement: String, _ code: FailureCode? = nil, subject: String? = nil, hint: String? = nil) {
        self.init(Facts(action: statement, code: code, subject: subject, hint: hint))
    }

    init(_ facts: Facts) {
        box = Box(facts)
    }

    /// The same failure, placed in a step; a place given earlier (in another process) stays.
    /// - Parameter subject: What the step is about, for a failure that names no object itself.
    package func stamped(_ step: StepName, _ role: ProcessRole, about subject: String? = nil) -> Failure {
        guard facts.step == nil else { return self }
        return changed { facts in
            facts.step = step
            facts.role = role
            if facts.subject == nil { facts.subject = subject }
        }
    }

    /// The same failure with more advice.
    package func hinting(_ hint: String) -> Failure {
        changed { $0.hint = hint }
    }

    /// The same failure, said with more words before it.
    package func prefixed(_ words: String) -> Failure {
        changed { $0.action = "\(words): \($0.action)" }
    }

    private func changed(_ change: (inout Facts) -> Void) -> Failure {
        var facts = facts
        change(&facts)
        return Failure(facts)
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
