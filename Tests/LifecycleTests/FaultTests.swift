// A creation that is killed, or that the kernel refuses something, at a sample of all its system calls. Whatever
// happens, `delete --force` must leave nothing; and a creation that reports an error must have left nothing already.

import Foundation
import Testing

@Suite("Faults", .enabled(if: TestMachine.isTraceable, "needs root, cgroups, /bin/busybox and strace"))
struct FaultTests {
    /// Namespaces made by clone, and a gate, hooks of the runtime, device nodes, a filter.
    static func ordinary(_ box: Sandbox) -> Document {
        var document = box.document("sleep 1000")
        document["hooks"] = ["createRuntime": [["path": "/bin/true"]], "createContainer": [["path": "/bin/true"]]]
        document.change("linux") { linux in
            linux["namespaces"] = ["pid", "mount", "ipc", "uts", "cgroup"].map { ["type": $0] }
            linux["resources"] = ["pids": ["limit": 100]]
            linux["seccomp"] =
                [
                    "defaultAction": "SCMP_ACT_ALLOW",
                    "syscalls": [["names": ["reboot"], "action": "SCMP_ACT_ERRNO"]],
                ] as Document
        }
        return document
    }

    /// A time namespace needs the intermediate process.
    static func withIntermediate(_ box: Sandbox) -> Document {
        var document = ordinary(box)
        document.change("linux") { linux in
            linux["namespaces"] = ["pid", "mount", "ipc", "uts", "time"].map { ["type": $0] }
        }
        return document
    }

    static func shape(_ name: String, _ box: Sandbox) -> Document {
        name == "ordinary" ? ordinary(box) : withIntermediate(box)
    }

    static let shapes = ["ordinary", "intermediate"]

    @Test(arguments: shapes)
    func killedAnywhere(shape: String) throws {
        let points = try Self.points(shape)
        #expect(points.runtime.count > 100 && points.child.count > 30, "\(points.runtime.count) \(points.child.count)")
        for point in Tracing.sample(points.runtime, 20) + Tracing.sample(points.child, 14) {
            try Sandbox.use("kill") { box in
                try box.configure(Self.shape(shape, box))
                let prefix = point.prefix("signal=SIGKILL", trace: "/dev/null")
                let outcome = try box.start(["create", box.id], prefix: prefix).wait()
                #expect(outcome.status != nil, "\(shape), \(point): not ended in time")
                #expect([0, 1, 137].contains(outcome.status ?? -1), "\(shape), \(point): \(outcome)")
                let state = try box.apus("state", box.id)
                #expect(state.status == 0 || state.errors.contains("does not exist"), "\(shape), \(point): \(state)")
                for round in ["first", "second"] {
                    let delete = try box.apus("delete", "--force", box.id)
                    #expect(delete.status == 0, "\(shape), \(point), \(round) delete: \(delete)")
                }
                let leaks = Leaks.of(box)
                #expect(leaks.isEmpty, "\(shape), \(point): \(leaks.joined(separator: "; "))")
            }
        }
    }

    static let errors = ["ENOSPC", "EPERM", "ENOSYS", "EMFILE", "EINTR", "EIO", "EACCES", "EBUSY"]

    @Test(arguments: shapes)
    func refusedAnything(shape: String) throws {
        let points = try Self.points(shape)
        let runtime = points.runtime.filter { Tracing.refusable.contains($0.call) }
        let child = points.child.filter { Tracing.refusable.contains($0.call) }
        let sample = Tracing.sample(runtime, 26) + Tracing.sample(child, 14)
        for (index, point) in sample.enumerated() {
            let error = Self.errors[index % Self.errors.count]
            try Sandbox.use("error") { box in
                try box.configure(Self.shape(shape, box))
                let prefix = point.prefix("error=\(error)", trace: "/dev/null")
                let outcome = try box.start(["create", box.id], prefix: prefix).wait()
                let what = "\(shape), \(point), \(error): \(outcome)"
                if outcome.status == 0 {
                    let state = try box.apus("state", box.id)
                    #expect(state.output.contains("\"created\""), "\(what): \(state)")
                    #expect(try box.apus("delete", "--force", box.id).status == 0, "\(what)")
                } else {
                    #expect(outcome.status == 1, "\(what)")
                    #expect(outcome.errors.hasPrefix("apus: "), "\(what)")
                }
                let leaks = Leaks.of(box)
                #expect(leaks.isEmpty, "\(what): \(leaks.joined(separator: "; "))")
                // What was left, if anything, is found again.
                #expect(try box.apus("delete", "--force", box.id).status == 0)
            }
        }
    }

    static func points(_ shape: String) throws -> (runtime: [FaultPoint], child: [FaultPoint]) {
        var points: (runtime: [FaultPoint], child: [FaultPoint]) = ([], [])
        try Sandbox.use("trace") { box in
            try box.configure(Self.shape(shape, box))
            // The first creation fills the filter cache.
            try box.succeed("create", box.id)
            try box.succeed("delete", "--force", box.id)
            points = try Tracing.calls(of: box)
        }
        return points
    }
}
