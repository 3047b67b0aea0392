// The file that tells the caller init's pid: decimal, no newline, never half written.

package import Diagnostics
internal import LinuxSystem

/// `--pid-file`.
package enum PIDFile {
    /// Writes beside the file and renames, so that a reader sees all digits or none.
    package static func write(_ pid: CInt, to path: String) throws(Failure) {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let nameStart = slash.map { path.utf8.index(after: $0) } ?? path.startIndex
        let temporary = "\(path[..<nameStart]).\(path[nameStart...])"
        let here = BorrowedFD.workingDirectory
        try attempt("write the pid file \(path)", .write) { () throws(Errno) in
            try? here.unlink(temporary)
            do throws(Errno) {
                let file = try here.open(temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
                try file.borrowed.write("\(pid)")
                try here.rename(temporary, to: path)
            } catch {
                try? here.unlink(temporary)
                throw error
            }
        }
    }

    package static func remove(_ path: String) throws(Failure) {
        do throws(Errno) {
            try BorrowedFD.workingDirectory.unlink(path)
        } catch .ENOENT {
            return
        } catch {
            throw Failure("remove the pid file \(path)", .unlink, error)
        }
    }
}
