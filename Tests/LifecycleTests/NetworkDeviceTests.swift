// `linux.netDevices`: veth devices of a host's network that each test makes for itself. The machine's own network is
// never touched.

import Foundation
import Testing

/// A network namespace in which the runtime is called, kept by a process that sleeps.
private final class HostNetwork {
    private let keeper: ChildProcess
    let box: Sandbox

    init(_ box: Sandbox, _ commands: String...) throws {
        self.box = box
        keeper = try ChildProcess(
            ["/usr/bin/unshare", "--net", "/bin/sleep", "1000"],
            environment: box.environment,
            files: box.directory + "/keeper"
        )
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        for _ in 0..<1000 * TestMachine.slowness {
            if try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(keeper.pid)/ns/net") != own { break }
            usleep(2000)
        }
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(keeper.pid)/ns/net") != own)
        for command in commands { try ip(command) }
    }

    func end() {
        kill(keeper.pid, SIGKILL)
        _ = keeper.wait()
    }

    static func use(_ word: String, _ commands: [String], _ body: (HostNetwork) throws -> Void) throws {
        try Sandbox.use(word) { box in
            let network = try HostNetwork(box)
            defer { network.end() }
            for command in commands { try network.ip(command) }
            try body(network)
        }
    }

    var path: String { "/proc/\(keeper.pid)/ns/net" }
    var prefix: [String] { ["/usr/bin/nsenter", "--net=\(path)"] }

    /// The output of `ip`, in this network or in that of a process.
    @discardableResult
    func ip(_ words: String, of pid: Int32? = nil) throws -> String {
        let outcome = try ChildProcess(
            ["/usr/bin/nsenter", "--net=/proc/\(pid ?? keeper.pid)/ns/net"] + ["/usr/sbin/ip"]
                + words.split(separator: " ").map(String.init),
            environment: box.environment,
            files: box.directory + "/ip"
        ).wait()
        try #require(outcome.status == 0, "ip \(words): \(outcome)")
        return outcome.output
    }

    /// The names of all devices.
    func devices(of pid: Int32? = nil) throws -> Set<String> {
        Set(
            try ip("-br link", of: pid).split(separator: "\n").compactMap {
                $0.split(separator: " ").first?.split(separator: "@").first.map(String.init)
            }
        )
    }

    func apus(_ words: String...) throws -> Outcome {
        try box.start(words, prefix: prefix).wait()
    }

    func configure(_ devices: Document, script: String = "sleep 1000", _ change: (inout Document) -> Void = { _ in })
        throws
    {
        var document = box.document(script)
        document.change("linux") { linux in
            linux["namespaces"] = ["pid", "mount", "ipc", "uts", "network"].map { ["type": $0] }
            linux["netDevices"] = devices
        }
        change(&document)
        try box.configure(document)
    }
}

@Suite(
    "Network devices",
    .enabled(
        if: TestMachine.isUsable && FileManager.default.isExecutableFile(atPath: "/usr/sbin/ip"),
        TestMachine.reason
    )
)
struct NetworkDeviceTests {
    static let pair = ["link add v0 type veth peer name v1", "link set v1 up"]

    @Test func movesWithItsAddresses() throws {
        let addresses = [
            "addr add 10.9.8.7/24 brd 10.9.8.255 dev v0", "-6 addr add fd00:9::7/64 dev v0 nodad",
            "addr add 10.7.0.1/24 dev v0 valid_lft 1000 preferred_lft 1000",
            "addr add 169.254.1.1/16 scope link dev v0",
        ]
        try HostNetwork.use("netdev-move", Self.pair + addresses) { network in
            try network.configure(["v0": ["name": "lan0"]])
            let outcome = try network.apus("run", "--detach", network.box.id)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try network.devices() == ["lo", "v1"])
            let pid = try network.box.state().pid
            #expect(try network.devices(of: pid) == ["lo", "lan0"])
            let link = try network.ip("-o link show dev lan0", of: pid)
            #expect(link.contains("UP") && link.contains("state UP"), "\(link)")
            let moved = try network.ip("-o addr show dev lan0 scope global", of: pid)
            #expect(moved.contains("inet 10.9.8.7/24 brd 10.9.8.255 scope global lan0"), "\(moved)")
            #expect(moved.contains("inet6 fd00:9::7/64 scope global"), "\(moved)")
            // Those that expire, and those of the link alone, are the host's business.
            #expect(!moved.contains("10.7.0.1"), "\(moved)")
            #expect(!(try network.ip("-o addr show dev lan0", of: pid)).contains("169.254.1.1"))
            let deleted = try network.apus("delete", "--force", network.box.id)
            #expect(deleted.status == 0, "\(deleted)")
        }
    }

    /// The program, and a sysctl that names the device, come when it is there; the kernel picks the number.
    @Test func isThereBeforeItIsNeeded() throws {
        let more = ["link add w0 type veth peer name w1"]
        try HostNetwork.use("netdev-early", Self.pair + more) { network in
            let script = "ls /sys/class/net; cat /proc/sys/net/ipv4/conf/lan0/forwarding"
            try network.configure(["v0": ["name": "lan%d"], "w0": ["name": "lan%d"]], script: script) { document in
                document.add("mounts", ["destination": "/sys", "type": "sysfs", "source": "sysfs"])
                document.change("linux") { $0["sysctl"] = ["net.ipv4.conf.lan0.forwarding": "1"] }
                document.change("linux") { $0["readonlyPaths"] = [] as [String] }
            }
            let outcome = try network.apus("run", network.box.id)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.split(separator: "\n") == ["lan0", "lan1", "lo", "1"], "\(outcome)")
        }
    }

    /// Nothing is lost when the creation fails: by the device itself, or later.
    @Test func comesBackWhenTheCreationFails() throws {
        let state = ["addr add 10.9.8.7/24 dev v0", "link set v0 up"]
        try HostNetwork.use("netdev-back", Self.pair + state) { network in
            let before = try network.ip("-o addr show dev v0 scope global")
            func expectUnchanged() throws {
                #expect(try network.devices() == ["lo", "v0", "v1"])
                #expect(try network.ip("-o link show dev v0").contains("state UP"))
                let after = try network.ip("-o addr show dev v0 scope global")
                let words = { (text: String) in text.split(separator: " ").dropFirst().map(String.init) }
                #expect(words(after) == words(before), "\(after)")
            }
            let id = network.box.id
            try network.configure(["v0": [:] as Document, "v9": [:]])
            var outcome = try network.apus("create", id)
            #expect(outcome.status == 1)
            #expect(
                outcome.errors.contains("linux.netDevices.v9: the host has no network device of this name"),
                "\(outcome)"
            )
            try expectUnchanged()

            try network.configure(["v0": ["name": "lo"]])
            outcome = try network.apus("create", id)
            #expect(outcome.errors.contains("the container's network namespace has a device lo already"), "\(outcome)")
            try expectUnchanged()

            try network.configure(["v0": ["name": "lan0"]]) { $0.change("process") { $0["args"] = ["/bin/nothing"] } }
            for words in [["create"], ["run"], ["run", "--detach"]] {
                outcome = try network.box.start(words + [id], prefix: network.prefix).wait()
                #expect(outcome.status == 1 && outcome.errors.contains("/bin/nothing"), "\(outcome)")
                try expectUnchanged()
            }

            // Created, and then not started.
            try network.configure(["v0": ["name": "lan0"]]) { document in
                document["hooks"] = ["startContainer": [["path": "/bin/sh", "args": ["sh", "-c", "exit 3"]]]]
            }
            for words in [["run"], ["run", "--detach"]] {
                outcome = try network.box.start(words + [id], prefix: network.prefix).wait()
                #expect(outcome.status == 1 && outcome.errors.contains("startContainer hook #0"), "\(outcome)")
                try expectUnchanged()
            }

            try network.configure(["lo": ["name": "other"]])
            outcome = try network.apus("create", id)
            #expect(outcome.errors.contains("hint: devices such as lo and bridges cannot leave"), "\(outcome)")
            #expect(Leaks.state(network.box).isEmpty && Leaks.cgroups(id).isEmpty)
        }
    }

    /// A namespace that others made and that has a device of that name; it keeps what it was given.
    @Test func goesToANamespaceOfOthers() throws {
        try HostNetwork.use("netdev-joined", Self.pair) { network in
            let other = try HostNetwork(network.box, "link add v0 type veth peer name x1")
            defer { other.end() }
            let join: (inout Document) -> Void = { document in
                document.change("linux") { linux in
                    linux["namespaces"] = [
                        ["type": "pid"], ["type": "mount"], ["type": "uts"],
                        ["type": "network", "path": other.path],
                    ]
                }
            }
            try network.configure(["v0": [:] as Document], join)
            var outcome = try network.apus("create", network.box.id)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("has a device v0 already"), "\(outcome)")
            #expect(try network.devices() == ["lo", "v0", "v1"])
            try network.configure(["v0": ["name": "v%d"]], join)
            outcome = try network.apus("create", network.box.id)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(try other.devices() == ["lo", "v0", "v1", "x1"])
            #expect(try network.apus("delete", "--force", network.box.id).status == 0)
            #expect(try other.devices() == ["lo", "v0", "v1", "x1"])
        }
    }

    @Test func inAUserNamespace() throws {
        try HostNetwork.use("netdev-user", Self.pair + ["addr add 10.9.8.7/24 dev v0"]) { network in
            try network.configure(["v0": ["name": "lan0"]]) { document in
                document.change("linux") { linux in
                    linux["namespaces"] = ["pid", "mount", "ipc", "uts", "network", "user"].map { ["type": $0] }
                    let mapping = ["containerID": 0, "hostID": 100_000, "size": 65_536]
                    linux["uidMappings"] = [mapping]
                    linux["gidMappings"] = [mapping]
                }
            }
            let outcome = try network.apus("run", "--detach", network.box.id)
            #expect(outcome.status == 0, "\(outcome)")
            let pid = try network.box.state().pid
            #expect(try network.ip("-o addr show dev lan0", of: pid).contains("inet 10.9.8.7/24"))
            #expect(try network.apus("delete", "--force", network.box.id).status == 0)
        }
    }
}
