// Root filesystems that try to make the runtime touch the host, or to slip out of what protects the host from them.
// `host` stands for the host: nothing may ever appear in it.

import Foundation
import Testing

@Suite("Hostile root filesystems", .enabled(if: Privileges.suffice, Privileges.reason))
struct HostileRootfsTests {
    /// Links that lead out of the root filesystem, if anything follows them outside of it.
    static let escapes = ["../../../../../../{host}", "{host}", "../host"]

    static func target(_ escape: String, _ container: Container) -> String {
        escape.replacingOccurrences(of: "{host}", with: container.host)
    }

    @Test("/dev is a link out of the root filesystem", arguments: escapes, [true, false])
    func devLink(escape: String, mountsDev: Bool) throws {
        let container = try Container()
        container.link("/dev", to: Self.target(escape, container))
        let mounts = mountsDev ? ["--mount", "tmpfs,/dev,t", "--mount", "devpts,/dev/pts,p"] : []
        let result = try container.run(mounts + ["--mount", "proc,/proc,proc"], script: "stat -c %t:%T /dev/null")
        #expect(container.hostContent == [])
        #expect(result.lines.last == "1:3", "\(result.errors)")
    }

    @Test("A name in /dev is a link out of the root filesystem", arguments: ["null", "fd", "ptmx"])
    func devNameLink(name: String) throws {
        let container = try Container()
        container.link("/dev/\(name)", to: "../../host/\(name)")
        let result = try container.run([], script: "readlink /dev/\(name)")
        #expect(container.hostContent == [])
        switch name {
        case "null": #expect(result.errors.contains("the root filesystem has a link at /dev/null"))
        case "ptmx": #expect(result.lines.last == "pts/ptmx")
        default: #expect(result.lines.last == "../../host/fd")
        }
    }

    @Test("/dev/ptmx is a directory, /dev a file")
    func devOfOtherKind() throws {
        let first = try Container()
        mkdir(first.root + "/dev/ptmx", 0o755)
        #expect(try first.run([]).errors.contains("replace /dev/ptmx by a link (unlink): EISDIR"))
        let second = try Container()
        rmdir(second.root + "/dev")
        try second.write("rootfs/dev", "")
        #expect(try second.run([]).errors.contains("make the directory /dev in the root filesystem"))
    }

    @Test(
        "/dev/null is not the null device when files are masked with it",
        arguments: [
            ("plain file", "is a plain file, not the null device"), ("link", "is a link, not the null device"),
            ("zero", "is a character device, not the null device"), ("nothing", "/dev/null in the root filesystem"),
        ]
    )
    func falseNull(kind: String, message: String) throws {
        let container = try Container()
        // A bound /dev is somebody's: the runtime makes no nodes in it.
        try container.write("host/dev/secret", "")
        switch kind {
        case "plain file": try container.write("host/dev/null", "")
        case "link": symlink("/proc/sysrq-trigger", container.host + "/dev/null")
        case "zero": mknod(container.host + "/dev/null", S_IFCHR | 0o666, 0x105)
        default: break
        }
        let result = try container.run([
            "--mount", "proc,/proc,proc", "--mount", "bind,/dev,\(container.host)/dev", "--mask", "/proc/cpuinfo",
        ])
        #expect(result.status == 1)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test("/proc and /sys must be plain directories", arguments: ["proc", "sys"], escapes + ["etc", "nowhere"])
    func procLink(name: String, escape: String) throws {
        let container = try Container()
        container.link("/" + name, to: Self.target(escape, container))
        let result = try container.run([], standard: true)
        #expect(result.status == 1)
        #expect(result.errors.contains("/\(name) is a link in the root filesystem"), "\(result.errors)")
        #expect(container.hostContent == [])
    }

    @Test("/proc is a file")
    func procFile() throws {
        let container = try Container()
        rmdir(container.root + "/proc")
        try container.write("rootfs/proc", "")
        let result = try container.run([], standard: true)
        #expect(result.errors.contains("mounts[0].destination: /proc is a plain file in the root filesystem"))
    }

    @Test("A destination below a link out of the root filesystem stays inside", arguments: escapes)
    func destinationLink(escape: String) throws {
        let container = try Container()
        container.link("/out", to: Self.target(escape, container))
        try container.write("source/file", "bound")
        let source = container.directory + "/source"
        let result = try container.run(
            [
                "--mount", "bind,/out/dir,\(source)", "--mount", "bind,/out/new/file,\(source)/file", "--mount",
                "tmpfs,/out/t,t",
            ],
            standard: true,
            script: "cat /proc/self/mountinfo /out/dir/file /out/new/file"
        )
        #expect(result.output.hasSuffix("boundbound"), "\(result.errors)")
        #expect(container.hostContent == [])
    }

    @Test("A link that leads nowhere gets its target made, inside", arguments: escapes)
    func danglingDestination(escape: String) throws {
        let container = try Container()
        try container.write("source", "bound")
        container.link("/etc/resolv.conf", to: Self.target(escape, container) + "/run/resolv.conf")
        let result = try container.run(
            ["--mount", "bind,/etc/resolv.conf,\(container.directory)/source"],
            standard: true,
            script: "cat /etc/resolv.conf"
        )
        #expect(result.output.hasSuffix("bound"), "\(result.errors)")
        #expect(container.hostContent == [])
    }

    @Test("Links that lead to each other")
    func loop() throws {
        let container = try Container()
        container.link("/a", to: "b")
        container.link("/b", to: "a")
        let result = try container.run(["--mount", "tmpfs,/a/x,t"], standard: true)
        #expect(result.status == 1)
        #expect(result.errors.contains("ELOOP"), "\(result.errors)")
    }

    @Test("A link to a magic link of procfs is refused")
    func magicLink() throws {
        let container = try Container()
        container.link("/out", to: "/proc/self/root")
        let result = try container.run(["--mount", "bind,/out/x,\(container.host)"], standard: true)
        #expect(result.status == 1)
        #expect(result.errors.contains("ELOOP"), "\(result.errors)")
        #expect(container.hostContent == [])
    }

    @Test("Nothing is mounted below /proc, by name or through a link, but what lxcfs replaces")
    func belowProc() throws {
        let container = try Container()
        try container.write("host/file", "replaced")
        let bind = { (path: String) in ["--mount", "bind,\(path),\(container.host)/file"] }
        let named = try container.run(bind("/proc/sys/kernel/core_pattern"), standard: true)
        #expect(named.errors.contains("mounts[6].destination: /proc/sys/kernel/core_pattern is inside /proc"))
        container.link("/etc/link", to: "/proc/sys/kernel")
        let linked = try container.run(bind("/etc/link/core_pattern"), standard: true)
        #expect(linked.errors.contains("mounts[6].destination: /etc/link/core_pattern leads into /proc"))
        let allowed = try container.run(bind("/proc/uptime"), standard: true, script: "cat /proc/uptime")
        #expect(allowed.output.hasSuffix("replaced"), "\(allowed.errors)")
        let root = try container.run(bind("/"), standard: true)
        #expect(root.errors.contains("mounts[6].destination: / is the root filesystem itself"))
        let covered = try container.run(["--mount", "bind,/proc,\(container.host)"], standard: true)
        #expect(covered.errors.contains("mounts[6].source: only a procfs can be bound on /proc"))
        let tmpfs = try container.run(["--mount", "tmpfs,/proc,t"], standard: true)
        #expect(tmpfs.errors.contains("mounts[6].type: only a procfs can be mounted on /proc, found tmpfs"))
    }

    @Test("Masked and read-only paths through links cover what the links lead to, inside")
    func hiddenThroughLinks() throws {
        let container = try Container()
        try container.write("rootfs/etc/secret", "secret")
        try container.write("rootfs/etc/config", "config")
        try container.write("host/secret", "host")
        container.link("/mask", to: "etc/secret")
        container.link("/readonly", to: "/etc/config")
        container.link("/nowhere", to: "/etc/nothing")
        container.link("/outside", to: "../../host/secret")
        let result = try container.run(
            [
                "--mask", "/mask", "--mask", "/nowhere", "--mask", "/outside", "--mask", "/etc/secret/below",
                "--readonly-path", "/readonly", "--readonly-path", "/nowhere",
            ],
            standard: true,
            script: "cat /etc/secret; (echo x > /etc/config) 2>&1; cat /etc/config"
        )
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("secret") == false)
        #expect(result.output.contains("can't create /etc/config: Read-only file system"))
        #expect(result.output.hasSuffix("config"))
    }

    @Test(
        "The console's place or the terminals' is a link, or no terminals",
        arguments: [
            ("console", "the root filesystem has a link at /dev/console"),
            ("directory", "/dev/pts of the container is no devpts"),
            ("ptmx", "open /dev/pts/ptmx of the container (openat2): EXDEV"),
        ]
    )
    func falseTerminal(kind: String, message: String) throws {
        let container = try Container()
        var arguments = ["--console", "--mount", "proc,/proc,proc", "--mount", "devpts,/dev/pts,d,newinstance"]
        switch kind {
        case "console": container.link("/dev/console", to: "../proc/sysrq-trigger")
        case "directory": arguments += ["--mount", "tmpfs,/dev/pts,t"]
        default:
            try container.write("host/ptmx", "")
            arguments += ["--mount", "bind,/dev/pts/ptmx,\(container.host)/ptmx"]
        }
        let result = try container.run(arguments)
        #expect(result.status == 1)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test("tmpcopyup copies links as links")
    func copyUpLinks() throws {
        let container = try Container()
        try container.write("host/secret", "host")
        container.link("/data/file", to: container.host + "/secret")
        container.link("/data/directory", to: container.host)
        let result = try container.run(
            ["--mount", "tmpfs,/data,t,tmpcopyup"],
            standard: true,
            script: "readlink /data/directory; cat /data/file"
        )
        #expect(result.lines.last == container.host, "\(result.output)")
    }
}
