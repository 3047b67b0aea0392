// Telling that a process was killed because the container's memory limit was reached: the kernel kills without a word to
// the process, and counts it in the cgroup.

package import Cgroups
package import Diagnostics

/// The kills of a cgroup since a moment.
package struct MemoryKills {
    private let cgroup: any CgroupManager
    private let before: UInt64

    /// - Parameter isNew: Whether the cgroup is made for this process, so that every kill in it counts.
    package init(_ cgroup: any CgroupManager, isNew: Bool) {
        self.cgroup = cgroup
        before = isNew ? 0 : Self.count(cgroup)
    }

    /// Whether there was one. A cgroup that cannot be asked says nothing.
    var happened: Bool { Self.count(cgroup) > before }

    private static func count(_ cgroup: any CgroupManager) -> UInt64 {
        (try? cgroup.oomKillCount()) ?? nil ?? 0
    }

    /// What to say of a process that ended without a word.
    /// - Parameters:
    ///   - name: Who ended: `container init`.
    ///   - text: How, and where it was.
    package func failure(of name: String, _ text: String, subject: String) -> Failure {
        guard happened else { return Failure(text, .initDied, subject: subject) }
        return Failure("\(name) was OOM-killed (memory limit too low?): \(text)", .oomKilled, subject: subject)
    }
}

extension RuntimeSide {
    /// Whether the kernel killed for lack of memory in the container.
    package var ranOutOfMemory: Bool { MemoryKills(cgroup, isNew: true).happened }
}
