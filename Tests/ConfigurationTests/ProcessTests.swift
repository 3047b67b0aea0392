// What the process section becomes, and what `exec` checks with the same functions.

import Configuration
import Foundation
import JSON
import KernelTypes
import OCISpec
import Testing

@Suite("Process")
struct ProcessTests {
    /// Checks a process given as JSON members, in a container without a user namespace.
    static func check(_ members: String) throws -> (process: ProcessConfiguration, warnings: [String]) {
        let text = #"{"ociVersion": "1.3.0", "root": {"path": "rootfs"}, "process": {"cwd": "/", "args": ["sh"]"#
        let container = try Fixtures.configuration(
            of: Array((text + (members.isEmpty ? "" : ", ") + members + "}}").utf8)
        )
        return (try #require(container.process), container.warnings)
    }

    static func process(_ members: String) throws -> ProcessConfiguration { try check(members).process }

    @Test func mayBeAbsent() throws {
        let text = #"{"ociVersion": "1.3.0", "root": {"path": "rootfs"}}"#
        #expect(try Fixtures.configuration(of: Array(text.utf8)).process == nil)
    }

    @Test func withoutAnythingIsRootWithoutCapabilities() throws {
        let process = try Self.process("")
        #expect(
            process
                == ProcessConfiguration(
                    workingDirectory: "/",
                    arguments: ["sh"],
                    user: UserConfiguration(uid: 0, gid: 0)
                )
        )
        #expect(process.capabilities == CapabilitySets())
        #expect(process.user.umask == nil)
    }

    @Test(arguments: [
        ("", false), (#""noNewPrivileges": false"#, false), (#""noNewPrivileges": null"#, false),
        (#""noNewPrivileges": true"#, true),
    ])
    func noNewPrivileges(members: String, expected: Bool) throws {
        #expect(try Self.process(members).noNewPrivileges == expected)
    }

    // MARK: Environment

    @Test(
        arguments: [
            (["A=1", "B=2"], ["A=1", "B=2"]), (["A=1", "B=2", "A=3"], ["B=2", "A=3"]), (["A=", "A=="], ["A=="]),
            (["A=1", "AA=1", "a=1"], ["A=1", "AA=1", "a=1"]),
            (["\u{E9}=1", "e\u{301}=2"], ["\u{E9}=1", "e\u{301}=2"]),
            ([" =x", "A B=1"], [" =x", "A B=1"]), ([], []),
        ] as [([String], [String])]
    )
    func lastEntryOfANameCounts(entries: [String], expected: [String]) throws {
        var process = OCISpec.Process(cwd: "/", args: ["sh"])
        process.env = entries
        var spec = RuntimeSpec(ociVersion: "1.3.0")
        spec.root = Root(path: "/r")
        spec.process = process
        let container = try Validator.configuration(from: spec, bundle: "/b", facts: Fixtures.facts)
        #expect(container.process?.environment == expected)
    }

    // MARK: Capabilities

    @Test func capabilitiesThatCannotBeGrantedAreLeftOutWithAWarning() throws {
        let (process, warnings) = try Self.check(
            #"""
            "capabilities": {
                "bounding": ["CAP_KILL", "CAP_BPF", "CAP_MAGIC", "cap_chown"], "permitted": ["CAP_KILL", "CAP_BPF"],
                "effective": ["CAP_KILL", "CAP_CHOWN"], "inheritable": ["CAP_KILL", "CAP_SETUID"],
                "ambient": ["CAP_KILL", "CAP_BPF"]
            }
            """#
        )
        #expect(process.capabilities.bounding.memberNames == ["CAP_KILL", "CAP_BPF"])
        #expect(process.capabilities.permitted.memberNames == ["CAP_KILL", "CAP_BPF"])
        #expect(process.capabilities.effective.memberNames == ["CAP_KILL"])
        #expect(process.capabilities.inheritable.memberNames == ["CAP_KILL"])
        #expect(process.capabilities.ambient.memberNames == ["CAP_KILL"])
        #expect(
            warnings == [
                #"process.capabilities.bounding: "CAP_MAGIC" cannot be granted: no such capability is known"#,
                #"process.capabilities.bounding: "cap_chown" cannot be granted: no such capability is known"#,
                "process.capabilities.effective: CAP_CHOWN cannot be granted: it is not in permitted",
                "process.capabilities.inheritable: CAP_SETUID cannot be granted: it is not in bounding",
            ]
        )
        #expect(
            process.capabilities.customaryWarnings == [
                "process.capabilities.ambient: CAP_BPF cannot be granted: it is not in both permitted and inheritable"
            ]
        )
    }

    // MARK: Terminal, user, limits

    @Test func consoleSizeCountsOnlyWithATerminal() throws {
        let size = #""consoleSize": {"height": 24, "width": 80}"#
        #expect(try Self.process(size).consoleSize == nil)
        #expect(try Self.process(#""terminal": true, \#(size)"#).consoleSize == ConsoleSize(rows: 24, columns: 80))
        #expect(try Self.process(#""consoleSize": {"height": 99999, "width": 80}"#).consoleSize == nil)
    }

    @Test func userIsTakenAsItIs() throws {
        let user = try Self.process(#""user": {"uid": 5, "gid": 6, "umask": 18, "additionalGids": [7, 7, 8]}"#).user
        #expect(user == UserConfiguration(uid: 5, gid: 6, umask: 0o22, additionalGroups: [7, 7, 8]))
    }

    @Test func largestLimitIsNoLimit() throws {
        let limits = try Self.process(
            #""rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 18446744073709551615}]"#
        ).limits
        #expect(limits == [ResourceLimit(name: "RLIMIT_NOFILE", resource: 7, soft: 1, hard: .max)])
    }

    // MARK: Scheduling

    @Test(
        arguments: [
            (#"{"policy": "SCHED_OTHER", "nice": 5}"#, 0, 0, 5, 0),
            (#"{"policy": "SCHED_FIFO", "priority": 99}"#, 1, 0, 0, 99),
            (#"{"policy": "SCHED_RR", "priority": 1}"#, 2, 0, 0, 1),
            (#"{"policy": "SCHED_BATCH", "nice": -20}"#, 3, 0, -20, 0),
            (
                #"{"policy": "SCHED_IDLE", "flags": ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_UTIL_CLAMP_MAX"]}"#, 5,
                0x41, 0, 0
            ),
        ] as [(String, UInt32, UInt64, Int32, UInt32)]
    )
    func scheduler(text: String, policy: UInt32, flags: UInt64, nice: Int32, priority: UInt32) throws {
        let scheduler = try #require(try Self.process(#""scheduler": \#(text)"#).scheduler)
        #expect(scheduler.policy == policy)
        #expect(scheduler.flags == flags)
        #expect(scheduler.nice == nice)
        #expect(scheduler.priority == priority)
    }

    @Test func deadlineMayLeaveOutThePeriod() throws {
        let text = #""scheduler": {"policy": "SCHED_DEADLINE", "runtime": 1024, "deadline": 1024}"#
        let scheduler = try #require(try Self.process(text).scheduler)
        #expect(scheduler.policy == 6)
        #expect((scheduler.runtime, scheduler.deadline, scheduler.period) == (1024, 1024, 0))
    }

    @Test(
        arguments: [
            (#"{"class": "IOPRIO_CLASS_RT", "priority": 7}"#, 1 << 13 | 7), (#"{"class": "IOPRIO_CLASS_BE"}"#, 2 << 13),
            (#"{"class": "IOPRIO_CLASS_IDLE", "priority": 3}"#, 3 << 13 | 3),
        ] as [(String, Int32)]
    )
    func ioPriority(text: String, value: Int32) throws {
        #expect(try Self.process(#""ioPriority": \#(text)"#).ioPriority == value)
    }

    @Test func affinityOfJoiningProcesses() throws {
        let affinity = try Self.process(#""execCPUAffinity": {"initial": "0-1", "final": ""}"#).execAffinity
        #expect(affinity == ExecAffinity(initial: NumberList("0-1"), final: nil))
    }

    // MARK: exec

    @Test func processOfExecIsNamedFromTheDocument() throws {
        let container = try Fixtures.configuration(of: Fixtures.bytes(of: "base/user-namespace.json"))
        var warnings: [String] = []
        var process = OCISpec.Process(cwd: "/", args: ["sh"])
        process.user.uid = 65536
        let problem = #expect(throws: ConfigurationProblem.self) {
            try Validator.process(process, at: .document, in: container, facts: Fixtures.facts, warnings: &warnings)
        }
        #expect(
            problem?.description == """
                user.uid: cannot set uid to unmapped user in user namespace: 65536 is in no entry of linux.uidMappings
                """
        )
    }
}
