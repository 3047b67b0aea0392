// Where a mount may go, and the descriptor of that place. The container's image decides what is there, so every place
// is reached through the root handle and checked after it was reached, not by its name alone.

internal import Diagnostics
internal import LinuxSystem
internal import PathResolution

/// What may be mounted where.
enum DestinationRules {
    /// Files of procfs that lxcfs and its like replace. Nothing else below /proc is anybody's to mount on: kernel
    /// settings, labels and masks are found there by name.
    static let replaceableProcFiles: Set<String> = [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime",
        "/proc/loadavg", "/proc/slabinfo", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
    ]

    /// What is wrong with a destination, by its name; `nil` when nothing is.
    static func problem(with mount: PlannedMount) -> String? {
        let components = RootHandle.components(of: mount.destination)
        guard let first = components.first else {
            return "\(mount.key).destination: / is the root filesystem itself; only a path below it can be mounted on"
        }
        guard first == "proc" else { return nil }
        if components.count == 1 {
            guard case .fileSystem(let request) = mount.act, request.type != "proc" else { return nil }
            return "\(mount.key).type: only a procfs can be mounted on /proc, found \(request.type)"
        }
        guard !replaceableProcFiles.contains("/" + components.joined(separator: "/")) else { return nil }
        return "\(mount.key).destination: \(mount.destination) is inside /proc, where only "
            + "\(replaceableProcFiles.sorted().joined(separator: ", ")) can be mounted on"
    }
}

extension RootfsExecutor {
    func checkDestination(_ mount: PlannedMount) throws(Failure) {
        if let problem = DestinationRules.problem(with: mount) { throw Failure(problem, .configInvalid) }
    }

    /// The directory to mount on, made when missing.
    func directoryTarget(_ mount: PlannedMount) throws(Failure) -> OwnedFD {
        let target: OwnedFD
        if mustBePlain(mount) {
            target = try plainDirectory(mount)
        } else {
            target = try root.makeDirectories(mount.destination)
        }
        try checkTarget(target.borrowed, mount)
        return target
    }

    /// The file to mount on, made when missing.
    func fileTarget(_ mount: PlannedMount) throws(Failure) -> OwnedFD {
        let target = try root.makeFile(mount.destination)
        try checkTarget(target.borrowed, mount)
        return target
    }

    /// `dest-nofollow`: the link that is to be mounted on; `nil` where the destination is none.
    func linkTarget(_ mount: PlannedMount) throws(Failure) -> OwnedFD? {
        guard let target = try root.openIfPresent(mount.destination, [.path, .noFollow]) else { return nil }
        let facts = try attempt("look at \(mount.destination)", .statx) { () throws(Errno) in
            try target.borrowed.facts()
        }
        guard facts.kind == .symlink else { return nil }
        try checkTarget(target.borrowed, mount)
        return target
    }

    /// Attaches the detached mount.
    mutating func attach(_ tree: BorrowedFD, onto target: BorrowedFD, _ mount: PlannedMount) throws(Failure) {
        do throws(Errno) {
            try place(tree, onto: target)
        } catch {
            if let carried = try? tree.facts().kind, let carrier = try? target.facts().kind,
                (carried == .directory) != (carrier == .directory)
            {
                // ENOTDIR either way. Docker knows these words and asks whether a directory was mounted on a file.
                throw Failure(
                    "\(mount.key).destination: \(carried.words) cannot be mounted on \(carrier.words) "
                        + "(\(mount.destination)): not a directory"
                )
            }
            throw Failure("mount \(mount)", .moveMount, error, detail: mount.key)
        }
    }

    /// /proc and /sys, and wherever else a procfs or sysfs goes, must be there as they are named: a link would let the
    /// image decide which directory the container's masks and labels are looked up in.
    private func mustBePlain(_ mount: PlannedMount) -> Bool {
        if mount.destination == "/proc" || mount.destination == "/sys" { return true }
        guard case .fileSystem(let request) = mount.act else { return false }
        return request.type == "proc" || request.type == "sysfs"
    }

    private func plainDirectory(_ mount: PlannedMount) throws(Failure) -> OwnedFD {
        let flags: OpenFlags = [.path, .directory, .noFollow]
        if let directory = try root.openIfPresent(mount.destination, flags) { return directory }
        if let facts = try root.factsIfPresent(mount.destination), facts.kind != .directory {
            throw Failure(
                "\(mount.key).destination: \(mount.destination) is \(facts.kind.words) in the root filesystem; "
                    + "it must be a directory itself, so that no image can point it elsewhere"
            )
        }
        _ = try root.makeDirectories(mount.destination)
        return try root.open(mount.destination, flags)
    }

    /// A destination that a link led into procfs is refused as one that is named so.
    private func checkTarget(_ target: BorrowedFD, _ mount: PlannedMount) throws(Failure) {
        let type = try attempt("look at \(mount.destination)", .statfs) { () throws(Errno) in
            try target.fileSystem().type
        }
        guard type == FileSystemType.proc else { return }
        if DestinationRules.replaceableProcFiles.contains(mount.destination) || mount.destination == "/proc" { return }
        throw Failure(
            "\(mount.key).destination: \(mount.destination) leads into /proc, which cannot be mounted on",
            .configInvalid,
            subject: "\(mount.key).destination"
        )
    }
}
