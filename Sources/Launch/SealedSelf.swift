// The runtime's own file must not be writable through /proc/PID/exe by a container that shares a namespace with one of
// its processes (CVE-2019-5736). So commands that make processes run from a mount that nobody can write to or change.
// CLinux/seal.c moves them there before main; here every start is checked, and where that could not be done the program starts
// again from a copy in memory.

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

    /// What a mount looks like proves nothing: that of another mount namespace is as little to be copied as one that is in
    /// none, and can be made writable there. So the process itself remembers how it came here.
    private static func isSealed() throws(Failure) -> Bool {
        if Processes.isSealed { return true }
        return try attempt("look at the program's own file", .open) { () throws(Errno) in
            let own = try BorrowedFD.workingDirectory.open("/proc/self/exe", .readOnly)
            return AnonymousFiles.isSealed(own.borrowed)
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
