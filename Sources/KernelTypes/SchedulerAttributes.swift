// How a process is scheduled, as numbers. See sched_setattr(2).

/// Parameters of `sched_setattr(2)`; zero where not asked for.
package struct SchedulerAttributes: Equatable, Sendable {
    package var policy: UInt32 = 0
    package var flags: UInt64 = 0
    package var nice: Int32 = 0
    package var priority: UInt32 = 0
    /// Nanoseconds, for SCHED_DEADLINE.
    package var runtime: UInt64 = 0
    package var deadline: UInt64 = 0
    package var period: UInt64 = 0

    package init() {}
}
