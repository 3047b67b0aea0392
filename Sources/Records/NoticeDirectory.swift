// The part of a state directory that the container can see: its own socket for notices to the service manager. Two
// directories, so that on the host only the owner can reach the socket, and in the container everybody.

package import Diagnostics
package import LinuxSystem

extension ContainerDirectory {
    private static let outer = "notify"
    private static let inner = "notify/container"
    private static let socket = "notify.sock"

    /// The directory that is mounted in the container.
    package static func noticeDirectory(of id: String, in stateRoot: StateRoot) -> String {
        "\(stateRoot.path)/\(id)/\(inner)"
    }

    /// Makes the directory; the socket in it is for whoever starts the container.
    package func makeNoticeDirectory() throws(Failure) {
        try attempt("make \(path)/\(Self.inner)", .mkdir) { () throws(Errno) in
            try directory.borrowed.makeDirectory(Self.outer, mode: 0o700)
            try directory.borrowed.makeDirectory(Self.inner, mode: 0o755)
            try directory.borrowed.changeMode(of: Self.inner, 0o755)
        }
    }

    /// Makes the socket and listens at it, in the place of one that an earlier starter has left.
    package func listenForNotices() throws(Failure) -> OwnedFD {
        try attempt("listen at \(path)/\(Self.inner)/\(Self.socket)", .bind) { () throws(Errno) in
            let inner = try directory.borrowed.open(Self.inner, [.readOnly, .directory, .noFollow])
            do throws(Errno) {
                try inner.borrowed.unlink(Self.socket)
            } catch .ENOENT {
                // The first one.
            }
            let listener = try Sockets.listen(forDatagramsAt: Self.socket, in: inner.borrowed)
            try inner.borrowed.changeMode(of: Self.socket, 0o666)
            return listener
        }
    }
}
