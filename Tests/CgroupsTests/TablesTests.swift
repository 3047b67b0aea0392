// The readers of the kernel's tables, and what layout they add up to. No kernel is asked.

import Cgroups
import Configuration
import Testing

@Suite struct TablesTests {
    @Test func membershipLines() {
        let text = "12:cpu,cpuacct:/a:b\n1:name=systemd:/user.slice\n0::/\nnonsense\n3:x:relative\n"
        #expect(
            CgroupMembership.parse(Array(text.utf8)) == [
                CgroupMembership(hierarchy: "cpu,cpuacct", path: "/a:b"),
                CgroupMembership(hierarchy: "name=systemd", path: "/user.slice"),
                CgroupMembership(hierarchy: "", path: "/"),
            ]
        )
        #expect(CgroupMembership.parse([0x30, 0x3a, 0x3a, 0x2f, 0xff]) == [])
    }

    @Test func mountLines() {
        let text = """
            31 23 0:28 / /sys/fs/cgroup rw shared:4 - tmpfs tmpfs rw,mode=755
            32 31 0:29 /docker/x /sys/fs/cgroup/cpu,cpuacct ro,nosuid shared:9 master:2 - cgroup cgroup rw,cpuacct,cpu
            33 31 0:30 / /mnt/with\\040space\\134 rw - cgroup2 none rw,nsdelegate
            34 31 0:30 / /too short
            """
        #expect(
            CgroupMount.parse(Array(text.utf8)) == [
                CgroupMount(
                    isUnified: false,
                    root: "/docker/x",
                    mountPoint: "/sys/fs/cgroup/cpu,cpuacct",
                    options: ["rw", "cpuacct", "cpu"]
                ),
                CgroupMount(
                    isUnified: true,
                    root: "/",
                    mountPoint: "/mnt/with space\\",
                    options: ["rw", "nsdelegate"]
                ),
            ]
        )
    }

    private let memberships = [
        CgroupMembership(hierarchy: "net_cls", path: "/"),
        CgroupMembership(hierarchy: "cpu,cpuacct", path: "/docker/x/y"),
        CgroupMembership(hierarchy: "name=systemd", path: "/init"),
        CgroupMembership(hierarchy: "", path: "/"),
    ]

    @Test func usualHybridLayoutNeedsNoMountTable() throws {
        let layout = try #require(
            CgroupLayout.usual(entries: ["systemd", "unified", "cpu,cpuacct"], memberships: memberships)
        )
        #expect(layout.mode == .hybrid)
        #expect(
            layout.hierarchies.map(\.mountPoint) == [
                "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified",
            ]
        )
        #expect(layout.offers("cpuacct"))
        #expect(!layout.offers("net_cls"))
    }

    @Test func unknownDirectoryMakesALayoutUnusual() {
        #expect(CgroupLayout.usual(entries: ["systemd", "mine"], memberships: memberships) == nil)
    }

    @Test(arguments: [
        (["unified"], HostFacts.CgroupMode.unified), (["systemd"], .legacy), ([], .none),
    ]) func modes(entries: [String], mode: HostFacts.CgroupMode) {
        #expect(CgroupLayout.usual(entries: entries, memberships: memberships)?.mode == mode)
    }

    @Test func mountTableLayoutPrefersTheUsualPlaceAndKnowsPartialMounts() {
        let mounts = [
            CgroupMount(isUnified: false, root: "/", mountPoint: "/elsewhere", options: ["rw", "cpu", "cpuacct"]),
            CgroupMount(
                isUnified: false,
                root: "/docker/x",
                mountPoint: "/sys/fs/cgroup/cpu",
                options: ["rw", "cpu", "cpuacct"]
            ),
            CgroupMount(isUnified: false, root: "/other", mountPoint: "/s", options: ["rw", "name=systemd"]),
        ]
        let layout = CgroupLayout.any(mounts: mounts, memberships: memberships)
        #expect(layout.mode == .legacy)
        #expect(
            layout.hierarchies == [
                CgroupHierarchy(name: "cpu,cpuacct", mountPoint: "/sys/fs/cgroup/cpu", ownPath: "/y"),
                CgroupHierarchy(name: "name=systemd", mountPoint: "/s", ownPath: "/"),
            ]
        )
    }
}
