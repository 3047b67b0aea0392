// How failures travel between processes and how they read.

import Foundation
import LinuxSystem
import Testing
@testable import Diagnostics

@Suite("Failures")
struct FailureTests {
    static let samples: [Failure] = [
        Failure("mount the proc filesystem on /proc", .fsmount, .EPERM, detail: "nosuid,nodev"),
        Failure("a sentence without a call"),
        Failure("with advice", hint: "do this"),
        Failure("exec /bin/\u{00fc}\u{1f600}", .execve, .ENOENT, hint: "h").stamped(
            StepName(index: 21, name: "mount"),
            .initial
        ),
        Failure("x", .clone3, .EAGAIN).stamped(StepName(index: 65_535, name: "cloneInit"), .runtime),
        Failure(""),
        Failure("container web1 does not exist", .containerNotFound, subject: "web1", hint: "h"),
        Failure("write", .write, .EPERM, code: .failed, subject: "/p", detail: "d").stamped(
            StepName(index: 1, name: "a"),
            .runtime,
            about: "/other"
        ),
        Failure("write", .write, .EPERM).stamped(StepName(index: 1, name: "a"), .runtime, about: "/step"),
    ]

    @Test(arguments: samples.indices)
    func travelUnchanged(index: Int) {
        let sample = Self.samples[index]
        let copy = FailureRecord.decode(FailureRecord.encode(sample))
        #expect(copy.action == sample.action)
        #expect(copy.call == sample.call)
        #expect(copy.errno == sample.errno)
        #expect(copy.detail == sample.detail)
        #expect(copy.hint == sample.hint)
        #expect(copy.step == sample.step)
        #expect(copy.role == sample.role)
        #expect(copy.line == sample.line)
        #expect(copy.code == sample.code)
        #expect(copy.subject == sample.subject)
    }

    @Test func knowTheirClass() {
        #expect(
            Self.samples.map(\.code) == [
                .notPermitted, .failed, .failed, .execFailed, .exhausted, .failed, .containerNotFound, .failed,
                .notPermitted,
            ]
        )
        #expect(Self.samples.suffix(3).map(\.subject) == ["web1", "/p", "/step"])
        #expect(Failure("x", .read, .EIO).code == .kernel)
        for (errnos, code) in FailureCode.byErrno {
            for errno in errnos { #expect(Failure("x", .read, errno).code == code) }
        }
        for code in FailureCode.allCases { #expect(FailureCode(wireNumber: code.wireNumber) == code) }
        #expect(FailureCode(wireNumber: 0) == nil && FailureCode(wireNumber: 255) == nil)
    }

    /// The words are a promise to tools: the page has every one, with its meaning, in this order.
    @Test func everyClassIsDocumented() throws {
        let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/ERRORS.md")
        let table = FailureCode.allCases.map { "| `\($0.rawValue)` | \($0.meaning) |\n" }.joined()
        #expect(try String(contentsOf: page, encoding: .utf8).contains("| `code` | meaning |\n| --- | --- |\n" + table))
    }

    @Test func longOnesAreCut() {
        for text in [String(repeating: "a", count: 10_000), String(repeating: "\u{1f600}", count: 5000)] {
            let record = FailureRecord.encode(Failure(text, .write, .EIO, detail: text, hint: text))
            #expect(record.count <= FailureRecord.maximumSize)
            let copy = FailureRecord.decode(record)
            #expect(copy.errno == .EIO)
            #expect(!copy.line.contains("\u{fffd}"))
        }
    }

    @Test func anyBytesAreAFailure() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...80, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(!FailureRecord.decode(bytes).line.isEmpty || count >= 16)
        }
        let record = FailureRecord.encode(Self.samples[3])
        for length in 0..<record.count {
            #expect(FailureRecord.decode(Array(record.prefix(length))).line.contains("malformed"))
        }
        for index in record.indices {
            var changed = record
            changed[index] ^= 0xff
            _ = FailureRecord.decode(changed).line
        }
    }

    @Test func readAsOneLine() {
        #expect(
            Self.samples[0].stamped(StepName(index: 21, name: "mount"), .initial).line
                == "init, step 21 mount: mount the proc filesystem on /proc (fsmount, nosuid,nodev): EPERM (operation not permitted)"
        )
        #expect(Failure("two\nlines\r\n").line == "two; lines")
        #expect(
            Self.samples[0].prefixed("first").line.hasPrefix("first: mount the proc filesystem on /proc (fsmount, ")
        )
        #expect(
            Failure("one").stamped(StepName(index: 1, name: "a"), .initial).stamped(
                StepName(index: 2, name: "b"),
                .runtime
            ).step?.index == 1
        )
    }

    /// The whole table, as kept in spec-fixtures/errors.
    @Test func everyHintIsKept() throws {
        var text = ""
        for row in Hints.rows {
            let calls = row.calls.map(\.name).sorted().joined(separator: "|")
            text += "\(calls) \(row.errno)\(row.word.map { ", \($0)" } ?? "")\n    \(row.advice)\n"
        }
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(path: "spec-fixtures/errors/hints.txt")
        if ProcessInfo.processInfo.environment["APUS_UPDATE_GOLDENS"] == "1" { try Data(text.utf8).write(to: file) }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }

    @Test func everyHintIsReached() throws {
        for (index, row) in Hints.rows.enumerated() {
            for call in row.calls {
                let advice = Failure("act on \(row.word ?? "it")", call, row.errno).advice
                let earlier = Hints.rows[..<index].contains {
                    $0.calls.contains(call) && $0.errno == row.errno && $0.word == nil
                }
                #expect(advice == row.advice || earlier, "row \(index), \(call.name)")
                #expect(!earlier, "row \(index), \(call.name): never reached")
            }
            #expect(!row.advice.hasSuffix("."))
        }
        #expect(Failure("x", .read, .EIO).advice == nil)
        #expect(Failure("x", .execve, .ENOENT, hint: "own").advice == "own")
    }
}

@Suite("Timestamps")
struct TimestampTests {
    static let table: [(Int64, Int64, String)] = [
        (0, 0, "1970-01-01T00:00:00.000000000Z"),
        (1, 5, "1970-01-01T00:00:01.000000005Z"),
        (-1, 0, "1969-12-31T23:59:59.000000000Z"),
        (951_782_399, 999_999_999, "2000-02-28T23:59:59.999999999Z"),
        (951_782_400, 0, "2000-02-29T00:00:00.000000000Z"),
        (951_868_800, 0, "2000-03-01T00:00:00.000000000Z"),
        (4_107_542_399, 0, "2100-02-28T23:59:59.000000000Z"),
        (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
        (1_709_208_000, 0, "2024-02-29T12:00:00.000000000Z"),
        (253_402_300_799, 0, "9999-12-31T23:59:59.000000000Z"),
    ]

    @Test func table() {
        for (seconds, nanoseconds, text) in Self.table {
            #expect(Timestamp.text(of: (seconds, nanoseconds)) == text)
        }
    }

    @Test func agreeWithFoundation() {
        let formatter = ISO8601DateFormatter()
        for _ in 0..<2000 {
            let seconds = Int64.random(in: -2_000_000_000...10_000_000_000)
            let text = formatter.string(from: Date(timeIntervalSince1970: Double(seconds)))
            #expect(Timestamp.text(of: (seconds, 0)) == text.dropLast() + ".000000000Z")
        }
    }
}

@Suite("Log lines")
struct LogTests {
    static func line(_ format: Log.Format, _ message: String, fields: [(String, String)] = []) throws -> String {
        let path = NSTemporaryDirectory() + "apus-log-\(UUID().uuidString)"
        let fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer {
            close(fd)
            unlink(path)
        }
        let log = Log(.file(BorrowedFD(rawValue: fd)), format: format, level: .debug)
        log.debug(message)
        return try String(contentsOfFile: path, encoding: .utf8)
    }

    static let messages = [
        "plain", "quote \" backslash \\ slash /", "line\nbreak\r\ttab", "nul \u{0} escape \u{1b} last \u{1f}",
        "\u{7f} \u{2028} \u{1f600} \u{00fc}", "", "{\"level\":\"error\"}",
    ]

    @Test(arguments: messages)
    func areOneObjectEach(message: String) throws {
        let line = try Self.line(.json, message)
        #expect(line.hasSuffix("}\n") && line.filter { $0 == "\n" }.count == 1)
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        #expect(object?["msg"] == message)
        #expect(object?["level"] == "debug")
        #expect(object?["time"]?.count == 30)
    }

    @Test(arguments: messages)
    func areOneLineEach(message: String) throws {
        let line = try Self.line(.text, message)
        #expect(line.hasPrefix("time=\"") && line.contains(" level=debug msg=\""))
        #expect(line.unicodeScalars.filter { $0 == "\n" }.count == 1)
    }
}
