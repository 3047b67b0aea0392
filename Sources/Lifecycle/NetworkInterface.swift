// What the interfaces of a container's network namespace carried, from /proc/PID/net/dev; see proc_pid_net(5).

internal import Diagnostics
internal import LinuxSystem

/// One interface, by its name in the container.
struct NetworkInterface: Equatable {
    let name: String
    /// In the order of `memberNames`.
    let counts: [UInt64]

    static let memberNames = [
        "RxBytes", "RxPackets", "RxErrors", "RxDropped", "TxBytes", "TxPackets", "TxErrors", "TxDropped",
    ]
    /// Where these are among the sixteen columns.
    private static let columns = [0, 1, 2, 3, 8, 9, 10, 11]

    /// All but the loopback of a process's network namespace.
    /// - Returns: `nil` when it is this process's own, whose interfaces carry also what others send, or when the process
    ///   has ended.
    static func all(ofProcess pid: CInt) throws(Failure) -> [NetworkInterface]? {
        do throws(Errno) {
            let here = try BorrowedFD.workingDirectory.readLink("/proc/self/ns/net")
            if try BorrowedFD.workingDirectory.readLink("/proc/\(pid)/ns/net") == here { return nil }
            let file = try BorrowedFD.workingDirectory.open("/proc/\(pid)/net/dev", .readOnly)
            return parse(String(decoding: try file.borrowed.readToEnd(limit: 16 << 20), as: UTF8.self))
        } catch .ENOENT {
            return nil
        } catch .ESRCH {
            return nil
        } catch .EINVAL {
            // A process that has ended, and is not reaped, has no network any more.
            return nil
        } catch {
            throw Failure("read /proc/\(pid)/net/dev", .read, error)
        }
    }

    /// Two lines of headings, then `eth0: 1 2 3 ...`.
    static func parse(_ text: String) -> [NetworkInterface] {
        text.split(separator: "\n" as Character).compactMap { line in
            guard let colon = line.lastIndex(of: ":") else { return nil }
            let name = line[..<colon].drop { $0 == " " }
            let numbers = line[line.index(after: colon)...].split(separator: " " as Character).map { UInt64($0) }
            guard name != "lo", numbers.count >= 16 else { return nil }
            return NetworkInterface(name: String(name), counts: columns.map { numbers[$0] ?? 0 })
        }
    }
}
