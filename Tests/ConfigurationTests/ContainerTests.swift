// What the other sections become: namespaces, resources, seccomp, devices, hooks, hidden paths; and strings with U+0000
// from a decoder that does not refuse them.

import Configuration
import JSON
import KernelTypes
import OCISpec
import Testing

@Suite("Container")
struct ContainerTests {
    /// The container of a document with these members.
    static func container(
        _ members: String,
        version: String = "1.3.0",
        facts: HostFacts = Fixtures.facts
    ) throws -> ContainerConfiguration {
        let text = #"{"ociVersion": "\#(version)", "root": {"path": "rootfs"}, \#(members)}"#
        return try Fixtures.configuration(of: Array(text.utf8), facts: facts)
    }

    static func linux(_ members: String) throws -> ContainerConfiguration {
        try container(#""linux": {\#(members)}"#)
    }

    static func resources(_ members: String) throws -> ResourceConfiguration {
        try linux(#""resources": {\#(members)}"#).resources
    }

    // MARK: Namespaces

    @Test func namespacesAreMadeOrJoined() throws {
        let namespaces = try Self.linux(
            #"""
            "namespaces": [{"type": "time"}, {"type": "network", "path": "/run//netns/a"}, {"type": "pid", "path": ""}]
            """#
        ).namespaces
        #expect(namespaces.created == [.time, .pid])
        #expect(namespaces.joined == [NamespaceConfiguration.Joined(kind: .network, path: "/run/netns/a")])
        #expect(!namespaces.isSeparate(.mount))
    }

    @Test func joinedUserNamespaceMayBeDescribed() throws {
        let joined = #""namespaces": [{"type": "user", "path": "/proc/1/ns/user"}]"#
        #expect(try Self.linux(joined).uidMappings.isEmpty)
        let mappings = #"[{"containerID": 0, "hostID": 1, "size": 4294967294}]"#
        let described = try Self.linux(#"\#(joined), "uidMappings": \#(mappings), "gidMappings": \#(mappings)"#)
        #expect(described.gidMappings == [Configuration.IDMapping(containerID: 0, hostID: 1, size: 4_294_967_294)])
    }

    @Test func mostMappingsAreAccepted() throws {
        let mappings = (0..<340).map { #"{"containerID": \#($0), "hostID": \#(1000 + $0), "size": 1}"# }.joined(
            separator: ","
        )
        let container = try Self.linux(
            #""namespaces": [{"type": "user"}], "uidMappings": [\#(mappings)], "gidMappings": [\#(mappings)]"#
        )
        #expect(container.uidMappings.count == 340)
    }

    @Test func ordinaryUserNeedsAUserNamespaceAndRootInOneDoesNot() throws {
        let inNamespace = HostFacts(effectiveUserID: 0, isInUserNamespace: true)
        #expect(throws: Never.self) { try Self.container(#""linux": {}"#, facts: inNamespace) }
        let ordinary = HostFacts(effectiveUserID: 1000)
        let bytes = try Fixtures.bytes(of: "base/rootless.json")
        #expect(try Fixtures.configuration(of: bytes, facts: ordinary).namespaces.creates(.user))
    }

    @Test func namesOfTheLargestSizeAreAccepted() throws {
        let name = String(repeating: "a", count: 64)
        let uts = #""linux": {"namespaces": [{"type": "uts", "path": "/proc/1/ns/uts"}]}"#
        let container = try Self.container(#""hostname": "\#(name)", "domainname": "", \#(uts)"#)
        #expect(container.hostname == name)
        #expect(container.domainname == nil)
    }

    // MARK: Root and hidden paths

    @Test func rootMayLeaveTheBundle() throws {
        for (path, expected) in [("rootfs/", "/bundle/rootfs"), ("../x", "/x"), ("/a/../b", "/b"), (".", "/bundle")] {
            let text = #"{"ociVersion": "1.0.2-dev", "root": {"path": "\#(path)", "readonly": true}}"#
            let root = try Fixtures.configuration(of: Array(text.utf8)).root
            #expect(root == RootConfiguration(path: expected, readonly: true))
        }
    }

    @Test(
        arguments: [
            ("shared", .shared), ("rshared", .shared), ("slave", .slave), ("rslave", .slave), ("private", .private),
            ("rprivate", .private), ("unbindable", .unbindable), ("runbindable", .unbindable), ("", nil),
        ] as [(String, MountPropagation?)]
    )
    func rootPropagation(text: String, expected: MountPropagation?) throws {
        #expect(try Self.linux(#""rootfsPropagation": "\#(text)""#).rootfsPropagation == expected)
    }

    @Test func hiddenPathsAreCleanedAndKeptOnce() throws {
        let container = try Self.linux(
            #"""
            "namespaces": [{"type": "mount"}], "maskedPaths": ["/proc/kcore", "/proc//kcore", "/\u00e9", "/e\u0301"],
            "readonlyPaths": ["/proc/sys/", "/proc/kcore"]
            """#
        )
        #expect(container.maskedPaths.map { $0.utf8.count } == [11, 3, 4])
        #expect(container.readonlyPaths == ["/proc/sys", "/proc/kcore"])
        #expect(throws: Never.self) { try Self.linux(#""maskedPaths": [], "readonlyPaths": null"#) }
    }

    // MARK: Devices

    @Test func devicesAreTyped() throws {
        let devices = try Self.linux(
            #"""
            "devices": [
                {"type": "u", "path": "/dev/a", "major": 4095, "minor": 1048575, "fileMode": 8630, "uid": 1, "gid": 2},
                {"type": "p", "path": "/dev//b"}, {"type": "p", "path": "/dev/b"}
            ]
            """#
        ).devices
        #expect(
            devices == [
                DeviceNode(
                    kind: .character,
                    path: "/dev/a",
                    major: 4095,
                    minor: 1_048_575,
                    mode: 0o666,
                    uid: 1,
                    gid: 2
                ),
                DeviceNode(kind: .fifo, path: "/dev/b", major: 0, minor: 0, mode: 0o666, uid: 0, gid: 0),
            ]
        )
    }

    @Test func deviceRulesKeepOrderAndDefaults() throws {
        let rules = try Self.resources(
            #"""
            "devices": [
                {"allow": false}, {"allow": true, "type": "c", "major": 10, "minor": -1, "access": "wr"},
                {"allow": true, "type": "b", "minor": 4294967295, "access": "m"},
                {"allow": true, "type": "a", "access": ""}
            ]
            """#
        ).devices
        #expect(
            rules == [
                DeviceRule(allow: false, kind: .all, major: nil, minor: nil, access: .everything),
                DeviceRule(allow: true, kind: .character, major: 10, minor: nil, access: [.read, .write]),
                DeviceRule(allow: true, kind: .block, major: nil, minor: .max, access: .makeNode),
                DeviceRule(allow: true, kind: .all, major: nil, minor: nil, access: .everything),
            ]
        )
    }

    // MARK: Resources

    @Test func zerosThatMeanNothingAreNotAskedFor() throws {
        let resources = try Self.resources(
            #"""
            "memory": {"limit": 0, "reservation": 0, "swap": 0, "kernel": 0, "kernelTCP": 0},
            "cpu": {"shares": 0, "quota": 0, "period": 0, "realtimeRuntime": 0, "realtimePeriod": 0,
                "cpus": "", "mems": ""},
            "blockIO": {"weight": 0, "leafWeight": 0}, "pids": {}, "network": {}, "hugepageLimits": [], "rdma": {}
            """#
        )
        #expect(resources == ResourceConfiguration())
    }

    @Test func zerosThatMeanSomethingAreKept() throws {
        let resources = try Self.resources(
            #"""
            "memory": {"swappiness": 0, "disableOOMKiller": false, "checkBeforeUpdate": true}, "pids": {"limit": 0},
            "cpu": {"burst": 0, "idle": 0}, "network": {"classID": 0},
            "hugepageLimits": [{"pageSize": "1GB", "limit": 0}]
            """#
        )
        #expect(resources.memory.swappiness == 0)
        #expect(resources.memory.disableOOMKiller == false)
        #expect(resources.memory.checkBeforeUpdate)
        #expect(resources.pidsLimit == 0)
        #expect(resources.cpu.burst == 0)
        #expect(resources.cpu.idle == 0)
        #expect(resources.network.classID == 0)
        #expect(resources.hugepages == [HugepageLimit(pageSize: "1GB", limit: 0)])
    }

    @Test(arguments: [("1.0.2-dev", nil), ("1.2.1", nil), ("1.3.0", 0)] as [(String, Int64?)])
    func zeroTasksAreALimitSince13(version: String, limit: Int64?) throws {
        let members = #""linux": {"resources": {"pids": {"limit": 0}}}"#
        let container = try Self.container(members, version: version)
        #expect(container.resources.pidsLimit == limit)
    }

    @Test func noLimitIsMinusOne() throws {
        let resources = try Self.resources(
            #""memory": {"limit": -1, "swap": -1}, "cpu": {"quota": -1, "burst": 5}, "pids": {"limit": -1}"#
        )
        #expect(resources.memory.limit == -1)
        #expect(resources.memory.swap == -1)
        #expect(resources.cpu.quota == -1)
        #expect(resources.pidsLimit == -1)
    }

    @Test(arguments: [
        #""memory": {"limit": 5, "swap": 5, "swappiness": 100}"#, #""cpu": {"quota": 1000, "burst": 1000}"#,
        #""cpu": {"period": 1000}"#, #""cpu": {"period": 1000000, "idle": 1, "cpus": "0-8191"}"#,
        #""cpu": {"realtimeRuntime": 7, "realtimePeriod": 7}"#, #""blockIO": {"weight": 10, "leafWeight": 1000}"#,
        #""pids": {"limit": 9223372036854775807}"#,
        #""network": {"priorities": [{"name": "abcdefghijklmno", "priority": 0}]}"#,
    ])
    func boundsThemselvesAreAccepted(members: String) {
        #expect(throws: Never.self) { try Self.resources(members) }
    }

    @Test func resourcesOfUpdateAreNamedFromTheDocument() throws {
        var resources = Resources()
        resources.pids = PidsResources(limit: -5)
        let problem = #expect(throws: ConfigurationProblem.self) { try Validator.resources(resources, at: .document) }
        #expect(problem?.description == "pids.limit: expected a number from -1 to 9223372036854775807, found -5")
    }

    // MARK: Seccomp

    @Test(
        arguments: [
            (#""action": "SCMP_ACT_KILL""#, .killThread), (#""action": "SCMP_ACT_KILL_THREAD""#, .killThread),
            (#""action": "SCMP_ACT_KILL_PROCESS""#, .killProcess), (#""action": "SCMP_ACT_TRAP""#, .trap),
            (#""action": "SCMP_ACT_ALLOW""#, .allow), (#""action": "SCMP_ACT_LOG""#, .log),
            (#""action": "SCMP_ACT_NOTIFY""#, .notify), (#""action": "SCMP_ACT_ERRNO""#, .errno(1)),
            (#""action": "SCMP_ACT_ERRNO", "errnoRet": 0"#, .errno(0)),
            (#""action": "SCMP_ACT_ERRNO", "errnoRet": 4095"#, .errno(4095)),
            (#""action": "SCMP_ACT_TRACE""#, .trace(1)),
            (#""action": "SCMP_ACT_TRACE", "errnoRet": 65535"#, .trace(65535)),
        ] as [(String, SeccompConfiguration.Action)]
    )
    func seccompAction(members: String, action: SeccompConfiguration.Action) throws {
        let seccomp = try Self.linux(
            #"""
            "seccomp": {
                "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/a.sock", "flags": [],
                "syscalls": [{"names": ["mknod"], \#(members)}]
            }
            """#
        ).seccomp?.configuration
        #expect(seccomp?.rules.map(\.action) == [action])
        #expect(seccomp?.defaultAction == .allow)
        #expect(seccomp?.flags == [])
    }

    @Test func emptySeccompIsNoFilter() throws {
        #expect(try Self.linux(#""seccomp": {"defaultAction": ""}"#).seccomp == nil)
        #expect(try Self.linux(#""seccomp": {"defaultAction": "SCMP_ACT_LOG"}"#).seccomp?.configuration?.flags == nil)
    }

    // MARK: Sysctls, hooks, memory policy

    @Test func sysctlsBecomePathsInDocumentOrder() throws {
        let container = try Self.container(
            #"""
            "linux": {
                "namespaces": [{"type": "network"}, {"type": "uts"}],
                "sysctl": {"net/z": "1", "kernel.domainname": "example", "net.ipv4.conf.a/b.x": "2"}
            }
            """#
        )
        #expect(
            container.sysctls == [
                SysctlSetting(path: "net/z", value: "1"), SysctlSetting(path: "kernel/domainname", value: "example"),
                SysctlSetting(path: "net/ipv4/conf/a.b/x", value: "2"),
            ]
        )
    }

    @Test func hooksKeepAnEmptyEnvironmentApartFromNone() throws {
        let hooks = try Self.container(
            #""hooks": {"poststop": [{"path": "/a", "env": [], "timeout": 1}, {"path": "/b", "args": ["b", ""]}]}"#
        ).hooks
        #expect(
            hooks[.poststop] == [
                Hook(path: "/a", arguments: [], environment: [], timeoutSeconds: 1),
                Hook(path: "/b", arguments: ["b", ""], environment: nil, timeoutSeconds: nil),
            ]
        )
        #expect(hooks[.prestart].isEmpty)
    }

    @Test(
        arguments: [
            (#"{"mode": "MPOL_DEFAULT"}"#, 0, []), (#"{"mode": "MPOL_LOCAL", "nodes": ""}"#, 4, []),
            (#"{"mode": "MPOL_PREFERRED"}"#, 1, []),
            (
                #"{"mode": "MPOL_BIND", "nodes": "0,64", "flags": ["MPOL_F_NUMA_BALANCING", "MPOL_F_STATIC_NODES"]}"#,
                0xA002, [1, 1]
            ),
            (#"{"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "1", "flags": ["MPOL_F_RELATIVE_NODES"]}"#, 0x4006, [2]),
        ] as [(String, Int32, [UInt])]
    )
    func memoryPolicy(text: String, mode: Int32, nodes: [UInt]) throws {
        #expect(try Self.linux(#""memoryPolicy": \#(text)"#).memoryPolicy == MemoryPolicy(mode: mode, nodes: nodes))
    }

    // MARK: U+0000

    /// Key path, and a change that puts "a\0" there.
    static let truncated: [(String, @Sendable (inout RuntimeSpec) -> Void)] = [
        ("root.path", { $0.root?.path = "a\0" }), ("hostname", { $0.hostname = "a\0" }),
        ("domainname", { $0.domainname = "a\0" }), ("process.cwd", { $0.process?.cwd = "/a\0" }),
        ("process.args[1]", { $0.process?.args = ["a", "a\0"] }), ("process.env[0]", { $0.process?.env = ["A=\0"] }),
        ("process.apparmorProfile", { $0.process?.apparmorProfile = "a\0" }),
        ("process.selinuxLabel", { $0.process?.selinuxLabel = "a\0" }),
        ("mounts[0].destination", { $0.mounts = [OCISpec.Mount(destination: "/a\0", type: "tmpfs")] }),
        ("mounts[0].type", { $0.mounts = [OCISpec.Mount(destination: "/a", type: "a\0")] }),
        ("mounts[0].source", { $0.mounts = [OCISpec.Mount(destination: "/a", type: "tmpfs", source: "a\0")] }),
        ("mounts[0].options[0]", { $0.mounts = [OCISpec.Mount(destination: "/a", type: "tmpfs", options: ["a\0"])] }),
        ("hooks.poststop[0].path", { $0.hooks?.poststop = [OCISpec.Hook(path: "/a\0")] }),
        ("hooks.poststop[0].args[0]", { $0.hooks?.poststop = [OCISpec.Hook(path: "/a", args: ["a\0"])] }),
        ("hooks.poststop[0].env[0]", { $0.hooks?.poststop = [OCISpec.Hook(path: "/a", env: ["A=\0"])] }),
        ("linux.namespaces[1].path", { $0.linux?.namespaces?[1].path = "/a\0" }),
        ("linux.cgroupsPath", { $0.linux?.cgroupsPath = "/a\0" }),
        ("linux.maskedPaths[0]", { $0.linux?.maskedPaths = ["/a\0"] }),
        ("linux.readonlyPaths[0]", { $0.linux?.readonlyPaths = ["/a\0"] }),
        ("linux.mountLabel", { $0.linux?.mountLabel = "a\0" }),
        ("linux.devices[0].path", { $0.linux?.devices = [Device(type: "p", path: "/a\0")] }),
        ("linux.sysctl.net.x", { $0.linux?.sysctl = ["net.x": "a\0"] }),
        ("linux.resources.unified.x", { $0.linux?.resources?.unified = ["x": "a\0"] }),
        ("linux.seccomp.listenerPath", { $0.linux?.seccomp?.listenerPath = "/a\0" }),
    ]

    @Test(arguments: truncated.indices)
    func stringThatTheKernelWouldCutIsRefused(index: Int) throws {
        var spec = RuntimeSpec.template(rootless: false)
        spec.hooks = Hooks()
        spec.linux?.resources = Resources()
        spec.linux?.seccomp = Seccomp(defaultAction: "SCMP_ACT_ALLOW")
        _ = try Validator.configuration(from: spec, bundle: "/b", facts: Fixtures.facts)
        let (keyPath, change) = Self.truncated[index]
        change(&spec)
        let problem = #expect(throws: ConfigurationProblem.self) {
            try Validator.configuration(from: spec, bundle: "/b", facts: Fixtures.facts)
        }
        #expect(problem?.description == "\(keyPath): contains U+0000, where the kernel would end the string")
    }
}
