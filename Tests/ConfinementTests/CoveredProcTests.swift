// Labels and other values that a process writes about itself, in a mount namespace whose /proc is covered or forged: they
// reach the kernel, or nobody. CVE-2019-16884, CVE-2025-52881.

import Foundation
import Testing

@Suite("A covered /proc", .enabled(if: geteuid() == 0, "needs root: mounts over /proc"))
struct CoveredProcTests {
    /// Runs a shell script in a mount namespace of its own; `$PROBE` is the probe, `$DIR` a directory that stays.
    private static func run(_ script: String) throws -> (said: [String: String], directory: String) {
        let directory = NSTemporaryDirectory() + "apus-covered-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let probe = URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "ConfinementProbe").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = ["--mount", "--propagation", "private", "/bin/sh", "-ec", script]
        process.environment = [
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PROBE": probe, "DIR": directory, "PROBE_COMMAND": "labels",
        ]
        let output = Foundation.Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        var said: [String: String] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            said[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        return (said, directory)
    }

    private static let labels = ["setAppArmorProfile", "setSELinuxLabel", "setKeyringLabel"]

    /// No module on this machine takes such a label, so the kernel refuses each; a forged file would have taken it.
    private static func expectRefused(_ said: [String: String]) {
        for name in labels { #expect(said[name].map { $0 != "written" } == true, "\(name): \(said)") }
        #expect(said["failure"] == nil, "\(said)")
    }

    /// A directory with plain files in the place of /proc.
    @Test func aForgedOneGetsNothing() throws {
        let files = ["attr/exec", "attr/keycreate", "attr/apparmor/exec", "oom_score_adj"]
        let (said, directory) = try Self.run(
            """
            mkdir -p $DIR/self/attr/apparmor
            for file in \(files.joined(separator: " ")); do : > $DIR/self/$file; done
            mount --bind $DIR /proc
            exec $PROBE
            """
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        Self.expectRefused(said)
        // The proof that the writes went to the kernel: one of them can be seen there.
        #expect(said["setOOMScoreAdjustment"] == "written" && said["oom"] == "321", "\(said)")
        for file in files {
            #expect(try String(contentsOfFile: "\(directory)/self/\(file)", encoding: .utf8).isEmpty, "\(file)")
        }
    }

    /// Single files of the process covered by others, in the real procfs.
    @Test func aCoveredFileGetsNothing() throws {
        let files = ["attr/exec", "attr/keycreate", "oom_score_adj"]
        let (said, directory) = try Self.run(
            """
            for file in \(files.joined(separator: " ")); do
                mkdir -p $DIR/$(dirname $file); : > $DIR/$file
                if [ -e /proc/$$/$file ]; then mount --bind $DIR/$file /proc/$$/$file; fi
            done
            exec $PROBE
            """
        )
        defer { try? FileManager.default.removeItem(atPath: directory) }
        Self.expectRefused(said)
        #expect(said["setOOMScoreAdjustment"] == "written" && said["oom"] == "321", "\(said)")
        for file in files {
            #expect(try String(contentsOfFile: "\(directory)/\(file)", encoding: .utf8).isEmpty, "\(file)")
        }
    }

    /// /proc of another kind, or a link, with nothing in it at all: the private one is not looked for there.
    @Test func anEmptyOneIsNoObstacle() throws {
        let (said, directory) = try Self.run("mount -t tmpfs none /proc; exec $PROBE")
        defer { try? FileManager.default.removeItem(atPath: directory) }
        Self.expectRefused(said)
        #expect(said["setOOMScoreAdjustment"] == "written" && said["oom"] == "321", "\(said)")
    }
}
