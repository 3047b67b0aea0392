// Real cgroups for tests: made below names of their own, entered only by the helper program, always removed.

import Cgroups
import Configuration
import Diagnostics
import Foundation
import LinuxSystem
import Testing

/// Conditions and helpers of the tests that make real cgroups. Each test has cgroups of its own name and removes them.
enum Machine {
    static let layout = try? CgroupLayout.discover(controllers: [], needsOwnPaths: true)

    static var isRoot: Bool { geteuid() == 0 }
    static var hasLegacy: Bool { isRoot && layout.map { $0.mode == .legacy || $0.mode == .hybrid } ?? false }
    static var unifiedMount: String? { layout?.hierarchies.first { $0.isUnified }?.mountPoint }
    static var hasUnified: Bool { isRoot && unifiedMount != nil }

    static func deadline(seconds: Int64) -> Int64 {
        LinuxSystem.Machine.monotonicNanoseconds() + seconds * 1_000_000_000
    }

    static func uniqueName(_ word: String) -> String {
        "apus-test-\(word)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    }
}

/// A container's cgroups for one test.
final class TestCgroups {
    let manager: any CgroupManager
    private var probes: [Process] = []
    private var ownMount: String?

    /// In every hierarchy of this machine.
    init(_ word: String, below: String = "") throws {
        let layout = try #require(Machine.layout)
        let path = below + "/" + Machine.uniqueName(word)
        manager = try CgroupPlacement(layout: layout, cgroupsPath: path, id: "x", isRootless: false).makeManager()
    }

    /// As on a machine that has only v2, within the v2 hierarchy of this machine.
    init(unified word: String, path: String = "middle/inner") throws {
        // Not from the hierarchy's root, whose controllers are the machine's to pass on.
        let mount = try #require(Machine.unifiedMount) + "/" + Machine.uniqueName(word)
        mkdir(mount, 0o755)
        ownMount = mount
        let location = CgroupLocation(hierarchy: "", mountPoint: mount, path: path)
        manager = CgroupPlacement(mode: .unified, locations: [location], isRootless: false).makeManager()
    }

    init(_ manager: any CgroupManager) {
        self.manager = manager
    }

    var locations: [CgroupLocation] { manager.placement.locations }

    func directory(_ controller: String) throws -> String {
        try #require(locations.first { controller.isEmpty ? $0.isUnified : $0.carries(controller) }).directory
    }

    func read(_ controller: String, _ file: String) throws -> String {
        try String(contentsOfFile: "\(directory(controller))/\(file)", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Takes a controller away from the v2 cgroup, if its parent, which is this test's, passes it on.
    func withhold(_ controller: String) throws {
        guard try read("", "cgroup.controllers").split(separator: " ").contains(Substring(controller)) else { return }
        let file = (try directory("") as NSString).deletingLastPathComponent + "/cgroup.subtree_control"
        try "-\(controller)".write(toFile: file, atomically: false, encoding: .utf8)
    }

    /// Starts the helper and waits for its first line.
    @discardableResult
    func probe(_ act: [String], places: [CgroupLocation]? = nil) throws -> (process: Process, pid: pid_t) {
        let process = try helper(act + (places ?? locations).map { "\($0.hierarchy)=\($0.mountPoint)=\($0.path)" })
        let pipe = Foundation.Pipe()
        process.standardOutput = pipe
        try process.run()
        probes.append(process)
        let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
        let pid = try #require(
            line.split(separator: "\n").first?.split(separator: " ").last.flatMap { pid_t($0) },
            "\(line)"
        )
        return (process, pid)
    }

    /// Kills, waits and removes; all must be gone.
    func tearDown() throws {
        try manager.killAll(deadline: Machine.deadline(seconds: 5))
        for probe in probes { probe.waitUntilExit() }
        try manager.remove(deadline: Machine.deadline(seconds: 5))
        for location in locations {
            #expect(!FileManager.default.fileExists(atPath: location.directory))
            // The parent that a test asked for; never the hierarchy's own root.
            let parent = location.path.cut(atLast: "/").before
            if !parent.isEmpty { rmdir("\(location.mountPoint)/\(parent)") }
        }
        if let ownMount { #expect(rmdir(ownMount) == 0) }
    }

    /// Runs a test's body and tears down whatever happens.
    func use(_ body: (TestCgroups) throws -> Void) throws {
        if let line = failure({ try body(self) }) { Issue.record("\(line)") }
        if let line = failure({ try tearDown() }) { Issue.record("tear down: \(line)") }
    }
}

/// The first line of the failure that the body must throw.
func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as Failure {
        return error.line
    } catch {
        return "\(error)"
    }
}

/// The helper program, which was built beside this one.
private func helper(_ arguments: [String]) throws -> Process {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("CgroupProbe")
    process.arguments = arguments
    return process
}

/// What the helper says until it ends.
func report(_ arguments: [String]) throws -> String {
    let process = try helper(arguments)
    let pipe = Foundation.Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return text
}

/// Which devices the helper could open in the cgroups: `null rw`.
func deviceReport(_ cgroups: TestCgroups) throws -> [String] {
    var found: [String] = []
    let places = cgroups.locations.map { "\($0.hierarchy)=\($0.mountPoint)=\($0.path)" }
    for line in try report(["devices"] + places).split(separator: "\n") {
        let words = line.split(separator: " ")
        let name = words[0].dropFirst("/dev/".count)
        if found.last?.hasPrefix("\(name) ") != true { found.append("\(name) ") }
        if words.last == "yes" { found[found.count - 1] += words[1] }
    }
    return found
}
