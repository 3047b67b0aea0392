// Dispositions, masks, and signals as readable events.

internal import CLinux

/// Signal system calls.
package enum Signals {
    /// Default disposition for all, nothing blocked: what a container's process must start with.
    package static func reset() throws(Errno) {
        try check(clinux_reset_signals())
    }

    /// Blocks all signals, so that they are read from `events()`.
    package static func blockAll() throws(Errno) {
        try check(clinux_block_signals(1))
    }

    package static func unblockAll() throws(Errno) {
        try check(clinux_block_signals(0))
    }

    package static func ignore(_ number: CInt) throws(Errno) {
        try check(clinux_ignore_signal(number))
    }

    /// A non-blocking descriptor from which blocked signals are read. The corresponding call is `signalfd(2)`.
    package static func events() throws(Errno) -> OwnedFD {
        OwnedFD(try check(clinux_signalfd()))
    }

    /// The next pending signal, 0 when there is none.
    package static func next(from fd: BorrowedFD) throws(Errno) -> CInt {
        var number: CInt = 0
        do throws(Errno) {
            try checkRetrying { unsafe clinux_read_signalfd(fd.rawValue, &number) }
        } catch .EAGAIN {
            return 0
        }
        return number
    }
}
