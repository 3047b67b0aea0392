// Descriptors with an owner: an `OwnedFD` closes when it goes, a `BorrowedFD` never does. Every descriptor that this
// program opens is close-on-exec; only PreparedExec clears that flag.

internal import CLinux
internal import Glibc

/// A descriptor that somebody else keeps open for as long as this value is used.
package struct BorrowedFD: Equatable, Sendable {
    package let rawValue: CInt

    /// Names a descriptor without owning it.
    package init(rawValue: CInt) {
        self.rawValue = rawValue
    }

    /// `AT_FDCWD`: relative paths start at the working directory.
    package static let workingDirectory = BorrowedFD(rawValue: AT_FDCWD)
    package static let standardInput = BorrowedFD(rawValue: 0)
    package static let standardOutput = BorrowedFD(rawValue: 1)
    package static let standardError = BorrowedFD(rawValue: 2)

    /// The path under which the kernel shows this descriptor to its own process: `/proc/self/fd/N`.
    package var procPath: String { "/proc/self/fd/\(rawValue)" }
}

/// An open descriptor, closed when the value's life ends.
package struct OwnedFD: ~Copyable, Sendable {
    package let rawValue: CInt

    /// Takes over a descriptor that nobody else will close.
    package init(adopting rawValue: CInt) {
        self.rawValue = rawValue
    }

    init(_ result: Int) {
        rawValue = CInt(truncatingIfNeeded: result)
    }

    deinit {
        _ = clinux_close(rawValue)
    }

    /// A view for calls; valid while this value lives.
    package var borrowed: BorrowedFD {
        BorrowedFD(rawValue: rawValue)
    }

    /// Gives the descriptor up without closing it.
    package consuming func release() -> CInt {
        let raw = rawValue
        discard self
        return raw
    }

    /// A close-on-exec copy of a descriptor. The corresponding command is `F_DUPFD_CLOEXEC` of `fcntl(2)`.
    package static func duplicating(_ fd: BorrowedFD, atLeast lowest: CInt = 3) throws(Errno) -> OwnedFD {
        OwnedFD(try check(clinux_fcntl(fd.rawValue, F_DUPFD_CLOEXEC, Int(lowest))))
    }
}

/// Two descriptors that belong together: the ends of a socket pair.
package struct DescriptorPair: ~Copyable, Sendable {
    package let first: OwnedFD
    package let second: OwnedFD

    /// Gives both up without closing them.
    package consuming func release() -> (CInt, CInt) {
        (first.release(), second.release())
    }

    init(_ first: consuming OwnedFD, _ second: consuming OwnedFD) {
        self.first = first
        self.second = second
    }
}
