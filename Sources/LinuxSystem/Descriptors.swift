// Closing by number: many descriptors at once, and those whose owner cannot.

internal import CLinux

/// Descriptors that are not files of a directory.
package enum Descriptors {
    /// Closes a descriptor whose owner will not: in a child, which never unwinds to its parent's owners.
    package static func close(_ fd: BorrowedFD) {
        _ = clinux_close(fd.rawValue)
    }

    /// Puts /dev/null in the place of each standard stream that is closed. Otherwise the next file that is opened would be one:
    /// written to with messages, given to the container's user, and inherited by its program.
    package static func reserveStandardStreams() throws(Errno) {
        for number in 0...CInt(2) {
            do throws(Errno) {
                _ = try BorrowedFD(rawValue: number).descriptorFlags()
            } catch .EBADF {
                // The lowest free number is this one.
                let null = try BorrowedFD.workingDirectory.open("/dev/null", .readWrite)
                try null.borrowed.setCloseOnExec(false)
                _ = null.release()
            }
        }
    }

    /// Closes every descriptor from `first` to `last`. The corresponding system call is `close_range(2)`.
    package static func closeAll(from first: CInt, through last: CInt) throws(Errno) {
        try check(clinux_close_range(UInt32(first), UInt32(last), 0))
    }
}
