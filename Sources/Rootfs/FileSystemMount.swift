// File systems that the kernel makes for the container (tmpfs, proc, sysfs, devpts, ...): built detached, configured,
// and attached by descriptor. What the new calls cannot say, or a filter forbids, is asked once of mount(2).

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import PathResolution

/// A refusal of one of the calls that make a file system, with what the kernel wrote about it.
struct FileSystemRefusal: Error {
    let call: SystemCall
    let errno: Errno
    let messages: String

    /// Whether mount(2) may do what this call did not: the call is filtered, or it knows no such parameter, or a value
    /// is longer than the 255 bytes that it takes.
    var mayBeLegacyWork: Bool {
        switch call {
        case .fsopen: errno == .ENOSYS || errno == .EPERM
        case .fsconfig: errno == .EINVAL || errno == .ENOSYS
        default: false
        }
    }
}

extension FileSystemRequest {
    /// Makes the file system and a detached mount of it.
    func makeTree(
        _ attributes: MountAttributes,
        adding parameter: Parameter? = nil
    ) throws(FileSystemRefusal) -> OwnedFD {
        let context = try refusable(.fsopen, nil) { () throws(Errno) in try MountAPI.openFileSystem(type) }
        try refusable(.fsconfig, context.borrowed) { () throws(Errno) in
            if let source { try MountAPI.setString(context.borrowed, "source", source) }
            // First, so that one of the configuration overrides it.
            if let parameter { try parameter.set(in: context.borrowed) }
            for parameter in parameters { try parameter.set(in: context.borrowed) }
            try MountAPI.create(context.borrowed)
        }
        return try refusable(.fsmount, context.borrowed) { () throws(Errno) in
            try MountAPI.mount(context.borrowed, attributes)
        }
    }

    private func refusable<Value: ~Copyable>(
        _ call: SystemCall,
        _ context: BorrowedFD?,
        _ body: () throws(Errno) -> Value
    ) throws(FileSystemRefusal) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw FileSystemRefusal(call: call, errno: error, messages: context.map(MountAPI.messages(of:)) ?? "")
        }
    }
}

extension FileSystemRequest.Parameter {
    fileprivate func set(in context: BorrowedFD) throws(Errno) {
        if let value {
            try MountAPI.setString(context, key, value)
        } else {
            try MountAPI.setFlag(context, key)
        }
    }
}

extension RootfsExecutor {
    mutating func mountFileSystem(_ mount: PlannedMount, _ request: FileSystemRequest) throws(Failure) {
        let mode = try inheritedMode(request, mount)
        let target = try directoryTarget(mount)
        if request.needsLegacyCall {
            return try mountLegacy(mount, request, onto: target.borrowed, adding: mode, instead: nil)
        }
        let tree: OwnedFD
        do throws(FileSystemRefusal) {
            tree = try request.makeTree(mount.options.set.union(mount.options.recursivelySet), adding: mode)
        } catch {
            if error.errno == .EPERM, let substitute = request.substitute {
                return try bindSubstitute(substitute, mount, onto: target.borrowed)
            }
            guard error.mayBeLegacyWork else { throw failure(mount, request, error) }
            return try mountLegacy(mount, request, onto: target.borrowed, adding: mode, instead: error)
        }
        if let map = mount.options.idMap { try applyOwnMappings(map, to: tree.borrowed, mount) }
        if let label = request.rootLabel { try setLabel(label, of: tree.borrowed, mount) }
        if mount.options.copiesUp { try TmpCopyUp.copy(from: target.borrowed, to: tree.borrowed, mount) }
        try setPropagation(of: tree.borrowed, mount)
        try attach(tree.borrowed, onto: target.borrowed, mount)
    }

    /// A tmpfs looks like the directory that it covers, unless `mode=` says otherwise. One whose directory is only made for it
    /// covers nothing, and is everybody's as the kernel makes it (01777).
    private func inheritedMode(
        _ request: FileSystemRequest,
        _ mount: PlannedMount
    ) throws(Failure) -> FileSystemRequest.Parameter? {
        guard request.type == "tmpfs", !request.parameters.contains(where: { $0.key == "mode" }),
            let target = try root.openIfPresent(mount.destination, [.path, .directory])
        else { return nil }
        let facts = try attempt("look at the directory below a tmpfs", .statx) { () throws(Errno) in
            try target.borrowed.facts()
        }
        return FileSystemRequest.Parameter("mode", String(facts.permissions, radix: 8))
    }

    private func setLabel(_ label: String, of tree: BorrowedFD, _ mount: PlannedMount) throws(Failure) {
        do throws(Errno) {
            let directory = try tree.open(".", [.readOnly, .directory])
            try directory.borrowed.setExtendedAttribute("security.selinux", to: label)
        } catch .ENOTSUP {
            return
        } catch {
            throw Failure("label the mount on \(mount.destination)", .setxattr, error, detail: label)
        }
    }

    private func applyOwnMappings(
        _ request: IDMapRequest,
        to tree: BorrowedFD,
        _ mount: PlannedMount
    ) throws(Failure) {
        let map = MountSourceRequest.IDMap(
            recursive: request.recursive,
            source: .mappings(uid: request.uidMappings, gid: request.gidMappings)
        )
        try IDMappedMount.apply(map, to: tree, key: mount.key)
    }

    /// The host's own file system of the kind, with everything that is mounted in it, and nothing more permitted than
    /// was asked for: an unprivileged container may not have one of its own where it shares the host's namespace.
    private mutating func bindSubstitute(_ path: String, _ mount: PlannedMount, onto target: BorrowedFD) throws(Failure)
    {
        let tree = try attempt("copy the host's \(path) for \(mount.key)", .openTree) { () throws(Errno) in
            try MountAPI.cloneTree(at: .workingDirectory, path, recursive: true)
        }
        try setAttributes(mount.options.set, recursive: true, of: tree.borrowed, mount)
        try setPropagation(of: tree.borrowed, mount)
        try attach(tree.borrowed, onto: target, mount)
    }

    private mutating func mountLegacy(
        _ mount: PlannedMount,
        _ request: FileSystemRequest,
        onto target: BorrowedFD,
        adding parameter: FileSystemRequest.Parameter?,
        instead refusal: FileSystemRefusal?
    ) throws(Failure) {
        let words = ((parameter.map { [$0] } ?? []) + request.parameters).map(\.word)
        do throws(Errno) {
            try MountAPI.legacyMount(
                source: request.source ?? "none",
                target: target.procPath,
                type: request.type,
                flags: request.flags.union(mount.options.set.union(mount.options.recursivelySet).legacyFlags),
                data: words.isEmpty ? nil : words.joined(separator: ",")
            )
        } catch {
            let first = refusal ?? FileSystemRefusal(call: .mount, errno: error, messages: "")
            throw failure(mount, request, first)
        }
        let tree = try root.open(mount.destination, [.path, .directory])
        if mount.options.copiesUp { try TmpCopyUp.copy(from: target, to: tree.borrowed, mount) }
        try setPropagation(of: tree.borrowed, mount)
    }

    func failure(_ mount: PlannedMount, _ request: FileSystemRequest, _ refusal: FileSystemRefusal) -> Failure {
        if refusal.errno == .ENODEV, refusal.call == .fsopen || refusal.call == .mount {
            return Failure(
                "\(mount.key).type: this kernel has no file system \(request.type)",
                .unsupported,
                subject: "\(mount.key).type"
            )
        }
        let detail = refusal.messages.isEmpty ? mount.key : "\(mount.key); the kernel says: \(refusal.messages)"
        return Failure("mount \(mount)", refusal.call, refusal.errno, detail: detail)
    }
}
