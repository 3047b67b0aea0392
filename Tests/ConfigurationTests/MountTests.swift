// What the words of a mount become.

import Configuration
import Foundation
import JSON
import KernelTypes
import OCISpec
import Testing

@Suite("Mounts")
struct MountTests {
    /// The container whose only mount is `mount`.
    static func container(_ mount: OCISpec.Mount, namespaces: [String] = []) throws -> ContainerConfiguration {
        var spec = RuntimeSpec(ociVersion: "1.3.0")
        spec.root = Root(path: "rootfs")
        spec.mounts = [mount]
        var linux = Linux()
        linux.namespaces = namespaces.map { Namespace(type: $0) }
        if namespaces.contains("user") {
            linux.uidMappings = [OCISpec.IDMapping(containerID: 0, hostID: 1000, size: 10)]
            linux.gidMappings = linux.uidMappings
        }
        spec.linux = linux
        return try Validator.configuration(from: spec, bundle: "/bundle", facts: Fixtures.facts)
    }

    static func mount(
        _ destination: String = "/data",
        type: String? = nil,
        source: String? = nil,
        _ options: [String] = [],
        namespaces: [String] = []
    ) throws -> MountConfiguration {
        let mount = OCISpec.Mount(destination: destination, type: type, source: source, options: options)
        return try #require(container(mount, namespaces: namespaces).mounts.first)
    }

    static func options(_ words: [String]) throws -> MountOptions {
        try mount(type: "tmpfs", words).options
    }

    // MARK: Each word

    @Test func namesAreThoseOfTheFeaturesDocument() throws {
        let url = Fixtures.root.deletingLastPathComponent().appending(path: "features/full.json")
        let features = try Foundation.JSONDecoder().decode(Features.self, from: Data(contentsOf: url))
        #expect(MountOptionTable.names == features.mountOptions)
        #expect(MountOptionTable.names == MountOptionTable.names.sorted())
    }

    @Test(
        arguments: [
            ("ro", "rw", .readOnly), ("nosuid", "suid", .noSetID), ("nodev", "dev", .noDevices),
            ("noexec", "exec", .noExecute), ("nodiratime", "diratime", .noDirectoryAccessTime),
            ("nosymfollow", "symfollow", .noSymlinkFollow),
        ] as [(String, String, MountAttributes)]
    )
    func attribute(set: String, cleared: String, attribute: MountAttributes) throws {
        var expected = MountOptions()
        expected.set = attribute
        #expect(try Self.options([set]) == expected)
        #expect(try Self.options([cleared, set]) == expected)
        expected = MountOptions()
        expected.cleared = attribute
        #expect(try Self.options([cleared]) == expected)
        #expect(try Self.options([set, cleared]) == expected)
        expected = MountOptions()
        expected.recursivelySet = attribute
        #expect(try Self.options(["r" + set]) == expected)
        expected = MountOptions()
        expected.recursivelyCleared = attribute
        #expect(try Self.options(["r" + cleared]) == expected)
    }

    @Test(
        arguments: [
            ("noatime", .noAccessTime), ("strictatime", .strictAccessTime), ("relatime", []), ("atime", []),
            ("norelatime", []), ("nostrictatime", []),
        ] as [(String, MountAttributes)]
    )
    func accessTime(word: String, mode: MountAttributes) throws {
        var expected = MountOptions()
        expected.set = mode
        expected.cleared = .accessTimeField
        #expect(try Self.options([word]) == expected)
        #expect(try Self.options(["noatime", "strictatime", word]) == expected)
        expected = MountOptions()
        expected.recursivelySet = mode
        expected.recursivelyCleared = .accessTimeField
        #expect(try Self.options(["r" + word]) == expected)
    }

    @Test(
        arguments: [
            ("sync", "async", .synchronous), ("dirsync", nil, .synchronousDirectories),
            ("mand", "nomand", .mandatoryLocks),
            ("lazytime", "nolazytime", .lazyTimes), ("iversion", "noiversion", .inodeVersion),
            ("silent", "loud", .silent),
        ] as [(String, String?, MountFlags)]
    )
    func fileSystemFlag(set: String, cleared: String?, flag: MountFlags) throws {
        var expected = MountOptions()
        expected.fileSystemFlags = flag
        #expect(try Self.options([set]) == expected)
        guard let cleared else { return }
        expected = MountOptions()
        expected.fileSystemFlagsCleared = flag
        #expect(try Self.options([set, cleared]) == expected)
    }

    @Test func propagationKeepsItsOrder() throws {
        let options = try Self.options(["rprivate", "shared", "rslave", "unbindable"])
        #expect(
            options.propagation == [
                PropagationChange(.private, recursive: true), PropagationChange(.shared, recursive: false),
                PropagationChange(.slave, recursive: true), PropagationChange(.unbindable, recursive: false),
            ]
        )
    }

    @Test func everyNameHasAnEffectAndNothingElseHas() throws {
        #expect(MountOptionTable.names.count == 65)
        for name in MountOptionTable.names { #expect(MountOptionTable.effect(of: name) != nil) }
        for word in ["", "RO", "rremount", "acl", "size=1k", "rsync", "rcopy-symlink", "idmap=uids=0-0-1", "ro "] {
            #expect(MountOptionTable.effect(of: word) == nil)
        }
        #expect(try Self.options(["defaults"]) == MountOptions())
    }

    @Test func otherWordsAreData() throws {
        let options = try Self.options(["size=64k", "ro", "mode=755", "", "acl"])
        #expect(options.data == ["size=64k", "mode=755", "acl"])
        #expect(options.set == .readOnly)
        #expect(try Self.mount(type: "tmpfs", ["a", "ro"]).optionWords == ["a", "ro"])
    }

    // MARK: What a mount is

    @Test func optionsDecideOnBindAndNotTheType() throws {
        #expect(try Self.mount(type: "proc", source: "/a", ["bind"]).kind == .bind(recursive: false))
        #expect(try Self.mount(type: "none", source: "/a", ["rbind"]).kind == .bind(recursive: true))
        #expect(try Self.mount(source: "/a", ["rbind", "bind"]).kind == .bind(recursive: true))
        #expect(try Self.mount(type: "bind", source: "/a").kind == .bind(recursive: false))
        #expect(try Self.mount(type: "cgroup", source: "cgroup").kind == .cgroup)
        #expect(try Self.mount(type: "cgroup2").kind == .cgroup)
        #expect(try Self.mount(type: "tmpfs", ["remount", "ro"]).kind == .remount)
        #expect(try Self.mount(type: "ext4", source: "/dev/sda1").kind == .fileSystem(type: "ext4"))
    }

    @Test func sourcesCountFromTheBundleOnlyInBinds() throws {
        #expect(try Self.mount(source: "data/../x", ["bind"]).source == "/bundle/x")
        #expect(try Self.mount(source: "/srv/./x", ["bind"]).source == "/srv/./x")
        #expect(try Self.mount(type: "tmpfs", source: "tmpfs").source == "tmpfs")
        #expect(try Self.mount(type: "tmpfs").source == nil)
        #expect(try Self.mount(type: "tmpfs", source: "").source == nil)
    }

    @Test func destinationsAreCleaned() throws {
        #expect(try Self.mount("/a//b/./c/../d/", type: "tmpfs").destination == "/a/b/d")
        #expect(try Self.mount("/../../etc", type: "tmpfs").destination == "/etc")
        let container = try Self.container(OCISpec.Mount(destination: "run", type: "tmpfs"))
        #expect(container.mounts.first?.destination == "/run")
        #expect(
            container.warnings == [
                #"mounts[0].destination: "run" is not absolute and counts from /, which is deprecated"#
            ]
        )
    }

    @Test func idMapsComeFromMappingsOrTheUserNamespace() throws {
        #expect(try Self.mount(source: "/a", ["bind"]).options.idMap == nil)
        let own = try Self.mount(source: "/a", ["rbind", "ridmap"], namespaces: ["user"]).options.idMap
        #expect(own == IDMapRequest(recursive: true, uidMappings: [], gidMappings: []))
        var mount = OCISpec.Mount(destination: "/data", source: "/a", options: ["bind"])
        mount.uidMappings = [OCISpec.IDMapping(containerID: 0, hostID: 7, size: 1)]
        mount.gidMappings = mount.uidMappings
        let mapping = Configuration.IDMapping(containerID: 0, hostID: 7, size: 1)
        let given = try #require(Self.container(mount).mounts.first).options.idMap
        #expect(given == IDMapRequest(recursive: false, uidMappings: [mapping], gidMappings: [mapping]))
        mount.options = ["bind", "idmap"]
        #expect(try #require(Self.container(mount).mounts.first).options.idMap == given)
    }

    @Test func copyUpIsForTmpfs() throws {
        #expect(try Self.mount(type: "tmpfs", ["tmpcopyup"]).options.copiesUp)
    }

    @Test func mappedIDsOfAFileSystemAreAccepted() throws {
        let words = ["uid=0", "gid=9", "gid=tty", "uid="]
        #expect(try Self.mount(type: "tmpfs", words, namespaces: ["user"]).options.data == words)
        #expect(try Self.mount(type: "tmpfs", ["gid=5000"]).options.data == ["gid=5000"])
    }
}
