// One test's place: a state root, bundles and an id of its own. Drives the built program, and afterwards proves that
// nothing of the test is left on the machine.

import Foundation
import Testing

/// What these tests need of the machine.
enum TestMachine {
    /// The program under test: `APUS_BINARY`, or what was built beside the tests.
    /// Where the build puts programs: beside this one.
    static let products: URL = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? "/"
        return URL(fileURLWithPath: own).deletingLastPathComponent()
    }()

    static let binary =
        ProcessInfo.processInfo.environment["APUS_BINARY"] ?? products.appendingPathComponent("apus").path

    /// How much slower than usual the machine is: what tests wait for at most is so many times as long.
    static let slowness = ProcessInfo.processInfo.environment["APUS_TEST_SLOWNESS"].flatMap { Int($0) } ?? 1

    /// Waits at most so many seconds of a usual machine, until something holds; what then must hold is tested by the
    /// caller.
    static func wait(seconds: Double, until condition: () throws -> Bool) rethrows {
        let end = Date().addingTimeInterval(seconds * Double(slowness))
        while try !condition() && Date() < end { usleep(5000) }
    }

    static let isUsable =
        geteuid() == 0
        && FileManager.default.isExecutableFile(atPath: "/bin/busybox")
        && FileManager.default.fileExists(atPath: "/sys/fs/cgroup")
        && FileManager.default.isExecutableFile(atPath: binary)
    static let reason: Comment = "needs root, cgroups, /bin/busybox and the built program"

    static let strace = ["/usr/bin/strace", "/bin/strace"].first { FileManager.default.isExecutableFile(atPath: $0) }
    static let isTraceable = isUsable && strace != nil

    static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "spec-fixtures")
}

/// A configuration as JSON values.
typealias Document = [String: Any]

/// One test's place.
final class Sandbox {
    let id: String
    let directory: String
    var stateRoot: String { directory + "/state" }
    var bundle: String { directory + "/bundle" }
    var rootfs: String { bundle + "/rootfs" }
    private var calls = 0
    private let lock = NSLock()

    init(_ word: String) throws {
        id = "apus-lt-\(word)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        directory = "/tmp/\(id)"
        try Self.makeDirectory(bundle)
        try makeRootfs(rootfs)
    }

    /// Runs a test's body, then removes everything and reports what is left.
    static func use(_ word: String, _ body: (Sandbox) throws -> Void) throws {
        let sandbox = try Sandbox(word)
        var failure: (any Error)?
        do { try body(sandbox) } catch { failure = error }
        sandbox.finish(expectingNothing: failure == nil)
        if let failure { throw failure }
    }

    static func makeDirectory(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// A root filesystem of busybox and empty directories.
    func makeRootfs(_ path: String) throws {
        for name in ["bin", "proc", "sys", "dev", "tmp", "etc", "root"] { try Self.makeDirectory("\(path)/\(name)") }
        try FileManager.default.copyItem(atPath: "/bin/busybox", toPath: "\(path)/bin/busybox")
        for name in ["sh", "true", "cat", "sleep", "id", "ls", "tty", "stty", "kill", "env", "readlink", "mount"] {
            symlink("busybox", "\(path)/bin/\(name)")
        }
    }

    /// An ordinary container that runs a shell script.
    func document(_ script: String) -> Document { document(arguments: ["/bin/sh", "-c", script]) }

    func document(arguments: [String]) -> Document {
        [
            "ociVersion": "1.2.0",
            "process": [
                "cwd": "/", "args": arguments, "user": ["uid": 0, "gid": 0],
                "env": ["PATH=/bin", "APUS_TEST_ID=\(id)"],
                "capabilities": ["bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]],
                "noNewPrivileges": true,
            ] as Document,
            "root": ["path": "rootfs"] as Document,
            "hostname": "box",
            "mounts": [
                ["destination": "/proc", "type": "proc", "source": "proc"],
                ["destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]],
                [
                    "destination": "/dev/pts", "type": "devpts", "source": "devpts",
                    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
                ],
            ] as [Document],
            "linux": [
                "namespaces": ["pid", "mount", "ipc", "uts"].map { ["type": $0] },
                "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"],
            ] as Document,
        ]
    }

    /// Writes the bundle's config.json.
    func configure(_ document: Document, bundle: String? = nil) throws {
        let data = try JSONSerialization.data(withJSONObject: document)
        try data.write(to: URL(fileURLWithPath: "\(bundle ?? self.bundle)/config.json"))
    }

    var environment: [String] { ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "APUS_TEST_ID=\(id)"] }

    private func nextFiles() -> String {
        lock.withLock {
            calls += 1
            return "\(directory)/call-\(calls)"
        }
    }

    /// Starts a command of the program.
    func start(
        _ words: [String],
        program: String = TestMachine.binary,
        prefix: [String] = [],
        environment: [String] = [],
        directory: String? = nil,
        descriptors: [(child: Int32, parent: Int32)] = [],
        streams: Int32? = nil
    ) throws -> ChildProcess {
        try ChildProcess(
            prefix + [program, "--root", stateRoot] + words,
            environment: self.environment + environment,
            directory: directory ?? bundle,
            files: nextFiles(),
            descriptors: descriptors,
            streams: streams
        )
    }

    /// A copy of the program that nobody else executes. Made by another process: what this one has open for writing
    /// could not be executed as long as some other test's child has it too.
    func copyProgram(to path: String) throws {
        let copy = try ChildProcess(
            ["/bin/cp", TestMachine.binary, path],
            environment: environment,
            files: nextFiles()
        )
        try #require(copy.wait().status == 0)
    }

    /// Runs a command of the program to its end.
    @discardableResult
    func apus(_ words: String..., prefix: [String] = [], environment: [String] = []) throws -> Outcome {
        try start(words, prefix: prefix, environment: environment).wait()
    }

    /// Runs a command that must succeed.
    @discardableResult
    func succeed(_ words: String..., location: SourceLocation = #_sourceLocation) throws -> Outcome {
        let outcome = try start(words).wait()
        try #require(outcome.status == 0, "\(words): \(outcome)", sourceLocation: location)
        return outcome
    }

    /// Runs a command that must fail with this line.
    func fail(_ words: String..., with message: String, location: SourceLocation = #_sourceLocation) throws {
        let outcome = try start(words).wait()
        #expect(outcome.status == 1, "\(words): \(outcome)", sourceLocation: location)
        let line = outcome.errors.split(separator: "\n").first.map(String.init) ?? ""
        #expect(line == "apus: \(message)", sourceLocation: location)
    }

    struct State: Decodable {
        let id: String
        let status: String
        let pid: Int32
        let bundle: String
    }

    func state(_ id: String? = nil) throws -> State {
        let text = try succeed("state", id ?? self.id).output
        return try JSONDecoder().decode(State.self, from: Data(text.utf8))
    }

    /// Waits until the container has the status.
    func waitFor(status: String, _ id: String? = nil) throws {
        for _ in 0..<400 * TestMachine.slowness {
            if try state(id).status == status { return }
            usleep(10_000)
        }
        Issue.record("\(id ?? self.id) did not become \(status)")
    }

    func contents(_ path: String) -> String? {
        (try? Data(contentsOf: URL(fileURLWithPath: path))).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Ends what a failed test left, then checks that nothing is left and removes the directory.
    func finish(expectingNothing: Bool) {
        if expectingNothing {
            let leaks = Leaks.of(self)
            #expect(leaks.isEmpty, "left behind: \(leaks.joined(separator: "; "))")
        }
        for name in (try? FileManager.default.contentsOfDirectory(atPath: stateRoot)) ?? [] where name != ".cache" {
            _ = try? apus("delete", "--force", name)
        }
        Leaks.clear(id)
        try? FileManager.default.removeItem(atPath: directory)
    }
}
