// One cgroup's directory, held open. Every file of a cgroup is opened below such a directory, or below its hierarchy's mount,
// and nowhere else: no link, no other mount, no name with a slash. Called by the drivers; never decides what to write.

internal import Diagnostics
internal import LinuxSystem

/// A cgroup that exists.
final class CgroupDirectory {
    let location: CgroupLocation
    private let handle: OwnedFD

    private static let confined: ResolveFlags = [.beneath, .noCrossingMounts, .noMagicLinks, .noSymlinks]

    private init(_ location: CgroupLocation, _ handle: consuming OwnedFD) {
        self.location = location
        self.handle = handle
    }

    var descriptor: BorrowedFD { handle.borrowed }

    // MARK: The directory itself

    /// The hierarchy's mount, after a look at what is mounted there.
    static func openMount(of location: CgroupLocation) throws(Failure) -> OwnedFD {
        let point = location.mountPoint
        let mount = try attempt("open \(point)", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open(point, [.path, .directory])
        }
        let type = try attempt("look at the file system on \(point)", .statfs) { () throws(Errno) in
            try mount.borrowed.fileSystem().type
        }
        guard type == (location.isUnified ? FileSystemType.cgroup2 : FileSystemType.cgroup) else {
            throw Failure("what is mounted on \(point) is not cgroup \(location.isUnified ? "v2" : "v1")")
        }
        return mount
    }

    private static func openMountIfPresent(of location: CgroupLocation) throws(Failure) -> OwnedFD? {
        do throws(Failure) {
            return try openMount(of: location)
        } catch  where error.errno == .ENOENT {
            return nil
        }
    }

    /// Opens the cgroup's directory; `nil` when it does not exist.
    static func open(_ location: CgroupLocation) throws(Failure) -> CgroupDirectory? {
        guard let mount = try openMountIfPresent(of: location) else { return nil }
        // A hierarchy's root has no path; it is only ever the parent of a container's cgroup.
        if location.path.isEmpty { return CgroupDirectory(location, mount) }
        guard let handle = try openBelow(mount.borrowed, location.path, location) else { return nil }
        return CgroupDirectory(location, handle)
    }

    private static func openBelow(
        _ directory: BorrowedFD,
        _ path: String,
        _ location: CgroupLocation
    ) throws(Failure) -> OwnedFD? {
        do throws(Errno) {
            return try directory.open(path, [.readOnly, .directory], resolve: confined)
        } catch .ENOENT {
            return nil
        } catch {
            throw Failure("open the cgroup \(location.directory)", .openat2, error)
        }
    }

    /// Makes the cgroup, and what is missing above it, and opens it.
    /// - Parameter parentMade: Called for each missing parent after it was made, from the top down.
    /// - Returns: The cgroup, the one that it is in, and whether it was not there before.
    static func make(
        _ location: CgroupLocation,
        parentMade: (CgroupDirectory) throws(Failure) -> Void
    ) throws(Failure) -> (directory: CgroupDirectory, parent: CgroupDirectory, isNew: Bool) {
        let mount = try openMount(of: location)
        let (path, name) = location.path.cut(atLast: "/")
        guard !name.isEmpty else { throw Failure("the cgroup of \(location.mountPoint) has no name") }
        let parent = try parentDirectory(mount, location, path, parentMade)
        var isNew = false
        let handle = try makeAndOpen(name, in: parent.borrowed, location, &isNew)
        let above = CgroupLocation(hierarchy: location.hierarchy, mountPoint: location.mountPoint, path: path)
        return (CgroupDirectory(location, handle), CgroupDirectory(above, parent), isNew)
    }

    /// Makes a directory, unless it is there, and opens it. One that was made and cannot be opened is taken back.
    private static func makeAndOpen(
        _ name: String,
        in parent: BorrowedFD,
        _ location: CgroupLocation,
        _ isNew: inout Bool
    ) throws(Failure) -> OwnedFD {
        isNew = try makeDirectory(name, in: parent, location)
        do throws(Failure) {
            if let handle = try openBelow(parent, name, location) { return handle }
        } catch {
            if isNew { try? parent.removeDirectory(name) }
            throw error
        }
        throw Failure("the cgroup \(location.directory) was removed while it was being made")
    }

    private static func makeDirectory(
        _ name: String,
        in parent: BorrowedFD,
        _ location: CgroupLocation
    ) throws(Failure) -> Bool {
        do throws(Errno) {
            try parent.makeDirectory(name, mode: 0o755)
            return true
        } catch .EEXIST {
            return false
        } catch {
            throw Failure("make the cgroup \(location.directory)", .mkdir, error)
        }
    }

    private static func parentDirectory(
        _ mount: consuming OwnedFD,
        _ location: CgroupLocation,
        _ path: String,
        _ parentMade: (CgroupDirectory) throws(Failure) -> Void
    ) throws(Failure) -> OwnedFD {
        if path.isEmpty { return mount }
        if let existing = try openBelow(mount.borrowed, path, location) { return existing }
        let components = path.parts(separatedBy: "/")
        var parent = mount
        for depth in components.indices {
            var isNew = false
            parent = try makeAndOpen(components[depth], in: parent.borrowed, location, &isNew)
            if isNew {
                let made = try attempt("keep a parent of \(location.directory) open", .fcntl) { () throws(Errno) in
                    try OwnedFD.duplicating(parent.borrowed)
                }
                let place = CgroupLocation(
                    hierarchy: location.hierarchy,
                    mountPoint: location.mountPoint,
                    path: components[...depth].joined(separator: "/")
                )
                try parentMade(CgroupDirectory(place, made))
            }
        }
        return parent
    }

    /// The cgroup above a location, and the location's name in it; `nil` when it does not exist.
    static func openParent(of location: CgroupLocation) throws(Failure) -> (parent: CgroupDirectory, name: String)? {
        let (path, name) = location.path.cut(atLast: "/")
        guard !name.isEmpty else { return nil }
        let place = CgroupLocation(hierarchy: location.hierarchy, mountPoint: location.mountPoint, path: path)
        guard let parent = try open(place) else { return nil }
        return (parent, name)
    }

    /// The cgroups below this one, as paths from it; each after the one that it is in.
    func descendants() throws(Failure) -> [String] {
        var found: [String] = []
        var next = 0
        var prefix = ""
        while true {
            for name in try childNames(of: prefix.isEmpty ? "." : prefix) {
                found.append(prefix.isEmpty ? name : "\(prefix)/\(name)")
            }
            guard next < found.count else { return found }
            prefix = found[next]
            next += 1
        }
    }

    private func childNames(of path: String) throws(Failure) -> [String] {
        guard let listing = try Self.openBelow(handle.borrowed, path, location) else { return [] }
        do throws(Errno) {
            return try listing.borrowed.entries().compactMap { $0.isDirectory ? $0.name : nil }
        } catch .ENOENT {
            return []
        } catch {
            throw Failure("list the cgroup \(location.directory)/\(path)", .getdents, error)
        }
    }

    /// Opens a cgroup below this one; `nil` when it does not exist.
    func descendant(_ path: String) throws(Failure) -> CgroupDirectory? {
        let place = CgroupLocation(
            hierarchy: location.hierarchy,
            mountPoint: location.mountPoint,
            path: "\(location.path)/\(path)"
        )
        guard let found = try Self.openBelow(handle.borrowed, path, place) else { return nil }
        return CgroupDirectory(place, found)
    }

    /// Removes the directory `name` right below this one; success when it is not there.
    func removeChild(_ name: String) throws(Errno) {
        do throws(Errno) {
            try removeExistingChild(name)
        } catch .ENOENT {
            return
        }
    }

    /// The same; `ENOENT` when it is not there.
    func removeExistingChild(_ name: String) throws(Errno) {
        try handle.borrowed.removeDirectory(name)
    }

    // MARK: Files

    /// Opens a file of a cgroup of which nothing else is wanted; `nil` when there is no such cgroup.
    static func open(_ file: String, _ flags: OpenFlags, of location: CgroupLocation) throws(Failure) -> OwnedFD? {
        guard let mount = try openMountIfPresent(of: location) else { return nil }
        do throws(Errno) {
            return try mount.borrowed.open("\(location.path)/\(file)", flags, resolve: confined)
        } catch .ENOENT {
            return nil
        } catch {
            throw Failure("open \(location.directory)/\(file)", .openat2, error)
        }
    }

    /// Opens a file of this cgroup.
    func open(_ file: String, _ flags: OpenFlags) throws(Errno) -> OwnedFD {
        if file.utf8.contains(UInt8(ascii: "/")) { throw .EINVAL }
        return try handle.borrowed.open(file, flags, resolve: Self.confined)
    }

    /// Writes a value whole.
    func write(_ value: String, to file: String) throws(Errno) {
        let target = try open(file, .writeOnly)
        try target.borrowed.writeOnce(Array(value.utf8))
    }

    /// A file's text without the line feed at its end.
    func read(_ file: String) throws(Errno) -> String {
        let source = try open(file, .readOnly)
        var bytes = try source.borrowed.readToEnd(limit: 64 << 20)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard let text = String(utf8: bytes) else { throw .EINVAL }
        return text
    }

    /// A file's text; `nil` when this kernel has no such file.
    func readIfPresent(_ file: String) throws(Failure) -> String? {
        do throws(Errno) {
            return try read(file)
        } catch .ENOENT {
            return nil
        } catch .ENODEV {
            // The cgroup was removed meanwhile.
            return nil
        } catch {
            throw Failure("read \(location.directory)/\(file)", .read, error)
        }
    }

    // MARK: Processes

    /// The processes of this cgroup and of all below it. A process that leaves or comes meanwhile may be missing.
    func processes() throws(Failure) -> [CInt] {
        // Those of threaded cgroups are in the list of the one above that is not threaded; alone, it has but threads.
        var own = try members("cgroup.procs")
        if own == nil { own = try members("cgroup.threads") }
        var found = Set(own ?? [])
        for path in try descendants() {
            guard let next = try descendant(path), let inner = try next.members("cgroup.procs") else { continue }
            found.formUnion(inner)
        }
        return found.sorted()
    }

    /// The processes or threads that a file lists; `nil` where a threaded v2 cgroup does not name its processes.
    private func members(_ file: String) throws(Failure) -> [CInt]? {
        do throws(Failure) {
            // A process outside this pid namespace is shown as 0.
            let text = try readIfPresent(file) ?? ""
            return text.parts(separatedBy: "\n").compactMap { CInt($0) }.filter { $0 > 0 }
        } catch  where error.errno == .ENOTSUP {
            return nil
        }
    }
}
