// Names inside a tree that somebody hostile may own and change while we look. A string from the bundle is turned into
// a descriptor here and never becomes a string again. Called by Rootfs (and by whoever looks a file up in the
// container); never falls back to a weaker walk when openat2 refuses.

package import Diagnostics
package import LinuxSystem

/// A directory tree within which every lookup stays, whatever links it holds.
package struct RootHandle: ~Copyable {
    private let root: OwnedFD
    /// How the tree is called in error texts.
    package let name: String

    /// A kernel that sees the tree change during a lookup answers `EAGAIN`; so many tries are made.
    private static let lookupTries = 128
    /// As the kernel: more links than this in one lookup are a loop.
    private static let maximumLinks = 40

    /// - Parameter root: The tree's directory, also an `O_PATH` one.
    package init(_ root: consuming OwnedFD, name: String) {
        self.root = root
        self.name = name
    }

    package var directory: BorrowedFD { root.borrowed }

    /// Opens `path` as if this tree were the root directory: links, also absolute ones, and `..` stay inside; magic
    /// links are refused. The corresponding system call is `openat2(2)` with `RESOLVE_IN_ROOT`.
    package func open(_ path: String, _ flags: OpenFlags, mode: UInt32 = 0) throws(Failure) -> OwnedFD {
        try attempt("open \(path) in \(name)", .openat2) { () throws(Errno) in try lookUp(path, flags, mode: mode) }
    }

    /// As `open`, but `nil` when there is no such name (`ENOENT`, `ENOTDIR`).
    package func openIfPresent(_ path: String, _ flags: OpenFlags) throws(Failure) -> OwnedFD? {
        do throws(Errno) {
            return try lookUp(path, flags)
        } catch .ENOENT {
            return nil
        } catch .ENOTDIR {
            return nil
        } catch {
            throw Failure("open \(path) in \(name)", .openat2, error)
        }
    }

    /// Facts about the last component itself, which may be a link; `nil` when there is no such name.
    package func factsIfPresent(_ path: String) throws(Failure) -> FileFacts? {
        guard let fd = try openIfPresent(path, [.path, .noFollow]) else { return nil }
        return try attempt("look at \(path) in \(name)", .statx) { () throws(Errno) in try fd.borrowed.facts() }
    }

    /// Opens the directory `path`, making what is missing of it with `mode` less the file mode creation mask. Links
    /// that lead nowhere are followed to where, inside the tree, they would lead. Returns an `O_PATH` handle.
    package func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(Failure) -> OwnedFD {
        if let existing = try openIfPresent(path, [.path, .directory]) { return existing }
        if let made = try makeLastDirectory(of: path, mode: mode) { return made }
        return try attempt("make the directory \(path) in \(name)", .mkdir) { () throws(Errno) in
            try makeMissingDirectories(Self.components(of: path), mode: mode)
        }
    }

    /// The usual case, in fewer calls: the parent is there and nothing has the last component's name.
    private func makeLastDirectory(of path: String, mode: UInt32) throws(Failure) -> OwnedFD? {
        var components = Self.components(of: path)
        guard let name = components.popLast(), name != ".." else { return nil }
        guard let parent = try openIfPresent(components.text(separatedBy: "/"), [.path, .directory]) else { return nil }
        do throws(Errno) {
            try parent.borrowed.makeDirectory(name, mode: mode)
            return try parent.borrowed.open(name, [.path, .directory, .noFollow])
        } catch .EEXIST {
            return nil
        } catch {
            throw Failure("make the directory \(path) in \(self.name)", .mkdir, error)
        }
    }

    /// Opens `path`, making an empty file there (and its parent directories) when there is nothing. A link that leads
    /// nowhere is followed to where, inside the tree, it would lead. Returns an `O_PATH` handle.
    package func makeFile(_ path: String, mode: UInt32 = 0o644) throws(Failure) -> OwnedFD {
        if let existing = try openIfPresent(path, [.path]) { return existing }
        var wanted = path
        for _ in 0..<Self.maximumLinks {
            let place = try makeParent(of: wanted)
            do throws(Errno) {
                let flags: OpenFlags = [.create, .exclusive, .noFollow, .writeOnly]
                _ = try place.parent.borrowed.open(place.name, flags, mode: mode)
                return try place.parent.borrowed.open(place.name, [.path, .noFollow])
            } catch .EEXIST {
                // A link that leads nowhere; anything else was made by somebody meanwhile and the lookup below decides.
                guard let target = try? place.parent.borrowed.readLink(place.name) else { break }
                let directory = Self.components(of: wanted).dropLast().joined(separator: "/")
                wanted = target.utf8.first == UInt8(ascii: "/") ? target : directory + "/" + target
            } catch {
                throw Failure("make the file \(path) in \(name)", .open, error)
            }
        }
        return try open(wanted, [.path])
    }

    /// The directory that holds the last component of `path`, made when missing, and that component's name.
    package func makeParent(of path: String) throws(Failure) -> ParentAndName {
        var components = Self.components(of: path)
        guard let last = components.popLast(), last != ".." else {
            throw Failure("\(path) names the root of \(name) itself, where a name inside it is needed")
        }
        return ParentAndName(parent: try makeDirectories(components.text(separatedBy: "/")), name: last)
    }

    /// A directory and the name of something in it.
    package struct ParentAndName: ~Copyable {
        package let parent: OwnedFD
        package let name: String
    }

    private func lookUp(_ path: String, _ flags: OpenFlags, mode: UInt32 = 0) throws(Errno) -> OwnedFD {
        let inside = path.isEmpty ? "." : path
        var tries = 0
        while true {
            do throws(Errno) {
                return try root.borrowed.open(inside, flags, resolve: [.inRoot, .noMagicLinks], mode: mode)
            } catch .EAGAIN where tries < Self.lookupTries {
                tries += 1
            }
        }
    }

    private func makeMissingDirectories(_ wanted: [String], mode: UInt32) throws(Errno) -> OwnedFD {
        var pending = wanted[...]
        var reached: [String] = []
        var links = 0
        while let component = pending.popFirst() {
            if component == ".." {
                _ = reached.popLast()
                continue
            }
            let parent = try lookUp(reached.text(separatedBy: "/"), [.path, .directory])
            do throws(Errno) {
                let facts = try parent.borrowed.facts(of: component)
                if facts.kind == .symlink {
                    links += 1
                    if links > Self.maximumLinks { throw .ELOOP }
                    let target = try parent.borrowed.readLink(component)
                    if target.utf8.first == UInt8(ascii: "/") { reached = [] }
                    pending = (Self.components(of: target) + pending)[...]
                    continue
                }
                if facts.kind != .directory { throw .ENOTDIR }
            } catch .ENOENT {
                try makeOne(component, in: parent.borrowed, mode: mode)
            }
            reached.append(component)
        }
        return try lookUp(reached.text(separatedBy: "/"), [.path, .directory])
    }

    private func makeOne(_ component: String, in parent: BorrowedFD, mode: UInt32) throws(Errno) {
        do throws(Errno) {
            try parent.makeDirectory(component, mode: mode)
        } catch .EEXIST {
            // Made by somebody else between the look and now: the next lookup checks what it is.
        }
    }

    /// The components of a path without empty ones and `.`.
    package static func components(of path: String) -> [String] {
        path.parts(separatedBy: "/").filter { $0 != "." }
    }
}
