// Whether a process is still the one that was recorded: pid, start time and boot together. Signals go only through a
// pidfd whose identity was checked after it was opened, so a stranger with a reused pid is never hit.

package import Diagnostics
package import LinuxSystem

/// Facts that name a process.
package enum ProcessIdentity {
    /// What `/proc/PID/stat` says.
    package struct Facts: Equatable, Sendable {
        /// Clock ticks after boot.
        package let startTime: UInt64
        /// `R`, `S`, `Z`, ...
        package let state: UInt8
    }

    /// The present boot's identifier.
    package static func bootID() throws(Failure) -> String { try presentBoot.get() }

    /// Read once: `list` asks for every container.
    private static let presentBoot = Result { () throws(Failure) in
        let bytes = try attempt("read the boot's identifier", .read) { () throws(Errno) in
            try BorrowedFD.workingDirectory.contents(of: "/proc/sys/kernel/random/boot_id", limit: 64)
        }
        return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
    }

    /// Facts about a process; `nil` when there is none.
    package static func facts(pid: Int32) throws(Failure) -> Facts? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try BorrowedFD.workingDirectory.contents(of: "/proc/\(pid)/stat", limit: 4096)
        } catch .ENOENT {
            return nil
        } catch .ESRCH {
            return nil
        } catch {
            throw Failure("read /proc/\(pid)/stat", .read, error)
        }
        // The name may hold spaces and parentheses: fields are counted after its last parenthesis and a space.
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")), end + 2 < bytes.count else { return nil }
        var place = end + 2
        let state = bytes[place]
        for _ in 3..<22 {
            guard let space = bytes[place...].firstIndex(of: UInt8(ascii: " ")) else { return nil }
            place = space + 1
        }
        let digits = bytes[place...].prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard let startTime = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
        return Facts(startTime: startTime, state: state)
    }

    /// A descriptor for the recorded process, if it still lives.
    /// - Returns: `nil` when it has ended, also when it waits to be reaped.
    package static func open(_ record: ContainerRecord) throws(Failure) -> OwnedFD? {
        guard record.pid > 0, try record.bootID == bootID() else { return nil }
        let pidfd: OwnedFD
        do throws(Errno) {
            pidfd = try Processes.open(pid: record.pid)
        } catch .ESRCH {
            return nil
        } catch {
            throw Failure("open a pidfd for process \(record.pid)", .pidfdOpen, error)
        }
        guard let facts = try facts(pid: record.pid), facts.startTime == record.startTime else { return nil }
        if facts.state == UInt8(ascii: "Z") || facts.state == UInt8(ascii: "X") { return nil }
        return pidfd
    }
}
