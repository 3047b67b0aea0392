// Mounts as the kernel shows them inside a container.

import Foundation
import Testing

@Suite("Mounts of a container", .enabled(if: Privileges.suffice, Privileges.reason))
struct MountTests {
    @Test(
        "An ordinary container, with every kernel interface and without the newer ones",
        arguments: [
            [], ["--deny", "442"], ["--no-pivot"], ["--propagation", "private"], ["--propagation", "shared"],
        ]
    )
    func ordinary(arguments: [String]) throws {
        let container = try Container()
        try container.write("host/file", "hello")
        let result = try container.run(
            arguments + [
                "--mount", "bind,/data,\(container.host),ro", "--mount", "bind,/etc/file,\(container.host)/file,nosuid",
                "--readonly", "--mask", "/proc/cpuinfo", "--mask", "/sys/firmware", "--mask", "/sys/class",
                "--readonly-path", "/proc/sys",
            ],
            standard: true,
            script: """
                cat /proc/self/mountinfo /data/file /etc/file; echo
                touch /x /data/x /etc/file /proc/sys/kernel/hostname 2>&1
                echo cpuinfo: $(cat /proc/cpuinfo) firmware: $(ls /sys/firmware /sys/class)
                echo "links: $(readlink /dev/fd) $(readlink /dev/stdin) $(readlink /dev/ptmx)"
                stat -c '%n %a %t:%T' /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
                echo root: $(echo /*)
                """
        )
        #expect(result.status == 0, "\(result.errors)")
        let expected: [(String, String, Set<String>)] = [
            ("/", "", ["ro"]), ("/proc", "proc", ["rw"]), ("/dev", "tmpfs", ["nosuid"]),
            ("/dev/pts", "devpts", ["nosuid", "noexec"]), ("/dev/shm", "tmpfs", ["nosuid", "nodev", "noexec"]),
            ("/dev/mqueue", "mqueue", ["nosuid", "nodev", "noexec"]),
            ("/sys", "sysfs", ["ro", "nosuid", "nodev", "noexec"]), ("/data", "", ["ro"]),
            ("/etc/file", "", ["rw", "nosuid"]), ("/proc/sys", "proc", ["ro"]), ("/sys/firmware", "tmpfs", ["ro"]),
            ("/sys/class", "tmpfs", ["ro"]), ("/proc/cpuinfo", "tmpfs", ["rw"]),
        ]
        for (path, type, options) in expected {
            let mount = try #require(result.mount(on: path), "no mount on \(path)")
            if !type.isEmpty { #expect(mount.type == type, "\(mount.line)") }
            #expect(mount.options.isSuperset(of: options), "\(mount.line)")
        }
        #expect(result.lines.filter { $0.contains("hello") }.joined() == "hellohello")
        for path in ["/x", "/data/x", "/proc/sys/kernel/hostname"] {
            #expect(result.output.contains("touch: \(path): Read-only file system"), "\(result.output)")
        }
        #expect(result.lines.contains("cpuinfo: firmware: /sys/class: /sys/firmware:"), "\(result.output)")
        #expect(result.lines.contains("links: /proc/self/fd /proc/self/fd/0 pts/ptmx"))
        for device in [
            "null 666 1:3", "zero 666 1:5", "full 666 1:7", "random 666 1:8", "urandom 666 1:9", "tty 666 5:0",
        ] {
            #expect(result.lines.contains("/dev/\(device)"), "\(result.output)")
        }
        #expect(result.lines.contains("root: /bin /data /dev /etc /proc /sys"))
        #expect(container.hostContent == ["file"])
    }

    @Test("All masked directories are one file system")
    func oneEmptyDirectory() throws {
        let result = try Container().run(["--mask", "/sys/firmware", "--mask", "/sys/class"], standard: true)
        let device = { (path: String) in result.mount(on: path)?.line.split(separator: " ")[2] }
        #expect(device("/sys/firmware") != nil)
        #expect(device("/sys/firmware") == device("/sys/class"))
    }

    @Test("Descriptors do not grow with the number of mounts")
    func constantDescriptors() throws {
        let container = try Container()
        let binds = (0..<40).flatMap { ["--mount", "bind,/data/\($0),\(container.host)"] }
        let result = try container.run(binds, standard: true)
        #expect(result.lines.contains("descriptors held: 1"), "\(result.errors)")
        #expect(result.mount(on: "/data/39") != nil)
    }

    @Test("The source's flags stay unless an option names them; recursive options reach the mounts below")
    func bindFlags() throws {
        let container = try Container()
        let result = try container.run(
            [
                "--mount", "tmpfs,/data,t,nosuid,noexec", "--mount", "tmpfs,/data/sub,t",
                "--mount", "rbind,/etc/plain,\(container.root)/data,noatime",
                "--mount", "rbind,/etc/clear,\(container.root)/data,exec,ro",
                "--mount", "rbind,/etc/all,\(container.root)/data,rro,rnoatime",
                "--mount", "rbind,/etc/shared,\(container.root)/data,rshared",
            ],
            standard: true
        )
        let options = { (path: String) in result.mount(on: path)?.options ?? [] }
        #expect(options("/etc/plain").isSuperset(of: ["rw", "nosuid", "noexec", "noatime"]), "\(result.errors)")
        #expect(options("/etc/clear").isSuperset(of: ["ro", "nosuid"]))
        #expect(!options("/etc/clear").contains("noexec"))
        #expect(!options("/etc/clear/sub").contains("ro"))
        #expect(options("/etc/all/sub").isSuperset(of: ["ro", "noatime"]))
        #expect(result.mount(on: "/etc/shared/sub")?.line.contains("shared:") == true)
    }

    @Test("A read-only tmpfs can carry mounts, and looks like the directory that it covers")
    func readonlyTmpfs() throws {
        let container = try Container()
        chmod(container.root + "/data", 0o711)
        let result = try container.run(
            ["--mount", "tmpfs,/data,t,ro", "--mount", "bind,/data/inside/here,\(container.host)"],
            standard: true,
            script: "cat /proc/self/mountinfo; stat -c %a /data; touch /data/x 2>&1"
        )
        #expect(result.mount(on: "/data")?.options.contains("ro") == true)
        #expect(result.mount(on: "/data/inside/here") != nil)
        #expect(result.lines.contains("711"))
        #expect(result.output.contains("touch: /data/x: Read-only file system"))
    }

    @Test("tmpcopyup: files, directories, links, owners and modes", arguments: [[], ["--deny", "430"]])
    func copyUp(arguments: [String]) throws {
        let container = try Container()
        try container.write("rootfs/data/deep/file", "text", mode: 0o4755)
        container.link("/data/link", to: "deep/../../etc/x")
        chown(container.root + "/data/deep", 7, 8)
        let result = try container.run(
            arguments + ["--mount", "tmpfs,/data,t,tmpcopyup,size=1m"],
            standard: true,
            script: """
                cat /proc/self/mountinfo /data/deep/file; echo
                stat -c '%n %a %u:%g' /data/deep /data/deep/file; readlink /data/link; touch /data/new
                """
        )
        #expect(result.mount(on: "/data")?.type == "tmpfs", "\(result.errors)")
        for line in ["text", "/data/deep 755 7:8", "/data/deep/file 4755 0:0", "deep/../../etc/x"] {
            #expect(result.lines.contains(line), "\(result.output)")
        }
        #expect(!FileManager.default.fileExists(atPath: container.root + "/data/new"))
    }

    @Test("remount changes the mount that is there")
    func remount() throws {
        let result = try Container().run(
            ["--mount", "tmpfs,/data,t,size=1m", "--mount", "remount,/data,,ro,noexec,size=2m"],
            standard: true
        )
        let mount = try #require(result.mount(on: "/data"), "\(result.errors)")
        #expect(mount.options.isSuperset(of: ["ro", "noexec"]))
        #expect(mount.line.contains("size=2048k"))
    }

    @Test("Parameters that are too long for fsconfig")
    func longParameter() throws {
        let container = try Container()
        let lower = (0..<12).map { "\(container.directory)/a-rather-long-lower-directory-\($0)" }
        for path in lower { mkdir(path, 0o755) }
        try container.write("a-rather-long-lower-directory-3/found", "yes")
        let result = try container.run(
            ["--mount", "overlay,/data,overlay,lowerdir=\(lower.joined(separator: ":"))"],
            standard: true,
            script: "cat /data/found"
        )
        #expect(result.output.hasSuffix("yes"), "\(result.errors)")
    }

    @Test(
        "Without pivot_root, the host's procfs does not help to uncover what is masked",
        arguments: [
            ([], true), (["--mask", "/proc/cpuinfo"], false), (["--no-pivot", "--mask", "/proc/cpuinfo"], false),
        ]
    )
    func maskedInNestedNamespace(arguments: [String], canMountProc: Bool) throws {
        let container = try Container()
        // The kernel lets a nested user namespace mount procfs anew only when it sees one that nothing covers.
        let result = try container.run(
            arguments,
            standard: true,
            script: "/bin/busybox unshare -U -r -m -p -f /bin/busybox mount -t proc proc /data && echo mounted"
        )
        #expect((result.lines.last == "mounted") == canMountProc, "\(result.errors)")
    }

    @Test("Ids of a mount, without a user namespace and with one")
    func idMapped() throws {
        let container = try Container()
        try container.write("host/file", "x")
        chown(container.host + "/file", 5, 6)
        let own = try container.run(
            ["--mount", "bind,/data,\(container.host),idmap=0-1000-100"],
            standard: true,
            script: "stat -c %u:%g /data/file"
        )
        #expect(own.lines.last == "1005:1006", "\(own.errors)")
        container.giveToMappedRoot()
        let mapped = try container.run(
            ["--user", "--mount", "bind,/data,\(container.host),idmap"],
            standard: true,
            script: "stat -c %u:%g /data/file"
        )
        #expect(mapped.lines.last == "5:6", "\(mapped.errors)")
    }

    @Test("A user namespace: devices are bound, sources out of its reach are there")
    func userNamespace() throws {
        let container = try Container()
        try container.write("host/file", "secret")
        chmod(container.host, 0o700)
        container.giveToMappedRoot()
        let result = try container.run(
            ["--user", "--mount", "bind,/data/file,\(container.host)/file", "--mask", "/proc/cpuinfo"],
            standard: true,
            script: "cat /proc/self/mountinfo /data/file; echo x > /dev/null && echo null works"
        )
        #expect(result.mount(on: "/dev/null") != nil, "\(result.errors)")
        #expect(result.output.contains("secret"))
        #expect(result.output.contains("null works"))
    }

    @Test("An ordinary user without privileges, sharing the host's network")
    func rootless() throws {
        let container = try Container()
        for path in [container.root] + (FileManager.default.subpaths(atPath: container.root) ?? []) {
            lchown(path.hasPrefix("/") ? path : "\(container.root)/\(path)", 1000, 1000)
        }
        try container.write("host/file", "x")
        let arguments = ["--as", "1000", "--user", "--share", "network", "--mount", "bind,/data,\(container.host),ro"]
        let group = try container.run(arguments, standard: true)
        #expect(group.errors.contains("gid=5"), "\(group.errors)")
        let mounts = Container.standardMounts.map { $0.replacingOccurrences(of: ",gid=5", with: "") }
        let result = try container.run(
            arguments + mounts + [
                "--mask", "/proc/cpuinfo", "--mask", "/sys/firmware", "--readonly-path", "/proc/sys", "--console",
            ]
        )
        for path in ["/sys", "/dev/null", "/data", "/proc/cpuinfo", "/sys/firmware", "/proc/sys", "/dev/console"] {
            #expect(result.mount(on: path) != nil, "\(path): \(result.errors)")
        }
    }

    @Test("A sysfs that a user namespace may not have is bound from the host, no more permitted than asked")
    func sysfsSubstitute() throws {
        let container = try Container()
        container.giveToMappedRoot()
        let result = try container.run(["--user", "--share", "network"], standard: true)
        let mount = try #require(result.mount(on: "/sys"), "\(result.errors)")
        #expect(mount.type == "sysfs")
        let below = result.lines.filter { $0.contains(" /sys/fs/cgroup") }
        #expect(below.allSatisfy { $0.contains(" ro,") })
    }

    @Test("rootfsPropagation", arguments: [("shared", "shared:"), ("unbindable", "unbindable"), ("private", " - ")])
    func propagation(wanted: String, word: String) throws {
        let result = try Container().run(["--propagation", wanted], standard: true)
        let line = try #require(result.mount(on: "/"), "\(result.errors)").line
        #expect(line.contains(word))
        #expect(line.contains("shared:") == (wanted == "shared"))
    }

    @Test("The terminal: a pair of the container's devpts on /dev/console")
    func console() throws {
        let result = try Container().run(
            ["--console"],
            standard: true,
            script: "cat /proc/self/mountinfo; stat -c '%t %T' /dev/console"
        )
        #expect(result.lines.contains("console primary is terminal: true"), "\(result.errors)")
        #expect(result.mount(on: "/dev/console")?.type == "devpts")
        #expect(result.lines.last == "88 0")
    }
}
