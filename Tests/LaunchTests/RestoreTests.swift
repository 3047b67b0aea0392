// What a restore does, in which order, and what it tells criu of the world outside; nothing is done.

import CRIU
import Cgroups
import Configuration
import KernelTypes
import Launch
import Lifecycle
import Testing

@Suite("Restore plans")
struct RestoreTests {
    static func configuration(
        created: [NamespaceKind] = [.pid, .mount],
        joined: [NamespaceConfiguration.Joined] = []
    ) -> ContainerConfiguration {
        ContainerConfiguration(
            ociVersion: "1.2.0",
            root: RootConfiguration(path: "/r", readonly: false),
            namespaces: NamespaceConfiguration(created: created, joined: joined)
        )
    }

    static func bind(_ source: String, _ destination: String, recursive: Bool = false) -> MountConfiguration {
        MountConfiguration(
            kind: .bind(recursive: recursive),
            destination: destination,
            source: source,
            options: MountOptions(),
            optionWords: []
        )
    }

    static func placement(_ mode: HostFacts.CgroupMode, _ locations: [(String, String)]) -> CgroupPlacement {
        CgroupPlacement(
            mode: mode,
            locations: locations.map { CgroupLocation(hierarchy: $0.0, mountPoint: $0.1, path: "a/b") },
            isRootless: false
        )
    }

    static func words(_ steps: [RestoreStep]) -> [String] {
        steps.map { $0.detail.isEmpty ? $0.name : "\($0.name) \($0.detail)" }
    }

    @Test func theLeast() {
        let request = LaunchRequest(id: "ID", bundle: "/b")
        #expect(
            Self.words(RestoreStep.list(Self.configuration(), request, cgroups: [])) == [
                "reserveID ID", "recordPlan", "startCRIU", "waitFor setup-namespaces", "recordInit",
                "waitFor post-restore", "waitForEnd", "recordCreated",
            ]
        )
    }

    @Test func everything() {
        var c = Self.configuration(joined: [
            NamespaceConfiguration.Joined(kind: .network, path: "/n"),
            NamespaceConfiguration.Joined(kind: .ipc, path: "/i"),
        ])
        c.mounts = [Self.bind("/s", "/d")]
        c.hooks[.createRuntime] = [Hook(path: "/h", arguments: [], environment: nil, timeoutSeconds: nil)]
        c.hooks[.poststart] = c.hooks[.createRuntime]
        var request = LaunchRequest(id: "ID", bundle: "/b")
        request.console = .socket(path: "/c")
        request.pidFile = "/p"
        #expect(
            Self.words(RestoreStep.list(c, request, cgroups: ["/x", "/y"])) == [
                "reserveID ID", "recordPlan", "openNamespace network /n", "connectConsole /c", "createCgroup /x /y",
                "openCgroup", "makeMountPoints 1", "startCRIU", "waitFor setup-namespaces", "recordInit",
                "hook createRuntime[0] /h", "waitFor post-restore", "limitResources", "waitForEnd", "recordCreated",
                "writePIDFile /p",
            ]
        )
    }

    /// systemd makes a scope around a process that exists: that is criu, before it does anything.
    @Test func scopes() {
        var request = LaunchRequest(id: "ID", bundle: "/b")
        request.cgroupDriver = .systemd
        #expect(
            Self.words(RestoreStep.list(Self.configuration(), request, cgroups: ["/x"])) == [
                "reserveID ID", "recordPlan", "startCRIU", "startScope /x", "waitFor setup-namespaces", "recordInit",
                "waitFor post-restore", "limitResources", "waitForEnd", "recordCreated",
            ]
        )
    }

    @Test func externalMounts() {
        var c = Self.configuration()
        let cgroup = MountConfiguration(
            kind: .cgroup,
            destination: "/sys/fs/cgroup",
            source: nil,
            options: MountOptions(),
            optionWords: []
        )
        let proc = MountConfiguration(
            kind: .fileSystem(type: "proc"),
            destination: "/proc",
            source: nil,
            options: MountOptions(),
            optionWords: []
        )
        c.mounts = [proc, Self.bind("/s", "/d"), Self.bind("/s/t", "/e", recursive: true), cgroup]
        func list(_ mode: HostFacts.CgroupMode, _ locations: [(String, String)]) -> [String] {
            ExternalMount.list(c, HostFacts(cgroupMode: mode), Self.placement(mode, locations)).map {
                "\($0.destination) \($0.source)\($0.isRecursive ? " and below" : "")"
            }
        }
        let binds = ["/d /s", "/e /s/t and below"]
        let v1 = [("memory", "/sys/fs/cgroup/memory"), ("name=systemd", "/sys/fs/cgroup/systemd")]
        // Without a cgroup namespace the container's directories are bound.
        #expect(list(.unified, [("", "/sys/fs/cgroup")]) == binds + ["/sys/fs/cgroup /sys/fs/cgroup/a/b"])
        #expect(
            list(.legacy, v1) == binds + [
                "/sys/fs/cgroup/memory /sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/systemd /sys/fs/cgroup/systemd/a/b",
            ]
        )
        c.namespaces.created.append(.cgroup)
        #expect(list(.unified, [("", "/sys/fs/cgroup")]) == binds)
    }

    @Test func cgroupRoots() {
        func roots(_ mode: HostFacts.CgroupMode, _ locations: [(String, String)]) -> [String] {
            Self.placement(mode, locations).criuRoots.map { "\($0.controller ?? "*") \($0.path)" }
        }
        #expect(roots(.unified, [("", "/sys/fs/cgroup")]) == ["* /a/b"])
        #expect(
            roots(.hybrid, [("cpu,cpuacct", "/c"), ("name=systemd", "/s"), ("", "/u")])
                == ["cpu /a/b", "cpuacct /a/b", "name=systemd /a/b"]
        )
        #expect(roots(.none, []).isEmpty)
    }
}
