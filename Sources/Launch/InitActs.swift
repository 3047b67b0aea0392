// Single acts of init and of the intermediate that need more than one kernel call and belong to no other room.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import PathResolution

/// Ending with the runtime, for as long as no record would find this process.
enum ParentDeath {
    private static let SIGKILL: CInt = 9

    static func follow(_ resources: LaunchResources) throws(Failure) {
        try attempt("arrange to end with the runtime", .prctl) { () throws(Errno) in
            try Processes.setParentDeathSignal(SIGKILL)
        }
        // It may have ended just before: then its end of the channel is closed.
        let state = try attempt("look whether the runtime lives", .poll) { () throws(Errno) in
            try Polling.wait(for: resources.childChannel.descriptor, .readable, deadline: 0)
        }
        if let state, state.contains(.hangUp) { Processes.exit(1) }
    }
}

/// Keeping others from looking into this process.
enum Untraceable {
    static func become() throws(Failure) {
        try attempt("become untraceable", .prctl) { () throws(Errno) in try Processes.setDumpable(false) }
    }
}

/// Entering namespaces.
enum NamespaceEntry {
    static func enter(_ kind: NamespaceKind, _ resources: LaunchResources) throws(Failure) {
        guard let fd = resources.namespace(kind) else {
            throw Failure("enter the \(kind.rawValue) namespace: it was not opened")
        }
        try attempt("enter the \(kind.rawValue) namespace of linux.namespaces", .setns) { () throws(Errno) in
            try Namespaces.enter(fd, kind)
        }
    }

    /// The container's process is the one that was found: a pidfd never comes to mean another.
    static func joinContainer(_ kinds: [NamespaceKind], _ resources: LaunchResources) throws(Failure) {
        try attempt(
            "enter the container's namespaces",
            .setns,
            detail: kinds.map(\.rawValue).joined(separator: ",")
        ) { () throws(Errno) in
            try Namespaces.enter(of: resources.container[0], kinds)
        }
    }

    static func make(_ kinds: [NamespaceKind]) throws(Failure) {
        try attempt("make new namespaces", .unshare, detail: kinds.map(\.rawValue).joined(separator: ",")) {
            () throws(Errno) in
            try Namespaces.unshare(kinds)
        }
    }

    static func becomeRoot() throws(Failure) {
        try attempt("become root of the user namespace", .setresuid) { () throws(Errno) in
            try Credentials.setGroup(0)
            try Credentials.setUser(0)
        }
    }
}

/// `process.oomScoreAdj`.
enum OOMScoreAdjustment {
    /// - Parameter process: A pid, or `self`.
    static func set(_ value: Int, ofProcess process: String) throws(Failure) {
        try attempt("set process.oomScoreAdj to \(value)", .write) { () throws(Errno) in
            let path = "/proc/\(process)/oom_score_adj"
            try BorrowedFD.workingDirectory.setContents(of: path, to: Array("\(value)".utf8))
        }
    }
}

/// `process.execCPUAffinity`.
enum Affinity {
    /// - Parameter key: `initial` or `final`.
    static func set(_ cpus: NumberList, _ key: String) throws(Failure) {
        do throws(Errno) {
            try Limits.setAffinity(cpus.words)
        } catch {
            throw Failure(
                "run on the CPUs \(cpus.text) of process.execCPUAffinity.\(key)",
                .schedSetaffinity,
                error,
                hint: error == .EINVAL ? "none of them is on this machine and allowed by the cpuset of the cgroup" : nil
            )
        }
    }
}

extension NumberList {
    /// `0,1,7`.
    var text: String { numbers.map(String.init).joined(separator: ",") }
}

/// The container's working directory, already inside the root.
enum WorkingDirectorySetup {
    static func make(_ path: String) throws(Failure) {
        if (try? BorrowedFD.workingDirectory.facts(of: path, following: true)) != nil { return }
        let root = try attempt("open the root", .open) { () throws(Errno) in
            try BorrowedFD.workingDirectory.open("/", [.path, .directory])
        }
        let tree = RootHandle(root, name: "the root filesystem")
        do throws(Failure) {
            _ = try tree.makeDirectories(path)
        } catch  where error.errno == .EROFS || error.errno == .EACCES || error.errno == .EPERM {
            // Entering it says what is wrong, or works as the container's user.
            return
        }
    }

    /// - Returns: Whether it is entered; `false` only if that may be refused.
    static func change(to path: String, allowRefusal: Bool) throws(Failure) -> Bool {
        do throws(Errno) {
            try WorkingDirectory.change(to: path)
            return true
        } catch  where allowRefusal && (error == .EACCES || error == .EPERM) {
            return false
        } catch {
            throw Failure("enter process.cwd \(path)", .chdir, error)
        }
    }

    /// A directory that is not below the root was reached through a descriptor that leaked.
    static func verify() throws(Failure) {
        let path = try attempt("find out where process.cwd is", .getcwd) { () throws(Errno) in
            try WorkingDirectory.kernelPath()
        }
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw Failure(
                "process.cwd is outside of the container's root: the kernel calls it \(path)",
                .configInvalid,
                subject: "process.cwd"
            )
        }
    }
}

/// What the program inherits.
enum DescriptorCleanup {
    /// Closes every descriptor from `first` up but those of `kept`, which get other numbers. Those below `first` stay open
    /// across execve.
    /// - Returns: Where the kept ones are now, in their order.
    static func closeAll(from first: CInt, but kept: [BorrowedFD]) throws(Failure) -> [BorrowedFD] {
        try attempt("close what the program must not inherit", .closeRange) { () throws(Errno) in
            for number in 3..<first { try BorrowedFD(rawValue: number).setCloseOnExec(false) }
            var places: [BorrowedFD] = []
            // The lowest free numbers, one after the other, so that the ranges between them can be closed.
            for fd in kept {
                let lowest = places.last.map { $0.rawValue + 1 } ?? first
                let copy = try OwnedFD.duplicating(fd, atLeast: lowest)
                places.append(BorrowedFD(rawValue: copy.release()))
            }
            var next = first
            for place in places {
                if place.rawValue > next { try Descriptors.closeAll(from: next, through: place.rawValue - 1) }
                next = place.rawValue + 1
            }
            try Descriptors.closeAll(from: next, through: .max)
            return places
        }
    }
}
