// The name of every kernel call that apus makes, for messages and for the failure record between processes.

/// A kernel call, as it is named in error texts. The raw value is stable only within one build.
package enum SystemCall: UInt8, CaseIterable, Sendable {
    case open, openat2, close, closeRange, read, write, statx, statfs, readlink, getdents, mkdir, mknod, unlink, rmdir
    case symlink, rename, chmod, chown, fsync, flock, fcntl, dup3, chdir, fchdir, chroot, getcwd, umask, pipe2
    case memfdCreate, ftruncate, sendfile, getxattr, setxattr
    case mount, umount, pivotRoot, openTree, moveMount, fsopen, fsconfig, fsmount, mountSetattr
    case setns, unshare, clone3, execve, execveat, waitid, kill, pidfdOpen, pidfdSendSignal, pidfdGetfd, prctl
    case setsid, sethostname, setdomainname, personality, poll, mmap
    case setresuid, setresgid, setgroups, getgroups, capget, capset
    case prlimit, schedSetattr, schedSetaffinity, ioprioSet, setMempolicy, sigaction, sigprocmask, signalfd, eventfd
    case keyctl, seccomp, bpf, socket, socketpair, connect, bind, sendmsg, recvmsg, ioctl, clockGettime, uname

    /// The call's name as in its manual page.
    package var name: String {
        switch self {
        case .closeRange: "close_range"
        case .memfdCreate: "memfd_create"
        case .pivotRoot: "pivot_root"
        case .openTree: "open_tree"
        case .moveMount: "move_mount"
        case .mountSetattr: "mount_setattr"
        case .pidfdOpen: "pidfd_open"
        case .pidfdSendSignal: "pidfd_send_signal"
        case .pidfdGetfd: "pidfd_getfd"
        case .schedSetattr: "sched_setattr"
        case .schedSetaffinity: "sched_setaffinity"
        case .ioprioSet: "ioprio_set"
        case .setMempolicy: "set_mempolicy"
        case .clockGettime: "clock_gettime"
        case .umount: "umount2"
        default: "\(self)"
        }
    }
}
