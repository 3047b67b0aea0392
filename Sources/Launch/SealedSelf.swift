// The runtime's own file must not be writable through /proc/PID/exe by a container that shares a namespace with one of
// its processes (CVE-2019-5736). So commands that make processes run from a mount that nobody can write to or change.
// CLinux/seal.c moves them there before main; here every start is checked, and a copy in memory is made where such a mount
// cannot be had.

package import Diagnostics
internal import LinuxSystem

/// Running from a file that nobody can change.
package enum SealedSelf {
    /// Returns in a process that runs sealed; starts this program again from a copy in memory if it does not.
    package static func ensure(arguments: [String]) throws(Failure) {
        if try isSealed() { return }
        let sealed = try attempt("copy the program to sealed memory", .memfdCreate) { () throws(Errno) in
            try memoryCopy()
        }
        let prepared = PreparedExec(path: "", arguments: arguments, environment: Processes.environment)
        throw Failure("start again from the sealed program", .execveat, prepared.execute(sealed.borrowed))
    }

    /// Whether the file behind /proc/self/exe is in sealed memory, or on a mount that is unwritable for good: what is in no
    /// mount namespace cannot be changed, which shows in that it cannot be copied either.
    private static func isSealed() throws(Failure) -> Bool {
        try attempt("look at the program's own file", .open) { () throws(Errno) in
            let own = try BorrowedFD.workingDirectory.open("/proc/self/exe", .readOnly)
            if AnonymousFiles.isSealed(own.borrowed) { return true }
            guard try own.borrowed.fileSystem().flags & 1 == 1 else { return false }
            return !MountAPI.isInNamespace(own.borrowed)
        }
    }

    private static func memoryCopy() throws(Errno) -> OwnedFD {
        let source = try BorrowedFD.workingDirectory.open("/proc/self/exe", .readOnly)
        let copy = try AnonymousFiles.make("apus", executable: true)
        while try AnonymousFiles.copy(from: source.borrowed, to: copy.borrowed, count: 1 << 24) > 0 {}
        try copy.borrowed.changeMode(0o511)
        try AnonymousFiles.seal(copy.borrowed)
        return copy
    }
}
