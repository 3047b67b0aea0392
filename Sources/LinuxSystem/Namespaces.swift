// Entering and leaving namespaces. See namespaces(7).

internal import CLinux
package import KernelTypes

/// Namespace system calls. They need a single-threaded process.
package enum Namespaces {
    /// Enters the namespace behind `fd`, which must be of the given kind. The corresponding call is `setns(2)`.
    package static func enter(_ fd: BorrowedFD, _ kind: NamespaceKind) throws(Errno) {
        try check(clinux_setns(fd.rawValue, CInt(truncatingIfNeeded: kind.cloneFlag)))
    }

    /// Enters the namespaces of a process, all at once or none; its pid namespace holds this process's children. The
    /// kernel puts them into the right order. The corresponding call is `setns(2)` with a pidfd.
    /// - Throws: `ESRCH` when the process has ended.
    package static func enter(of process: BorrowedFD, _ kinds: [NamespaceKind]) throws(Errno) {
        let flags = kinds.reduce(UInt64(0)) { $0 | $1.cloneFlag }
        try check(clinux_setns(process.rawValue, CInt(truncatingIfNeeded: flags)))
    }

    /// Moves this process (for pid and time: its children) into a new namespace. The call is `unshare(2)`.
    package static func unshare(_ kind: NamespaceKind) throws(Errno) {
        try unshare([kind])
    }

    /// Several at once.
    package static func unshare(_ kinds: [NamespaceKind]) throws(Errno) {
        try check(clinux_unshare(CInt(truncatingIfNeeded: kinds.reduce(0) { $0 | $1.cloneFlag })))
    }

    /// The `CLONE_NEW*` flag of the namespace behind `fd`. The corresponding request is `NS_GET_NSTYPE` of ioctl_ns(2).
    /// - Throws: `ENOTTY` when it is no namespace.
    package static func kindFlag(of fd: BorrowedFD) throws(Errno) -> UInt64 {
        UInt64(try check(clinux_namespace_type(fd.rawValue)))
    }
}
