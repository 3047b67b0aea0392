// Hearing that a container ran out of memory. The kernel says it through a descriptor: on v1 an eventfd that
// `cgroup.event_control` ties to `memory.oom_control`, on v2 the file `memory.events` itself, which becomes ready when
// its counts change. Used by `events`.

package import Diagnostics
package import LinuxSystem

/// One cgroup's lack of memory, to be waited for.
package final class MemoryWatch {
    private enum Kind {
        case eventfd(Control)
        /// With the number of kills when it was last read.
        case counts(UInt64)
    }

    /// `memory.oom_control`, which cannot be read any more when the cgroup is gone.
    private final class Control {
        let file: OwnedFD

        init(_ file: consuming OwnedFD) {
            self.file = file
        }
    }

    private let source: OwnedFD
    private var kind: Kind

    private init(_ source: consuming OwnedFD, _ kind: Kind) {
        self.source = source
        self.kind = kind
    }

    /// What to wait for, and which event of it.
    package var wanted: (BorrowedFD, PollEvents) {
        switch kind {
        case .eventfd: (source.borrowed, .readable)
        case .counts: (source.borrowed, .priority)
        }
    }

    /// To be called when it is ready, and once more at the end.
    /// - Returns: Whether memory ran out since the last call. The removal of the cgroup makes it ready, too.
    package func hasNews() throws(Failure) -> Bool {
        switch kind {
        case .eventfd(let control):
            do throws(Errno) {
                _ = try source.borrowed.read(upTo: 8)
                // The kernel also writes when it removes the cgroup.
                _ = try control.file.borrowed.read(count: 1, at: 0)
                return true
            } catch .EAGAIN {
                return false
            } catch .ENODEV {
                return false
            } catch {
                throw Failure("hear of lack of memory", .read, error)
            }
        case .counts(let before):
            let now = try Self.kills(source.borrowed)
            kind = .counts(now)
            return now > before
        }
    }

    /// v1.
    static func legacy(_ memory: CgroupDirectory) throws(Failure) -> MemoryWatch {
        try attempt("watch \(memory.location.directory)/memory.oom_control", .eventfd) { () throws(Errno) in
            let event = try EventDescriptor.make()
            let control = try memory.open("memory.oom_control", .readOnly)
            try memory.write("\(event.borrowed.rawValue) \(control.borrowed.rawValue)", to: "cgroup.event_control")
            return MemoryWatch(event, .eventfd(Control(control)))
        }
    }

    /// v2; `nil` without the memory controller.
    static func unified(_ cgroup: CgroupDirectory) throws(Failure) -> MemoryWatch? {
        let events: OwnedFD
        do throws(Errno) {
            events = try cgroup.open("memory.events", .readOnly)
        } catch .ENOENT {
            return nil
        } catch {
            throw Failure("watch \(cgroup.location.directory)/memory.events", .openat2, error)
        }
        let kills = try kills(events.borrowed)
        return MemoryWatch(events, .counts(kills))
    }

    /// A cgroup that is gone has no more of them.
    private static func kills(_ events: BorrowedFD) throws(Failure) -> UInt64 {
        do throws(Errno) {
            let text = String(decoding: try events.read(count: 4096, at: 0), as: UTF8.self)
            return StatisticsText.counts(text).first { $0.name == "oom_kill" }?.value ?? 0
        } catch .ENODEV {
            return 0
        } catch {
            throw Failure("read memory.events", .read, error)
        }
    }
}
