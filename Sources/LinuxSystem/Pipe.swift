// A pipe whose two ends are closed one by one, as the halves of a conversation end.

internal import CLinux
internal import Glibc

/// A close-on-exec pipe. The corresponding system call is `pipe2(2)`.
package final class Pipe {
    private var ends: [CInt] = [-1, -1]

    package init() throws(Errno) {
        try check(unsafe clinux_pipe2(&ends, O_CLOEXEC))
    }

    deinit {
        closeReader()
        closeWriter()
    }

    package var reader: BorrowedFD { BorrowedFD(rawValue: ends[0]) }
    package var writer: BorrowedFD { BorrowedFD(rawValue: ends[1]) }

    /// Closes this process's reading end, if it is still open.
    package func closeReader() {
        close(0)
    }

    /// Closes this process's writing end, if it is still open.
    package func closeWriter() {
        close(1)
    }

    private func close(_ end: Int) {
        if ends[end] >= 0 { _ = clinux_close(ends[end]) }
        ends[end] = -1
    }
}
