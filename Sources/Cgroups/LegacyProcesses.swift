// What a v1 or hybrid machine can do to all processes of a container, and how its cgroups go.

internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem

extension LegacyDriver {
    /// What `freezer.state` takes.
    private enum State: String {
        case frozen = "FROZEN"
        case thawed = "THAWED"
    }

    /// The cgroup that is asked for processes: one that exists, of the hierarchies that a container's own runtime
    /// is least likely to leave alone.
    private func census() throws(Failure) -> CgroupDirectory? {
        let order = [unified, member("devices"), member("freezer"), member("pids")].compactMap { $0 } + members
        for member in order {
            if let directory = try member.open() { return directory }
        }
        return nil
    }

    func processes() throws(Failure) -> [CInt] {
        try census()?.processes() ?? []
    }

    func signalAll(_ number: CInt) throws(Failure) {
        try census()?.signalAll(number)
    }

    func killAll(deadline: Int64) throws(Failure) {
        if let directory = try unified?.open(), try directory.killByFile() {
            // A frozen process dies when it is thawed.
            return try thawToKill()
        }
        guard let directory = try census() else { return }
        try directory.killOneByOne(deadline: deadline) { () throws(Failure) in try thawToKill() }
    }

    // MARK: Freezing

    func freeze(deadline: Int64) throws(Failure) {
        guard let freezer = try member("freezer")?.open() else {
            guard let directory = try unified?.open() else {
                throw Failure("freeze the container: the cgroup controller freezer is not mounted")
            }
            return try directory.freezeByFile(deadline: deadline)
        }
        var tries = 0
        while true {
            // Written each time: a child that was being born may have slipped through.
            try setState(.frozen, of: freezer)
            if try freezer.readIfPresent("freezer.state") == State.frozen.rawValue { return }
            guard Machine.monotonicNanoseconds() < deadline else {
                try setState(.thawed, of: freezer)
                throw CgroupDirectory.freezingTookTooLong
            }
            tries += 1
            // Two that wait for each other may both be unable to reach a place where they can stand still.
            if tries % 50 == 0 { try setState(.thawed, of: freezer) }
            Pause.milliseconds(1, deadline: deadline)
        }
    }

    private func setState(_ state: State, of freezer: CgroupDirectory) throws(Failure) {
        do throws(Errno) {
            try freezer.write(state.rawValue, to: "freezer.state")
        } catch  where state == .thawed && (error == .ENOENT || error == .ENODEV) {
            // A cgroup that was removed meanwhile holds nobody up.
            return
        } catch {
            let action = "set the freezer \(freezer.location.directory) to \(state.rawValue)"
            throw Failure(action, .write, error, detail: "freezer.state")
        }
    }

    func thaw() throws(Failure) {
        if let freezer = try member("freezer")?.open() {
            try setState(.thawed, of: freezer)
        } else if let directory = try unified?.open() {
            try directory.setFrozen(false)
        }
    }

    func isFrozen() throws(Failure) -> Bool {
        if let freezer = try member("freezer")?.open() {
            return try freezer.readIfPresent("freezer.state").map { $0 != State.thawed.rawValue } ?? false
        }
        return try unified?.open()?.readIfPresent("cgroup.freeze") == "1"
    }

    // MARK: The end

    func oomKillCount() throws(Failure) -> UInt64? {
        try member("memory")?.open()?.number("oom_kill", of: "memory.oom_control")
    }

    func watchMemory() throws(Failure) -> MemoryWatch? {
        guard let memory = try member("memory")?.open() else { return nil }
        return try MemoryWatch.legacy(memory)
    }

    func remove(deadline: Int64) throws(Failure) {
        try remove(members, deadline: deadline)
    }

    func takeBack(deadline: Int64) throws(Failure) {
        try remove(members.filter(\.isMade), deadline: deadline)
    }

    private func remove(_ members: [Member], deadline: Int64) throws(Failure) {
        // The v2 hierarchy first: it says when the last process is gone.
        let order = members.filter(\.location.isUnified) + members.filter { !$0.location.isUnified }
        for member in order {
            member.directory = nil
            try CgroupRemoval.remove(member.location, in: member.parent, deadline: deadline) { () throws(Failure) in
                try thawToKill()
            }
        }
    }

    func removeIfUnused() throws(Failure) -> Bool {
        // Nobody can leave this one without being moved.
        guard let unified else { return false }
        return try CgroupRemoval.removeIfUnused(unified.location, in: unified.parent)
    }

    /// Also what the container froze below its own cgroup.
    func thawToKill() throws(Failure) {
        guard let freezer = try member("freezer")?.open() else { return }
        try setState(.thawed, of: freezer)
        for path in try freezer.descendants() {
            if let below = try freezer.descendant(path) { try setState(.thawed, of: below) }
        }
    }

    func delegate(to uid: UInt32) throws(Failure) {
        // Runtime-spec: config-linux.md, Cgroup ownership: only for v2.
    }
}
