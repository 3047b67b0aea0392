// From linux.cgroupsPath to directories: absolute, relative, absent, hostile; and what Rootfs is told of them.

import Cgroups
import Configuration
import Diagnostics
import Testing

@Suite struct PathTests {
    static let hybrid = CgroupLayout(hierarchies: [
        CgroupHierarchy(name: "cpu,cpuacct", mountPoint: "/c/cpu,cpuacct", ownPath: "/"),
        CgroupHierarchy(name: "memory", mountPoint: "/c/memory", ownPath: "/own/one"),
        CgroupHierarchy(name: "name=systemd", mountPoint: "/c/systemd", ownPath: "/"),
        CgroupHierarchy(name: "", mountPoint: "/c/unified", ownPath: "/"),
    ])
    static let unified = CgroupLayout(hierarchies: [
        CgroupHierarchy(name: "", mountPoint: "/c", ownPath: "/user.slice/session")
    ])

    private func directories(_ layout: CgroupLayout, _ path: String?, isRootless: Bool = false) throws -> [String] {
        try CgroupPlacement(layout: layout, cgroupsPath: path, id: "web1", isRootless: isRootless).locations
            .map(\.directory)
    }

    @Test(arguments: ["/a/b", "//a/./b/", "/a/x/../b", "/../../a/b"])
    func absolutePathsStartAtEachRoot(path: String) throws {
        #expect(
            try directories(Self.hybrid, path) == [
                "/c/cpu,cpuacct/a/b", "/c/memory/a/b", "/c/systemd/a/b", "/c/unified/a/b",
            ]
        )
        #expect(try directories(Self.unified, path) == ["/c/a/b"])
    }

    @Test func relativePathsStartAtTheRuntimesOwnCgroup() throws {
        #expect(
            try directories(Self.hybrid, "a/../b") == [
                "/c/cpu,cpuacct/b", "/c/memory/own/one/b", "/c/systemd/b", "/c/unified/b",
            ]
        )
        #expect(try directories(Self.unified, "b") == ["/c/user.slice/b"])
        #expect(try directories(Self.unified, "../../../b") == ["/c/user.slice/b"])
    }

    @Test func absentPathIsTheIdentifier() throws {
        #expect(try directories(Self.hybrid, nil)[1] == "/c/memory/web1")
        #expect(try directories(Self.unified, nil) == ["/c/web1"])
        #expect(try directories(Self.unified, nil, isRootless: true) == ["/c/user.slice/web1"])
    }

    @Test(arguments: ["/", "", "/a/..", ".."])
    func rootIsRefused(path: String) {
        #expect {
            _ = try directories(Self.hybrid, path)
        } throws: {
            ($0 as? Failure)?.line
                == "linux.cgroupsPath: \"\(path)\" names the root of the hierarchy; a container needs a cgroup of its own"
        }
    }

    @Test func execFollowsInitBelowTheContainersCgroup() throws {
        let placement = try CgroupPlacement(layout: Self.hybrid, cgroupsPath: "/web1", id: "web1", isRootless: false)
        let moved = placement.following([
            CgroupMembership(hierarchy: "memory", path: "/web1/inner"),
            CgroupMembership(hierarchy: "", path: "/web10"),
            CgroupMembership(hierarchy: "name=systemd", path: "/web1/../.."),
        ])
        #expect(moved.locations.map(\.path) == ["web1", "web1/inner", "web1", "web1"])
    }
}
