// Closing by number: many descriptors at once, and those whose owner cannot.

internal import CLinux

/// Descriptors that are not files of a directory.
package enum Descriptors {
    /// Closes a descriptor whose owner will not: in a child, which never unwinds to its parent's owners.
    package static func close(_ fd: BorrowedFD) {
        _ = clinux_close(fd.rawValue)
    }

    /// Closes every descriptor from `first` to `last`. The corresponding system call is `close_range(2)`.
    package static func closeAll(from first: CInt, through last: CInt) throws(Errno) {
        try check(clinux_close_range(UInt32(first), UInt32(last), 0))
    }
}
