// The process's own place in the file tree: working directory, root and creation mask. Shared by everything in a
// process, so only the processes of a birth change them.

internal import CLinux
internal import Glibc

/// Process-wide file matters.
package enum WorkingDirectory {
    /// The corresponding system call is `chdir(2)`.
    package static func change(to path: String) throws(Errno) {
        try check(unsafe clinux_chdir(path))
    }

    /// The kernel's own answer, which begins with `(unreachable)` when the directory is outside the root.
    /// The corresponding system call is `getcwd(2)`.
    package static func kernelPath() throws(Errno) -> String {
        var buffer = [UInt8](repeating: 0, count: 4097)
        let count = try check(unsafe clinux_getcwd(&buffer, buffer.count))
        guard let text = String(utf8: buffer[..<max(0, count - 1)]) else { throw .EINVAL }
        return text
    }

    /// The corresponding system call is `chroot(2)`.
    package static func changeRoot(to path: String) throws(Errno) {
        try check(unsafe clinux_chroot(path))
    }

    /// Sets the file mode creation mask and returns the old one. The corresponding system call is `umask(2)`.
    @discardableResult
    package static func setCreationMask(_ mask: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: clinux_umask(mask))
    }
}
