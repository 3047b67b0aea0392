// Files, directories and links, always relative to a descriptor. Callers that handle names from a bundle or a rootfs
// go through PathResolution; what is here does not confine.

internal import CLinux
internal import Glibc

/// `AT_EMPTY_PATH`: the call is about the descriptor itself.
let emptyPath: CInt = 0x1000

/// `open(2)` flags.
package struct OpenFlags: OptionSet, Sendable {
    package let rawValue: CInt
    package init(rawValue: CInt) { self.rawValue = rawValue }

    /// Of a literal; the protocol's own way costs a tenth of a millisecond of metadata at its first use.
    package init(arrayLiteral elements: OpenFlags...) {
        rawValue = elements.reduce(0) { $0 | $1.rawValue }
    }

    package static let readOnly: OpenFlags = []
    package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    package static let readWrite = OpenFlags(rawValue: O_RDWR)
    package static let create = OpenFlags(rawValue: O_CREAT)
    package static let exclusive = OpenFlags(rawValue: O_EXCL)
    package static let truncate = OpenFlags(rawValue: O_TRUNC)
    package static let append = OpenFlags(rawValue: O_APPEND)
    package static let directory = OpenFlags(rawValue: O_DIRECTORY)
    package static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    package static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    package static let noControllingTerminal = OpenFlags(rawValue: O_NOCTTY)
    /// `O_PATH`: a handle on the name's object, not on its content.
    package static let path = OpenFlags(rawValue: 0o10000000)
}

/// How `openat2(2)` may walk.
package struct ResolveFlags: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Of a literal; the protocol's own way costs a tenth of a millisecond of metadata at its first use.
    package init(arrayLiteral elements: ResolveFlags...) {
        rawValue = elements.reduce(0) { $0 | $1.rawValue }
    }

    package static let noCrossingMounts = ResolveFlags(rawValue: 0x01)
    package static let noMagicLinks = ResolveFlags(rawValue: 0x02)
    package static let noSymlinks = ResolveFlags(rawValue: 0x04)
    package static let beneath = ResolveFlags(rawValue: 0x08)
    package static let inRoot = ResolveFlags(rawValue: 0x10)
}

/// What `statx(2)` says of a file.
package struct FileFacts: Equatable, Sendable {
    package enum Kind: Sendable { case regular, directory, symlink, character, block, fifo, socket, unknown }

    /// Permission bits with set-id and sticky bits, without the type.
    package let permissions: UInt32
    package let kind: Kind
    package let linkCount: UInt32
    package let uid: UInt32
    package let gid: UInt32
    package let inode: UInt64
    /// Bytes.
    package let size: UInt64
    /// Of a device node.
    package let deviceMajor: UInt32
    package let deviceMinor: UInt32
    /// Of the file system that the file is on.
    package let fileSystemMajor: UInt32
    package let fileSystemMinor: UInt32
    package let mountID: UInt64

    init(_ raw: clinux_file_facts) {
        permissions = raw.mode & 0o7777
        kind =
            switch raw.mode & UInt32(S_IFMT) {
            case UInt32(S_IFREG): .regular
            case UInt32(S_IFDIR): .directory
            case UInt32(S_IFLNK): .symlink
            case UInt32(S_IFCHR): .character
            case UInt32(S_IFBLK): .block
            case UInt32(S_IFIFO): .fifo
            case UInt32(S_IFSOCK): .socket
            default: .unknown
            }
        linkCount = raw.link_count
        uid = raw.uid
        gid = raw.gid
        inode = raw.inode
        size = raw.size
        deviceMajor = raw.rdev_major
        deviceMinor = raw.rdev_minor
        fileSystemMajor = raw.dev_major
        fileSystemMinor = raw.dev_minor
        mountID = raw.mount_id
    }
}

/// Magic numbers of `statfs(2)` that decisions are made on.
package enum FileSystemType {
    package static let proc: UInt64 = 0x9fa0
    package static let cgroup2: UInt64 = 0x6367_7270
    package static let cgroup: UInt64 = 0x27e0eb
    package static let tmpfs: UInt64 = 0x0102_1994
    package static let devpts: UInt64 = 0x1cd1
    package static let sysfs: UInt64 = 0x6265_6572
}

extension BorrowedFD {
    /// Opens `path` relative to this directory, close-on-exec. The corresponding system call is `openat(2)`.
    package func open(_ path: String, _ flags: OpenFlags, mode: UInt32 = 0) throws(Errno) -> OwnedFD {
        OwnedFD(try checkRetrying { unsafe clinux_openat(rawValue, path, flags.rawValue | O_CLOEXEC, mode) })
    }

    /// Opens `path` with limits on the walk. The corresponding system call is `openat2(2)`; not retried on `EAGAIN`.
    package func open(
        _ path: String,
        _ flags: OpenFlags,
        resolve: ResolveFlags,
        mode: UInt32 = 0
    ) throws(Errno) -> OwnedFD {
        var how = clinux_open_how(
            flags: UInt64(UInt32(bitPattern: flags.rawValue | O_CLOEXEC)),
            mode: UInt64(mode),
            resolve: resolve.rawValue
        )
        return OwnedFD(try checkRetrying { unsafe clinux_openat2(rawValue, path, &how) })
    }

    /// Facts about `path`, not following a final link unless asked. The corresponding system call is `statx(2)`.
    package func facts(of path: String, following: Bool = false) throws(Errno) -> FileFacts {
        var raw = clinux_file_facts()
        let flags = following ? 0 : AT_SYMLINK_NOFOLLOW
        try check(unsafe clinux_file_facts(rawValue, path, flags, &raw))
        return FileFacts(raw)
    }

    /// Facts about the file behind this descriptor. The corresponding system call is `statx(2)`.
    package func facts() throws(Errno) -> FileFacts {
        var raw = clinux_file_facts()
        try check(unsafe clinux_file_facts(rawValue, "", emptyPath, &raw))
        return FileFacts(raw)
    }

    /// Magic number and mount flags (`ST_*`). The corresponding system call is `fstatfs(2)`.
    package func fileSystem() throws(Errno) -> (type: UInt64, flags: UInt64) {
        var type: UInt64 = 0
        var flags: UInt64 = 0
        try check(unsafe clinux_file_system_type(rawValue, &type, &flags))
        return (type, flags)
    }

    /// At most `limit` bytes from the present offset. The corresponding system call is `read(2)`.
    package func read(upTo limit: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            do throws(Errno) {
                count = try checkRetrying {
                    guard let base = buffer.baseAddress else { return 0 }
                    return unsafe clinux_read(rawValue, base, limit)
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// At most `count` bytes from `offset`, leaving the descriptor's own offset alone; fewer only at the end.
    /// The corresponding system call is `pread(2)`.
    package func read(count: Int, at offset: Int64) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let part = try unsafe bytes.withUnsafeMutableBufferPointer { buffer throws(Errno) -> Int in
                guard let base = buffer.baseAddress else { return 0 }
                return try checkRetrying {
                    unsafe clinux_pread(rawValue, base + done, count - done, offset + Int64(done))
                }
            }
            if part == 0 { break }
            done += part
        }
        bytes.removeLast(count - done)
        return bytes
    }

    /// Everything up to the end, refusing with `EOVERFLOW` when there is more than `limit`.
    /// - Parameter size: How much it is likely to be, so that it is read in one piece.
    package func readToEnd(limit: Int, expecting size: UInt64 = 0) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        // Most files of the kernel are short, and a page that is not touched need not be made.
        var chunk = max(4096, Int(min(size, UInt64(limit))) + 1)
        while true {
            let part = try read(upTo: chunk)
            if part.isEmpty { return bytes }
            if bytes.isEmpty { bytes = part } else { bytes.append(contentsOf: part) }
            if bytes.count > limit { throw .EOVERFLOW }
            chunk = part.count == chunk ? min(chunk * 4, 1 << 20) : 4096
        }
    }

    /// Writes all of `bytes`. The corresponding system call is `write(2)`.
    package func write(_ bytes: [UInt8]) throws(Errno) {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(Errno) in try unsafe write(buffer) }
    }

    /// Writes all of `text` as UTF-8. The corresponding system call is `write(2)`.
    package func write(_ text: String) throws(Errno) {
        try write(Array(text.utf8))
    }

    private func write(_ buffer: UnsafeBufferPointer<UInt8>) throws(Errno) {
        guard let base = buffer.baseAddress else { return }
        var done = 0
        while done < buffer.count {
            done += try checkRetrying { unsafe clinux_write(rawValue, base + done, buffer.count - done) }
        }
    }

    /// Writes as much as is taken at once; returns how many bytes. The corresponding system call is `write(2)`.
    package func writeSome(_ bytes: [UInt8]) throws(Errno) -> Int {
        try unsafe bytes.withUnsafeBufferPointer { buffer throws(Errno) -> Int in
            guard let base = buffer.baseAddress else { return 0 }
            return try checkRetrying { unsafe clinux_write(rawValue, base, buffer.count) }
        }
    }

    /// One `write(2)` of all the bytes, for files that take a value whole (cgroup and procfs files).
    /// A short write is reported as `EIO`.
    package func writeOnce(_ bytes: [UInt8]) throws(Errno) {
        if try writeSome(bytes) != bytes.count { throw .EIO }
    }

    /// Everything in the file `path`, refusing with `EOVERFLOW` when there is more than `limit`. A final link is not
    /// followed.
    package func contents(of path: String, limit: Int) throws(Errno) -> [UInt8] {
        let file = try open(path, [.readOnly, .noFollow])
        return try file.borrowed.readToEnd(limit: limit)
    }

    /// Writes a value whole to the existing file `path`, as cgroup and procfs files want it.
    package func setContents(of path: String, to bytes: [UInt8]) throws(Errno) {
        let file = try open(path, [.writeOnly, .noFollow])
        try file.borrowed.writeOnce(bytes)
    }

    /// The target of a link, as text. Names that are not UTF-8 are refused with `EINVAL`.
    /// The corresponding system call is `readlinkat(2)`.
    package func readLink(_ path: String) throws(Errno) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = try check(unsafe clinux_readlinkat(rawValue, path, &buffer, buffer.count))
        if count == buffer.count { throw .ENAMETOOLONG }
        guard let text = String(validating: buffer[..<count], as: UTF8.self) else { throw .EINVAL }
        return text
    }

    /// The corresponding system call is `mkdirat(2)`.
    package func makeDirectory(_ path: String, mode: UInt32) throws(Errno) {
        try check(unsafe clinux_mkdirat(rawValue, path, mode))
    }

    /// The corresponding system call is `mknodat(2)`.
    package func makeNode(
        _ path: String,
        kind: FileFacts.Kind,
        mode: UInt32,
        major: UInt32 = 0,
        minor: UInt32 = 0
    ) throws(Errno) {
        let type: UInt32 =
            switch kind {
            case .character: UInt32(S_IFCHR)
            case .block: UInt32(S_IFBLK)
            case .fifo: UInt32(S_IFIFO)
            default: UInt32(S_IFREG)
            }
        try check(unsafe clinux_mknodat(rawValue, path, type | mode, major, minor))
    }

    /// The corresponding system call is `symlinkat(2)`.
    package func makeSymlink(_ path: String, to target: String) throws(Errno) {
        try check(unsafe clinux_symlinkat(target, rawValue, path))
    }

    /// The corresponding system call is `unlinkat(2)`.
    package func unlink(_ path: String) throws(Errno) {
        try check(unsafe clinux_unlinkat(rawValue, path, 0))
    }

    /// The corresponding system call is `unlinkat(2)` with `AT_REMOVEDIR`.
    package func removeDirectory(_ path: String) throws(Errno) {
        try check(unsafe clinux_unlinkat(rawValue, path, AT_REMOVEDIR))
    }

    /// Renames within this directory, replacing the target. The corresponding system call is `renameat2(2)`.
    package func rename(_ old: String, to new: String) throws(Errno) {
        try check(unsafe clinux_renameat2(rawValue, old, rawValue, new, 0))
    }

    /// The corresponding system call is `fchmod(2)`.
    package func changeMode(_ mode: UInt32) throws(Errno) {
        try check(clinux_fchmod(rawValue, mode))
    }

    /// The corresponding system call is `fchmodat(2)`, following links.
    package func changeMode(of path: String, _ mode: UInt32) throws(Errno) {
        try check(unsafe clinux_fchmodat(rawValue, path, mode))
    }

    /// Changes owner and group of the file behind this descriptor (also an `O_PATH` one); `UInt32.max` keeps one.
    /// The corresponding system call is `fchownat(2)` with `AT_EMPTY_PATH`.
    package func changeOwner(uid: UInt32, gid: UInt32) throws(Errno) {
        try check(unsafe clinux_fchownat(rawValue, "", uid, gid, emptyPath))
    }

    /// Changes owner and group of `path`, not following a final link.
    package func changeOwner(of path: String, uid: UInt32, gid: UInt32) throws(Errno) {
        try check(unsafe clinux_fchownat(rawValue, path, uid, gid, AT_SYMLINK_NOFOLLOW))
    }

    /// How to lock a file or directory.
    package enum LockKind: Sendable { case shared, exclusive }

    /// Waits for the lock, or throws `EAGAIN` at once when not `waiting`. The corresponding system call is `flock(2)`.
    package func lock(_ kind: LockKind, waiting: Bool = true) throws(Errno) {
        let operation = (kind == .shared ? LOCK_SH : LOCK_EX) | (waiting ? 0 : LOCK_NB)
        try checkRetrying { clinux_flock(rawValue, operation) }
    }

    /// Gives the lock up. The corresponding system call is `flock(2)`.
    package func unlock() throws(Errno) {
        try check(clinux_flock(rawValue, LOCK_UN))
    }

    /// Descriptor flags as `F_GETFD` gives them; throws `EBADF` when the descriptor is not open.
    package func descriptorFlags() throws(Errno) -> CInt {
        CInt(try check(clinux_fcntl(rawValue, F_GETFD, 0)))
    }

    /// Sets or clears close-on-exec.
    package func setCloseOnExec(_ closes: Bool) throws(Errno) {
        try check(clinux_fcntl(rawValue, F_SETFD, closes ? Int(FD_CLOEXEC) : 0))
    }

    /// Sets or clears `O_NONBLOCK`, keeping the other status flags.
    package func setNonBlocking(_ nonBlocking: Bool) throws(Errno) {
        let flags = try check(clinux_fcntl(rawValue, F_GETFL, 0))
        let changed = nonBlocking ? flags | Int(O_NONBLOCK) : flags & ~Int(O_NONBLOCK)
        try check(clinux_fcntl(rawValue, F_SETFL, changed))
    }

    /// Makes `target` the same open file as this descriptor, kept across exec. The corresponding call is `dup3(2)`.
    package func duplicate(onto target: CInt) throws(Errno) {
        if target == rawValue { return try setCloseOnExec(false) }
        try check(clinux_dup3(rawValue, target, 0))
    }

    /// Whether this process, with its effective ids, may execute `path`. The corresponding call is `faccessat2(2)`.
    package func checkExecutable(_ path: String) throws(Errno) {
        try checkAccess(path, X_OK)
    }

    /// Whether this process, with its effective ids, may write to `path`. The corresponding call is `faccessat2(2)`.
    package func checkWritable(_ path: String) throws(Errno) {
        try checkAccess(path, W_OK)
    }

    private func checkAccess(_ path: String, _ mode: CInt) throws(Errno) {
        do throws(Errno) {
            try check(unsafe clinux_faccessat2(rawValue, path, mode, 0x200))
        } catch  where error == .ENOSYS || error == .EPERM {
            // A system-call filter from before faccessat2; the older call judges by the real ids.
            try check(unsafe clinux_faccessat(rawValue, path, mode))
        }
    }

    /// The corresponding system call is `fchdir(2)`.
    package func changeDirectory() throws(Errno) {
        try check(clinux_fchdir(rawValue))
    }

    /// Sets an extended attribute to bytes with a terminating zero. The corresponding system call is `fsetxattr(2)`.
    package func setExtendedAttribute(_ name: String, to value: String) throws(Errno) {
        let bytes = Array(value.utf8) + [0]
        try check(unsafe clinux_setxattr(rawValue, name, bytes, bytes.count))
    }

    /// The corresponding system call is `fgetxattr(2)`, asking only whether the attribute is there.
    package func hasExtendedAttribute(_ name: String) -> Bool {
        var value: UInt8 = 0
        return unsafe clinux_getxattr(rawValue, name, &value, 0) >= 0
    }
}
