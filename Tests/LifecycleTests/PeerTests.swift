// Sockets and pidfds that are passed on: a peer at the other end of each, for create, run and exec.

import Foundation
import Testing

/// A listening stream socket, and what a client of it reads.
private struct Service {
    let path: String
    let listener: Int32

    init(_ box: Sandbox, _ name: String) throws {
        path = "\(box.directory)/\(name).sock"
        listener = try DescriptorSocket.listen(at: path)
    }

    /// Connects and reads to the end.
    func answer() throws -> String {
        let client = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(client) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(client, &buffer, buffer.count, 0)
            if count <= 0 { break }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        return text
    }
}

@Suite("Peers", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct PeerTests {
    /// Accepts one connection at each passed socket, and says what it was told of them.
    static let server = """
        import os, socket
        names = os.listdir("/proc/self/fd")
        # The directory that was read is closed by now.
        descriptors = sorted(name for name in names if os.path.lexists(f"/proc/self/fd/{name}"))
        kept = open(5).read()
        said = [os.environ.get(name, "-") for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")]
        said.append("self" if os.environ.get("LISTEN_PID") == str(os.getpid()) else "other")
        for number in (3, 4):
            connection, _ = socket.socket(fileno=number).accept()
            connection.sendall(f"{number} {' '.join(said)}".encode())
            connection.close()
        print(kept, descriptors)
        """

    /// `LISTEN_PID` is the runtime's own pid, as a service manager sets it.
    static let manager = ["/bin/sh", "-c", "export LISTEN_PID=$$; exec \"$@\"", "sh"]
    static let environment = ["LISTEN_FDS=2", "LISTEN_FDNAMES=web:admin"]

    enum Way: CaseIterable { case run, create, exec }

    /// Two listening sockets, and behind them a file of `--preserve-fds`.
    @Test(arguments: Way.allCases)
    func aServiceAnswersAtPassedSockets(way: Way) throws {
        try Sandbox.use("peer-\(way)") { box in
            try box.usePython()
            try Data(Self.server.utf8).write(to: URL(fileURLWithPath: box.rootfs + "/server.py"))
            let (first, second) = (try Service(box, "first"), try Service(box, "second"))
            try Data("kept".utf8).write(to: URL(fileURLWithPath: box.directory + "/kept"))
            let kept = open(box.directory + "/kept", O_RDONLY | O_CLOEXEC)
            defer { for fd in [first.listener, second.listener, kept] { close(fd) } }
            let python = ["/usr/bin/python3", "-SE", "/server.py"]
            try box.configure(box.withPython(box.document(arguments: way == .exec ? ["/bin/sleep", "1000"] : python)))
            if way == .exec { try box.succeed("run", "--detach", box.id) }
            let words =
                switch way {
                case .run: ["run", "--preserve-fds", "1", box.id]
                case .create: ["create", "--preserve-fds", "1", box.id]
                case .exec: ["exec", "--preserve-fds", "1", box.id] + python
                }
            let command = try box.start(
                words,
                prefix: Self.manager,
                environment: Self.environment,
                descriptors: [(3, first.listener), (4, second.listener), (5, kept), (6, kept)]
            )
            if way == .create {
                #expect(command.wait().status == 0)
                try box.succeed("start", box.id)
            }
            let told =
                way == .exec ? "2 \(try Self.pid(of: "server.py", in: box)) web:admin self" : "2 1 web:admin self"
            #expect(try first.answer() == "3 \(told)")
            #expect(try second.answer() == "4 \(told)")
            if way == .create { try box.waitFor(status: "stopped") }
            let outcome = command.wait()
            #expect(outcome.status == 0, "\(outcome)")
            // Descriptor 6 was not meant for it.
            #expect(outcome.output == "kept ['0', '1', '2', '3', '4', '5']\n", "\(outcome)")
            if way != .run { try box.succeed("delete", "--force", box.id) }
        }
    }

    /// The pid of a process of the container, as the container sees it.
    static func pid(of word: String, in box: Sandbox) throws -> String {
        for _ in 0..<1000 * TestMachine.slowness {
            for pid in try FileManager.default.contentsOfDirectory(atPath: "/proc") where Int(pid) != nil {
                guard let command = box.contents("/proc/\(pid)/cmdline"), command.hasPrefix("/usr/bin/python3\0"),
                    command.contains(word), box.contents("/proc/\(pid)/cgroup")?.contains(box.id) == true,
                    let status = box.contents("/proc/\(pid)/status")
                else { continue }
                let line = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
                if let inner = line?.split(whereSeparator: \.isWhitespace).last { return String(inner) }
            }
            usleep(5000)
        }
        return "none"
    }

    /// Sockets that were meant for another process are nobody's.
    @Test func aForeignListenPidIsNotPassedOn() throws {
        try Sandbox.use("peer-foreign") { box in
            try box.configure(
                box.document("echo \"<$LISTEN_FDS$LISTEN_PID$LISTEN_FDNAMES>\"; ls -l /proc/self/fd; true")
            )
            let service = try Service(box, "first")
            defer { close(service.listener) }
            let outcome = try box.start(
                ["run", box.id],
                environment: ["LISTEN_FDS=1", "LISTEN_PID=1", "LISTEN_FDNAMES=web"],
                descriptors: [(3, service.listener)]
            ).wait()
            #expect(outcome.output.hasPrefix("<>\n") && outcome.output.contains("2 -> "), "\(outcome)")
            #expect(!outcome.output.contains("socket:"), "\(outcome)")
        }
    }

    /// The process that a pidfd stands for, as the kernel says it.
    static func process(of pidfd: Int32, _ box: Sandbox) -> Int32? {
        let line = box.contents("/proc/self/fdinfo/\(pidfd)")?.split(separator: "\n").first { $0.hasPrefix("Pid:") }
        return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0) }
    }

    @Test(arguments: Way.allCases)
    func aPidfdSocketGetsTheProcess(way: Way) throws {
        try Sandbox.use("pidfd-\(way)") { box in
            try box.configure(box.document("exec sleep 1000"))
            if way == .exec { try box.succeed("run", "--detach", box.id) }
            let path = box.directory + "/pidfd.sock"
            let pidFile = box.directory + "/pid"
            let listener = try DescriptorSocket.listen(at: path)
            defer { close(listener) }
            let options = ["--pidfd-socket", path, "--pid-file", pidFile]
            let words =
                switch way {
                case .run: ["run", "--detach"] + options + [box.id]
                case .create: ["create"] + options + [box.id]
                case .exec: ["exec", "--detach"] + options + [box.id, "/bin/sleep", "1000"]
                }
            let outcome = try box.start(words).wait()
            #expect(outcome.status == 0, "\(outcome)")
            let (text, pidfd) = try DescriptorSocket.receive(from: listener)
            defer { close(pidfd) }
            #expect(text == (way == .exec ? "setns" : "standard"))
            let pid = try #require(box.contents(pidFile).flatMap { Int32($0) })
            #expect(Self.process(of: pidfd, box) == pid)
            if way != .exec { #expect(try box.state().pid == pid) }
            try box.succeed("delete", "--force", box.id)
            // It has ended, and the descriptor tells.
            var wanted = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
            #expect(poll(&wanted, 1, 10_000) == 1)
        }
    }

    /// Nobody listens there: nothing of the container stays.
    @Test func aPidfdSocketMustBeThere() throws {
        try Sandbox.use("pidfd-none") { box in
            try box.configure(box.document("exec sleep 1000"))
            let path = box.directory + "/nobody.sock"
            for words in [["create"], ["run", "--detach"]] {
                let outcome = try box.start(words + ["--pidfd-socket", path, box.id]).wait()
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains("send the pidfd to \(path)"), "\(outcome)")
                #expect(Leaks.of(box).isEmpty)
            }
        }
    }
}
