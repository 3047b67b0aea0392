// How long the runtime waits for what should happen at once, on the monotonic clock.

internal import LinuxSystem

/// Limits of waiting.
package enum Deadline {
    /// For ended processes to leave their cgroup, and for the cgroup to go.
    package static var cleanup: Int64 { Machine.monotonicNanoseconds() + 10_000_000_000 }
    /// For a container that seems to be ending to have ended.
    static var ending: Int64 { Machine.monotonicNanoseconds() + 1_000_000_000 }
}
