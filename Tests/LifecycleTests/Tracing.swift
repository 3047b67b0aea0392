// Finds out with strace(1) which system calls a creation makes, and chooses points among them for a fault.

import Foundation
import Testing

/// One system call of a creation.
struct FaultPoint: Sendable, CustomStringConvertible {
    /// Whether a child of the runtime makes it: the intermediate or init.
    let isOfChild: Bool
    let call: String
    /// The how manieth of that name in its process, from 1.
    let occurrence: Int

    var description: String { "\(isOfChild ? "child" : "runtime") \(call) #\(occurrence)" }

    /// What to start the runtime with, so that the fault happens here: `signal=SIGKILL` or `error=ENOSPC`.
    func prefix(_ fault: String, trace: String) -> [String] {
        // Detached, because a tracer that waits for all it traces would wait for the container too.
        let follow = isOfChild ? ["-f", "-D"] : []
        let inject = "inject=\(call):\(fault):when=\(occurrence)"
        return [TestMachine.strace ?? "strace"] + follow + ["-qq", "-o", trace, "-e", "trace=\(call)", "-e", inject]
    }
}

enum Tracing {
    /// The system calls of one creation by process: the runtime's from its Swift start on, and its children's.
    static func calls(of box: Sandbox) throws -> (runtime: [FaultPoint], child: [FaultPoint]) {
        let trace = box.directory + "/trace"
        let prefix = [TestMachine.strace ?? "strace", "-f", "-D", "-qq", "-o", trace]
        let outcome = try box.start(["create", box.id], prefix: prefix).wait()
        try #require(outcome.status == 0, "\(outcome)")
        try box.succeed("delete", "--force", box.id)
        TestMachine.wait(seconds: 2) { Leaks.processes(box.id).isEmpty }
        let lines = (box.contents(trace) ?? "").split(separator: "\n")
        try #require(lines.count > 300, "the trace has \(lines.count) lines")
        let runtime = lines.first?.prefix { $0 != " " }
        var counts: [Substring: [String: Int]] = [:]
        var points: (runtime: [FaultPoint], child: [FaultPoint]) = ([], [])
        for line in lines {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            // Short pids are padded.
            let text = parts.count == 2 ? parts[1].drop { $0 == " " } : ""
            guard text.contains("("), let name = text.split(separator: "(").first.map(String.init),
                name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
            else { continue }
            let count = (counts[parts[0]]?[name] ?? 0) + 1
            counts[parts[0], default: [:]][name] = count
            let isOfChild = parts[0] != runtime
            let point = FaultPoint(isOfChild: isOfChild, call: name, occurrence: count)
            // The program's own first act; what is before it belongs to the loader.
            if !isOfChild && text.hasPrefix("rt_sigaction(SIGPIPE") { points.runtime = [] }
            if isOfChild { points.child.append(point) } else { points.runtime.append(point) }
        }
        // The runtime's own calls of that name and number come first and would take the fault.
        let own = counts[runtime ?? ""] ?? [:]
        points.child.removeAll { $0.occurrence <= own[$0.call] ?? 0 }
        return points
    }

    /// `count` of the points, evenly spread; the first and the last are among them.
    static func sample(_ points: [FaultPoint], _ count: Int) -> [FaultPoint] {
        guard points.count > count, count > 1 else { return points }
        return (0..<count).map { points[$0 * (points.count - 1) / (count - 1)] }
    }

    /// Calls whose failure the kernel can really produce, with an error that each can have.
    static let refusable: Set<String> = [
        "openat", "openat2", "mkdirat", "mkdir", "mknodat", "write", "fsopen", "fsconfig", "fsmount", "move_mount",
        "open_tree", "mount_setattr", "mount", "umount2", "clone3", "unshare", "setns", "pivot_root", "renameat",
        "renameat2", "rename", "capset", "setresuid", "setresgid", "setgroups", "keyctl", "sendto", "sendmsg",
        "close_range", "socketpair", "fchmod", "fchown", "flock", "pidfd_open", "statx", "newfstatat", "fstat",
        "getdents64",
        "fstatfs", "symlinkat", "chdir", "fchdir", "sethostname", "setdomainname", "ioctl", "seccomp", "memfd_create",
        "setsid", "readlink", "readlinkat", "read", "poll", "ppoll", "pidfd_send_signal", "prlimit64",
    ]
}
