// Which file the container's program is: as execvp(3), in the container's root, with the container's PATH and ids.
// Called by init after it has entered the root and become the container's user.

package import Diagnostics
internal import LinuxSystem

/// Finding the program.
package enum ExecutableLookup {
    /// What execvp(3) searches when PATH is unset.
    package static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// The file to execute for `name`: itself when it has a slash, else the first executable one in PATH.
    /// - Throws: In the words that engines look for.
    package static func find(_ name: String, environment: [String]) throws(Failure) -> String {
        if name.utf8.contains(UInt8(ascii: "/")) {
            if let errno = obstacle(to: name) {
                throw Failure(
                    "exec: \"\(name)\": \(reason(errno))",
                    errno == .ENOENT ? .execNotFound : .execFailed,
                    subject: name
                )
            }
            return name
        }
        let path = environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? defaultPath
        var refused = false
        for directory in path.split(separator: ":", omittingEmptySubsequences: false) where !name.isEmpty {
            let candidate = (directory.isEmpty ? "." : String(directory)) + "/" + name
            switch obstacle(to: candidate) {
            case nil: return candidate
            case .EACCES?: refused = true
            default: continue
            }
        }
        if refused { throw Failure("exec: \"\(name)\": \(reason(.EACCES))", .execFailed, subject: name) }
        throw Failure("exec: \"\(name)\": executable file not found in $PATH", .execNotFound, subject: name)
    }

    private static func obstacle(to path: String) -> Errno? {
        do throws(Errno) {
            try BorrowedFD.workingDirectory.checkExecutable(path)
            let facts = try BorrowedFD.workingDirectory.facts(of: path, following: true)
            if facts.kind == .directory { return .EISDIR }
            return facts.kind == .regular ? nil : .EACCES
        } catch  where error == .ENOSYS || error == .EPERM {
            // The container's system-call filter does not let it be looked at: execve will tell.
            return nil
        } catch {
            return error
        }
    }

    private static func reason(_ errno: Errno) -> String {
        switch errno {
        case .ENOENT: "no such file or directory"
        case .ENOTDIR: "not a directory"
        case .EACCES: "permission denied"
        // The kernel's answer as well: older engines look for these words alone.
        case .EISDIR: "is a directory: permission denied"
        default: "\(errno)"
        }
    }
}
