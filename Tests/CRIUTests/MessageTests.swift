// What is sent to criu and understood of its answers, byte by byte as protobuf.dev and criu's rpc.proto have it.

import CRIU
import LinuxSystem
import Testing

@Suite("criu's messages")
struct MessageTests {
    static func fd(_ number: CInt) -> BorrowedFD { BorrowedFD(rawValue: number) }

    /// `field 3, number 1` and so on, of bytes that were encoded: a reader of its own, for messages within messages.
    static func fields(_ bytes: [UInt8]) -> [String] {
        var rest = bytes[...]
        func variable() -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while let byte = rest.popFirst() {
                value |= UInt64(byte & 0x7f) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            return value
        }
        var found: [String] = []
        while !rest.isEmpty {
            let key = variable()
            if key & 7 == 0 {
                found.append("\(key >> 3)=\(variable())")
            } else {
                let length = Int(variable())
                let inner = Array(rest.prefix(length))
                rest = rest.dropFirst(length)
                found.append("\(key >> 3):\(String(decoding: inner, as: UTF8.self))")
            }
        }
        return found
    }

    static func options(_ change: (inout CRIUOptions) -> Void = { _ in }) -> CRIUOptions {
        var options = CRIUOptions(images: fd(300), work: fd(5), workPath: "/w", logFile: "a.log", root: "/r")
        change(&options)
        return options
    }

    /// The members of `criu_opts` in a request.
    static func members(_ options: CRIUOptions) throws -> [String] {
        let outer = CRIURequest.dump(options).bytes
        // type, then field 2 with a length of one or two bytes.
        try #require(Array(outer.prefix(3)) == [0x08, 1, 0x12])
        let body = outer.dropFirst(3)
        return fields(Array(body.drop { $0 >= 0x80 }.dropFirst()))
    }

    @Test func smallRequests() {
        #expect(CRIURequest.version.bytes == [0x08, 10])
        #expect(CRIURequest.memoryTracking.bytes == [0x08, 9, 0x2a, 2, 0x08, 1])
        #expect(CRIURequest.acknowledge(true).bytes == [0x08, 6, 0x18, 1])
        #expect(CRIURequest.acknowledge(false).bytes == [0x08, 6, 0x18, 0])
        #expect(CRIURequest.dump(Self.options()).bytes.prefix(2) == [0x08, 1])
        #expect(CRIURequest.restore(Self.options()).bytes.prefix(2) == [0x08, 2])
        #expect(CRIURequest.preDump(Self.options()).bytes.prefix(2) == [0x08, 4])
    }

    /// A number of two bytes, switches that are off left out.
    @Test func theLeast() throws {
        #expect(
            try Self.members(Self.options())
                == ["1=300", "9=4", "10:a.log", "12=1", "13:/r", "17=5", "24=1", "34=3", "50=1"]
        )
    }

    @Test func everySwitch() throws {
        let found = try Self.members(
            Self.options {
                $0.pid = 4711
                $0.leaveRunning = true
                $0.externalUnixSockets = true
                $0.tcpEstablished = true
                $0.shellJob = true
                $0.fileLocks = true
                $0.linkRemap = true
                $0.tcpSkipInFlight = true
                $0.networkLock = .skip
                $0.trackMemory = true
                $0.autoDedup = true
                $0.lazyPages = true
                $0.tcpClose = true
                $0.restoresSibling = true
                $0.parentImages = "../p"
                $0.statusDescriptor = 7
                $0.cgroupMode = .ignore
                $0.freezeCgroup = "/f"
                $0.emptyNamespaces = 0x4000_0000
                $0.configurationFile = "/c"
                $0.lsmProfile = "apparmor:x"
                $0.lsmMountContext = "m"
            }
        )
        let expected = [
            "2=4711", "3=1", "4=1", "5=1", "7=1", "8=1", "14:../p", "15=1", "16=1", "18=1", "26=1", "34=0",
            "38=\(0x4000_0000)", "44:/f", "46=1", "48=1", "49=7", "51:/c", "52=1", "53:apparmor:x", "63:m", "64=3",
        ]
        for member in expected { #expect(found.contains(member), "\(member) in \(found)") }
        #expect(found.count == expected.count + 8)
    }

    @Test func lists() throws {
        let found = try Self.members(
            Self.options {
                $0.external = ["mnt[/a]:/a", "net[7]:extRootNetNS"]
                $0.inherited = [CRIUResource("pipe:[7]", Self.fd(1))]
                $0.cgroupRoots = [
                    CRIUOptions.CgroupRoot(controller: nil, path: "/p"),
                    CRIUOptions.CgroupRoot(controller: "cpu", path: "/q"),
                ]
                $0.pageServer = CRIUOptions.PageServer(address: "::1", port: 80)
            }
        )
        let expected = [
            "37:mnt[/a]:/a", "37:net[7]:extRootNetNS", "27:\n\u{8}pipe:[7]\u{10}\u{1}", "25:\u{12}\u{2}/p",
            "25:\n\u{3}cpu\u{12}\u{2}/q", "11:\n\u{3}::1\u{10}P",
        ]
        for member in expected { #expect(found.contains(member), "\(member.debugDescription) in \(found)") }
    }

    @Test func answers() throws {
        let version = try #require(CRIUResponse([0x08, 10, 0x10, 1, 0x52, 6, 0x08, 3, 0x10, 17, 0x20, 1]))
        #expect(version.version == CRIUVersion(3, 17, 1))
        #expect(version.success && !version.isNotification)
        let restored = try #require(CRIUResponse([0x08, 2, 0x10, 1, 0x22, 3, 0x08, 0xe7, 0x24]))
        #expect(restored.pid == 4711)
        let stage = try #require(CRIUResponse([0x08, 6, 0x10, 1, 0x2a, 6, 0x0a, 2, 0x61, 0x62, 0x10, 9]))
        #expect(stage.isNotification && stage.stage == "ab" && stage.pid == 9)
        let failed = try #require(CRIUResponse([0x08, 1, 0x10, 0, 0x38, 2, 0x4a, 2, 0x6e, 0x6f]))
        #expect(!failed.success && failed.errno == 2 && failed.message == "no")
        let features = try #require(CRIUResponse([0x08, 9, 0x10, 1, 0x42, 2, 0x08, 1]))
        #expect(features.tracksMemory)
    }

    /// Bytes that are no message are refused, and never read past their end.
    @Test func whatIsNoAnswer() {
        let good: [UInt8] = [0x08, 6, 0x10, 1, 0x2a, 6, 0x0a, 2, 0x61, 0x62, 0x10, 9]
        for length in [1, 3, 5, 6, 9, 11] { #expect(CRIUResponse(Array(good.prefix(length))) == nil, "\(length)") }
        #expect(CRIUResponse([0x0b]) == nil)
        #expect(CRIUResponse([0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]) == nil)
        #expect(CRIUResponse([UInt8](repeating: 0xff, count: 12)) == nil)
        #expect(CRIUResponse([0x28, 1]) == nil)
        // What a later criu adds is passed over.
        #expect(CRIUResponse([0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8, 0x08, 1, 0x10, 1])?.success == true)
    }

    @Test func versionsAreOrdered() {
        #expect(CRIUVersion(3, 9) < CRIUVersion(3, 15))
        #expect(CRIUVersion(3, 17, 1) < CRIUVersion(4, 0))
        #expect(CRIUVersion(3, 17).description == "3.17" && CRIUVersion(3, 17, 1).description == "3.17.1")
    }

    /// The reason is the last error that says more than that it failed.
    @Test func theLogsReason() {
        let log = """
            (00.000001) Version: 3.17.1
            (00.000002) Warn  (criu/kerndat.c:1): not this
            (00.000003)    1: Error (criu/files.c:1): files: first
            (00.000004) Error (criu/mount.c:42): mnt: the \u{1b}reason (two): here
            (00.000005) Error (criu/cr-dump.c:9): Dumping FAILED.
            """
        #expect(CRIULog.lastError(in: log) == "mnt: the ?reason (two): here")
        #expect(CRIULog.lastError(in: "(0.1) Error (a.c:1): Restoring FAILED.") == "Restoring FAILED.")
        #expect(CRIULog.lastError(in: "nothing\nError (") == nil)
    }
}
