// The directory of all containers' state, one directory an id below it (`--root`). An id reaches the file system only
// after ContainerID has checked it.

package import Diagnostics
package import LinuxSystem

/// The state root.
package struct StateRoot: Sendable {
    /// Absolute.
    package let path: String

    /// - Parameter path: Absolute; need not exist.
    package init(path: String) {
        self.path = path
    }

    /// Makes a container's directory and locks it. Making it is what reserves the id.
    /// - Throws: When the id is in use.
    package func reserve(_ id: String) throws(Failure) -> ContainerDirectory {
        let root = try openRoot()
        do throws(Errno) {
            try root.borrowed.makeDirectory(id, mode: 0o711)
        } catch .EEXIST {
            throw Failure("container with given ID already exists: \(id)", .containerExists, subject: id)
        } catch {
            throw Failure("make the state directory \(path)/\(id)", .mkdir, error)
        }
        let container: ContainerDirectory?
        let hasRecord: Bool
        do throws(Failure) {
            container = try ContainerDirectory(opening: id, in: root, of: self, lock: .exclusive)
            hasRecord = try container?.readRecord() != nil
        } catch {
            // Nobody has put anything into it yet; if somebody did, it is no longer this creation's, and stays.
            if let root = try? openRoot() { try? root.borrowed.removeDirectory(id) }
            throw error
        }
        guard let container else {
            throw Failure("container \(id) was deleted while it was being created", .wrongState, subject: id)
        }
        // Deleted and made again by another creation, before this one had the lock: then it is the other's.
        guard !hasRecord else {
            throw Failure("container with given ID already exists: \(id)", .containerExists, subject: id)
        }
        return container
    }

    /// Opens a container's directory, waiting for whoever has it locked.
    /// - Parameter lock: `nil` for readers, which need none: the record is replaced as a whole.
    /// - Returns: `nil` when there is no such container.
    package func openIfPresent(_ id: String, lock: BorrowedFD.LockKind?) throws(Failure) -> ContainerDirectory? {
        let root: OwnedFD
        do throws(Errno) {
            root = try BorrowedFD.workingDirectory.open(path, [.path, .directory])
        } catch .ENOENT {
            return nil
        } catch {
            throw Failure("open the state root \(path)", .open, error)
        }
        return try ContainerDirectory(opening: id, in: root, of: self, lock: lock)
    }

    /// As `openIfPresent`, with the error that callers expect when there is none.
    package func open(_ id: String, lock: BorrowedFD.LockKind?) throws(Failure) -> ContainerDirectory {
        guard let container = try openIfPresent(id, lock: lock) else {
            throw Failure("container does not exist: \(id) (state root \(path))", .containerNotFound, subject: id)
        }
        return container
    }

    /// The ids of all containers, sorted. Empty when there is no state root.
    package func identifiers() throws(Failure) -> [String] {
        do throws(Errno) {
            let root = try BorrowedFD.workingDirectory.open(path, [.readOnly, .directory])
            return try root.borrowed.entries()
                .filter(\.isDirectory)
                .compactMap(\.name)
                .filter { !$0.hasPrefix(".") }
                .sorted()
        } catch .ENOENT {
            return []
        } catch {
            throw Failure("list the state root \(path)", .getdents, error)
        }
    }

    /// Opens a directory for things that can be made again, beside the containers; made when missing.
    package func openCache(_ name: String) throws(Failure) -> OwnedFD {
        let root = try openRoot()
        return try attempt("open the cache \(path)/.cache/\(name)", .open) { () throws(Errno) in
            for directory in [".cache", ".cache/\(name)"] {
                do throws(Errno) {
                    try root.borrowed.makeDirectory(directory, mode: 0o700)
                } catch .EEXIST {
                    continue
                }
            }
            return try root.borrowed.open(".cache/\(name)", [.readOnly, .directory, .noFollow])
        }
    }

    /// The same if it is there; nothing is made.
    package func openCacheIfPresent(_ name: String) -> OwnedFD? {
        try? BorrowedFD.workingDirectory.open("\(path)/.cache/\(name)", [.readOnly, .directory, .noFollow])
    }

    private func openRoot() throws(Failure) -> OwnedFD {
        if let root = try? BorrowedFD.workingDirectory.open(path, [.path, .directory]) { return root }
        var reached = ""
        for component in path.parts(separatedBy: "/") {
            reached += "/" + component
            do throws(Errno) {
                try BorrowedFD.workingDirectory.makeDirectory(reached, mode: 0o711)
            } catch .EEXIST {
                continue
            } catch {
                throw Failure("make the state root \(reached)", .mkdir, error)
            }
        }
        return try attempt("open the state root \(path)", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open(path, [.path, .directory])
        }
    }
}
