// The kernel's error numbers, by the names that kernel people use. Thrown by every function of LinuxSystem, and only
// there; the rooms above wrap it in a `Failure` that says which act on which object failed.

internal import Glibc

/// An error number as the kernel returned it.
package struct Errno: Error, Equatable, Sendable, CustomStringConvertible {
    package let rawValue: CInt

    package init(_ rawValue: CInt) {
        self.rawValue = rawValue
    }

    /// The kernel's name, `EPERM`; `errno 4711` where this table has none.
    package var name: String {
        Errno.names.first(where: { $0.0 == rawValue })?.1 ?? "errno \(rawValue)"
    }

    /// glibc's sentence, in lower case, as engines that were written for runc look for it: docker decides by "permission
    /// denied" and "no such file or directory".
    package var sentence: String {
        let sentence = unsafe String(cString: strerror(rawValue))
        return "\(sentence.prefix(1).lowercased())\(sentence.dropFirst())"
    }

    /// The kernel's name and glibc's sentence: `EPERM (operation not permitted)`.
    package var description: String { "\(name) (\(sentence))" }

    package static let EPERM = Errno(Glibc.EPERM)
    package static let ENOENT = Errno(Glibc.ENOENT)
    package static let ESRCH = Errno(Glibc.ESRCH)
    package static let EINTR = Errno(Glibc.EINTR)
    package static let EIO = Errno(Glibc.EIO)
    package static let ENXIO = Errno(Glibc.ENXIO)
    package static let E2BIG = Errno(Glibc.E2BIG)
    package static let ENOEXEC = Errno(Glibc.ENOEXEC)
    package static let EBADF = Errno(Glibc.EBADF)
    package static let ECHILD = Errno(Glibc.ECHILD)
    package static let EAGAIN = Errno(Glibc.EAGAIN)
    package static let ENOMEM = Errno(Glibc.ENOMEM)
    package static let EACCES = Errno(Glibc.EACCES)
    package static let EBUSY = Errno(Glibc.EBUSY)
    package static let EEXIST = Errno(Glibc.EEXIST)
    package static let EXDEV = Errno(Glibc.EXDEV)
    package static let ENODEV = Errno(Glibc.ENODEV)
    package static let ENOTDIR = Errno(Glibc.ENOTDIR)
    package static let EISDIR = Errno(Glibc.EISDIR)
    package static let EINVAL = Errno(Glibc.EINVAL)
    package static let EMFILE = Errno(Glibc.EMFILE)
    package static let ENOTTY = Errno(Glibc.ENOTTY)
    package static let ENOSPC = Errno(Glibc.ENOSPC)
    package static let EROFS = Errno(Glibc.EROFS)
    package static let EPIPE = Errno(Glibc.EPIPE)
    package static let ERANGE = Errno(Glibc.ERANGE)
    package static let ENAMETOOLONG = Errno(Glibc.ENAMETOOLONG)
    package static let ENOSYS = Errno(Glibc.ENOSYS)
    package static let ENOTEMPTY = Errno(Glibc.ENOTEMPTY)
    package static let ELOOP = Errno(Glibc.ELOOP)
    package static let ENODATA = Errno(Glibc.ENODATA)
    package static let EOVERFLOW = Errno(Glibc.EOVERFLOW)
    package static let ENOTSUP = Errno(Glibc.ENOTSUP)
    package static let ECONNREFUSED = Errno(Glibc.ECONNREFUSED)
    package static let ECONNRESET = Errno(Glibc.ECONNRESET)
    package static let ETIMEDOUT = Errno(Glibc.ETIMEDOUT)
    package static let ENOKEY = Errno(Glibc.ENOKEY)
    package static let EDQUOT = Errno(Glibc.EDQUOT)
    package static let EUSERS = Errno(Glibc.EUSERS)
    package static let ETXTBSY = Errno(Glibc.ETXTBSY)

    private static let names: [(CInt, String)] = [
        (Glibc.EPERM, "EPERM"), (Glibc.ENOENT, "ENOENT"), (Glibc.ESRCH, "ESRCH"), (Glibc.EINTR, "EINTR"),
        (Glibc.EIO, "EIO"), (Glibc.ENXIO, "ENXIO"), (Glibc.E2BIG, "E2BIG"), (Glibc.ENOEXEC, "ENOEXEC"),
        (Glibc.EBADF, "EBADF"), (Glibc.ECHILD, "ECHILD"), (Glibc.EAGAIN, "EAGAIN"), (Glibc.ENOMEM, "ENOMEM"),
        (Glibc.EACCES, "EACCES"), (Glibc.EFAULT, "EFAULT"), (Glibc.EBUSY, "EBUSY"), (Glibc.EEXIST, "EEXIST"),
        (Glibc.EXDEV, "EXDEV"), (Glibc.ENODEV, "ENODEV"), (Glibc.ENOTDIR, "ENOTDIR"), (Glibc.EISDIR, "EISDIR"),
        (Glibc.EINVAL, "EINVAL"), (Glibc.ENFILE, "ENFILE"), (Glibc.EMFILE, "EMFILE"), (Glibc.ENOTTY, "ENOTTY"),
        (Glibc.ETXTBSY, "ETXTBSY"), (Glibc.EFBIG, "EFBIG"), (Glibc.ENOSPC, "ENOSPC"), (Glibc.ESPIPE, "ESPIPE"),
        (Glibc.EROFS, "EROFS"), (Glibc.EMLINK, "EMLINK"), (Glibc.EPIPE, "EPIPE"), (Glibc.EDOM, "EDOM"),
        (Glibc.ERANGE, "ERANGE"), (Glibc.EDEADLK, "EDEADLK"), (Glibc.ENAMETOOLONG, "ENAMETOOLONG"),
        (Glibc.ENOLCK, "ENOLCK"), (Glibc.ENOSYS, "ENOSYS"), (Glibc.ENOTEMPTY, "ENOTEMPTY"), (Glibc.ELOOP, "ELOOP"),
        (Glibc.ENODATA, "ENODATA"), (Glibc.ETIME, "ETIME"), (Glibc.EPROTO, "EPROTO"), (Glibc.EOVERFLOW, "EOVERFLOW"),
        (Glibc.EUSERS, "EUSERS"), (Glibc.ENOTSOCK, "ENOTSOCK"), (Glibc.EMSGSIZE, "EMSGSIZE"),
        (Glibc.EPROTONOSUPPORT, "EPROTONOSUPPORT"), (Glibc.EOPNOTSUPP, "EOPNOTSUPP"),
        (Glibc.EADDRINUSE, "EADDRINUSE"), (Glibc.ECONNRESET, "ECONNRESET"), (Glibc.ENOTCONN, "ENOTCONN"),
        (Glibc.ETIMEDOUT, "ETIMEDOUT"), (Glibc.ECONNREFUSED, "ECONNREFUSED"), (Glibc.EALREADY, "EALREADY"),
        (Glibc.ESTALE, "ESTALE"), (Glibc.EDQUOT, "EDQUOT"), (Glibc.ENOKEY, "ENOKEY"),
        (Glibc.EKEYEXPIRED, "EKEYEXPIRED"), (Glibc.EKEYREVOKED, "EKEYREVOKED"),
    ]
}

/// Turns the shims' "value or negated errno" into a value or a thrown `Errno`.
@inline(__always)
@discardableResult
func check(_ result: Int) throws(Errno) -> Int {
    guard result >= 0 else { throw Errno(CInt(truncatingIfNeeded: -result)) }
    return result
}

/// As `check`, repeating the call while a signal interrupts it.
@inline(__always)
@discardableResult
func checkRetrying(_ call: () -> Int) throws(Errno) -> Int {
    while true {
        let result = call()
        if result == -Int(Glibc.EINTR) { continue }
        return try check(result)
    }
}
