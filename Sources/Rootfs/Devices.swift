// Device nodes and links of the container's /dev, made before the root is entered. The image may have a link for /dev
// or for any name in it: directories are reached through the root handle, last components are never followed.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import PathResolution

extension RootfsExecutor {
    /// Makes the node, or binds the host's. What is there already is accepted when it is the same device.
    mutating func makeDevice(_ device: DeviceNode, binds: Bool) throws(Failure) {
        let (directory, name) = try deviceParent(device.path)
        if binds { return try bindDevice(device, in: directory, name) }
        let mask = WorkingDirectory.setCreationMask(0)
        defer { WorkingDirectory.setCreationMask(mask) }
        do throws(Errno) {
            try directory.makeNode(
                name,
                kind: device.fileKind,
                mode: device.mode,
                major: device.major,
                minor: device.minor
            )
        } catch .EEXIST {
            return try checkExisting(device, in: directory, name)
        } catch .EPERM {
            return try bindDevice(device, in: directory, name)
        } catch {
            throw Failure("make the device \(device.summary)", .mknod, error)
        }
        if device.uid == 0, device.gid == 0 { return }
        let node = try openNode(device, in: directory, name)
        try attempt("give the device \(device.path) to \(device.uid):\(device.gid)", .chown) { () throws(Errno) in
            try node.fd.borrowed.changeOwner(uid: device.uid, gid: device.gid)
        }
    }

    /// The directory of a device node, kept for the next node, and the node's name in it.
    private mutating func deviceParent(_ path: String) throws(Failure) -> (BorrowedFD, String) {
        let (before, name) = path.cut(atLast: "/")
        guard !name.isEmpty, name != ".", name != ".." else {
            throw Failure("\(path) is no path of a device: its last component is no name")
        }
        let parentPath = before.isEmpty ? "/" : before
        if let kept = deviceDirectory?.borrowed, deviceDirectoryPath.utf8.elementsEqual(parentPath.utf8) {
            return (kept, name)
        }
        let opened = try root.makeDirectories(parentPath)
        let view = opened.borrowed
        deviceDirectory = consume opened
        deviceDirectoryPath = parentPath
        return (view, name)
    }

    private func checkExisting(_ device: DeviceNode, in directory: BorrowedFD, _ name: String) throws(Failure) {
        _ = try openNode(device, in: directory, name)
    }

    /// The node itself, seen to be the device wanted.
    private func openNode(
        _ device: DeviceNode,
        in directory: BorrowedFD,
        _ name: String
    ) throws(Failure) -> UnfollowedFile {
        let node = try openUnfollowed(device.path, in: directory, name)
        if let difference = device.difference(from: node.facts) {
            throw Failure(
                "the root filesystem has \(difference) at \(device.path), where the device \(device.summary) is to be"
            )
        }
        return node
    }

    private func openUnfollowed(
        _ path: String,
        in directory: BorrowedFD,
        _ name: String
    ) throws(Failure) -> UnfollowedFile {
        try attempt("look at \(path) in the root filesystem", .open) { () throws(Errno) in
            let fd = try directory.open(name, [.path, .noFollow])
            let facts = try fd.borrowed.facts()
            return UnfollowedFile(fd: fd, facts: facts)
        }
    }

    /// Binds the host's node of the same path, which must be the same device.
    private func bindDevice(_ device: DeviceNode, in directory: BorrowedFD, _ name: String) throws(Failure) {
        let source = try attempt("copy the mount of the host's \(device.path)", .openTree) { () throws(Errno) in
            try MountAPI.cloneTree(at: .workingDirectory, device.path, recursive: false)
        }
        let facts = try attempt("look at the host's \(device.path)", .statx) { () throws(Errno) in
            try source.borrowed.facts()
        }
        if let difference = device.difference(from: facts) {
            throw Failure(
                "the host has \(difference) at \(device.path), where the device \(device.summary) is to be bound from"
            )
        }
        do throws(Errno) {
            _ = try directory.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
        } catch .EEXIST {
            // A file to bind on; what it is, is looked at next.
        } catch {
            throw Failure("make the file \(device.path) to bind the device on", .open, error)
        }
        let target = try openUnfollowed(device.path, in: directory, name)
        if target.facts.kind == .symlink || target.facts.kind == .directory {
            throw Failure(
                "the root filesystem has \(target.facts.kind.words) at \(device.path), where the device "
                    + "\(device.summary) is to be"
            )
        }
        try attempt("bind the device \(device.summary)", .moveMount) { () throws(Errno) in
            try MountAPI.attach(source.borrowed, onto: target.fd.borrowed)
        }
    }

    /// Makes a link of /dev.
    mutating func makeDeviceLink(_ link: DeviceLink) throws(Failure) {
        if link.needsTarget, try root.factsIfPresent(link.target) == nil { return }
        let (directory, name) = try deviceParent(link.path)
        do throws(Errno) {
            try directory.makeSymlink(name, to: link.target)
        } catch .EEXIST where link.existing == .keep {
            return
        } catch .EEXIST {
            try replace(link, in: directory, name)
        } catch {
            throw Failure("make the link \(link.path)", .symlink, error)
        }
    }

    private func replace(_ link: DeviceLink, in directory: BorrowedFD, _ name: String) throws(Failure) {
        if let target = try? directory.readLink(name), target == link.target { return }
        try attempt("replace \(link.path) by a link", .unlink) { () throws(Errno) in try directory.unlink(name) }
        try attempt("make the link \(link.path)", .symlink) { () throws(Errno) in
            try directory.makeSymlink(name, to: link.target)
        }
    }
}

/// An `O_PATH` handle on a name itself, and what it is.
struct UnfollowedFile: ~Copyable {
    let fd: OwnedFD
    let facts: FileFacts
}

extension DeviceNode {
    var fileKind: FileFacts.Kind {
        switch kind {
        case .character: .character
        case .block: .block
        case .fifo: .fifo
        }
    }

    /// In what a file is not this device; `nil` when it is.
    func difference(from facts: FileFacts) -> String? {
        guard facts.kind == fileKind else { return facts.kind.words }
        guard kind != .fifo, facts.deviceMajor != major || facts.deviceMinor != minor else { return nil }
        return "the device \(kind.rawValue) \(facts.deviceMajor):\(facts.deviceMinor)"
    }
}

extension FileFacts.Kind {
    /// With an article.
    var words: String {
        switch self {
        case .regular: "a plain file"
        case .directory: "a directory"
        case .symlink: "a link"
        case .character: "a character device"
        case .block: "a block device"
        case .fifo: "a fifo"
        case .socket: "a socket"
        case .unknown: "a file of unknown kind"
        }
    }
}
