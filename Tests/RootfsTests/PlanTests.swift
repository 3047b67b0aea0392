// What is decided about a root filesystem, without a kernel.

import Configuration
import KernelTypes
import Rootfs
import Testing

@Suite("Root filesystem plan")
struct PlanTests {
    static func configuration(_ mounts: [MountConfiguration] = []) -> ContainerConfiguration {
        var c = ContainerConfiguration(
            ociVersion: "1.2.0",
            root: RootConfiguration(path: "/bundle/rootfs", readonly: false),
            namespaces: NamespaceConfiguration(created: [.mount, .pid])
        )
        c.mounts = mounts
        return c
    }

    static func mount(
        _ kind: MountConfiguration.Kind,
        _ destination: String,
        source: String? = nil,
        words: [String] = [],
        change: (inout MountOptions) -> Void = { _ in }
    ) -> MountConfiguration {
        var options = MountOptions()
        change(&options)
        return MountConfiguration(
            kind: kind,
            destination: destination,
            source: source,
            options: options,
            optionWords: words
        )
    }

    static func text(_ steps: [RootfsStep]) -> [String] {
        steps.map { $0.detail.isEmpty ? $0.name : "\($0.name) \($0.detail)" }
    }

    static func request(_ step: RootfsStep) -> FileSystemRequest? {
        guard case .mount(let mount) = step, case .fileSystem(let request) = mount.act else { return nil }
        return request
    }

    @Test("An ordinary container's steps, in order")
    func ordinary() {
        var c = Self.configuration([
            Self.mount(.fileSystem(type: "proc"), "/proc", source: "proc"),
            Self.mount(.fileSystem(type: "tmpfs"), "/dev", source: "tmpfs", words: ["nosuid", "mode=755"]),
            Self.mount(.bind(recursive: true), "/data", source: "/srv", words: ["rbind", "ro"]) { $0.set = .readOnly },
        ])
        c.root.readonly = true
        c.maskedPaths = ["/proc/kcore", "/sys/firmware"]
        c.readonlyPaths = ["/proc/sys"]
        #expect(
            Self.text(RootfsPlan.beforePivot(c, HostFacts())) == [
                "setPropagation / rslave",
                "bindRoot /bundle/rootfs",
                "mount proc on /proc",
                "mount tmpfs on /dev (nosuid,mode=755)",
                "mount rbind /srv on /data (ro)",
                "device /dev/null c 1:3",
                "device /dev/zero c 1:5",
                "device /dev/full c 1:7",
                "device /dev/random c 1:8",
                "device /dev/urandom c 1:9",
                "device /dev/tty c 5:0",
                "deviceLink /dev/ptmx -> pts/ptmx",
                "deviceLink /dev/fd -> /proc/self/fd",
                "deviceLink /dev/stdin -> /proc/self/fd/0",
                "deviceLink /dev/stdout -> /proc/self/fd/1",
                "deviceLink /dev/stderr -> /proc/self/fd/2",
                "deviceLink /dev/core -> /proc/kcore",
            ]
        )
        #expect(Self.text([RootfsPlan.pivot(c, noPivot: false)]) == ["pivotRoot"])
        #expect(Self.text([RootfsPlan.pivot(c, noPivot: true)]) == ["moveRoot /bundle/rootfs"])
        #expect(
            Self.text(RootfsPlan.afterPivot(c)) == [
                "readonlyRoot /", "readonlyPath /proc/sys", "maskPath /proc/kcore", "maskPath /sys/firmware",
            ]
        )
    }

    @Test(
        "Propagation: only shared keeps the tie to the host; unbindable waits until everything is mounted",
        arguments: [
            (nil, "rslave", []), (.slave, "rslave", []), (.private, "rprivate", []),
            (.shared, "rshared", ["rootPropagation / shared"]),
            (.unbindable, "rslave", ["rootPropagation / unbindable"]),
        ] as [(MountPropagation?, String, [String])]
    )
    func propagation(wanted: MountPropagation?, first: String, last: [String]) {
        var c = Self.configuration()
        c.rootfsPropagation = wanted
        let steps = Self.text(RootfsPlan.beforePivot(c, HostFacts()))
        #expect(steps[0] == "setPropagation / \(first)")
        #expect(steps[1].hasSuffix("(parent made private)") == (wanted == .shared))
        #expect(RootfsPlan.pivot(c, noPivot: false) == .pivot(oldRootIsShared: wanted == .shared))
        #expect(Self.text(RootfsPlan.afterPivot(c)) == last)
    }

    @Test("/dev and tmpfs become read-only after they are filled, unless covered meanwhile")
    func delayedReadonly() {
        let tmpfs = { (path: String) in Self.mount(.fileSystem(type: "tmpfs"), path) { $0.set = [.readOnly, .noSetID] }
        }
        let c = Self.configuration([
            tmpfs("/dev"), tmpfs("/run"), tmpfs("/covered"), Self.mount(.fileSystem(type: "tmpfs"), "/covered"),
            Self.mount(.fileSystem(type: "sysfs"), "/sys") { $0.set = .readOnly },
        ])
        let mounts = RootfsPlan.beforePivot(c, HostFacts()).compactMap { step -> MountAttributes? in
            guard case .mount(let mount) = step else { return nil }
            return mount.options.set
        }
        #expect(mounts == [[.noSetID], [.noSetID], [.readOnly, .noSetID], [], [.readOnly]])
        #expect(Self.text(RootfsPlan.afterPivot(c)) == ["remountReadonly /dev", "remountReadonly /run"])
    }

    @Test("A bound /dev is left alone")
    func boundDev() {
        let c = Self.configuration([Self.mount(.bind(recursive: true), "/dev", source: "/dev")])
        #expect(!RootfsPlan.beforePivot(c, HostFacts()).contains { $0.name.hasPrefix("device") })
    }

    @Test("The configuration's device takes a default's place; ptmx is no node, nor is a console with a terminal")
    func devices() {
        let device = { (path: String, kind: DeviceNode.Kind) in
            DeviceNode(kind: kind, path: path, major: 9, minor: 9, mode: 0o600, uid: 1, gid: 2)
        }
        var c = Self.configuration()
        c.devices = [
            device("/dev/zero", .character), device("/dev/console", .character), device("/dev/ptmx", .character),
            device("/dev/pipe", .fifo),
        ]
        let names = { (c: ContainerConfiguration) in
            Self.text(RootfsPlan.beforePivot(c, HostFacts())).filter { $0.hasPrefix("device ") }.map {
                $0.dropFirst(12)
            }
        }
        let defaults = ["null c 1:3", "full c 1:7", "random c 1:8", "urandom c 1:9", "tty c 5:0", "zero c 9:9"]
        #expect(names(c).map(String.init) == defaults + ["console c 9:9", "pipe p"])
        let user = UserConfiguration(uid: 0, gid: 0)
        var process = ProcessConfiguration(workingDirectory: "/", arguments: ["sh"], user: user)
        process.terminal = true
        c.process = process
        #expect(names(c).map(String.init) == defaults + ["pipe p"])
        c.namespaces.created.append(.user)
        #expect(names(c).last == "pipe p")
        #expect(names(c).dropLast().allSatisfy { $0.hasSuffix("(bound from the host)") })
    }

    @Test("The runtime opens sources for a user namespace and for mapped ids, else none")
    func sources() {
        var c = Self.configuration([
            Self.mount(.fileSystem(type: "proc"), "/proc"),
            Self.mount(.bind(recursive: true), "/a", source: "/srv/a"),
            Self.mount(.bind(recursive: false), "/b", source: "/srv/b") {
                $0.idMap = IDMapRequest(recursive: true, uidMappings: [], gidMappings: [])
            },
        ])
        c.uidMappings = [IDMapping(containerID: 0, hostID: 1000, size: 10)]
        c.gidMappings = [IDMapping(containerID: 0, hostID: 2000, size: 10)]
        let opened = { (c: ContainerConfiguration, f: HostFacts) in RootfsPlan.sources(c, f).map(\.index) }
        #expect(opened(c, HostFacts()) == [2])
        #expect(
            RootfsPlan.sources(c, HostFacts()).first?.idMap?.source
                == .mappings(uid: c.uidMappings, gid: c.gidMappings)
        )
        c.namespaces.created.append(.user)
        #expect(opened(c, HostFacts()) == [1, 2])
        #expect(opened(c, HostFacts(effectiveUserID: 1000)) == [2])
        c.namespaces = NamespaceConfiguration(joined: [.init(kind: .user, path: "/run/ns/user")])
        #expect(RootfsPlan.sources(c, HostFacts()).last?.idMap?.source == .namespace(path: "/run/ns/user"))
    }

    @Test("Words of mount data become parameters; quotes keep commas together")
    func data() throws {
        let c = Self.configuration([
            Self.mount(.fileSystem(type: "tmpfs"), "/t") {
                $0.data = ["size=64k,mode=700", "noswap", "context=\"a:b:c1,c2\"", "empty="]
                $0.fileSystemFlags = [.synchronous, .lazyTimes]
            }
        ])
        let request = try #require(Self.request(RootfsPlan.beforePivot(c, HostFacts())[2]))
        #expect(
            request.parameters == [
                .init("size", "64k"), .init("mode", "700"), .init("noswap"), .init("context", "a:b:c1,c2"),
                .init("empty", ""), .init("sync"), .init("lazytime"),
            ]
        )
    }

    @Test(
        "The mount label goes where the kernel takes one",
        arguments: [
            ("tmpfs", true), ("ext4", true), ("proc", false), ("sysfs", false), ("mqueue", false),
        ]
    )
    func label(type: String, isParameter: Bool) throws {
        var c = Self.configuration([Self.mount(.fileSystem(type: type), "/t")])
        c.mountLabel = "system_u:object_r:container_file_t:s0:c1,c2"
        let request = try #require(Self.request(RootfsPlan.beforePivot(c, HostFacts())[2]))
        #expect((request.parameters == [.init("context", c.mountLabel)]) == isParameter)
        #expect((request.rootLabel != nil) == (type == "mqueue"))
    }

    @Test(
        "The host's sysfs is a substitute only without a network namespace, in a user namespace",
        arguments: [
            ([.mount], nil), ([.mount, .user], "/sys"), ([.mount, .user, .network], nil),
        ] as [([NamespaceKind], String?)]
    )
    func substitute(namespaces: [NamespaceKind], expected: String?) throws {
        var c = Self.configuration([Self.mount(.fileSystem(type: "sysfs"), "/sys")])
        c.namespaces.created = namespaces
        #expect(try #require(Self.request(RootfsPlan.beforePivot(c, HostFacts())[2])).substitute == expected)
    }

    @Test("A disk's file system is read-only itself; one of the kernel's own only by its mount")
    func superblockReadonly() throws {
        for (type, expected) in [("ext4", [FileSystemRequest.Parameter("ro")]), ("sysfs", [])] {
            let c = Self.configuration([Self.mount(.fileSystem(type: type), "/x") { $0.set = .readOnly }])
            #expect(try #require(Self.request(RootfsPlan.beforePivot(c, HostFacts())[2])).parameters == expected)
        }
    }
}
