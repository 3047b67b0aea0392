// What a container's program inherits: its streams, terminals, and the descriptors that it was given; nothing else.

import Foundation
import Testing

/// Unix sockets that descriptors can be received from; the layout is that of cmsg(3) on 64-bit machines.
enum DescriptorSocket {
    static func listen(at path: String) throws -> Int32 {
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8.prefix(107))) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0 && Glibc.listen(fd, 4) == 0)
        return fd
    }

    /// Accepts one connection and receives one message with one descriptor.
    static func receive(from listener: Int32) throws -> (text: String, descriptor: Int32) {
        let connection = accept(listener, nil, nil)
        defer { close(connection) }
        var text = [UInt8](repeating: 0, count: 4096)
        var control = [UInt8](repeating: 0, count: 64)
        let (count, length) = text.withUnsafeMutableBytes { text in
            control.withUnsafeMutableBytes { control in
                var vector = iovec(iov_base: text.baseAddress, iov_len: text.count)
                return withUnsafeMutablePointer(to: &vector) { vector in
                    var message = msghdr()
                    message.msg_iov = vector
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    return (recvmsg(connection, &message, Int32(MSG_CMSG_CLOEXEC)), message.msg_controllen)
                }
            }
        }
        try #require(count > 0 && length >= 20)
        let descriptor = control.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 16, as: Int32.self) }
        return (String(decoding: text.prefix(count), as: UTF8.self), descriptor)
    }
}

/// A new terminal on the host; see ioctl_tty(2) for TIOCSPTLCK and TIOCGPTN.
func makeTerminal() throws -> (primary: Int32, terminal: Int32) {
    let primary = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var unlocked: Int32 = 0
    var number: Int32 = 0
    try #require(
        primary >= 0 && ioctl(primary, 0x4004_5431, &unlocked) == 0 && ioctl(primary, 0x8004_5430, &number) == 0
    )
    let terminal = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(terminal >= 0)
    return (primary, terminal)
}

/// The host's side of a terminal, read in small waits.
func readTerminal(_ fd: Int32, until word: String, seconds: Double = 10) -> String {
    var text = ""
    let end = Date().addingTimeInterval(seconds)
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !text.contains(word) && Date() < end {
        var poll = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, 100) > 0 else { continue }
        let count = read(fd, &buffer, buffer.count)
        if count <= 0 { break }
        text += String(decoding: buffer.prefix(count), as: UTF8.self)
    }
    return text
}

@Suite("Descriptors", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct DescriptorTests {
    @Test func theProgramHasItsStreamsAndNothingElse() throws {
        try Sandbox.use("fds") { box in
            try box.configure(box.document("ls /proc/self/fd | cat"))
            // A caller that is careless with its own descriptors.
            let other = open(box.bundle + "/config.json", O_RDONLY | O_CLOEXEC)
            defer { close(other) }
            let run = try box.start(["run", box.id], descriptors: [(3, other), (9, other)])
            let outcome = run.wait()
            #expect(outcome.status == 0)
            // 3 is the directory that ls reads.
            #expect(outcome.output == "0\n1\n2\n3\n", "\(outcome)")
        }
    }

    /// A caller may have closed any of the three: nothing that the runtime opens becomes one of them, to be written to, given
    /// to the container's user or inherited.
    @Test(arguments: 1...7)
    func closedStreamsAreNobodys(closed: Int) throws {
        let names = ["0<&-", "1>&-", "2>&-"]
        let words = (0..<3).compactMap { closed & 1 << $0 == 0 ? nil : names[$0] }.joined(separator: " ")
        try Sandbox.use("closed") { box in
            var document = box.document("true")
            document.change("process") { process in
                process["user"] = ["uid": 1234, "gid": 0]
                // Worth a warning, which is written somewhere.
                process["capabilities"] = ["bounding": ["CAP_KILL", "CAP_OF_NOBODY"]]
            }
            try box.configure(document)
            let shell = ["/bin/sh", "-c", "exec \"$@\" \(words)", "sh"]
            var facts = stat()
            try #require(stat("/dev/null", &facts) == 0)
            let owner = facts.st_uid
            let run = try box.apus("run", box.id, prefix: shell)
            #expect(run.status == 0, "\(words): \(run)")
            #expect(stat(box.rootfs, &facts) == 0 && facts.st_uid == 0, "\(words)")
            #expect(stat("/dev/null", &facts) == 0 && facts.st_uid == owner, "\(words)")
            try box.configure(box.document("sleep 60"))
            let create = try box.apus("create", box.id, prefix: shell)
            #expect(create.status == 0, "\(words): \(create)")
            let pid = try box.state().pid
            for number in 0..<3 where closed & 1 << number != 0 {
                let stream = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\(number)")
                #expect(stream == "/dev/null", "\(words)")
            }
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func keepsDescriptorsThatItIsGiven() throws {
        try Sandbox.use("preserve") { box in
            try box.configure(box.document("cat <&3; cat <&4; ls /proc/$$/fd"))
            try Data("three\n".utf8).write(to: URL(fileURLWithPath: box.directory + "/3"))
            try Data("four\n".utf8).write(to: URL(fileURLWithPath: box.directory + "/4"))
            let three = open(box.directory + "/3", O_RDONLY | O_CLOEXEC)
            let four = open(box.directory + "/4", O_RDONLY | O_CLOEXEC)
            defer { for fd in [three, four] { close(fd) } }
            let descriptors: [(child: Int32, parent: Int32)] = [(3, three), (4, four), (7, three)]
            let outcome = try box.start(["run", "--preserve-fds", "2", box.id], descriptors: descriptors).wait()
            #expect(outcome.status == 0, "\(outcome)")
            let lines = outcome.output.split(separator: "\n").map(String.init)
            #expect(lines.starts(with: ["three", "four", "0", "1", "2", "3", "4"]), "\(outcome)")
            #expect(!lines.contains("7"), "\(outcome)")
        }
    }

    @Test func refusesToKeepWhatIsNotThere() throws {
        try Sandbox.use("nopreserve") { box in
            try box.configure(box.document("true"))
            try box.fail(
                "create",
                "--preserve-fds",
                "1",
                box.id,
                with: "create \(box.id): --preserve-fds 1: descriptor 3 is not open"
            )
        }
    }

    @Test func passesTheSocketsOfAServiceManager() throws {
        try Sandbox.use("listen") { box in
            try box.configure(box.document("cat <&3; echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES"))
            try Data("socket\n".utf8).write(to: URL(fileURLWithPath: box.directory + "/3"))
            let three = open(box.directory + "/3", O_RDONLY | O_CLOEXEC)
            defer { close(three) }
            let outcome = try box.start(
                ["run", box.id],
                prefix: ["/bin/sh", "-c", "export LISTEN_PID=$$; exec \"$@\"", "sh"],
                environment: ["LISTEN_FDS=1", "LISTEN_FDNAMES=web"],
                descriptors: [(3, three)]
            ).wait()
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output == "socket\n1 1 web\n", "\(outcome)")
        }
    }

    @Test func aConsoleSocketGetsTheTerminal() throws {
        try Sandbox.use("console") { box in
            var document = box.document(
                "tty; echo to the console > /dev/console; read line; echo got $line; sleep 1000"
            )
            document.change("process") { process in
                process["terminal"] = true
                process["consoleSize"] = ["height": 40, "width": 120]
            }
            try box.configure(document)
            let path = box.directory + "/console.sock"
            let listener = try DescriptorSocket.listen(at: path)
            defer { close(listener) }
            try box.succeed("create", "--console-socket", path, box.id)
            let (name, primary) = try DescriptorSocket.receive(from: listener)
            defer { close(primary) }
            #expect(!name.isEmpty)
            var size = winsize()
            #expect(ioctl(primary, UInt(TIOCGWINSZ), &size) == 0)
            #expect(size.ws_row == 40 && size.ws_col == 120)
            try box.succeed("start", box.id)
            let text = readTerminal(primary, until: "to the console")
            #expect(text.contains("to the console"), "\(text)")
            #expect(text.contains("/dev/"), "\(text)")
            _ = "hello\n".withCString { write(primary, $0, 6) }
            #expect(readTerminal(primary, until: "got hello").contains("got hello"))
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func aTerminalNeedsAPlaceToGo() throws {
        try Sandbox.use("noconsole") { box in
            var document = box.document("true")
            document.change("process") { $0["terminal"] = true }
            try box.configure(document)
            for words in [["create"], ["run", "--detach"]] {
                let outcome = try box.start(words + [box.id]).wait()
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains("cannot allocate tty"), "\(outcome)")
            }
        }
    }

    @Test func runCarriesTheTerminal() throws {
        try Sandbox.use("foreground") { box in
            var document = box.document(
                "stty size; read line; echo got $line; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; exit 9"
            )
            document.change("process") { $0["terminal"] = true }
            try box.configure(document)
            let (primary, terminal) = try makeTerminal()
            defer { close(primary) }
            var size = winsize(ws_row: 33, ws_col: 101, ws_xpixel: 0, ws_ypixel: 0)
            _ = ioctl(primary, UInt(TIOCSWINSZ), &size)
            var before = termios()
            tcgetattr(terminal, &before)
            let run = try box.start(["run", box.id], streams: terminal)
            let greeting = readTerminal(primary, until: "33 101")
            #expect(greeting.contains("33 101"), "\(greeting)")
            _ = "hello\n".withCString { write(primary, $0, 6) }
            let text = readTerminal(primary, until: "line 2999\r\n", seconds: 20)
            #expect(text.contains("got hello"))
            // Nothing is lost at the end.
            #expect(text.contains("line 2999\r\n"))
            #expect(run.wait().status == 9)
            var after = termios()
            tcgetattr(terminal, &after)
            #expect(
                before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag && before.c_oflag == after.c_oflag
            )
            close(terminal)
        }
    }

    @Test func aPIDFileIsReplacedAsAWhole() throws {
        try Sandbox.use("pidfile") { box in
            try box.configure(box.document("sleep 1000"))
            let path = box.directory + "/pid"
            try Data("1234567890123".utf8).write(to: URL(fileURLWithPath: path))
            try box.succeed("run", "--detach", "--pid-file", path, box.id)
            #expect(try box.contents(path) == "\(box.state().pid)")
            try box.succeed("delete", "--force", box.id)
            // A creation that fails leaves none.
            try box.configure(box.document(arguments: ["/bin/nothing"]))
            #expect(try box.apus("create", "--pid-file", path + "-2", box.id).status == 1)
            #expect(box.contents(path + "-2") == nil)
        }
    }
}
