// The container's terminal, carried to and from this process's own: bytes unchanged, size followed, nothing lost at
// the end.

internal import Diagnostics
internal import LinuxSystem

/// A relay between standard streams and a terminal's primary.
final class TerminalRelay {
    private let primary: OwnedFD
    private var saved: TerminalAttributes?
    private var toContainer: [UInt8] = []
    private var toCaller: [UInt8] = []
    private var inputIsOpen = true
    private var lineIsOpen = false
    private var primaryIsOpen = true
    /// As much is read ahead of a slow reader.
    private static let bufferSize = 65_536

    init(_ primary: consuming OwnedFD) throws(Failure) {
        self.primary = primary
        resize()
        let terminal = self.primary.borrowed
        saved = try? BorrowedFD.standardInput.makeTerminalRaw()
        try attempt("carry the container's terminal", .fcntl) { () throws(Errno) in try terminal.setNonBlocking(true) }
    }

    /// The caller's terminal size becomes the container's; without one, it keeps its own.
    func resize() {
        guard let size = try? BorrowedFD.standardInput.terminalSize(), size.rows > 0, size.columns > 0 else { return }
        try? primary.borrowed.setTerminalSize(size)
    }

    /// Gives the caller its terminal back as it was.
    func restore() {
        if let saved { try? BorrowedFD.standardInput.restoreTerminal(saved) }
    }

    /// What to wait for: standard input, the terminal, standard output.
    var wanted: [(BorrowedFD, PollEvents)] {
        var primaryEvents: PollEvents = []
        if toCaller.isEmpty { primaryEvents.insert(.readable) }
        if !toContainer.isEmpty { primaryEvents.insert(.writable) }
        let nothing = BorrowedFD(rawValue: -1)
        return [
            (inputIsOpen && toContainer.isEmpty ? .standardInput : nothing, .readable),
            (primaryIsOpen && !primaryEvents.isEmpty ? primary.borrowed : nothing, primaryEvents),
            (toCaller.isEmpty ? nothing : .standardOutput, .writable),
        ]
    }

    /// Moves what is ready, one buffer each way.
    func carry(ready: [PollEvents]) {
        guard ready.count == 3 else { return }
        if !ready[0].isEmpty { readInput() }
        if !ready[1].isEmpty { readTerminal() }
        writeTerminal()
        if !ready[2].isEmpty || !toCaller.isEmpty { writeOutput() }
    }

    /// At the end: everything that the terminal still holds.
    func drain() {
        while primaryIsOpen || !toCaller.isEmpty {
            writeOutput()
            guard toCaller.isEmpty else { continue }
            let before = primaryIsOpen
            readTerminal()
            if before && toCaller.isEmpty { return }
        }
    }

    private func readInput() {
        do throws(Errno) {
            toContainer = try BorrowedFD.standardInput.read(upTo: Self.bufferSize)
            if toContainer.isEmpty {
                inputIsOpen = false
                toContainer = endOfInput()
            } else {
                lineIsOpen = toContainer.last != UInt8(ascii: "\n")
            }
        } catch .EAGAIN {
        } catch {
            inputIsOpen = false
        }
    }

    /// What tells the program that no more comes. In raw mode nothing can, and a character would only be more input.
    private func endOfInput() -> [UInt8] {
        guard let character = try? primary.borrowed.terminalEndOfFile() else { return [] }
        // Within a line, the first only hands over what there is of it.
        return Array(repeating: character, count: lineIsOpen ? 2 : 1)
    }

    private func readTerminal() {
        guard toCaller.isEmpty else { return }
        do throws(Errno) {
            toCaller = try primary.borrowed.read(upTo: Self.bufferSize)
            if toCaller.isEmpty { primaryIsOpen = false }
        } catch .EAGAIN {
        } catch {
            // EIO: every process has closed it.
            primaryIsOpen = false
        }
    }

    private func writeTerminal() {
        guard !toContainer.isEmpty else { return }
        do throws(Errno) {
            let written = try primary.borrowed.writeSome(toContainer)
            toContainer.removeFirst(written)
        } catch .EAGAIN {
        } catch {
            toContainer = []
        }
    }

    private func writeOutput() {
        guard !toCaller.isEmpty else { return }
        do throws(Errno) {
            let written = try BorrowedFD.standardOutput.writeSome(toCaller)
            toCaller.removeFirst(written)
        } catch .EAGAIN {
            _ = try? Polling.wait(for: .standardOutput, .writable)
        } catch {
            // Nobody reads any more: the program is not to be held up by that.
            toCaller = []
        }
    }
}
