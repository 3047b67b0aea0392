// Entering cgroups. A process that writes its own number into another's `cgroup.procs` waits for an RCU grace period
// (about 10 ms on an idle machine); one that moves itself, alone in its thread group, through the v1 file `tasks`, or
// that is born in a v2 cgroup, does not. So the runtime opens the files and init writes to them.

package import Diagnostics
package import LinuxSystem

/// What a process needs in order to enter the cgroups; owned by the runtime, inherited by the process over clone.
package struct CgroupJoin: ~Copyable {
    /// A descriptor that an array can hold.
    private final class Gate {
        let file: OwnedFD
        let location: CgroupLocation

        init(_ file: consuming OwnedFD, _ location: CgroupLocation) {
            self.file = file
            self.location = location
        }
    }

    private var gates: [Gate] = []
    private var unified: CgroupDirectory?

    /// Joins nothing.
    init() {}

    /// What another process opened and sent.
    /// - Parameters:
    ///   - files: From that process's `descriptors`.
    ///   - mask: That process's `mask`.
    package init(received files: [CInt], mask: UInt32, _ placement: CgroupPlacement) {
        var next = 0
        for index in placement.locations.indices where mask & 1 << UInt32(index) != 0 && next < files.count {
            gates.append(Gate(OwnedFD(adopting: files[next]), placement.locations[index]))
            next += 1
        }
    }

    /// The files to write to, for a process that cannot open them itself.
    package var descriptors: [BorrowedFD] { gates.map { BorrowedFD(rawValue: $0.file.rawValue) } }

    /// Which of the placement's locations the descriptors belong to: bit 0 is the first.
    package func mask(_ placement: CgroupPlacement) -> UInt32 {
        placement.locations.enumerated().reduce(0) { mask, place in
            gates.contains { $0.location == place.element } ? mask | 1 << UInt32(place.offset) : mask
        }
    }

    /// The v2 cgroup, for `clone3(2)` with `CLONE_INTO_CGROUP`; valid while this value lives. A process that was born
    /// there, or whose parent was, says so to `enter`.
    package var birthplace: BorrowedFD? { unified?.descriptor }

    mutating func add(_ directory: CgroupDirectory) throws(Failure) {
        let place = directory.location
        let name = place.isUnified ? "cgroup.procs" : "tasks"
        let file = try attempt("open \(place.directory)/\(name)", .openat2) { () throws(Errno) in
            try directory.open(name, .writeOnly)
        }
        gates.append(Gate(file, place))
        if place.isUnified { unified = directory }
    }

    /// The same for a cgroup of v1 that is only joined; nothing happens when it is not there.
    /// - Returns: Whether it is.
    mutating func add(_ location: CgroupLocation) throws(Failure) -> Bool {
        guard let file = try CgroupDirectory.open("tasks", .writeOnly, of: location) else { return false }
        gates.append(Gate(file, location))
        return true
    }

    /// Moves the calling process, which must have one thread. Called by init, and by the process of `exec`, before
    /// they give up anything.
    package borrowing func enter(bornInUnified: Bool) throws(Failure) {
        for gate in gates where !(gate.location.isUnified && bornInUnified) {
            try attempt("enter the cgroup \(gate.location.directory)", .write) { () throws(Errno) in
                try gate.file.borrowed.writeOnce([UInt8(ascii: "0")])
            }
        }
    }
}
