// The connection against a bus of another implementation (Tests/FakeBus), well and ill behaved, and against the real
// daemon where it is installed. Deadlines are short, and nothing here is timed: only what was said counts.

import DBus
import Diagnostics
import Foundation
import LinuxSystem
import Testing

/// A running bus, ended with the test.
final class BusProcess {
    let directory: String
    var socket: String { directory + "/bus" }
    private let process = Process()
    private let input = Foundation.Pipe()

    /// - Parameter command: Its words; `SOCKET` stands for the socket's path.
    init(_ command: [String]) throws {
        directory = "/tmp/apus-bus-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command.map { $0.replacingOccurrences(of: "SOCKET", with: directory + "/bus") }
        process.standardInput = input
        let output = Foundation.Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.standardError
        try process.run()
        _ = output.fileHandleForReading.availableData
    }

    static func fake(_ options: String...) throws -> BusProcess {
        let program = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "FakeBus/fakebus").path
        return try BusProcess([program, "SOCKET"] + options)
    }

    deinit {
        try? input.fileHandleForWriting.close()
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func connect(seconds: Int64 = 20, isDirect: Bool = false) throws -> BusConnection {
        try BusConnection(
            to: BusAddress(.path(socket), isDirect: isDirect),
            uid: geteuid(),
            deadline: Machine.monotonicNanoseconds() + seconds * 1_000_000_000
        ) { $0.member == "JobRemoved" }
    }
}

private let get = MethodCall(
    destination: "org.freedesktop.systemd1",
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.DBus.Properties",
    member: "Get",
    arguments: [.string("org.freedesktop.systemd1.Manager"), .string("Version")]
)

@Suite("connection")
struct ConnectionTests {
    @Test(arguments: [[], ["--fault", "auth=anonymous"]])
    func aConversation(options: [String]) throws {
        let bus = try BusProcess(
            [try fakeProgram(), "SOCKET"] + options
        )
        let connection = try bus.connect()
        try connection.addMatch("type='signal'")
        #expect(try connection.call(get).values() == [.variant(.string("252.39-1~deb12u1"))])
    }

    private func fakeProgram() throws -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "FakeBus/fakebus").path
    }

    @Test(arguments: ["hello=close", "auth=anonymous"])
    func withoutADaemonNobodyIsGreeted(fault: String) throws {
        let bus = try BusProcess.fake("--direct", "--fault", fault, "--fault", "AddMatch=close")
        let connection = try bus.connect(isDirect: true)
        try connection.addMatch("type='signal'")
        #expect(try connection.call(get).values().count == 1)
    }

    @Test func signalsThatComeBeforeTheReplyAreKept() throws {
        let bus = try BusProcess.fake("--place", "--early-job", "--fault", "Subscribe=foreign")
        let connection = try bus.connect()
        var stop = MethodCall(
            destination: "org.freedesktop.systemd1",
            path: "/org/freedesktop/systemd1",
            interface: "org.freedesktop.systemd1.Manager",
            member: "StopUnit",
            arguments: [.string("x.scope"), .string("replace")]
        )
        let reply = try connection.call(stop)
        #expect(try reply.values() == [.objectPath("/org/freedesktop/systemd1/job/1")])
        let signal = try connection.nextSignal(waitingFor: "the job")
        #expect(signal.member == "JobRemoved")
        #expect(signal.sender == ":1.7")
        stop = get
        #expect(try connection.call(stop).kind == .reply)
    }

    @Test func refusalsKeepTheirNames() throws {
        let connection = try BusProcess.fake("--fault", "Get=error")
        let open = try connection.connect()
        do throws(CallProblem) {
            _ = try open.call(get)
            Issue.record("no refusal")
        } catch {
            guard case .refused(let name, let text) = error else { throw error.failure(of: "") }
            #expect(name == "org.freedesktop.DBus.Error.AccessDenied")
            #expect(text == "Interactive authentication required.")
        }
    }

    /// What the other side does at which point, and the words for it.
    static let hostile: [(fault: String, words: String)] = [
        ("auth=silent", "the authentication: no complete answer from"),
        ("auth=close", "the authentication: /"),
        ("auth=garbage", "the answer is \""),
        ("auth=reject", "the answer is \"REJECTED ANONYMOUS\""),
        ("auth=trickle", "the authentication: no complete answer"),
        ("hello=silent", "the call Hello: no complete answer"),
        ("hello=close", "the call Hello: /"),
        ("hello=cut", "the call Hello: /"),
        ("hello=garbage", "the call Hello: what /"),
        ("hello=trickle", "the call Hello: no complete answer"),
        ("hello=huge", "at most 4194304 are accepted here"),
        ("hello=flood", "the call Hello: no complete answer"),
        ("Get=silent", "the call Get: no complete answer"),
        ("Get=close", "closed the connection"),
        ("Get=garbage", "is not D-Bus: the first byte is 3, not l or B"),
        ("Get=trickle", "the call Get: no complete answer"),
        ("Get=flood", "the call Get: no complete answer"),
    ]

    @Test(arguments: hostile)
    func everyHostileAnswerEndsInAnError(fault: String, words: String) throws {
        let bus = try BusProcess.fake("--fault", fault)
        do {
            let connection = try bus.connect(seconds: 2)
            _ = try connection.call(get)
            Issue.record("no failure")
        } catch let failure as Failure {
            #expect(failure.line.contains(words), "\(failure.line)")
        } catch let problem as CallProblem {
            #expect(problem.failure(of: "").line.contains(words), "\(problem.failure(of: "").line)")
        }
    }

    /// A listener that never accepts, with a full queue.
    @Test func aFullQueueEndsInAnError() throws {
        let bus = try BusProcess([
            "python3", "-c",
            """
            import socket, sys
            s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(0)
            waiting = []
            try:
                for _ in range(9):
                    c = socket.socket(socket.AF_UNIX); c.setblocking(False); c.connect(sys.argv[1]); waiting.append(c)
            except BlockingIOError: pass
            print("ready", flush=True); sys.stdin.read()
            """, "SOCKET",
        ])
        #expect { _ = try bus.connect(seconds: 1) } throws: { error in
            (error as? Failure)?.line.contains("connect to the bus \(bus.socket) (connect): EAGAIN") == true
        }
    }

    @Test func nobodyIsThere() throws {
        #expect {
            try BusConnection(to: BusAddress(.abstract("apus-nobody")), uid: 0, deadline: 0) { _ in true }
        } throws: {
            ($0 as? Failure)?.line.contains("connect to the bus @apus-nobody (connect): ECONNREFUSED") == true
        }
    }

    static let daemon = ["/usr/bin/dbus-daemon"].first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(.enabled(if: daemon != nil, "needs dbus-daemon"))
    func theRealDaemon() throws {
        let bus = try BusProcess([
            "dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path=SOCKET", "--print-address",
        ])
        let connection = try bus.connect()
        func ask(_ member: String, _ arguments: [DBusValue] = []) -> MethodCall {
            MethodCall(
                destination: "org.freedesktop.DBus",
                path: "/org/freedesktop/DBus",
                interface: "org.freedesktop.DBus",
                member: member,
                arguments: arguments
            )
        }
        let names = try connection.call(ask("ListNames")).values()
        #expect(names == [.array(of: .string, [.string("org.freedesktop.DBus"), .string(":1.0")])])
        try connection.addMatch("type='signal',sender='org.freedesktop.DBus'")
        #expect { _ = try connection.call(ask("GetNameOwner", [.string("org.example.Nobody")])) } throws: {
            guard case .refused(let name, _)? = $0 as? CallProblem else { return false }
            return name == "org.freedesktop.DBus.Error.NameHasNoOwner"
        }
        #expect(throws: CallProblem.self) { _ = try connection.call(ask("NoSuchMethod")) }
    }
}
