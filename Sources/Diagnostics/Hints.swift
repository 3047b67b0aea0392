// Advice, as a table: what a call and an errno usually mean here, and what to do. Consulted by Rendering; a thrower
// that knows better gives its own hint.

internal import LinuxSystem

/// The table of advice.
package enum Hints {
    struct Row: Sendable {
        let calls: Set<SystemCall>
        let errno: Errno
        /// A whole word that the action must contain; `nil` for any.
        let word: String?
        let advice: String

        init(_ calls: Set<SystemCall>, _ errno: Errno, _ word: String? = nil, _ advice: String) {
            self.calls = calls
            self.errno = errno
            self.word = word
            self.advice = advice
        }
    }

    static let rows: [Row] = [
        Row(
            [.clone3, .unshare],
            .EPERM,
            nil,
            "an ordinary user needs a user namespace in linux.namespaces, and /proc/sys/kernel/unprivileged_userns_clone "
                + "and user.max_user_namespaces must allow it"
        ),
        Row(
            [.clone3, .unshare],
            .ENOSPC,
            nil,
            "a namespace limit is reached: see /proc/sys/user/max_*_namespaces, or namespaces are nested too deeply"
        ),
        Row(
            [.clone3],
            .EAGAIN,
            nil,
            "a process limit is reached: RLIMIT_NPROC, kernel.threads-max or the cgroup's pids.max"
        ),
        Row([.mount, .moveMount, .fsmount, .openTree], .ENOSPC, nil, "the mount limit is reached: raise fs.mount-max"),
        Row(
            [.mount, .fsmount, .fsconfig, .moveMount],
            .EPERM,
            "proc",
            "in a user namespace procfs and sysfs can be mounted only where the host's own are not covered by other mounts"
        ),
        Row([.pivotRoot], .EINVAL, nil, "the root filesystem is on the initial ramfs or is shared: try --no-pivot"),
        Row(
            [.execve],
            .ENOENT,
            "exec",
            "the file exists: its interpreter or dynamic loader is missing in the root filesystem"
        ),
        Row([.execve], .ENOEXEC, "exec", "the file has no #! line, or was built for another architecture"),
        Row([.execve], .EACCES, "exec", "check the file's mode and whether its filesystem is mounted noexec"),
        Row(
            [.execve],
            .E2BIG,
            "exec",
            "process.args and process.env together exceed the kernel's limit; one string may have 128 KiB"
        ),
        Row([.setgroups], .EPERM, nil, "the user namespace denies setgroups: leave process.user.additionalGids empty"),
        Row(
            [.openat2],
            .EXDEV,
            nil,
            "a link in the root filesystem leads out of it, or the path was being changed meanwhile"
        ),
        Row([.openat2], .ELOOP, nil, "a link stands where a plain file or directory is required"),
        Row(
            [.write],
            .EBUSY,
            "cgroup",
            "a cgroup that has controllers enabled for its children cannot hold processes itself"
        ),
        Row(
            [.write],
            .EACCES,
            "enter",
            "an ordinary user may move a process only within the cgroups that were delegated to it: call the runtime in "
                + "them, as with systemd-run --user --scope -p Delegate=yes"
        ),
        Row(
            [.mkdir],
            .ENOSPC,
            "cgroup",
            "the number of cgroups is exhausted: see cgroup.max.descendants, or remove dying ones"
        ),
        Row([.keyctl], .EDQUOT, nil, "the key quota of this user is used up: kernel.keys.maxkeys, or --no-new-keyring"),
        Row(
            [.prlimit],
            .EPERM,
            nil,
            "raising a hard limit needs CAP_SYS_RESOURCE: lower process.rlimits, or give the runtime the capability"
        ),
        Row(
            [.open, .openat2, .pipe2, .socketpair],
            .EMFILE,
            nil,
            "the runtime's RLIMIT_NOFILE is too low for this configuration"
        ),
    ]

    static func advice(for failure: Failure) -> String? {
        guard let call = failure.call, let errno = failure.errno else { return nil }
        let words = failure.action.split(separator: " " as Character)
        return rows.first { row in
            guard row.calls.contains(call), row.errno == errno else { return false }
            guard let wanted = row.word else { return true }
            return words.contains { $0 == wanted }
        }?.advice
    }
}
