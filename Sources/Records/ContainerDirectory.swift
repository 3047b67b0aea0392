// One container's state directory: the lock, the record, the start gate. The record is replaced atomically, so a
// reader sees the old or the new document; the directory goes last, when nothing is left that it describes.

package import Diagnostics
internal import JSON
package import LinuxSystem

/// An open state directory. While it is locked exclusively, nobody else changes the container.
package final class ContainerDirectory {
    package let id: String
    /// Absolute.
    package let path: String
    private let root: OwnedFD
    let directory: OwnedFD
    /// Tells a directory from a later one of the same name.
    package private(set) var inode: UInt64 = 0
    /// What `readRecord` accepts; a record is a few KiB plus annotations and hooks.
    private static let maximumRecordSize = 16 << 20

    /// `nil` when there is no such directory, or it was removed while this call waited for its lock.
    init?(
        opening id: String,
        in root: consuming OwnedFD,
        of stateRoot: StateRoot,
        lock: BorrowedFD.LockKind?
    ) throws(Failure) {
        self.id = id
        path = "\(stateRoot.path)/\(id)"
        let place = path
        do throws(Errno) {
            directory = try root.borrowed.open(id, [.readOnly, .directory, .noFollow])
        } catch .ENOENT {
            return nil
        } catch {
            throw Failure("open the state directory \(place)", .open, error)
        }
        self.root = root
        if let lock {
            let directory = directory.borrowed
            let facts = try attempt("lock the state directory \(place)", .flock) { () throws(Errno) in
                try directory.lock(lock)
                return try directory.facts()
            }
            if facts.linkCount == 0 { return nil }
            inode = facts.inode
        }
    }

    /// The record.
    /// - Returns: `nil` when there is none yet (a creation that was interrupted before its first word).
    /// - Throws: When it cannot be read or is no record of this program.
    package func readRecord() throws(Failure) -> ContainerRecord? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try directory.borrowed.contents(of: "state.json", limit: Self.maximumRecordSize)
        } catch .ENOENT {
            return nil
        } catch {
            throw Failure("read \(path)/state.json", .read, error)
        }
        var record: ContainerRecord
        do throws(JSONError) {
            record = try JSONDecoder().decode(ContainerRecord.self, from: bytes)
        } catch {
            throw Failure(
                "\(path)/state.json is damaged: \(error)",
                .stateDamaged,
                subject: id,
                hint: removalHint
            )
        }
        guard record.layout <= ContainerRecord.currentLayout else {
            throw Failure(
                "\(path)/state.json: layout \(record.layout) was written by a later version of apus",
                .stateDamaged,
                subject: id
            )
        }
        try readProcess(into: &record)
        record.phase = try isMarkedCreated() ? .created : .creating
        return record
    }

    private static let processLink = "init"

    /// Notes which process the container's is; for good. The target of a link is written in one call, whole or not at all.
    package func recordProcess(pid: Int32, startTime: UInt64) throws(Failure) {
        try attempt("write \(path)/\(Self.processLink)", .symlink) { () throws(Errno) in
            try directory.borrowed.makeSymlink(Self.processLink, to: "\(pid) \(startTime)")
        }
    }

    private func readProcess(into record: inout ContainerRecord) throws(Failure) {
        let text: String
        do throws(Errno) {
            text = try directory.borrowed.readLink(Self.processLink)
        } catch .ENOENT {
            return
        } catch {
            throw Failure("read \(path)/\(Self.processLink)", .readlink, error)
        }
        let (pid, startTime) = text.cut(atLast: " ")
        guard let pid = Int32(pid), let startTime = UInt64(startTime) else {
            throw Failure("\(path)/\(Self.processLink) is damaged", .stateDamaged, subject: id, hint: removalHint)
        }
        record.pid = pid
        record.startTime = startTime
    }

    private var removalHint: String { "apus delete --force \(id) removes the container" }

    private static let createdMark = "created"

    /// Notes that everything but the program is in place; for good.
    package func markCreated() throws(Failure) {
        try attempt("write \(path)/\(Self.createdMark)", .open) { () throws(Errno) in
            _ = try directory.borrowed.open(
                Self.createdMark,
                [.writeOnly, .create, .exclusive, .noFollow],
                mode: 0o600
            )
        }
    }

    private func isMarkedCreated() throws(Failure) -> Bool {
        do throws(Errno) {
            _ = try directory.borrowed.facts(of: Self.createdMark)
            return true
        } catch .ENOENT {
            return false
        } catch {
            throw Failure("look at \(path)/\(Self.createdMark)", .statx, error)
        }
    }

    /// Replaces the record: a reader sees the old one or this one. It is not synchronised to a disk: after a power cut
    /// nothing that it describes exists any more, and `delete --force` removes a container whatever is left of its record.
    package func write(_ record: ContainerRecord) throws(Failure) {
        try replace("state.json", with: record.document)
    }

    /// Keeps the bundle's configuration as it was at create, for commands to come. Before `markCreated`, which vouches for it.
    package func keepConfiguration(_ bytes: [UInt8]) throws(Failure) {
        try attempt("write \(path)/config.json", .write) { () throws(Errno) in
            try fill("config.json", with: bytes)
        }
    }

    /// Replaces it by one with the limits of an update.
    package func replaceConfiguration(_ bytes: [UInt8]) throws(Failure) {
        try replace("config.json", with: bytes)
    }

    /// The configuration that was kept.
    package func readConfiguration() throws(Failure) -> [UInt8] {
        try attempt("read \(path)/config.json", .read) { () throws(Errno) in
            try directory.borrowed.contents(of: "config.json", limit: 64 << 20)
        }
    }

    private func replace(_ name: String, with bytes: [UInt8]) throws(Failure) {
        try attempt("write \(path)/\(name)", .write) { () throws(Errno) in
            let temporary = ".\(name).new"
            try fill(temporary, with: bytes)
            try directory.borrowed.rename(temporary, to: name)
        }
    }

    private func fill(_ name: String, with bytes: [UInt8]) throws(Errno) {
        let file = try directory.borrowed.open(name, [.writeOnly, .create, .truncate, .noFollow], mode: 0o600)
        try file.borrowed.write(bytes)
    }

    /// Removes the directory and what is in it. The last act of a deletion.
    package func remove() throws(Failure) {
        try attempt("remove the state directory \(path)", .rmdir) { () throws(Errno) in
            try Self.empty(directory.borrowed)
            try root.borrowed.removeDirectory(id)
        }
    }

    private static func empty(_ directory: BorrowedFD) throws(Errno) {
        let listing = try directory.open(".", [.readOnly, .directory])
        for entry in try listing.borrowed.entries() {
            guard let name = entry.name else { throw .EINVAL }
            if entry.isDirectory {
                let inner = try directory.open(name, [.readOnly, .directory, .noFollow])
                try empty(inner.borrowed)
                try directory.removeDirectory(name)
            } else {
                try directory.unlink(name)
            }
        }
    }

    /// Lets others change the container while this process goes on with what it has open.
    package func unlock() throws(Failure) {
        try attempt("unlock the state directory \(path)", .flock) { () throws(Errno) in
            try directory.borrowed.unlock()
        }
    }

    // The start gate: two fifos that init holds open from before it enters the root until it executes the program.
    // `start` carries one byte to init; `report` carries init's answer, and its end means that the program runs.

    /// Makes the gate and opens init's ends. Neither end ever blocks in opening.
    package func makeGate() throws(Failure) -> StartGate {
        try attempt("make the start gate in \(path)", .mknod) { () throws(Errno) in
            for name in ["start", "report"] {
                try directory.borrowed.makeNode(name, kind: .fifo, mode: 0o600)
            }
            return StartGate(
                start: try directory.borrowed.open("start", [.readWrite]),
                report: try directory.borrowed.open("report", [.readWrite])
            )
        }
    }

    /// Whether init still waits at the gate; false when it never had one, executes the program, or is gone.
    package var isGateHeld: Bool {
        (try? directory.borrowed.open("start", [.writeOnly, .nonBlocking])) != nil
    }

    /// Whether nobody is changing the container now.
    package var isUnlocked: Bool {
        do throws(Errno) {
            try directory.borrowed.lock(.shared, waiting: false)
            return true
        } catch {
            return false
        }
    }

    /// Opens the starter's ends of the gate.
    /// - Returns: `nil` when init no longer holds its own: it executes the program, or it is gone.
    package func openGate() throws(Failure) -> StartGate? {
        do throws(Errno) {
            let report = try directory.borrowed.open("report", [.readOnly, .nonBlocking])
            let start = try directory.borrowed.open("start", [.writeOnly, .nonBlocking])
            return StartGate(start: start, report: report)
        } catch .ENXIO {
            return nil
        } catch .ENOENT {
            return nil
        } catch {
            throw Failure("open the start gate in \(path)", .open, error)
        }
    }
}

/// One side's ends of the start gate.
package struct StartGate: ~Copyable {
    package let start: OwnedFD
    package let report: OwnedFD

    /// Gives both up without closing them.
    package consuming func release() -> (start: CInt, report: CInt) {
        (start.release(), report.release())
    }
}
