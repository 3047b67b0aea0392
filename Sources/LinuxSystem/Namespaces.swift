// Entering and leaving namespaces. See namespaces(7).

internal import CLinux
package import KernelTypes

/// Namespace system calls. They need a single-threaded process.
package enum Namespaces {
    /// Enters the namespace behind `fd`, which must be of the given kind. The corresponding call is `setns(2)`.
    package static func enter(_ fd: BorrowedFD, _ kind: NamespaceKind) throws(Errno) {
        try check(clinux_setns(fd.rawValue, CInt(truncatingIfNeeded: kind.cloneFlag)))
    }

    /// Moves this process (for pid and time: its children) into a new namespace. The call is `unshare(2)`.
    package static func unshare(_ kind: NamespaceKind) throws(Errno) {
        try check(clinux_unshare(CInt(truncatingIfNeeded: kind.cloneFlag)))
    }

    /// The `CLONE_NEW*` flag of the namespace behind `fd`. The corresponding request is `NS_GET_NSTYPE` of ioctl_ns(2).
    /// - Throws: `ENOTTY` when it is no namespace.
    package static func kindFlag(of fd: BorrowedFD) throws(Errno) -> UInt64 {
        UInt64(try check(clinux_namespace_type(fd.rawValue)))
    }
}
