// `--trace`: what a program that shows Chrome trace events is given, and that asking for it changes nothing else.

import Foundation
import Testing

@Suite("Trace", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct TraceTests {
    struct Event: Decodable {
        let ph: String
        let name: String
        let tid: Int
        let ts: Double?
        let dur: Double?
        let args: [String: String]?
    }

    struct Document: Decodable {
        let traceEvents: [Event]
    }

    static func events(_ path: String) throws -> [Event] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return try JSONDecoder().decode(Document.self, from: data).traceEvents
    }

    @Test func everyStepOfEveryProcess() throws {
        try Sandbox.use("trace") { box in
            try box.configure(box.document("exit 3"))
            let file = "\(box.directory)/trace.json"
            #expect(try box.apus("--trace", file, "run", box.id).status == 3)
            let events = try Self.events(file)
            let processes = events.filter { $0.ph == "M" }.compactMap { $0.args?["name"] }
            #expect(processes == ["runtime", "init"])
            let steps = events.filter { $0.ph == "X" }
            let whole = try #require(steps.first)
            #expect(whole.name == "run \(box.id)" && whole.ts == 0)
            // As --debug tells them, which is another way through the same lists.
            let told = try box.apus("--debug", "run", box.id).errors.split(separator: "\n").compactMap { line in
                line.contains(" step ") ? line.split(separator: "/")[1].split(separator: " ")[1] : nil
            }
            let traced = steps.dropFirst().map(\.name)
            for name in Set(told.map(String.init)) { #expect(traced.contains(name), "\(name) is not traced") }
            #expect(traced.contains("pivotRoot") && traced.contains("execute") && traced.contains("removeRecord"))
            for process in Set(steps.map(\.tid)) {
                let begins = steps.dropFirst().filter { $0.tid == process }.compactMap(\.ts)
                #expect(begins == begins.sorted(), "one after the other")
            }
            let end = try #require(whole.dur)
            for step in steps {
                let begin = try #require(step.ts), length = try #require(step.dur)
                #expect(begin >= 0 && length >= 0 && begin + length <= end + 1, "\(step.name) lies in the whole")
            }
        }
    }

    /// What is no step of a birth: each command says where its time went, from the process's first instruction on.
    @Test func everyCommandIsTraced() throws {
        try Sandbox.use("acts") { box in
            try box.configure(box.document("sleep 100"))
            let file = "\(box.directory)/trace.json"
            func acts(_ words: String..., status: Int32 = 0) throws -> [String] {
                let outcome = try box.start(["--trace", file] + words).wait()
                #expect(outcome.status == status, "\(words): \(outcome)")
                let events = try Self.events(file)
                try FileManager.default.removeItem(atPath: file)
                return events.filter { $0.ph == "X" }.dropFirst().map(\.name)
            }
            let sealed = ["seal", "reachMain", "checkSeal"]
            let found = ["reachMain", "openRecord", "readRecord"]
            let creation = try acts("create", box.id)
            #expect(creation.starts(with: sealed + ["probeHost", "readConfig", "decodeConfig", "checkConfig", "plan"]))
            #expect(try acts("start", box.id).starts(with: found + ["findStatus", "openGate"]))
            #expect(try acts("state", box.id) == found + ["findStatus", "print"])
            #expect(try acts("list") == found + ["findStatus", "print"])
            let execution = try acts("exec", box.id, "true")
            #expect(execution.starts(with: sealed + ["openRecord", "readRecord", "findStatus", "plan"]))
            #expect(execution.contains("waitForProgram") && execution.last == "execute")
            #expect(try acts("ps", box.id) == found + ["readProcesses", "runPS", "print"])
            #expect(try acts("pause", box.id) == found + ["findStatus", "freeze"])
            #expect(try acts("resume", box.id) == found + ["findStatus", "thaw"])
            let update = ["reachMain", "readLimits", "openRecord", "readRecord", "findStatus", "plan", "setLimits"]
            #expect(try acts("update", "--memory", "100000000", box.id) == update)
            #expect(try acts("events", "--stats", box.id) == found + ["readStatistics", "print"])
            #expect(try acts("kill", box.id, "KILL") == found + ["sendSignal"])
            try box.waitFor(status: "stopped")
            let deletion = ["findStatus", "endProcesses", "removeCgroup", "removeRecord"]
            #expect(try acts("delete", box.id) == found + deletion)
            #expect(try acts("state", box.id, status: 1) == ["reachMain", "openRecord"])
            #expect(try acts("features") == ["reachMain", "collectFeatures", "print"])
            let explanation = ["reachMain", "probeHost", "readConfig", "decodeConfig", "checkConfig", "plan", "print"]
            #expect(try acts("explain") == explanation)
        }
    }

    /// The step that failed ends there, and what is taken back is in the trace too.
    @Test func aFailureIsTraced() throws {
        try Sandbox.use("untold") { box in
            var document = box.document("true")
            document["hooks"] = ["createRuntime": [["path": "/bin/false"]]]
            try box.configure(document)
            let file = "\(box.directory)/trace.json"
            #expect(try box.apus("--trace", file, "run", box.id).status == 1)
            let steps = try Self.events(file).filter { $0.ph == "X" && $0.tid == 1 }
            let hook = try #require(steps.last { $0.name == "hook" })
            let undone = steps.filter { $0.name == "undo" }
            #expect(undone.compactMap { $0.args?["detail"] } == ["endProcesses", "removeCgroup", "removeRecord"])
            for step in undone {
                let begin = try #require(step.ts), before = try #require(hook.ts), length = try #require(hook.dur)
                #expect(begin >= before + length, "the hook had ended")
            }
        }
    }

    /// For engines: the variable, and a directory, in which no command overwrites another's file.
    @Test func aDirectoryGetsAFileForEachCommand() throws {
        try Sandbox.use("traces") { box in
            try box.configure(box.document("sleep 100"))
            let directory = "\(box.directory)/traces"
            try Sandbox.makeDirectory(directory)
            for words in [
                ["create", box.id], ["start", box.id], ["exec", box.id, "true"], ["delete", "--force", box.id],
            ] {
                let outcome = try box.start(words, environment: ["APUS_TRACE=\(directory)"]).wait()
                #expect(outcome.status == 0, "\(words): \(outcome)")
            }
            let files = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            #expect(files.count == 4)
            for (file, word) in zip(files, ["create", "delete", "exec", "start"]) {
                #expect(file.hasPrefix("\(word)-\(box.id)-"))
                #expect(try Self.events("\(directory)/\(file)").count > 3, "\(file)")
            }
        }
    }

    @Test func aPlaceThatCannotBeWrittenIsAWarning() throws {
        try Sandbox.use("untraced") { box in
            try box.configure(box.document("exit 3"))
            let outcome = try box.apus("--trace", "/nonexistent/t", "run", box.id)
            #expect(outcome.status == 3)
            #expect(
                outcome.errors.contains("write the trace /nonexistent/t (write): ENOENT (no such file or directory)")
            )
        }
    }
}
