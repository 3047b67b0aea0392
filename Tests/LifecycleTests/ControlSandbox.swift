// What tests of a living container need beside the sandbox: its cgroup's files by either version's name, and running
// programs that leave traces.

import Foundation
import Testing

extension TestMachine {
    /// Whether the machine has cgroup v2 alone.
    static let isUnified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")
}

extension Sandbox {
    /// The container's cgroup of a controller.
    func cgroup(_ controller: String) -> String {
        TestMachine.isUnified ? "/sys/fs/cgroup/\(id)" : "/sys/fs/cgroup/\(controller)/\(id)"
    }

    /// A file of the cgroup, by its name on v1 or on v2, without the line feed at its end.
    func cgroupFile(_ controller: String, _ legacy: String, _ unified: String) -> String? {
        contents("\(cgroup(controller))/\(TestMachine.isUnified ? unified : legacy)")?
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func writeCgroup(_ path: String, _ value: String) throws {
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.write(contentsOf: Data(value.utf8))
        try file.close()
    }

    /// Waits until a file in the root filesystem has this text.
    func waitFor(_ name: String, _ text: String, location: SourceLocation = #_sourceLocation) throws {
        let path = "\(rootfs)/tmp/\(name)"
        for _ in 0..<1000 * TestMachine.slowness {
            if contents(path) == text { return }
            usleep(5000)
        }
        Issue.record("/tmp/\(name) is \(contents(path) ?? "missing"), not \(text)", sourceLocation: location)
    }

    /// Runs a container of this script, detached, until it has said that it is ready by a file `/tmp/ready`.
    func runReady(_ script: String, _ change: (inout Document) -> Void = { _ in }) throws {
        var document = document("\(script)\necho yes > /tmp/ready; while :; do sleep 1000; done")
        change(&document)
        try configure(document)
        try succeed("run", "--detach", id)
        try waitFor("ready", "yes\n")
    }

    /// `linux.resources` as `update --resources` reads it, in a file.
    func resourcesFile(_ resources: Document) throws -> String {
        let path = "\(directory)/resources-\(UInt32.random(in: 0...UInt32.max)).json"
        try JSONSerialization.data(withJSONObject: resources).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// `linux.resources` of the configuration that the runtime keeps.
    func keptResources() throws -> Document {
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(stateRoot)/\(id)/config.json"))
        let kept = try #require(try JSONSerialization.jsonObject(with: data) as? Document)
        return (kept["linux"] as? Document)?["resources"] as? Document ?? [:]
    }

    /// Waits until a command has written this many lines.
    func lines(_ count: Int, of process: ChildProcess, location: SourceLocation = #_sourceLocation) -> [String] {
        var lines: [String] = []
        for _ in 0..<2000 * TestMachine.slowness {
            lines = process.output.split(separator: "\n").map(String.init)
            if lines.count >= count { return lines }
            usleep(5000)
        }
        Issue.record("\(lines.count) lines instead of \(count)", sourceLocation: location)
        return lines
    }
}

extension Document {
    /// Sets a member of `linux`.
    mutating func setLinux(_ key: String, _ value: Any) {
        var linux = self["linux"] as? Document ?? [:]
        linux[key] = value
        self["linux"] = linux
    }
}
