// The container's terminal: a pair of the container's own devpts, its peer bound on /dev/console. Made after the root
// was entered and before /dev becomes read-only. Nothing of it is found by a name that the image controls alone.

package import Diagnostics
package import LinuxSystem
package import PathResolution

/// A terminal pair.
package struct Console: ~Copyable {
    /// For the process that shows the terminal; sent over the console socket.
    package let primary: OwnedFD
    /// The container's standard streams.
    package let peer: OwnedFD

    /// The numbers of every devpts' `ptmx`.
    private static let ptmx = (inode: UInt64(2), major: UInt32(5), minor: UInt32(2))

    /// Makes the terminal.
    /// - Parameters:
    ///   - root: The container's.
    ///   - uid: The process's user, who gets the terminal.
    ///   - size: `process.consoleSize`.
    package init(in root: borrowing RootHandle, owner uid: UInt32, size: TerminalSize?) throws(Failure) {
        let primary = try Self.openPrimary(root)
        let peer = try attempt("open the container's side of the terminal", .ioctl) { () throws(Errno) in
            try primary.borrowed.unlockTerminal()
            return try primary.borrowed.terminalPeer()
        }
        try attempt("give the terminal to user \(uid)", .chown) { () throws(Errno) in
            try peer.borrowed.changeOwner(uid: uid, gid: .max)
        }
        if let size {
            try attempt("set the terminal's size", .ioctl) { () throws(Errno) in
                try primary.borrowed.setTerminalSize(size)
            }
        }
        self.primary = primary
        self.peer = peer
    }

    private static func openPrimary(_ root: borrowing RootHandle) throws(Failure) -> OwnedFD {
        let directory = try root.open("/dev/pts", [.path, .directory])
        let type = try attempt("look at /dev/pts of the container", .statfs) { () throws(Errno) in
            try directory.borrowed.fileSystem().type
        }
        guard type == FileSystemType.devpts else {
            throw Failure(
                "/dev/pts of the container is no devpts, which a terminal needs",
                hint: "add a mount of type devpts with destination /dev/pts, or set process.terminal to false"
            )
        }
        let primary = try attempt("open /dev/pts/ptmx of the container", .openat2) { () throws(Errno) in
            try directory.borrowed.open(
                "ptmx",
                [.readWrite, .noControllingTerminal, .noFollow],
                resolve: [.beneath, .noCrossingMounts, .noSymlinks]
            )
        }
        let facts = try attempt("look at /dev/pts/ptmx of the container", .statx) { () throws(Errno) in
            try primary.borrowed.facts()
        }
        guard facts.kind == .character, facts.inode == ptmx.inode,
            facts.deviceMajor == ptmx.major, facts.deviceMinor == ptmx.minor
        else {
            throw Failure("/dev/pts/ptmx of the container is \(facts.kind.words), not the terminal multiplexer")
        }
        return primary
    }

}

extension RootfsExecutor {
    /// Makes the terminal and puts it on /dev/console.
    /// - Parameters:
    ///   - uid: The process's user, who gets the terminal.
    ///   - size: `process.consoleSize`.
    package func makeConsole(owner uid: UInt32, size: TerminalSize?) throws(Failure) -> Console {
        let console = try Console(in: root, owner: uid, size: size)
        try bindConsole(console.peer.borrowed)
        return console
    }

    private func bindConsole(_ peer: BorrowedFD) throws(Failure) {
        let tree = try attempt("copy the mount of the terminal", .openTree) { () throws(Errno) in
            try MountAPI.cloneTree(at: peer, "", recursive: false)
        }
        let directory = try root.open("/dev", [.path, .directory])
        do throws(Errno) {
            _ = try directory.borrowed.open("console", [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        } catch .EEXIST {
            // Bound over, unless it is a link: opened below without following, it cannot be mounted on then.
        } catch {
            throw Failure("make /dev/console", .open, error)
        }
        let target = try attempt("open /dev/console of the container", .open) { () throws(Errno) in
            try directory.borrowed.open("console", [.path, .noFollow])
        }
        let facts = try attempt("look at /dev/console of the container", .statx) { () throws(Errno) in
            try target.borrowed.facts()
        }
        if facts.kind == .symlink || facts.kind == .directory {
            throw Failure("the root filesystem has \(facts.kind.words) at /dev/console, where the terminal is to be")
        }
        try attempt("put the terminal on /dev/console", .moveMount) { () throws(Errno) in
            try MountAPI.attach(tree.borrowed, onto: target.borrowed)
        }
    }
}
