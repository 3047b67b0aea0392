// Starts programs as a caller of the runtime does: chosen descriptors and nothing else, output to files (a detached
// container may keep them open), and a deadline on every wait.

import Foundation

// Glibc's module leaves out what its headers show to GNU programs only; see posix_spawn_file_actions_addchdir_np(3).
@_silgen_name("posix_spawn_file_actions_addchdir_np")
private func addChangeDirectory(
    _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>,
    _ path: UnsafePointer<CChar>
) -> Int32
@_silgen_name("posix_spawn_file_actions_addclosefrom_np")
private func addCloseFrom(_ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ first: Int32) -> Int32

/// How a program ended.
struct Outcome: CustomStringConvertible {
    /// The exit status, or 128 and the signal's number; `nil` when it had to be ended at its deadline.
    let status: Int32?
    let output: String
    let errors: String

    var description: String { "status \(status.map(String.init) ?? "none in time"); \(output)\(errors)" }
}

/// A started program.
final class ChildProcess {
    let pid: pid_t
    private let outputPath: String
    private let errorPath: String
    private var raw: Int32?
    private static let poll: useconds_t = 1500
    /// `POSIX_SPAWN_SETSID`.
    private static let newSession: Int16 = 0x80

    /// - Parameters:
    ///   - files: Where its output goes; `.out` and `.err` are added.
    ///   - descriptors: The child's number and the parent's, beside the standard streams.
    ///   - streams: Used for standard input, output and error instead of `/dev/null` and the files.
    init(
        _ words: [String],
        environment: [String],
        directory: String? = nil,
        files: String,
        descriptors: [(child: Int32, parent: Int32)] = [],
        streams: Int32? = nil
    ) throws {
        outputPath = files + ".out"
        errorPath = files + ".err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let streams {
            for stream in 0..<Int32(3) { posix_spawn_file_actions_adddup2(&actions, streams, stream) }
        } else {
            let flags = O_WRONLY | O_CREAT | O_TRUNC
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_addopen(&actions, 1, outputPath, flags, 0o644)
            posix_spawn_file_actions_addopen(&actions, 2, errorPath, flags, 0o644)
        }
        for pair in descriptors { posix_spawn_file_actions_adddup2(&actions, pair.parent, pair.child) }
        _ = addCloseFrom(&actions, (descriptors.map(\.child).max() ?? 2) + 1)
        if let directory { _ = addChangeDirectory(&actions, directory) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        if streams != nil { posix_spawnattr_setflags(&attributes, Self.newSession) }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, words[0], &actions, &attributes, &arguments, &variables)
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: result) ?? .EIO) }
        self.pid = pid
    }

    /// Waits; at the deadline the program is killed.
    func wait(seconds: Double = 30) -> Outcome {
        let end = Date().addingTimeInterval(seconds * Double(TestMachine.slowness))
        var inTime = true
        while raw == nil {
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid { raw = status }
            if raw == nil && inTime && Date() > end {
                inTime = false
                kill(pid, SIGKILL)
            }
            if raw == nil { usleep(Self.poll) }
        }
        let status = raw ?? 0
        let code = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
        return Outcome(status: inTime ? code : nil, output: Self.text(outputPath), errors: Self.text(errorPath))
    }

    /// What it has written so far.
    var output: String { Self.text(outputPath) }

    private static func text(_ path: String) -> String {
        String(decoding: (try? Data(contentsOf: URL(fileURLWithPath: path))) ?? Data(), as: UTF8.self)
    }
}
