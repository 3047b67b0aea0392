// A root filesystem of busybox in a temporary directory, and the probe that makes a container of it. The test process
// itself changes nothing of its own.

import Foundation
import Testing

/// What the kernel tests need and a developer's machine may lack.
enum Privileges {
    static let isRoot = geteuid() == 0
    static let reason: Comment = "mount namespaces and device nodes need root, and /bin/busybox must be there"
    static let suffice = isRoot && FileManager.default.isExecutableFile(atPath: "/bin/busybox")
}

/// A container in the making; its directory goes when this does.
final class Container {
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }

        /// The options of the topmost mount on `path`, of the mount alone and of its file system.
        func mount(on path: String) -> (options: Set<String>, type: String, line: String)? {
            for line in lines.reversed() {
                let fields = line.split(separator: " ").map(String.init)
                guard fields.count > 8, fields[4] == path, let dash = fields.firstIndex(of: "-") else { continue }
                return (Set(fields[5].split(separator: ",").map(String.init)), fields[dash + 1], line)
            }
            return nil
        }
    }

    /// Holds `rootfs`, and `host`, which stands for what the container must not reach.
    let directory: String
    var root: String { directory + "/rootfs" }
    var host: String { directory + "/host" }

    init() throws {
        var template = Array("/tmp/apus-rootfs-test.XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw POSIXError(.EIO) }
        directory = String(cString: made)
        chmod(directory, 0o755)
        for path in ["rootfs/bin", "rootfs/etc", "rootfs/proc", "rootfs/sys", "rootfs/dev", "rootfs/data", "host"] {
            try FileManager.default.createDirectory(atPath: "\(directory)/\(path)", withIntermediateDirectories: true)
        }
        try FileManager.default.copyItem(atPath: "/bin/busybox", toPath: root + "/bin/busybox")
        for applet in ["sh", "cat", "ls", "stat", "touch", "echo", "tty", "readlink", "mkdir", "stty", "true"] {
            link(root + "/bin/busybox", root + "/bin/" + applet)
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Writes a file below the container's directory.
    func write(_ path: String, _ text: String, mode: mode_t = 0o644) throws {
        let whole = "\(directory)/\(path)"
        let parent = (whole as NSString).deletingLastPathComponent
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        try text.write(toFile: whole, atomically: false, encoding: .utf8)
        chmod(whole, mode)
    }

    /// Puts a link in the root filesystem in place of what is there.
    func link(_ path: String, to target: String) {
        try? FileManager.default.removeItem(atPath: root + path)
        symlink(target, root + path)
    }

    func link(_ old: String, _ new: String) {
        Foundation.link(old, new)
    }

    /// Gives the root filesystem to the root of the probe's user namespaces.
    func giveToMappedRoot() {
        for path in [root] + (FileManager.default.subpaths(atPath: root) ?? []).map({ "\(root)/\($0)" }) {
            lchown(path, 100_000, 100_000)
        }
    }

    /// The names below `host`.
    var hostContent: [String] {
        (FileManager.default.subpaths(atPath: host) ?? []).sorted()
    }

    /// The mounts of an ordinary container.
    static let standardMounts = [
        "--mount", "proc,/proc,proc",
        "--mount", "tmpfs,/dev,tmpfs,nosuid,strictatime,mode=755,size=65536k",
        "--mount", "devpts,/dev/pts,devpts,nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5",
        "--mount", "tmpfs,/dev/shm,shm,nosuid,noexec,nodev,mode=1777,size=65536k",
        "--mount", "mqueue,/dev/mqueue,mqueue,nosuid,noexec,nodev",
        "--mount", "sysfs,/sys,sysfs,nosuid,noexec,nodev,ro",
    ]

    /// Runs the probe; see Tests/RootfsProbe/main.swift for the arguments.
    func run(_ arguments: [String], standard: Bool = false, script: String = "cat /proc/self/mountinfo") throws
        -> Outcome
    {
        let process = Process()
        process.executableURL = Self.probe
        process.arguments =
            ["--rootfs", root] + (standard ? Self.standardMounts : []) + arguments + (script.isEmpty ? [] : [script])
        let output = Pipe()
        let errors = URL(fileURLWithPath: "\(directory)/errors")
        _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: String(decoding: bytes, as: UTF8.self),
            errors: try String(contentsOf: errors, encoding: .utf8)
        )
    }

    /// Beside this test program.
    private static var probe: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("RootfsProbe")
    }
}
