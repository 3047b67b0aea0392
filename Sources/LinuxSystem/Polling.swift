// Waiting for descriptors, always with a deadline on the monotonic clock or explicitly without one.

internal import CLinux
internal import Glibc

/// What to wait for, and what came.
package struct PollEvents: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }

    /// Of a literal; the protocol's own way costs a tenth of a millisecond of metadata at its first use.
    package init(arrayLiteral elements: PollEvents...) {
        rawValue = elements.reduce(0) { $0 | $1.rawValue }
    }

    /// As the protocol's, without its metadata.
    package var isEmpty: Bool { rawValue == 0 }

    package static let readable = PollEvents(rawValue: Int16(POLLIN))
    package static let priority = PollEvents(rawValue: Int16(POLLPRI))
    package static let writable = PollEvents(rawValue: Int16(POLLOUT))
    package static let error = PollEvents(rawValue: Int16(POLLERR))
    package static let hangUp = PollEvents(rawValue: Int16(POLLHUP))
}

/// Waiting.
package enum Polling {
    /// Waits until one descriptor is ready, without a list: init asks at its birth, when every list is the first of its kind.
    /// - Parameter deadline: On the monotonic clock, nanoseconds; `nil` waits for ever.
    /// - Returns: The events, or `nil` when the deadline passed. The call is `poll(2)`.
    package static func wait(
        for descriptor: BorrowedFD,
        _ events: PollEvents,
        deadline: Int64? = nil
    ) throws(Errno) -> PollEvents? {
        var fd = descriptor.rawValue
        var wanted = events.rawValue
        var returned: Int16 = 0
        while true {
            let ready = unsafe clinux_poll(&fd, &wanted, &returned, 1, milliseconds(until: deadline))
            if ready == -Int(EINTR) { continue }
            return try check(ready) == 0 ? nil : PollEvents(rawValue: returned)
        }
    }

    /// What is left, rounded up; -1 for ever.
    private static func milliseconds(until deadline: Int64?) -> CInt {
        guard let deadline else { return -1 }
        let left = max(0, deadline - Machine.monotonicNanoseconds())
        return CInt(clamping: (left + 999_999) / 1_000_000)
    }

    /// Waits until one or both of two descriptors can be read, without a list.
    /// - Returns: The events of each. The call is `poll(2)`.
    package static func wait(
        for first: BorrowedFD,
        or second: BorrowedFD
    ) throws(Errno) -> (first: PollEvents, second: PollEvents) {
        var (ofFirst, ofSecond): (Int16, Int16) = (0, 0)
        try checkRetrying {
            unsafe clinux_poll_two(first.rawValue, second.rawValue, PollEvents.readable.rawValue, &ofFirst, &ofSecond)
        }
        return (PollEvents(rawValue: ofFirst), PollEvents(rawValue: ofSecond))
    }

    /// Waits until one of at most eight descriptors is ready; an empty set at an index means not ready.
    /// - Parameter deadline: On the monotonic clock, nanoseconds; `nil` waits for ever.
    /// - Returns: The events per descriptor, or `nil` when the deadline passed. The call is `poll(2)`.
    package static func wait(
        for wanted: [(BorrowedFD, PollEvents)],
        deadline: Int64? = nil
    ) throws(Errno) -> [PollEvents]? {
        var fds = wanted.map(\.0.rawValue)
        let events = wanted.map(\.1.rawValue)
        var returned = [Int16](repeating: 0, count: wanted.count)
        while true {
            let timeout = milliseconds(until: deadline)
            let ready = unsafe clinux_poll(&fds, events, &returned, UInt32(wanted.count), timeout)
            if ready == -Int(EINTR) { continue }
            if try check(ready) == 0 { return nil }
            return returned.map(PollEvents.init(rawValue:))
        }
    }
}
