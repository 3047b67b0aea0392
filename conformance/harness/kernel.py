"""Kernel calls that Python's standard library lacks: mounts, namespaces, prctl.

Every function raises OSError with the errno of the call. Nothing here decides anything.
"""

import contextlib
import ctypes
import os

CLONE = {
    "mnt": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000,
    "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000, "time": 0x00000080,
}
MS_RDONLY, MS_NODEV, MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC = 1, 4, 32, 4096, 8192, 16384
MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED = 1 << 17, 1 << 18, 1 << 19, 1 << 20
ATTRIBUTES = {
    "ro": MS_RDONLY, "nosuid": 2, "nodev": MS_NODEV, "noexec": 8, "nosymfollow": 256, "noatime": 1024,
    "nodiratime": 2048, "strictatime": 1 << 24,
}
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
CAP_SYS_RESOURCE = 24
SYS_OPEN_TREE, SYS_MOUNT_SETATTR = 428, 442  # one number on every architecture

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def _bytes(text):
    return None if text is None else os.fsencode(text)


def unshare(flags):
    """Leaves the namespaces named by the CLONE_NEW* bits in flags."""
    _check(_libc.unshare(flags), "unshare")


def mount(source, target, kind=None, flags=0, data=None):
    """mount(2)."""
    call = _libc.mount(_bytes(source), _bytes(target), _bytes(kind), ctypes.c_ulong(flags), _bytes(data))
    _check(call, f"mount {target}")


def unmount(target, flags=MNT_DETACH):
    """umount2(2); lazily unless told otherwise."""
    _check(_libc.umount2(_bytes(target), flags), f"unmount {target}")


def become_subreaper():
    """Orphaned descendants become children of this process."""
    _check(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def die_with_parent():
    """This process is killed when its parent ends."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "prctl")


@contextlib.contextmanager
def without_capability(number):
    """A capability below 32 is not effective while the context lasts."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then the same for capabilities from 32
    _check(_libc.capget(header, sets), "capget")
    before = sets[0]
    sets[0] &= ~(1 << number)
    _check(_libc.capset(header, sets), "capset")
    try:
        yield
    finally:
        sets[0] = before
        _check(_libc.capset(header, sets), "capset")


def can_idmap(path):
    """Whether the file system under path takes idmapped mounts: tried on a detached copy of its mount."""
    child = os.fork()
    if child == 0:
        try:
            unshare(CLONE["user"])
            os.kill(os.getpid(), 19)  # SIGSTOP: the parent writes the mappings and uses the namespace
        finally:
            os._exit(0)
    os.waitpid(child, os.WUNTRACED)
    try:
        for kind in ("uid", "gid"):
            with open(f"/proc/{child}/{kind}_map", "w") as file:
                file.write("0 100000 65536")
        with open(f"/proc/{child}/ns/user") as namespace:
            tree = _check(_libc.syscall(SYS_OPEN_TREE, -100, _bytes(path), 1 | os.O_CLOEXEC), "open_tree")
            attributes = (ctypes.c_uint64 * 4)(0x00100000, 0, 0, namespace.fileno())
            try:
                size = ctypes.c_size_t(ctypes.sizeof(attributes))
                _check(_libc.syscall(SYS_MOUNT_SETATTR, tree, b"", 0x1000, attributes, size), "mount_setattr")
            finally:
                os.close(tree)
        return True
    except OSError:
        return False
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
