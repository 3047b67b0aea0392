// What a test may leave on the machine, looked for by its unique id: processes, cgroups, mounts, state, sockets.

import Foundation

enum Leaks {
    /// One sentence for each thing of the sandbox that is still there. Ends are awaited for a moment: a killed process
    /// takes one.
    static func of(_ sandbox: Sandbox, patience: Double = 2) -> [String] {
        let end = Date().addingTimeInterval(patience * Double(TestMachine.slowness))
        while true {
            let found = processes(sandbox.id) + cgroups(sandbox.id) + mounts(sandbox.id) + state(sandbox)
            if found.isEmpty || Date() > end { return found }
            usleep(20_000)
        }
    }

    /// Processes that were started with the sandbox's id in their environment, or are in a cgroup of its name.
    static func processes(_ id: String) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.filter { Int($0) != nil && $0 != "\(getpid())" }.compactMap { pid in
            let marks = bytes("/proc/\(pid)/environ") + bytes("/proc/\(pid)/cgroup")
            guard marks.range(of: Data(id.utf8)) != nil else { return nil }
            // Ended, and left to the machine's first process, which takes its time on a busy machine.
            let stat = String(decoding: bytes("/proc/\(pid)/stat"), as: UTF8.self)
            if let end = stat.lastIndex(of: ")"), stat[end...].hasPrefix(") Z 1 ") { return nil }
            let command = String(decoding: bytes("/proc/\(pid)/cmdline").map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
            let name = String(decoding: bytes("/proc/\(pid)/comm"), as: UTF8.self).trimmingCharacters(in: .newlines)
            return "process \(pid) \(name) \(command)"
        }
    }

    static func cgroups(_ id: String) -> [String] {
        let hierarchies = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/fs/cgroup")) ?? []
        return (hierarchies.map { "/sys/fs/cgroup/\($0)" } + ["/sys/fs/cgroup"]).flatMap { hierarchy in
            ((try? FileManager.default.contentsOfDirectory(atPath: hierarchy)) ?? [])
                .filter { $0.contains(id) }
                .map { "cgroup \(hierarchy)/\($0)" }
        }
    }

    static func mounts(_ id: String) -> [String] {
        String(decoding: bytes("/proc/self/mountinfo"), as: UTF8.self).split(separator: "\n")
            .filter { $0.contains(id) }.map { "mount \($0)" }
    }

    static func state(_ sandbox: Sandbox) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: sandbox.stateRoot)) ?? [])
            .filter { $0 != ".cache" }.map { "state \($0)" }
    }

    /// Ends and removes what a failed test left that no state names any more.
    static func clear(_ id: String) {
        for process in processes(id) {
            if let pid = process.split(separator: " ").dropFirst().first.flatMap({ pid_t($0) }) { kill(pid, SIGKILL) }
        }
        TestMachine.wait(seconds: 1) { processes(id).isEmpty }
        for cgroup in cgroups(id) { rmdir(String(cgroup.dropFirst("cgroup ".count))) }
    }

    private static func bytes(_ path: String) -> Data {
        (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data()
    }
}
