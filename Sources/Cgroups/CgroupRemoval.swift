// Taking cgroups away. A directory goes only when the last process has left the kernel's books, a moment after its
// exit, and when nothing is below it. Called by the drivers; never kills.

internal import Diagnostics
internal import LinuxSystem

/// The removal of one cgroup.
enum CgroupRemoval {
    private static let longestPause: Int64 = 32
    /// Also where there are events to wait for: a cgroup that came meanwhile must be found.
    private static let longestWait: Int64 = 100

    /// Removes the cgroup and everything below it; success when it does not exist.
    /// - Parameters:
    ///   - parent: What the cgroup is in, where it is open.
    ///   - deadline: On the monotonic clock, nanoseconds.
    ///   - whenBusy: Called once if the cgroup cannot go at once: to thaw what is frozen.
    static func remove(
        _ location: CgroupLocation,
        in parent: CgroupDirectory? = nil,
        deadline: Int64,
        whenBusy: () throws(Failure) -> Void
    ) throws(Failure) {
        defer { removeParents(of: location) }
        guard let (parent, name) = try place(of: location, in: parent) else { return }
        var pause: Int64 = 1
        var isFirst = true
        while try !isRemoved(name, from: parent, location) {
            guard let directory = try CgroupDirectory.open(location) else { return }
            if isFirst {
                try whenBusy()
                isFirst = false
            }
            try removeDescendants(of: directory)
            if try isRemoved(name, from: parent, location) { return }
            guard Machine.monotonicNanoseconds() < deadline else { throw try blocked(directory) }
            if location.isUnified {
                let slice = min(deadline, Machine.monotonicNanoseconds() + longestWait * 1_000_000)
                _ = try directory.waitForEvent("populated", 0, deadline: slice)
            } else {
                Pause.milliseconds(pause, deadline: deadline)
                pause = min(pause * 2, longestPause)
            }
        }
    }

    /// Removes the cgroup if no process and no other cgroup is in it.
    /// - Returns: Whether this call removed it; false where it is not there, which says nothing of others.
    static func removeIfUnused(
        _ location: CgroupLocation,
        in parent: CgroupDirectory? = nil
    ) throws(Failure) -> Bool {
        guard let (parent, name) = try place(of: location, in: parent) else { return false }
        do throws(Errno) {
            try parent.removeExistingChild(name)
            return true
        } catch  where error == .EBUSY || error == .ENOENT {
            return false
        } catch {
            throw Failure("remove the cgroup \(location.directory)", .rmdir, error)
        }
    }

    private static func place(
        of location: CgroupLocation,
        in parent: CgroupDirectory?
    ) throws(Failure) -> (parent: CgroupDirectory, name: String)? {
        guard let parent else { return try CgroupDirectory.openParent(of: location) }
        return (parent, location.path.cut(atLast: "/").after)
    }

    /// Those that were made for this cgroup, up to the first that somebody else uses by now.
    private static func removeParents(of location: CgroupLocation) {
        var path = location.path.cut(atLast: "/").before
        for _ in 0..<location.missingParents where !path.isEmpty {
            let above = CgroupLocation(
                hierarchy: location.hierarchy,
                mountPoint: location.mountPoint,
                path: path
            )
            guard let (parent, name) = try? CgroupDirectory.openParent(of: above),
                (try? parent.removeChild(name)) != nil
            else { return }
            path = path.cut(atLast: "/").before
        }
    }

    private static func isRemoved(
        _ name: String,
        from parent: CgroupDirectory,
        _ location: CgroupLocation
    ) throws(Failure) -> Bool {
        do throws(Errno) {
            try parent.removeChild(name)
            return true
        } catch .EBUSY {
            return false
        } catch {
            throw Failure("remove the cgroup \(location.directory)", .rmdir, error)
        }
    }

    /// From the bottom up; what is busy stays.
    private static func removeDescendants(of directory: CgroupDirectory) throws(Failure) {
        for path in try directory.descendants().reversed() {
            let (above, name) = path.cut(atLast: "/")
            guard let parent = try above.isEmpty ? directory : directory.descendant(above) else { continue }
            _ = try isRemoved(name, from: parent, parent.location)
        }
    }

    private static func blocked(_ directory: CgroupDirectory) throws(Failure) -> Failure {
        let pids = try directory.processes()
        let shown = pids.prefix(8).map { "\($0)" }.joined(separator: ", ") + (pids.count > 8 ? ", ..." : "")
        let holders =
            pids.isEmpty ? "its dying processes are not gone yet" : "\(pids.count) process(es) in it: \(shown)"
        return Failure(
            "remove the cgroup \(directory.location.directory)",
            .rmdir,
            .EBUSY,
            detail: holders,
            hint: "end these processes, then delete the container again"
        )
    }
}
