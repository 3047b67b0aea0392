// What is said when something cannot be, device nodes of the configuration, and cgroup mounts.

import Foundation
import Testing

@Suite("Mount errors", .enabled(if: Privileges.suffice, Privileges.reason))
struct MountErrorTests {
    @Test(
        "Errors name the entry, what was found and why",
        arguments: [
            ("bind,/data,/nonexistent/x", "mounts[6].source: /nonexistent/x: no such file or directory on the host"),
            ("nosuchfs,/data,x", "mounts[6].type: this kernel has no file system nosuchfs"),
            ("tmpfs,/data,t,sizee=1", "the kernel says: tmpfs: Unknown parameter 'sizee'"),
            ("bind,/bin/sh,/proc", "make the directory /bin/sh in the root filesystem (mkdir): ENOTDIR"),
            ("bind,/data,/bin/busybox", "a plain file cannot be mounted on a directory (/data): not a directory"),
            ("remount,/etc,,ro", "remount /etc (mount, mounts[6]"),
        ]
    )
    func messages(mount: String, message: String) throws {
        let result = try Container().run(["--mount", mount], standard: true)
        #expect(result.status == 1)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test("A flag that is locked in a user namespace cannot be cleared, and stays when nobody asks")
    func lockedFlag() throws {
        let container = try Container()
        container.giveToMappedRoot()
        // Init opens the source itself, as for an ordinary user: in its mount namespace the flags are locked.
        let arguments = ["--user", "--ordinary-user", "--locked-source", container.host]
        let kept = try container.run(arguments + ["--mount", "bind,/data,\(container.host),noexec"], standard: true)
        let options = kept.mount(on: "/data")?.options
        #expect(options?.isSuperset(of: ["ro", "nosuid", "noexec"]) == true, "\(kept.errors)")
        let cleared = try container.run(arguments + ["--mount", "bind,/data,\(container.host),rw"], standard: true)
        #expect(
            cleared.errors.contains("clear the flags ro of mounts[6] on /data (mount_setattr): EPERM"),
            "\(cleared.errors)"
        )
        #expect(cleared.errors.contains("hint: "))
    }
}

@Suite("Devices of a container", .enabled(if: Privileges.suffice, Privileges.reason))
struct DeviceTests {
    @Test("Exact mode and owner, whatever the mask; in directories that are made")
    func modes() throws {
        let result = try Container().run(
            [
                "--device", "/dev/made/zero,c,1,5,0622,7,8", "--device", "/dev/pipe,p,0,0,0666,0,0", "--device",
                "/dev/disk,b,7,77,0600,0,0",
            ],
            standard: true,
            script: "stat -c '%n %A %u:%g %t:%T' /dev/made/zero /dev/pipe /dev/disk"
        )
        #expect(
            result.lines.suffix(3) == [
                "/dev/made/zero crw--w--w- 7:8 1:5", "/dev/pipe prw-rw-rw- 0:0 0:0", "/dev/disk brw------- 0:0 7:4d",
            ],
            "\(result.errors)"
        )
    }

    @Test("What is there: the same device is accepted, another is not")
    func existing() throws {
        let container = try Container()
        mknod(container.root + "/dev/zero", S_IFCHR | 0o600, 0x105)
        #expect(try container.run([], script: "stat -c %a:%t:%T /dev/zero").lines.last == "600:1:5")
        mknod(container.root + "/dev/other", S_IFCHR | 0o600, 0x107)
        let other = try container.run(["--device", "/dev/other,c,1,5,0666,0,0"])
        #expect(
            other.errors.contains(
                "the root filesystem has the device c 1:7 at /dev/other, where the device /dev/other c 1:5 is to be"
            )
        )
        try container.write("rootfs/dev/plain", "")
        let plain = try container.run(["--device", "/dev/plain,c,1,5,0666,0,0"])
        #expect(plain.errors.contains("the root filesystem has a plain file at /dev/plain"))
    }

    @Test("In a user namespace the host's node must be the device that was asked for")
    func boundDevice() throws {
        let container = try Container()
        container.giveToMappedRoot()
        let wrong = try container.run(["--user", "--device", "/dev/zero,c,1,7,0666,0,0"], standard: true)
        #expect(
            wrong.errors.contains(
                "the host has the device c 1:5 at /dev/zero, where the device /dev/zero c 1:7 is to be bound from"
            )
        )
        let missing = try container.run(["--user", "--device", "/dev/nothing-here,c,1,5,0666,0,0"], standard: true)
        #expect(
            missing.errors.contains("copy the mount of the host's /dev/nothing-here (open_tree): ENOENT"),
            "\(missing.errors)"
        )
    }
}

@Suite("Cgroup mounts of a container", .enabled(if: Privileges.suffice, Privileges.reason))
struct CgroupMountTests {
    // Plain directories stand for the container's cgroups where they are bound: the caller says which they are.

    @Test("Version 1 without a namespace: the container's own directories and the names of joined controllers")
    func ownDirectories() throws {
        let container = try Container()
        try container.write("host/joint/box/tasks", "1\n")
        try container.write("host/memory/box/limit", "2\n")
        let result = try container.run(
            [
                "--mount", "cgroup,/sys/fs/cgroup,cgroup,ro,nosuid",
                "--cgroup", "1,cpu+cpuacct,\(container.host)/joint/box,cpu,cpuacct",
                "--cgroup", "1,memory,\(container.host)/memory/box",
            ],
            standard: true,
            script: """
                cat /proc/self/mountinfo; ls /sys/fs/cgroup; cat /sys/fs/cgroup/cpu/tasks /sys/fs/cgroup/memory/limit
                touch /sys/fs/cgroup/x /sys/fs/cgroup/memory/x 2>&1
                """
        )
        #expect(
            result.mount(on: "/sys/fs/cgroup")?.options.isSuperset(of: ["ro", "nosuid"]) == true,
            "\(result.errors)"
        )
        #expect(result.mount(on: "/sys/fs/cgroup/memory")?.options.isSuperset(of: ["ro", "nosuid"]) == true)
        for line in ["cpu", "cpuacct", "cpu+cpuacct", "memory", "1", "2"] { #expect(result.lines.contains(line)) }
        #expect(result.output.components(separatedBy: "Read-only file system").count == 3, "\(result.output)")
    }

    @Test("Version 2 without a namespace: the container's own directory, nothing above it")
    func unifiedBind() throws {
        let container = try Container()
        try container.write("host/box/cgroup.procs", "1\n")
        let result = try container.run(
            ["--unified", "--mount", "cgroup,/sys/fs/cgroup,cgroup,ro", "--cgroup", "2,,\(container.host)/box"],
            standard: true,
            script: "cat /proc/self/mountinfo; ls /sys/fs/cgroup"
        )
        #expect(result.mount(on: "/sys/fs/cgroup")?.options.contains("ro") == true, "\(result.errors)")
        #expect(result.lines.last == "cgroup.procs")
    }

    @Test("Neither a namespace nor a cgroup")
    func nothing() throws {
        let result = try Container().run(["--unified", "--mount", "cgroup,/sys/fs/cgroup,cgroup"], standard: true)
        #expect(result.errors.contains("mounts[6]: the container has no cgroup of its own, and no cgroup namespace"))
    }

    @Test(
        "A namespace of its own: the hierarchy is mounted",
        .enabled(if: FileManager.default.fileExists(atPath: "/sys/fs/cgroup/memory"), "no version 1 hierarchy here")
    )
    func ownNamespace() throws {
        let result = try Container().run(
            [
                "--own-cgroup-namespace", "--mount", "cgroup,/sys/fs/cgroup,cgroup,ro,nosuid,nodev,noexec",
                "--cgroup", "1,memory,/sys/fs/cgroup/memory",
            ],
            standard: true
        )
        let mount = try #require(result.mount(on: "/sys/fs/cgroup/memory"), "\(result.errors)")
        #expect(mount.type == "cgroup")
        #expect(mount.options.isSuperset(of: ["ro", "nosuid", "nodev", "noexec"]))
    }
}
