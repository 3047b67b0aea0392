// The configuration that `spec` prints for a new bundle. Same content as runc's, so that tutorials and scripts which
// edit it keep working; only the host name differs. The values are data, there is no logic but the rootless switch.

extension RuntimeSpec {
    /// Returns a configuration that runs `sh` on a terminal, with few privileges and no limits.
    ///
    /// With `rootless` it can be run by an ordinary user: the user namespace maps one id, the host's network is shared,
    /// `/sys` is a bind mount and no resources are asked for. A caller whose host has only cgroup v2 adds a namespace
    /// of type `cgroup`, as runc does; on other hosts there is none.
    /// - Parameter rootless: Whether an ordinary user will run it.
    /// - Parameter uid: The host's user id that becomes user 0 in the container. Rootless only.
    /// - Parameter gid: The host's group id that becomes group 0 in the container. Rootless only.
    public static func template(rootless: Bool, uid: UInt32 = 0, gid: UInt32 = 0) -> RuntimeSpec {
        var spec = RuntimeSpec(ociVersion: SpecVersion.current.description)
        spec.process = templateProcess
        spec.root = Root(path: "rootfs", readonly: true)
        spec.hostname = "apus"
        spec.mounts = templateMounts(rootless: rootless)
        var linux = Linux()
        if rootless {
            linux.uidMappings = [IDMapping(containerID: 0, hostID: uid, size: 1)]
            linux.gidMappings = [IDMapping(containerID: 0, hostID: gid, size: 1)]
        } else {
            var resources = Resources()
            resources.devices = [DeviceRule(allow: false, access: "rwm")]
            linux.resources = resources
        }
        linux.namespaces = templateNamespaces(rootless: rootless).map { Namespace(type: $0) }
        linux.maskedPaths = [
            "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
            "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
        ]
        linux.readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        spec.linux = linux
        return spec
    }

    private static var templateProcess: Process {
        var process = Process(cwd: "/", args: ["sh"])
        process.terminal = true
        process.env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"]
        let granted = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        var capabilities = CapabilitySets()
        capabilities.bounding = granted
        capabilities.effective = granted
        capabilities.permitted = granted
        process.capabilities = capabilities
        process.rlimits = [ResourceLimit(type: "RLIMIT_NOFILE", hard: 1024, soft: 1024)]
        process.noNewPrivileges = true
        return process
    }

    private static func templateMounts(rootless: Bool) -> [Mount] {
        // The tty group has no mapping in a user namespace of one id, so gid=5 would be refused there.
        let terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] + (rootless ? [] : ["gid=5"])
        var mounts = [
            Mount(destination: "/proc", type: "proc", source: "proc"),
            Mount(
                destination: "/dev",
                type: "tmpfs",
                source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]
            ),
            Mount(destination: "/dev/pts", type: "devpts", source: "devpts", options: terminals),
            Mount(
                destination: "/dev/shm",
                type: "tmpfs",
                source: "shm",
                options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]
            ),
            Mount(
                destination: "/dev/mqueue",
                type: "mqueue",
                source: "mqueue",
                options: ["nosuid", "noexec", "nodev"]
            ),
        ]
        if rootless {
            mounts.append(
                Mount(
                    destination: "/sys",
                    type: "none",
                    source: "/sys",
                    options: ["rbind", "nosuid", "noexec", "nodev", "ro"]
                )
            )
        } else {
            mounts.append(
                Mount(
                    destination: "/sys",
                    type: "sysfs",
                    source: "sysfs",
                    options: ["nosuid", "noexec", "nodev", "ro"]
                )
            )
        }
        mounts.append(
            Mount(
                destination: "/sys/fs/cgroup",
                type: "cgroup",
                source: "cgroup",
                options: ["nosuid", "noexec", "nodev", "relatime", "ro"]
            )
        )
        return mounts
    }

    private static func templateNamespaces(rootless: Bool) -> [String] {
        rootless ? ["pid", "ipc", "uts", "mount", "user"] : ["pid", "network", "ipc", "uts", "mount"]
    }
}
