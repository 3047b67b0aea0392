// `tmpcopyup`: a new tmpfs starts with what the image has at the destination. Called before the tmpfs is attached.
// Goes from descriptor to descriptor, one name at a time, and never follows a link.

internal import Diagnostics
internal import LinuxSystem

/// Copying a directory's content, with owners and modes; not its times and extended attributes.
enum TmpCopyUp {
    /// Bytes a call.
    private static let chunk = 1 << 24

    static func copy(from image: BorrowedFD, to tree: BorrowedFD, _ mount: PlannedMount) throws(Failure) {
        try attempt("copy \(mount.destination) up into \(mount.key)", .open) { () throws(Errno) in
            let source = try image.open(".", [.readOnly, .directory])
            try copyOwner(try source.borrowed.facts(), to: tree)
            try copyEntries(from: source.borrowed, to: tree)
        }
    }

    private static func copyEntries(from source: BorrowedFD, to target: BorrowedFD) throws(Errno) {
        for entry in try source.entries() {
            // A name that is not text cannot be passed on unchanged.
            guard let name = entry.name else { throw .EINVAL }
            let facts = try source.facts(of: name)
            switch facts.kind {
            case .directory:
                let inside = try source.open(name, [.readOnly, .directory, .noFollow])
                try target.makeDirectory(name, mode: 0o700)
                let made = try target.open(name, [.readOnly, .directory, .noFollow])
                try copyEntries(from: inside.borrowed, to: made.borrowed)
                try copyOwner(facts, to: made.borrowed)
                try made.borrowed.changeMode(facts.permissions)
            case .regular:
                try copyFile(name, facts, from: source, to: target)
            case .symlink:
                try target.makeSymlink(name, to: try source.readLink(name))
                try target.changeOwner(of: name, uid: facts.uid, gid: facts.gid)
            case .character, .block, .fifo:
                try target.makeNode(
                    name,
                    kind: facts.kind,
                    mode: facts.permissions,
                    major: facts.deviceMajor,
                    minor: facts.deviceMinor
                )
                try target.changeOwner(of: name, uid: facts.uid, gid: facts.gid)
            case .socket, .unknown:
                // A socket is nothing without the process that made it.
                continue
            }
        }
    }

    private static func copyFile(
        _ name: String,
        _ facts: FileFacts,
        from source: BorrowedFD,
        to target: BorrowedFD
    ) throws(Errno) {
        let content = try source.open(name, [.readOnly, .noFollow, .nonBlocking])
        let made = try target.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        while try AnonymousFiles.copy(from: content.borrowed, to: made.borrowed, count: chunk) > 0 {}
        try copyOwner(facts, to: made.borrowed)
        // After the change of owner, which clears the set-id bits.
        try made.borrowed.changeMode(facts.permissions)
    }

    private static func copyOwner(_ facts: FileFacts, to file: BorrowedFD) throws(Errno) {
        if facts.uid != 0 || facts.gid != 0 { try file.changeOwner(uid: facts.uid, gid: facts.gid) }
    }
}
