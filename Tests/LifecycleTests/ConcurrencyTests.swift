// Many commands at the same time, on one id and on several: one wins, the others say why, nothing is left.

import Foundation
import Testing

@Suite("Concurrency", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct ConcurrencyTests {
    @Test func oneOfManyCreationsWins() throws {
        try Sandbox.use("samename") { box in
            try box.configure(box.document("sleep 1000"))
            let all = try (0..<16).map { _ in try box.start(["create", box.id]) }
            let outcomes = all.map { $0.wait() }
            #expect(outcomes.filter { $0.status == 0 }.count == 1)
            for outcome in outcomes where outcome.status != 0 {
                #expect(outcome.status == 1)
                #expect(outcome.errors.contains("container with given ID already exists: \(box.id)"), "\(outcome)")
            }
            #expect(try box.state().status == "created")
            try box.succeed("delete", box.id)
        }
    }

    @Test func livesDoNotDisturbEachOther() throws {
        try Sandbox.use("many") { box in
            try box.configure(box.document("sleep 1000"))
            let ids = (0..<8).map { "\(box.id)-\($0)" }
            for words in [["create"], ["start"], ["state"], ["delete", "--force"]] {
                let all = try ids.map { try box.start(words + [$0]) }
                for child in all {
                    let outcome = child.wait()
                    #expect(outcome.status == 0, "\(words): \(outcome)")
                }
            }
        }
    }

    @Test func startsOfOneContainerAreOne() throws {
        try Sandbox.use("starts") { box in
            try box.configure(box.document("echo once >> /tmp/starts; exec sleep 1000"))
            try box.succeed("create", box.id)
            let outcomes = try (0..<8).map { _ in try box.start(["start", box.id]) }.map { $0.wait() }
            #expect(outcomes.filter { $0.status == 0 }.count == 1)
            for outcome in outcomes where outcome.status != 0 {
                #expect(outcome.errors.contains("cannot start an already running container"), "\(outcome)")
            }
            try box.waitFor("starts", "once\n")
            try box.succeed("delete", "--force", box.id)
            #expect(box.contents(box.rootfs + "/tmp/starts") == "once\n")
        }
    }

    @Test func creationAgainstDeletion() throws {
        try Sandbox.use("race") { box in
            try box.configure(box.document("sleep 1000"))
            for _ in 0..<6 {
                let all = try (0..<3).flatMap { _ in
                    [
                        try box.start(["create", box.id]), try box.start(["delete", "--force", box.id]),
                        try box.start(["list", "-q"]),
                    ]
                }
                for child in all {
                    let outcome = child.wait()
                    #expect(outcome.status == 0 || outcome.status == 1, "\(outcome)")
                    #expect(outcome.status == 0 || outcome.errors.hasPrefix("apus: "), "\(outcome)")
                }
                try box.succeed("delete", "--force", box.id)
                let leaks = Leaks.of(box)
                #expect(leaks.isEmpty, "\(leaks)")
            }
        }
    }

    @Test func aShortProgramIsNoFailedStart() throws {
        try Sandbox.use("short") { box in
            try box.configure(box.document(arguments: ["/bin/true"]))
            for _ in 0..<20 {
                try box.succeed("create", box.id)
                try box.succeed("start", box.id)
                try box.waitFor(status: "stopped")
                try box.succeed("delete", box.id)
            }
        }
    }
}
