// Changing limits of a container that lives: old values are read first, and written back in reverse when one of the new
// ones cannot be set. Called by the drivers.

internal import Diagnostics
internal import LinuxSystem

/// One change of several limits.
struct CgroupUpdate {
    private struct Change {
        let write: CgroupWrite
        let directory: CgroupDirectory
        /// `nil` when the file is not there; then nothing can be written either.
        let restoration: CgroupWrite?
        /// Of files that the kernel changes with this one; put back after it.
        let alsoChanged: [CgroupWrite]
    }

    private let changes: [Change]

    /// Reads the present values; changes nothing.
    /// - Parameter place: The cgroup that has a write's file.
    init(_ writes: [CgroupWrite], in place: (CgroupWrite) throws(Failure) -> CgroupDirectory) throws(Failure) {
        var changes: [Change] = []
        for write in writes {
            let directory = try place(write)
            changes.append(
                Change(
                    write: write,
                    directory: directory,
                    restoration: try Self.restoration(of: write, in: directory),
                    alsoChanged: try Self.sideEffects(of: write, in: directory)
                )
            )
        }
        self.changes = changes
    }

    /// A cgroup that becomes idle, or ceases to be, gets another weight.
    private static func sideEffects(
        of write: CgroupWrite,
        in directory: CgroupDirectory
    ) throws(Failure) -> [CgroupWrite] {
        guard write.choices.contains(where: { $0.file == "cpu.idle" }) else { return [] }
        var restorations: [CgroupWrite] = []
        for file in ["cpu.shares", "cpu.weight"] {
            guard let present = try directory.readIfPresent(file) else { continue }
            restorations.append(CgroupWrite("cpu", file, present, key: write.key))
        }
        return restorations
    }

    private static func restoration(
        of write: CgroupWrite,
        in directory: CgroupDirectory
    ) throws(Failure) -> CgroupWrite? {
        for choice in write.choices {
            do throws(Failure) {
                guard var present = try directory.readIfPresent(choice.file) else { continue }
                if present.isEmpty {
                    // A v2 cpuset with processes cannot be emptied again: it gets what it had in effect.
                    present = try directory.readIfPresent("\(choice.file).effective") ?? present
                }
                return write.restoring(choice, present)
            } catch  where error.errno == .EINVAL || error.errno == .EACCES {
                // A file that takes orders (memory.reclaim) has no old value.
                return nil
            }
        }
        return nil
    }

    /// Writes all values, then does what belongs to the same change; takes everything back when something fails.
    /// - Parameters:
    ///   - last: Must leave nothing changed when it throws.
    ///   - explain: More about a write that failed.
    func perform(
        last: () throws(Failure) -> Void,
        explain: (Failure, CgroupWrite, CgroupDirectory) throws(Failure) -> Failure
    ) throws(Failure) {
        var tried: [Change] = []
        do throws(Failure) {
            var postponed: [Change] = []
            for change in changes {
                tried.append(change)
                do throws(Failure) {
                    try Self.write(change, explain)
                } catch  where change.write.isInterdependent && error.errno == .EINVAL {
                    postponed.append(change)
                }
            }
            for change in postponed { try Self.write(change, explain) }
            try last()
        } catch {
            throw Self.takeBack(tried, after: error)
        }
    }

    private static func write(
        _ change: Change,
        _ explain: (Failure, CgroupWrite, CgroupDirectory) throws(Failure) -> Failure
    ) throws(Failure) {
        do throws(Failure) {
            try CgroupWrite.perform([change.write]) { _ in change.directory }
        } catch {
            throw try explain(error, change.write, change.directory)
        }
    }

    /// Whether the file says already what it said; the kernel may refuse to hear its own answer (the weight of an idle
    /// cgroup).
    private static func isBack(_ restoration: CgroupWrite, in directory: CgroupDirectory) throws(Failure) -> Bool {
        for choice in restoration.choices {
            if let present = try directory.readIfPresent(choice.file) { return present == choice.value }
        }
        return true
    }

    /// Twice, since a value may depend on another one that is not back yet.
    private static func takeBack(_ tried: [Change], after failure: Failure) -> Failure {
        var rest = tried.reversed().flatMap { change in
            ([change.restoration].compactMap(\.self) + change.alsoChanged).map { ($0, change.directory) }
        }
        var problems: [String] = []
        for _ in 0..<2 {
            problems = []
            rest = rest.filter { restoration, directory in
                do throws(Failure) {
                    if try isBack(restoration, in: directory) { return false }
                    try CgroupWrite.perform([restoration]) { _ in directory }
                    return false
                } catch  where error.errno == .ENODEV {
                    // A device that is not there has no limit, and neither has a cgroup that is gone.
                    return false
                } catch {
                    problems.append("\(directory.location.directory): \(error.line)")
                    return true
                }
            }
        }
        if tried.count <= 1 && problems.isEmpty { return failure }
        return problems.isEmpty
            ? failure.after("not all limits could be set, so the old ones are back")
            : failure.after("not all limits could be set, nor all set back (\(problems.joined(separator: "; ")))")
    }
}

extension Failure {
    /// The same failure behind words about what became of the whole.
    fileprivate func after(_ words: String) -> Failure {
        prefixed(words)
    }
}
