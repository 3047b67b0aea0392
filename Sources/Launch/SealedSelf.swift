// The runtime's own file must not be writable through /proc/PID/exe by a container that shares a namespace with one of
// its processes (CVE-2019-5736). So commands that make processes run through a mount that nobody can write to or change.
// CLinux/seal.c starts them so, before main; here every start is checked, and a copy in memory is made where such a mount
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
        let mountID = try attempt("look at the sealed program", .statx) { () throws(Errno) in
            try sealed.borrowed.facts().mountID
        }
        let marker = ["\(Processes.sealMarker)=\(mountID)"]
        let prepared = PreparedExec(path: "", arguments: arguments, environment: unsealedEnvironment + marker)
        throw Failure("start again from the sealed program", .execveat, prepared.execute(sealed.borrowed))
    }

    /// What hooks inherit: this process's environment. The service manager's socket is for the container to speak to, and
    /// through the runtime only.
    package static var inheritedEnvironment: [String] {
        unsealedEnvironment.filter { !$0.hasPrefix("NOTIFY_SOCKET=") }
    }

    /// The environment without what the sealed start added.
    private static var unsealedEnvironment: [String] {
        Processes.environment.filter { variable in
            !variable.hasPrefix(Processes.sealMarker + "=") && !variable.hasPrefix(Processes.sealTimes + "=")
        }
    }

    /// The marker proves nothing by itself: the program's file must be on that mount, and that mount must be unwritable
    /// for good. What is in no mount namespace cannot be changed, which shows in that it cannot be copied either.
    private static func isSealed() throws(Failure) -> Bool {
        let marker = Processes.sealMarker + "="
        guard let value = Processes.environment.last(where: { $0.hasPrefix(marker) })?.dropFirst(marker.utf8.count)
        else {
            return false
        }
        return try attempt("look at the program's own file", .statx) { () throws(Errno) in
            let own = try BorrowedFD.workingDirectory.open("/proc/self/exe", .readOnly)
            guard String(try own.borrowed.facts().mountID) == value else { return false }
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
