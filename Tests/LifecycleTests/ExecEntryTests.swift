// Where exec enters, seen from unusual places: from inside of the container's namespaces, and with cgroups that are gone.

import Foundation
import Testing

@Suite("exec, entering", .enabled(if: TestMachine.isUsable, TestMachine.reason))
struct ExecEntryTests {
    private static let isLegacy = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/pids/cgroup.procs")

    /// Of nsenter(1). From the cgroup namespace alone only with v1: v2 as systemd mounts it lets nobody move a process
    /// between cgroups that are not both below the namespace's (`nsdelegate`, cgroup_namespaces(7)).
    private static let entries: [[String]] =
        [
            ["-U", "--preserve-credentials"], ["-n"], ["-i", "-u"],
            ["-U", "--preserve-credentials", "-n", "-i"],
        ] + (isLegacy ? [["-C"]] : [])

    /// Who is in a user namespace cannot enter it once more; all others are entered as ever.
    @Test(arguments: entries)
    func fromInsideOfNamespaces(options: [String]) throws {
        try Sandbox.use("execinside") { box in
            var document = box.document("while :; do sleep 1000; done")
            let kinds = ["pid", "mount", "ipc", "uts", "user", "cgroup", "network"]
            document.change("linux") { linux in
                linux["namespaces"] = kinds.map { ["type": $0] }
                let mapping: Document = ["containerID": 0, "hostID": 0, "size": 1000]
                linux["uidMappings"] = [mapping]
                linux["gidMappings"] = [mapping]
            }
            try box.withContainer(document) {
                let pid = try box.state().pid
                let names = ["pid", "mnt", "ipc", "uts", "user", "cgroup", "net"]
                let expected = try names.map {
                    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\($0)") + "\n"
                }
                let script = "for n in \(names.joined(separator: " ")); do readlink /proc/self/ns/$n; done"
                let outcome = try box.start(
                    ["exec", box.id, "sh", "-c", script],
                    prefix: ["/usr/bin/nsenter", "-t", "\(pid)"] + options
                ).wait()
                #expect(outcome.status == 0 && outcome.output == expected.joined(), "\(options): \(outcome)")
            }
        }
    }

    /// A process that is not in all cgroups of the container would be free of a limit.
    @Test(.enabled(if: isLegacy, "needs cgroup v1"))
    func notBesideACgroupThatIsGone() throws {
        try Sandbox.use("execgone") { box in
            try box.withContainer {
                let cgroup = "/sys/fs/cgroup/pids/\(box.id)"
                let script =
                    "for task in $(cat \(cgroup)/tasks); do echo $task > \(cgroup)/../tasks; done; rmdir \(cgroup)"
                let files = box.directory + "/move"
                let words = ["/bin/sh", "-c", script]
                let moved = try ChildProcess(words, environment: box.environment, files: files).wait()
                try #require(moved.status == 0, "\(moved)")
                let outcome = try box.exec([], "echo ran")
                #expect(outcome.status == 255 && outcome.output.isEmpty, "\(outcome)")
                #expect(outcome.errors.contains("the cgroup \(cgroup) does not exist"), "\(outcome)")
            }
        }
    }

    /// What a rootless runtime cannot have it does without, also where a hierarchy is not mounted.
    @Test(.enabled(if: isLegacy, "needs cgroup v1"), arguments: [true, false])
    func withoutTheHierarchies(isRootless: Bool) throws {
        try Sandbox.use("exechidden") { box in
            try box.configure(box.document("while :; do sleep 1000; done"))
            try box.succeed("--rootless", "\(isRootless)", "run", "--detach", box.id)
            let hide = "mount -t tmpfs none /sys/fs/cgroup && exec \"$@\""
            let prefix = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", hide, "sh"]
            let outcome = try box.start(["exec", box.id, "true"], prefix: prefix).wait()
            if isRootless {
                #expect(outcome.status == 0, "\(outcome)")
            } else {
                #expect(outcome.status == 255 && outcome.errors.contains("/\(box.id) does not exist"), "\(outcome)")
            }
            try box.succeed("delete", "--force", box.id)
        }
    }
}
