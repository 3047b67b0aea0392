// Bind mounts: a detached copy of the source's mount, changed while nobody sees it, attached by descriptor.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import PathResolution

extension RootfsExecutor {
    mutating func mountBind(_ mount: PlannedMount, _ source: String, recursive: Bool) throws(Failure) {
        let tree = try openSource(mount, source, recursive: recursive)
        if mount.destination == "/proc" { try checkProcSource(tree.borrowed, mount, source) }
        let facts = try attempt("look at \(mount.key).source \(source)", .statx) { () throws(Errno) in
            try tree.borrowed.facts()
        }
        if facts.kind == .symlink, mount.options.links.contains(.copiesSource) {
            return try copyLink(tree.borrowed, mount)
        }
        let target = try bindTarget(mount, isDirectory: facts.kind == .directory)
        try changeAttributes(of: tree.borrowed, mount)
        try setPropagation(of: tree.borrowed, mount)
        try attach(tree.borrowed, onto: target.borrowed, mount)
    }

    private mutating func openSource(
        _ mount: PlannedMount,
        _ source: String,
        recursive: Bool
    ) throws(Failure) -> OwnedFD {
        if let opened = sources.take(mount.index) { return opened }
        do throws(Errno) {
            return try MountAPI.cloneTree(
                at: .workingDirectory,
                source,
                recursive: recursive,
                following: !mount.options.links.stopsAtSource
            )
        } catch .EINVAL where !recursive {
            throw Failure(
                "open \(mount.key).source \(source)",
                .openTree,
                .EINVAL,
                hint: "in a user namespace a directory with mounts in it can only be bound with them: use rbind"
            )
        } catch {
            throw MountSources.failure(index: mount.index, path: source, error)
        }
    }

    private func bindTarget(_ mount: PlannedMount, isDirectory: Bool) throws(Failure) -> OwnedFD {
        if mount.options.links.contains(.keepsDestination), let link = try linkTarget(mount) { return link }
        return isDirectory ? try directoryTarget(mount) : try fileTarget(mount)
    }

    /// `copy-symlink`: the same link at the destination, where nothing else may be.
    private func copyLink(_ source: BorrowedFD, _ mount: PlannedMount) throws(Failure) {
        let text = try attempt("read the link \(mount.key).source", .readlink) { () throws(Errno) in
            try source.readLink("")
        }
        let place = try root.makeParent(of: mount.destination)
        do throws(Errno) {
            try place.parent.borrowed.makeSymlink(place.name, to: text)
        } catch .EEXIST where (try? place.parent.borrowed.readLink(place.name)) == text {
            return
        } catch {
            throw Failure("make the link \(mount.destination) of \(mount.key)", .symlink, error)
        }
    }

    /// The container's /proc decides what labels and settings reach; only a whole procfs may be there.
    private func checkProcSource(_ tree: BorrowedFD, _ mount: PlannedMount, _ source: String) throws(Failure) {
        let (type, inode) = try attempt("look at \(mount.key).source \(source)", .statfs) { () throws(Errno) in
            (try tree.fileSystem().type, try tree.facts().inode)
        }
        if type != FileSystemType.proc || inode != 1 {
            throw Failure(
                "\(mount.key).source: only a procfs can be bound on /proc, found \(source)",
                .configInvalid,
                subject: "\(mount.key).source"
            )
        }
    }

    // MARK: Attributes, for every kind of mount

    /// What the options say of the mount and of those below it. A flag that no option names stays as the source has it.
    mutating func changeAttributes(of tree: BorrowedFD, _ mount: PlannedMount) throws(Failure) {
        let options = mount.options
        try setAttributes(options.set, clearing: options.cleared, recursive: false, of: tree, mount)
        try setAttributes(
            options.recursivelySet,
            clearing: options.recursivelyCleared,
            recursive: true,
            of: tree,
            mount
        )
    }

    mutating func setAttributes(
        _ set: MountAttributes,
        clearing cleared: MountAttributes = [],
        recursive: Bool,
        of tree: BorrowedFD,
        _ mount: PlannedMount
    ) throws(Failure) {
        if set.isEmpty, cleared.isEmpty { return }
        do throws(Errno) {
            try change(tree, MountChange(set: set, cleared: cleared, recursive: recursive))
        } catch .EPERM where !cleared.isEmpty {
            throw Failure(
                "clear the flags \(cleared) of \(mount.key) on \(mount.destination)",
                .mountSetattr,
                .EPERM,
                hint: "the source's mount has a flag that may not be cleared in a user namespace; "
                    + "say ro, nosuid, nodev or noexec as the source has it"
            )
        } catch {
            throw Failure(
                "set the flags of \(mount.key) on \(mount.destination)",
                .mountSetattr,
                error,
                detail: "\(set)"
            )
        }
    }

    /// The propagation options, in the order given.
    mutating func setPropagation(of tree: BorrowedFD, _ mount: PlannedMount) throws(Failure) {
        for wanted in mount.options.propagation {
            try attempt(
                "make \(mount.key) on \(mount.destination) \(wanted.propagation.rawValue)",
                .mountSetattr
            ) { () throws(Errno) in
                try change(tree, MountChange(propagation: wanted.propagation, recursive: wanted.recursive))
            }
        }
    }

    // MARK: Changing what is there

    /// `remount`: flags and data of the mount at the destination. The corresponding call is `mount(2)`, `MS_REMOUNT`.
    mutating func remount(_ mount: PlannedMount, _ data: [String]) throws(Failure) {
        let target = try root.open(mount.destination, [.path])
        try attempt("remount \(mount.destination)", .mount, detail: "\(mount.key), \(mount.words)") {
            () throws(Errno) in
            try MountAPI.legacyMount(
                target: target.borrowed.procPath,
                flags: mount.options.set.legacyFlags.union(mount.options.fileSystemFlags).union(.remount),
                data: data.isEmpty ? nil : data.joined(separator: ",")
            )
        }
        try setPropagation(of: target.borrowed, mount)
    }

    /// A mount that everything is made in by now.
    mutating func remountReadonly(_ path: String) throws(Failure) {
        let target = try root.open(path, [.path])
        try attempt("make the mount on \(path) read-only", .mountSetattr) { () throws(Errno) in
            try change(target.borrowed, MountChange(set: .readOnly))
        }
    }
}
