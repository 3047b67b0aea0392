// Processes: birth, end, signals. A child made here shares no memory but runs on in the same image, so its branch is
// a closure that never returns: control cannot unwind into the parent's cleanup.

internal import CLinux
internal import Glibc
package import KernelTypes

/// How a process ended.
package enum ExitStatus: Equatable, Sendable {
    /// Its own exit code, 0 to 255.
    case exited(CInt)
    /// The signal that ended it.
    case signalled(CInt)

    /// As shells report it: the code, or 128 plus the signal's number.
    package var shellCode: CInt {
        switch self {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        }
    }
}

/// A new child: its pid as seen from here, and a descriptor for it.
package struct ChildProcess: ~Copyable {
    package let pid: CInt
    package let pidfd: OwnedFD

    /// Gives the descriptor to a longer-lived owner.
    package consuming func takeDescriptor() -> OwnedFD {
        pidfd
    }
}

/// Process system calls.
package enum Processes {
    /// Makes a child with the given new namespaces. The corresponding system call is `clone3(2)` with `CLONE_PIDFD`.
    /// - Parameters:
    ///   - cgroup: A cgroup v2 directory to be born in.
    ///   - sibling: Makes it a child of this process's parent (`CLONE_PARENT`).
    ///   - body: The child's life.
    package static func clone(
        namespaces: [NamespaceKind] = [],
        cgroup: BorrowedFD? = nil,
        sibling: Bool = false,
        _ body: () -> Never
    ) throws(Errno) -> ChildProcess {
        var request = clinux_clone_request(
            flags: namespaces.reduce(sibling ? 0x8000 : 0) { $0 | $1.cloneFlag },
            cgroup_fd: cgroup?.rawValue ?? -1,
            exit_signal: sibling ? 0 : SIGCHLD
        )
        var pidfd: CInt = -1
        let pid = try check(unsafe clinux_clone3(&request, &pidfd))
        if pid == 0 { body() }
        return ChildProcess(pid: CInt(truncatingIfNeeded: pid), pidfd: OwnedFD(adopting: pidfd))
    }

    /// Waits for a child to end and reaps it. The corresponding system call is `waitid(2)`.
    package static func reap(pidfd: BorrowedFD) throws(Errno) -> ExitStatus {
        var result = clinux_exit()
        try checkRetrying { unsafe clinux_waitid(3, pidfd.rawValue, WEXITED, &result) }
        return status(of: result)
    }

    /// Some child that has ended, left to be reaped; `nil` when none has.
    /// - Throws: `ECHILD` when there are no children at all.
    package static func peekEnded() throws(Errno) -> CInt? {
        var result = clinux_exit()
        try checkRetrying { unsafe clinux_waitid(0, 0, WEXITED | WNOHANG | WNOWAIT, &result) }
        return result.pid == 0 ? nil : result.pid
    }

    /// Reaps a child that has ended.
    package static func reap(pid: CInt) throws(Errno) -> ExitStatus {
        var result = clinux_exit()
        try checkRetrying { unsafe clinux_waitid(1, pid, WEXITED, &result) }
        return status(of: result)
    }

    private static func status(of result: clinux_exit) -> ExitStatus {
        result.code == 1 ? .exited(result.status) : .signalled(result.status)
    }

    /// A descriptor for a process; throws `ESRCH` when there is none. The corresponding call is `pidfd_open(2)`.
    ///
    /// The kernel also says `EINVAL` (`ENOENT` since 6.15) for a number that a thread has, or that a process had a
    /// moment ago: neither is a process.
    package static func open(pid: CInt) throws(Errno) -> OwnedFD {
        do throws(Errno) {
            return OwnedFD(try check(clinux_pidfd_open(pid, 0)))
        } catch  where pid > 0 && (error == .EINVAL || error == .ENOENT) {
            throw .ESRCH
        }
    }

    /// Signal 0 asks only whether it is there. The corresponding system call is `pidfd_send_signal(2)`.
    package static func signal(_ pidfd: BorrowedFD, _ number: CInt) throws(Errno) {
        try check(clinux_pidfd_send_signal(pidfd.rawValue, number))
    }

    /// The corresponding system call is `kill(2)`.
    package static func kill(pid: CInt, _ number: CInt) throws(Errno) {
        try check(clinux_kill(pid, number))
    }

    /// A copy of another process's descriptor. The corresponding system call is `pidfd_getfd(2)`.
    package static func descriptor(_ number: CInt, of pidfd: BorrowedFD) throws(Errno) -> OwnedFD {
        OwnedFD(try check(clinux_pidfd_getfd(pidfd.rawValue, number)))
    }

    package static var currentID: CInt { CInt(truncatingIfNeeded: clinux_getpid()) }
    /// 0 when the parent is outside this pid namespace.
    package static var parentID: CInt { CInt(truncatingIfNeeded: clinux_getppid()) }
    package static var effectiveUserID: UInt32 { UInt32(truncatingIfNeeded: clinux_geteuid()) }
    package static var effectiveGroupID: UInt32 { UInt32(truncatingIfNeeded: clinux_getegid()) }

    /// Whether the ids of this process are others than the machine's. False where /proc is not mounted.
    /// Source: user_namespaces(7), the initial namespace maps every id to itself.
    package static var isInUserNamespace: Bool {
        guard let file = try? BorrowedFD.workingDirectory.open("/proc/self/uid_map", .readOnly),
            let bytes = try? file.borrowed.read(upTo: 4096)
        else { return false }
        // user_namespaces(7); each number is padded to ten places.
        return !bytes.elementsEqual("         0          0 4294967295\n".utf8)
    }

    /// Ends this process without running any cleanup. The corresponding system call is `exit_group(2)`.
    package static func exit(_ code: CInt) -> Never {
        clinux_exit(code)
    }

    /// The corresponding system call is `setsid(2)`.
    package static func newSession() throws(Errno) {
        try check(clinux_setsid())
    }

    /// The signal that the kernel sends to this process when its parent ends; 0 for none. Cleared by a change of ids.
    package static func setParentDeathSignal(_ number: CInt) throws(Errno) {
        try check(clinux_prctl(1, UInt(number), 0, 0, 0))
    }

    /// Whether other processes of the same user may trace this one or read its memory and links in procfs.
    package static func setDumpable(_ dumpable: Bool) throws(Errno) {
        try check(clinux_prctl(4, dumpable ? 1 : 0, 0, 0, 0))
    }

    /// Makes this process the reaper of its orphaned descendants.
    package static func becomeSubreaper() throws(Errno) {
        try check(clinux_prctl(36, 1, 0, 0, 0))
    }

    /// Sets `comm`, at most 15 bytes.
    package static func setName(_ name: String) throws(Errno) {
        let result = unsafe name.withCString { text in clinux_prctl(15, UInt(bitPattern: text), 0, 0, 0) }
        try check(result)
    }

    /// `PR_SET_NO_NEW_PRIVS` of `prctl(2)`.
    package static func setNoNewPrivileges() throws(Errno) {
        try check(clinux_prctl(38, 1, 0, 0, 0))
    }

    /// Replaces this process's image; returns only the reason why not. The lists must end with `nil`.
    /// The corresponding system call is `execve(2)`.
    package static func execute(
        _ path: UnsafePointer<CChar>,
        _ arguments: UnsafePointer<UnsafePointer<CChar>?>,
        _ environment: UnsafePointer<UnsafePointer<CChar>?>
    ) -> Errno {
        Errno(CInt(truncatingIfNeeded: unsafe -clinux_execve(path, arguments, environment)))
    }

    /// Replaces this process's image by the file behind `fd`; returns only the reason why not. The corresponding call is `execveat(2)`.
    package static func execute(
        _ fd: BorrowedFD,
        _ arguments: UnsafePointer<UnsafePointer<CChar>?>,
        _ environment: UnsafePointer<UnsafePointer<CChar>?>
    ) -> Errno {
        Errno(CInt(truncatingIfNeeded: unsafe -clinux_fexecve(fd.rawValue, arguments, environment)))
    }

    /// Whether this process was moved onto a mount of its program that nobody can change, before main (seal.c).
    package static var isSealed: Bool { clinux_is_sealed() != 0 }

    /// Of a traced command, before any Swift ran: when it began, and when it was sealed (seal.c). Nanoseconds since 1970; 0
    /// where there was no such moment.
    package static var startTimes: (begin: Int64, sealed: Int64) { (clinux_start_time(0), clinux_start_time(1)) }

    /// The environment of this process, `NAME=value`. Nothing here changes it, so it is read once.
    package static let environment: [String] = unsafe strings(clinux_environment())

    /// - Parameter list: Ends with NULL.
    private static func strings(_ list: UnsafePointer<UnsafePointer<CChar>?>) -> [String] {
        var strings: [String] = []
        var index = 0
        while let text = unsafe list[index] {
            unsafe strings.append(String(cString: text))
            index += 1
        }
        return strings
    }
}

/// Names of the machine and time.
package enum Machine {
    /// The corresponding system call is `sethostname(2)`.
    package static func setHostName(_ name: String) throws(Errno) {
        try check(unsafe clinux_sethostname(name, name.utf8.count))
    }

    /// The corresponding system call is `setdomainname(2)`.
    package static func setDomainName(_ name: String) throws(Errno) {
        try check(unsafe clinux_setdomainname(name, name.utf8.count))
    }

    /// The release of the running kernel, such as `6.1.0-18-amd64`. The corresponding system call is `uname(2)`.
    package static func kernelRelease() -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        let length = unsafe clinux_kernel_release(&buffer, buffer.count)
        guard length > 0 else { return "" }
        return String(validating: buffer[..<length], as: UTF8.self) ?? ""
    }

    /// Seconds and nanoseconds since 1970, UTC.
    package static func wallClock() -> (seconds: Int64, nanoseconds: Int64) {
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        _ = unsafe clinux_clock_nanoseconds(CLOCK_REALTIME, &seconds, &nanoseconds)
        return (seconds, nanoseconds)
    }

    /// Nanoseconds on the clock that never jumps; for deadlines and traces.
    package static func monotonicNanoseconds() -> Int64 {
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        _ = unsafe clinux_clock_nanoseconds(CLOCK_MONOTONIC, &seconds, &nanoseconds)
        return seconds * 1_000_000_000 + nanoseconds
    }
}
