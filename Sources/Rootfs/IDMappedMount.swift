// Mounts whose file owners are shown shifted. The kernel takes the mappings from a user namespace, so one is made with
// a short-lived child where only mappings are given. Called where sources are opened and where file systems are made.

internal import Configuration
internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem
internal import PathResolution

/// Mapping the ids of a mount.
enum IDMappedMount {
    /// Maps the ids of the detached mount `tree`. The corresponding call is `mount_setattr(2)`, `MOUNT_ATTR_IDMAP`.
    /// - Parameter key: `mounts[3]`, for messages.
    static func apply(_ map: MountSourceRequest.IDMap, to tree: BorrowedFD, key: String) throws(Failure) {
        let namespace: OwnedFD
        switch map.source {
        case .mappings(let uid, let gid):
            guard !uid.isEmpty, !gid.isEmpty else {
                throw Failure(
                    "\(key): an idmapped mount needs both uidMappings and gidMappings, or a user namespace",
                    .configInvalid,
                    subject: key
                )
            }
            namespace = try makeNamespace(uid: uid, gid: gid)
        case .namespace(let path):
            namespace = try attempt("open the user namespace \(path) for \(key)", .open) { () throws(Errno) in
                try BorrowedFD.workingDirectory.open(path, [.readOnly])
            }
        }
        do throws(Errno) {
            try MountAPI.setAttributes(
                tree,
                recursive: map.recursive,
                setting: .idMapped,
                userNamespace: namespace.borrowed
            )
        } catch .EINVAL {
            throw Failure(
                "map the ids of \(key)",
                .mountSetattr,
                .EINVAL,
                hint: "the file system of the source does not support idmapped mounts"
            )
        } catch {
            throw Failure("map the ids of \(key)", .mountSetattr, error)
        }
    }

    private static let killSignal: CInt = 9

    /// A user namespace with these mappings and no process in it.
    private static func makeNamespace(uid: [IDMapping], gid: [IDMapping]) throws(Failure) -> OwnedFD {
        let parent = Processes.currentID
        let child = try attempt("start a process to hold the id mappings of a mount", .clone3) { () throws(Errno) in
            try Processes.clone(namespaces: [.user]) {
                // It never outlives this process, not even one that is killed.
                try? Processes.setParentDeathSignal(killSignal)
                while Processes.parentID == parent { _ = try? Polling.wait(for: []) }
                Processes.exit(0)
            }
        }
        let namespace: OwnedFD
        do throws(Failure) {
            namespace = try mapAndOpen(pid: child.pid, uid: uid, gid: gid)
        } catch {
            try? end(child.pidfd.borrowed)
            throw error
        }
        try attempt("end the process that holds the id mappings of a mount", .pidfdSendSignal) { () throws(Errno) in
            try end(child.pidfd.borrowed)
        }
        return namespace
    }

    private static func end(_ child: BorrowedFD) throws(Errno) {
        try Processes.signal(child, killSignal)
        _ = try Processes.reap(pidfd: child)
    }

    private static func mapAndOpen(pid: CInt, uid: [IDMapping], gid: [IDMapping]) throws(Failure) -> OwnedFD {
        let proc = try ProcHandle(.processes)
        try proc.write(lines(uid), to: "\(pid)/uid_map")
        try proc.write(lines(gid), to: "\(pid)/gid_map")
        let namespaces = try proc.open("\(pid)/ns", [.path, .directory])
        return try attempt("open the user namespace that holds the id mappings of a mount", .open) { () throws(Errno) in
            try namespaces.borrowed.open("user", [.readOnly])
        }
    }

    private static func lines(_ mappings: [IDMapping]) -> String {
        mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
    }
}
