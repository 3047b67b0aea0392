// The systemd cgroup driver of the built program against a service manager that is as good or as bad as a test wants
// (Tests/FakeBus): what it says, and that nothing is left. What a real systemd makes of it is tested in a guest
// (Tests/VM/guest/systemd).

import Foundation
import Testing

/// A bus with a service manager behind it.
private final class FakeBus {
    let socket: String
    private let journal: String
    private let process = Process()
    private let input = Pipe()

    init(_ sandbox: Sandbox, _ options: [String]) throws {
        socket = sandbox.directory + "/bus"
        journal = sandbox.directory + "/journal"
        let program = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "FakeBus/fakebus").path
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", program, socket, "--log", journal] + options
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        _ = output.fileHandleForReading.availableData
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// The methods that were called, in their order.
    var calls: [String] {
        ((try? String(contentsOfFile: journal, encoding: .utf8)) ?? "").split(separator: "\n").compactMap {
            let call = try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            return call?["member"] as? String
        }
    }

    var environment: [String] { ["DBUS_SYSTEM_BUS_ADDRESS=unix:path=\(socket)", "APUS_DBUS_TIMEOUT=2"] }
}

extension Sandbox {
    /// A container whose scope is right below the root, where leaks are looked for.
    fileprivate func configureScope(_ script: String, annotations: [String: String] = [:]) throws {
        var document = document(script)
        var linux = document["linux"] as? Document ?? [:]
        linux["cgroupsPath"] = "-.slice::\(id)"
        linux["resources"] = ["pids": ["limit": 50]] as Document
        document["linux"] = linux
        document["annotations"] = annotations
        try configure(document)
    }
}

@Suite("systemd driver", .enabled(if: TestMachine.isUsable, TestMachine.reason), .serialized)
struct SystemdTests {
    @Test(arguments: [[], ["--early-job"], ["--fault", "StartTransientUnit=foreign"], ["--exists", "failed"]])
    func aContainerLivesInItsScope(options: [String]) throws {
        try Sandbox.use("scope") { sandbox in
            let bus = try FakeBus(sandbox, ["--place"] + options)
            try sandbox.configureScope("cat /proc/self/cgroup")
            let outcome = try sandbox.apus("--systemd-cgroup", "run", sandbox.id, environment: bus.environment)
            #expect(outcome.status == 0, "\(outcome)")
            let lines = outcome.output.split(separator: "\n")
            #expect(lines.contains { $0.hasSuffix("/\(sandbox.id).scope") }, "\(outcome)")
            // Those that systemd does not know too.
            for controller in ["freezer", "pids"] where lines.contains(where: { $0.contains(controller) }) {
                #expect(lines.contains { $0.contains(controller) && $0.hasSuffix("/\(sandbox.id).scope") })
            }
            #expect(bus.calls.suffix(2) == ["StopUnit", "ResetFailedUnit"])
            #expect(bus.calls.filter { $0 == "StartTransientUnit" }.count == (options.contains("failed") ? 2 : 1))
        }
    }

    /// Another command than the one that made it.
    @Test func deleteStopsTheUnit() throws {
        try Sandbox.use("stop") { sandbox in
            let bus = try FakeBus(sandbox, ["--place"])
            try sandbox.configureScope("sleep 1000")
            let outcome = try sandbox.apus("--systemd-cgroup", "create", sandbox.id, environment: bus.environment)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(!bus.calls.contains("StopUnit"))
            // The record says who made it: no option is needed.
            let end = try sandbox.apus("delete", "--force", sandbox.id, environment: bus.environment)
            #expect(end.status == 0 && end.errors.isEmpty, "\(end)")
            #expect(bus.calls.contains("StopUnit"))
        }
    }

    @Test func aDeafSystemdKeepsNoContainer() throws {
        try Sandbox.use("deaf") { sandbox in
            let bus = try FakeBus(sandbox, ["--place", "--fault", "StopUnit=silent"])
            try sandbox.configureScope("sleep 1000")
            _ = try sandbox.apus("--systemd-cgroup", "create", sandbox.id, environment: bus.environment)
            let end = try sandbox.apus("delete", "--force", sandbox.id, environment: bus.environment)
            #expect(end.status == 0)
            #expect(end.errors.contains("\(sandbox.id).scope were removed without systemd: "), "\(end)")
            #expect(end.errors.contains("the call StopUnit: no complete answer from"), "\(end)")
        }
    }

    /// What goes wrong, and the words for it.
    static let failures: [(options: String, words: String)] = [
        ("--fault auth=silent", "talk to systemd: the authentication: no complete answer from /"),
        ("--fault auth=close", "talk to systemd: the authentication: /"),
        ("--fault auth=garbage", "talk to systemd: the authentication as user 0 on /"),
        ("--fault hello=trickle", "the call Hello: no complete answer from /"),
        ("--fault hello=close", "the call Hello: /"),
        ("--fault Get=huge", "is not D-Bus: a message of "),
        ("--fault Get=error", "the call Get: Interactive authentication required."),
        ("--fault AddMatch=close", "startScope: talk to systemd: the call AddMatch: /"),
        ("--fault Subscribe=silent", "startScope: talk to systemd: the call Subscribe: no complete answer"),
        ("--fault StartTransientUnit=silent", "the call StartTransientUnit: no complete answer from /"),
        ("--fault StartTransientUnit=close", "closed the connection"),
        ("--fault StartTransientUnit=garbage", "is not D-Bus: the first byte is 3, not l or B"),
        ("--fault StartTransientUnit=trickle", "the call StartTransientUnit: no complete answer from /"),
        ("--fault StartTransientUnit=flood", "the call StartTransientUnit: no complete answer from /"),
        ("--fault StartTransientUnit=error", "(org.freedesktop.DBus.Error.AccessDenied)"),
        ("--fault job=silent", "the end of the job for "),
        ("--fault job=cut", "closed the connection"),
        ("--job failed", "ended the job with the result \"failed\""),
        ("--job timeout", "ended the job with the result \"timeout\""),
        ("--job dependency", "ended the job with the result \"dependency\""),
        ("--misplace", "although systemd is done"),
        ("--exists active", "has a unit of that name, and it is active"),
    ]

    @Test(arguments: failures)
    func everyFailureIsSaidAndLeavesNothing(options: String, words: String) throws {
        try Sandbox.use("bad") { sandbox in
            let bus = try FakeBus(sandbox, ["--place"] + options.split(separator: " ").map(String.init))
            try sandbox.configureScope("true")
            let outcome = try sandbox.apus("--systemd-cgroup", "create", sandbox.id, environment: bus.environment)
            #expect(outcome.status == 1, "\(outcome)")
            #expect(outcome.errors.contains(words), "\(outcome)")
            #expect(!outcome.errors.contains("cleaning up failed"), "\(outcome)")
            #expect(try sandbox.apus("state", sandbox.id).status == 1)
            // A stranger's unit is not stopped.
            if options.contains("exists") { #expect(!bus.calls.contains("StopUnit")) }
        }
    }

    @Test func aRuntimeThatIsKilledMeanwhileLeavesNothing() throws {
        try Sandbox.use("killed") { sandbox in
            let bus = try FakeBus(sandbox, ["--place", "--fault", "job=silent"])
            try sandbox.configureScope("sleep 1000")
            let runtime = try sandbox.start(
                ["--systemd-cgroup", "create", sandbox.id],
                environment: bus.environment.map { $0.hasPrefix("APUS") ? "APUS_DBUS_TIMEOUT=60" : $0 }
            )
            TestMachine.wait(seconds: 10) { bus.calls.contains("StartTransientUnit") }
            kill(runtime.pid, SIGKILL)
            _ = runtime.wait()
            TestMachine.wait(seconds: 2) { Leaks.processes(sandbox.id).isEmpty }
            let end = try sandbox.apus("delete", "--force", sandbox.id, environment: bus.environment)
            #expect(end.status == 0, "\(end)")
        }
    }

    @Test func mistakesAreFoundBeforeAnythingIsMade() throws {
        try Sandbox.use("words") { sandbox in
            let bus = try FakeBus(sandbox, ["--place"])
            for (annotation, text, words) in [
                (
                    "TimeoutStopSec", "'5'",
                    "annotations[\"org.systemd.property.TimeoutStopSec\"]: '5' is of type string"
                ),
                ("Slice", "'a.slice'", "Slice is decided by linux.cgroupsPath"),
            ] {
                try sandbox.configureScope("true", annotations: ["org.systemd.property.\(annotation)": text])
                let outcome = try sandbox.apus("--systemd-cgroup", "create", sandbox.id, environment: bus.environment)
                #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome)")
            }
            try sandbox.configureScope("true")
            let outcome = try sandbox.apus(
                "--systemd-cgroup",
                "create",
                sandbox.id,
                environment: ["DBUS_SYSTEM_BUS_ADDRESS=unix:path=\(bus.socket)", "APUS_DBUS_TIMEOUT=soon"]
            )
            #expect(outcome.errors.contains("APUS_DBUS_TIMEOUT: \"soon\" is not a number of seconds from 1 to 600"))
            #expect(bus.calls.isEmpty)
        }
    }

    @Test(.enabled(if: access("/run/systemd/system", F_OK) != 0, "systemd manages this machine"))
    func withoutSystemdThereIsASentence() throws {
        try Sandbox.use("none") { sandbox in
            try sandbox.configureScope("true")
            let outcome = try sandbox.apus("--systemd-cgroup", "create", sandbox.id)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("systemd does not manage this machine: /run/systemd/system does not exist"))
            #expect(outcome.errors.contains("--cgroup-manager cgroupfs"))
        }
    }

    /// Nobody is asked, and nothing is made.
    @Test func explainShowsTheScope() throws {
        try Sandbox.use("explain") { sandbox in
            try sandbox.configureScope("true")
            let outcome = try sandbox.apus("--systemd-cgroup", "explain", "--bundle", sandbox.bundle)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains(" startScope /sys/fs/cgroup/"))
            #expect(outcome.output.contains(" waitFor placed"))
            #expect(!outcome.output.contains("createCgroup") && !outcome.output.contains("joinCgroup"))
        }
    }
}
