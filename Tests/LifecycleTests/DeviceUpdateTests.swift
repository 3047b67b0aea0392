// update of device rules: what the container's own processes may open, before and after.

import Foundation
import Testing

@Suite("Device update", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct DeviceUpdateTests {
    private static var kmsg: Document { ["allow": true, "type": "c", "major": 1, "minor": 11, "access": "w"] }
    private static var noKmsg: Document { ["allow": false, "type": "c", "major": 1, "minor": 11, "access": "w"] }
    private static var all: Document { ["allow": true] }
    private static var none: Document { ["allow": false] }

    /// Says again and again whether /dev/kmsg can be opened, and for ever if a default device once could not.
    private static let script = """
        (while :; do
            if (: > /dev/kmsg) 2> /tmp/errors; then echo yes; else echo no; fi > /tmp/answer.new
            mv /tmp/answer.new /tmp/answer; sleep 0.01
        done) &
        (while :; do (: > /dev/zero) || echo refused > /tmp/refused; done) &
        """

    private func runGuarded(_ box: Sandbox) throws {
        symlink("busybox", "\(box.rootfs)/bin/mv")
        try box.runReady(Self.script) {
            $0.setLinux(
                "devices",
                [["path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11, "fileMode": 0o666] as Document]
            )
        }
        try box.waitFor("answer", "no\n")
    }

    private func update(_ box: Sandbox, _ rules: [Document], _ answer: String) throws {
        try box.succeed("update", "--resources", try box.resourcesFile(["devices": rules]), box.id)
        try box.waitFor("answer", "\(answer)\n")
    }

    @Test func allowsAndDeniesWhileTheContainerRuns() throws {
        try Sandbox.use("updev") { box in
            try runGuarded(box)
            try update(box, [Self.none, Self.kmsg], "yes")
            try update(box, [], "no")
            try update(box, [Self.kmsg], "yes")
            // The answer for all others turns.
            try update(box, [Self.all, Self.noKmsg], "no")
            // What was denied is not in the kernel's list.
            try update(box, [Self.all], "yes")
            try update(box, [Self.all, Self.noKmsg], "no")
            try update(box, [Self.kmsg], "yes")
            try update(box, [Self.none], "no")
            #expect(box.contents(box.rootfs + "/tmp/refused") == nil)
            // Limits alone leave the rules as they are.
            try update(box, [Self.kmsg], "yes")
            try box.succeed("update", "--pids-limit", "100", box.id)
            try box.waitFor("answer", "yes\n")
            #expect(try box.keptResources()["devices"] as? [Document] != nil)
            #expect(try box.state().status == "running")
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func staysPausedWhenItWas() throws {
        try Sandbox.use("updevpause") { box in
            try runGuarded(box)
            try box.succeed("pause", box.id)
            try box.succeed("update", "-r", try box.resourcesFile(["devices": [Self.all]]), box.id)
            #expect(try box.state().status == "paused")
            try box.succeed("resume", box.id)
            try box.waitFor("answer", "yes\n")
            try box.succeed("delete", "--force", box.id)
        }
    }

    @Test func aRuleThatCannotBeHeldChangesNothing() throws {
        try Sandbox.use("updevbad") { box in
            try runGuarded(box)
            let rules: [Document] = [
                ["allow": true, "type": "c", "major": 1, "access": "rw"],
                ["allow": false, "type": "q"],
            ]
            let file = try box.resourcesFile(["pids": ["limit": 99], "devices": rules])
            let limit = box.cgroupFile("pids", "pids.max", "pids.max")
            try box.fail(
                "update",
                "-r",
                file,
                box.id,
                with: "update \(box.id): \(file): devices[1].type: expected one of a, c, b, found \"q\""
            )
            if !TestMachine.isUnified {
                let other = try box.resourcesFile(["pids": ["limit": 99], "devices": [rules[0], Self.noKmsg]])
                try box.fail(
                    "update",
                    "-r",
                    other,
                    box.id,
                    with: "update \(box.id): linux.resources.devices[1]: denies c 1:11 w, a part of what was allowed "
                        + "before it (c 1:* rw); cgroup v1 cannot do that"
                )
            }
            #expect(box.cgroupFile("pids", "pids.max", "pids.max") == limit)
            try box.waitFor("answer", "no\n")
            try box.succeed("delete", "--force", box.id)
        }
    }
}
