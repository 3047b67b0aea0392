// What both drivers do with an open cgroup: write limits, wait, kill, freeze by v2's files. Called by the drivers only.

internal import Diagnostics
internal import KernelTypes
internal import LinuxSystem

/// Short waits where the kernel gives nothing to poll.
enum Pause {
    /// Waits, but not past the deadline.
    static func milliseconds(_ count: Int64, deadline: Int64) {
        let end = min(deadline, Machine.monotonicNanoseconds() + count * 1_000_000)
        _ = try? Polling.wait(for: [], deadline: end)
    }
}

extension Errno {
    /// Whether the caller lacks a right, and not the kernel a feature.
    var isDenial: Bool { self == .EACCES || self == .EPERM || self == .EROFS }
}

extension CgroupWrite {
    /// Writes all values; those that depend on later ones get a second try after them.
    /// - Parameter place: The cgroup that has a write's file.
    static func perform(
        _ writes: [CgroupWrite],
        in place: (CgroupWrite) throws(Failure) -> CgroupDirectory
    ) throws(Failure) {
        var postponed: [CgroupWrite] = []
        for write in writes {
            do throws(Failure) {
                try write.perform(in: try place(write))
            } catch  where write.isInterdependent && error.errno == .EINVAL {
                postponed.append(write)
            }
        }
        for write in postponed {
            try write.perform(in: try place(write))
        }
    }

    private func perform(in directory: CgroupDirectory) throws(Failure) {
        try checkUsage(in: directory)
        for (index, choice) in choices.enumerated() {
            var line = choice.value
            do throws(Errno) {
                let file = try directory.open(choice.file, .writeOnly)
                // The kernel takes one line at a time.
                for part in choice.value.parts(separatedBy: "\n") {
                    line = part
                    try file.borrowed.writeOnce(Array(part.utf8))
                }
                return
            } catch .ENOENT where index + 1 < choices.count {
                continue
            } catch {
                if ignorable.contains(error) { return }
                let hint = error == .ENOENT ? "this kernel, or this cgroup, has no file of that name" : nil
                throw Failure("set \(key) to \(line)", .write, error, detail: choice.file, hint: hint)
            }
        }
    }

    private func checkUsage(in directory: CgroupDirectory) throws(Failure) {
        guard let usageFile, let value = choices.first.flatMap({ UInt64($0.value) }),
            let usage = try directory.readIfPresent(usageFile).flatMap({ UInt64($0) })
        else { return }
        if value < usage {
            throw Failure(
                "set \(key) to \(value): \(usage) bytes are in use, and checkBeforeUpdate forbids a lower limit",
                .wrongState,
                subject: key
            )
        }
    }
}

extension CgroupDirectory {
    /// The value of a line `name value` of a file.
    func number(_ name: String, of file: String) throws(Failure) -> UInt64? {
        for line in try readIfPresent(file)?.split(separator: "\n") ?? [] {
            let words = line.split(separator: " ")
            if words.count == 2 && words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }

    /// Refuses a cgroup that is in use, as a runtime may. Runtime-spec: config-linux.md, Cgroups Path.
    func checkFitness() throws(Failure) {
        let count = try processes().count
        guard count == 0 else {
            throw Failure(
                "container's cgroup is not empty: \(count) process(es) found",
                .wrongState,
                subject: location.directory,
                hint: "they are in \(location.directory): another container may have the same linux.cgroupsPath"
            )
        }
        let isFrozen =
            try location.isUnified
            ? readIfPresent("cgroup.freeze") == "1"
            : readIfPresent("freezer.state").map { $0 != "THAWED" } ?? false
        guard !isFrozen else {
            throw Failure(
                "container's cgroup unexpectedly frozen",
                .wrongState,
                subject: location.directory,
                hint: "thaw or remove \(location.directory)"
            )
        }
    }

    /// Signals every process once. A pid may pass to a stranger at any time: so a process is named by a descriptor
    /// first, and is signalled through that if it is still listed afterwards.
    func signalAll(_ number: CInt) throws(Failure) {
        let batch = 64
        var rest = try processes()[...]
        while !rest.isEmpty {
            let named = rest.prefix(batch).map { pid in (pid, try? Processes.open(pid: pid).release()) }
            defer { for case (_, let raw?) in named { _ = OwnedFD(adopting: raw) } }
            rest = rest.dropFirst(batch)
            let present = Set(try processes())
            for case (let pid, let raw?) in named where present.contains(pid) {
                do throws(Errno) {
                    try Processes.signal(BorrowedFD(rawValue: raw), number)
                } catch .ESRCH {
                    continue
                } catch {
                    throw Failure("send signal \(number) to process \(pid)", .pidfdSendSignal, error)
                }
            }
        }
    }

    /// Kills until nothing is left, since a process may be born while the list is read.
    /// - Parameter afterRound: Called after each round of signals.
    func killOneByOne(deadline: Int64, afterRound: () throws(Failure) -> Void) throws(Failure) {
        let kill: CInt = 9
        var pause: Int64 = 1
        while true {
            let pids = try processes()
            if pids.isEmpty { return }
            guard Machine.monotonicNanoseconds() < deadline else {
                throw Failure(
                    "kill the processes of \(location.directory): \(pids.count) are still there",
                    .timeout,
                    subject: location.directory,
                    hint: "a process in an uninterruptible sleep dies only when its call returns"
                )
            }
            try signalAll(kill)
            try afterRound()
            Pause.milliseconds(pause, deadline: deadline)
            pause = min(pause * 2, 16)
        }
    }

    // MARK: Files of every v2 cgroup

    /// Kills everything at once; `false` where the kernel (before 5.14) cannot.
    func killByFile() throws(Failure) -> Bool {
        do throws(Errno) {
            try write("1", to: "cgroup.kill")
            return true
        } catch .ENOENT {
            return false
        } catch .ENODEV {
            // Removed between opening and writing, as systemd does with a scope that nobody is in.
            return true
        } catch {
            throw Failure("kill the processes of \(location.directory)", .write, error, detail: "cgroup.kill")
        }
    }

    /// Waits until an event of `cgroup.events` has a value.
    /// - Returns: Whether it came before the deadline. A cgroup that does not exist any more has every event.
    func waitForEvent(_ name: String, _ value: UInt64, deadline: Int64) throws(Failure) -> Bool {
        while true {
            do throws(Errno) {
                let events = try open("cgroup.events", .readOnly)
                let text = String(decoding: try events.borrowed.readToEnd(limit: 4096), as: UTF8.self)
                if text.split(separator: "\n").contains("\(name) \(value)") { return true }
                // Ready when the file has changed since it was read.
                if try Polling.wait(for: events.borrowed, .priority, deadline: deadline) == nil { return false }
            } catch .ENOENT {
                return true
            } catch .ENODEV {
                return true
            } catch {
                throw Failure("watch \(location.directory)/cgroup.events", .poll, error)
            }
        }
    }

    /// Freezes by `cgroup.freeze`.
    func freezeByFile(deadline: Int64) throws(Failure) {
        try setFrozen(true)
        if try waitUntilFrozen(deadline: deadline) { return }
        try setFrozen(false)
        throw Self.freezingTookTooLong
    }

    /// The kernel counts a cgroup as frozen when its own tasks are; those in threaded cgroups below may still run.
    private func waitUntilFrozen(deadline: Int64) throws(Failure) -> Bool {
        guard try waitForEvent("frozen", 1, deadline: deadline) else { return false }
        for path in try descendants() {
            guard let below = try descendant(path) else { continue }
            if try !below.waitForEvent("frozen", 1, deadline: deadline) { return false }
        }
        return true
    }

    static var freezingTookTooLong: Failure {
        Failure(
            "freeze the container: its processes did not all stand still in time; they run again",
            .timeout,
            hint: "a process in an uninterruptible sleep stands still only when its call returns"
        )
    }

    /// Freezes or thaws by `cgroup.freeze`, without waiting.
    func setFrozen(_ frozen: Bool) throws(Failure) {
        let action = frozen ? "freeze" : "thaw"
        try attempt("\(action) \(location.directory)", .write, detail: "cgroup.freeze") { () throws(Errno) in
            try write(frozen ? "1" : "0", to: "cgroup.freeze")
        }
    }
}
