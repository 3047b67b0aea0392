// Pseudo-terminals. See pty(7), ioctl_tty(2).

internal import CLinux
internal import Glibc

/// Rows and columns of a terminal.
package struct TerminalSize: Equatable, Sendable {
    package var rows: UInt16
    package var columns: UInt16

    package init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// A terminal's attributes as they were before `makeRaw`.
package struct TerminalAttributes: Sendable {
    fileprivate var bytes: [UInt8]
}

extension BorrowedFD {
    /// The other end of the pair behind this primary, by descriptor and not by name (`TIOCGPTPEER`).
    package func terminalPeer() throws(Errno) -> OwnedFD {
        OwnedFD(try check(clinux_terminal_peer(rawValue, O_RDWR | O_NOCTTY | O_CLOEXEC)))
    }

    /// Lets the other end be opened (`TIOCSPTLCK`).
    package func unlockTerminal() throws(Errno) {
        try check(clinux_terminal_unlock(rawValue))
    }

    /// N of `/dev/pts/N` (`TIOCGPTN`).
    package func terminalNumber() throws(Errno) -> Int {
        try check(clinux_terminal_number(rawValue))
    }

    package func setTerminalSize(_ size: TerminalSize) throws(Errno) {
        try check(clinux_terminal_set_size(rawValue, size.rows, size.columns))
    }

    /// - Throws: `ENOTTY` when this is no terminal.
    package func terminalSize() throws(Errno) -> TerminalSize {
        var size = TerminalSize(rows: 0, columns: 0)
        try check(unsafe clinux_terminal_get_size(rawValue, &size.rows, &size.columns))
        return size
    }

    /// Makes this the controlling terminal of the session (`TIOCSCTTY`).
    package func makeControllingTerminal() throws(Errno) {
        try check(clinux_terminal_make_controlling(rawValue))
    }

    /// Passes every byte through unchanged; returns what to restore.
    package func makeTerminalRaw() throws(Errno) -> TerminalAttributes {
        var saved = TerminalAttributes(bytes: Array(repeating: 0, count: Int(CLINUX_TERMIOS_SIZE)))
        try check(unsafe clinux_terminal_make_raw(rawValue, &saved.bytes))
        return saved
    }

    package func restoreTerminal(_ attributes: TerminalAttributes) throws(Errno) {
        try check(unsafe clinux_terminal_restore(rawValue, attributes.bytes))
    }

    /// Stops the terminal from turning newline into carriage return and newline on output.
    package func keepNewlines() throws(Errno) {
        try check(clinux_terminal_no_onlcr(rawValue))
    }

    /// The character that ends the input of whoever reads lines from the terminal (`VEOF` of termios(3)); nil where
    /// none does, as in raw mode.
    package func terminalEndOfFile() throws(Errno) -> UInt8? {
        let character = try check(clinux_terminal_end_of_file(rawValue))
        return character == 0 ? nil : UInt8(truncatingIfNeeded: character)
    }
}
