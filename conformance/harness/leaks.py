"""The leak oracle: what a finished container may not leave behind.

A snapshot is taken before a case and compared after it. Looked at: child processes of this process (orphans arrive
here, it is a subreaper) and processes in the container's cgroups, cgroup directories, mounts, the state root, the
bundle (sockets, files, a changed config.json), names and settings of the host. Namespaces live through processes,
mounts and descriptors of processes, so none can be held without one of these.
"""

import hashlib
import os
import time

from . import cgroups

KINDS = ("process", "cgroup directory", "mount", "entry of the state root", "file of the bundle")


class Snapshot:
    """The state of everything that a container could leave something in."""

    def __init__(self, token, state_root, bundle, own_children=()):
        self.token = token
        found = (_processes(token, set(own_children)), cgroups.directories(token), _mounts(),
                 _state_entries(state_root), _bundle_entries(bundle))
        self.items = {kind: set(items) for kind, items in zip(KINDS, found, strict=True)}
        self.items["setting of the host"] = set(_settings())


def difference(before, take, patience):
    """Lists as sentences what take(), a new snapshot, has or lacks compared with before.

    patience is how many seconds the kernel may need to finish what was asked of it.
    """
    deadline = time.monotonic() + patience
    while True:
        problems = []
        after = take()
        for kind, earlier in before.items.items():
            later = after.items[kind]
            problems += _sentences("left behind", kind, later - earlier)
            problems += _sentences("lost or changed", kind, earlier - later)
        if not problems or time.monotonic() > deadline:
            return problems
        time.sleep(0.01)


def _sentences(what, kind, items):
    shown = sorted(items, key=lambda item: (len(item), item))[:2]
    more = [f"{what}: {len(items) - 2} more of this kind"] if len(items) > 2 else []
    return [f"{what}: {kind} {item}" for item in shown] + more


def _read(path):
    """A file of /proc, in one piece: opening it as text takes several times as long."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, 1 << 16).decode(errors="replace")
    finally:
        os.close(descriptor)


def _stat(pid):
    """Name, state and parent of a process."""
    before, _, after = _read(f"/proc/{pid}/stat").rpartition(") ")
    state, parent = after.split()[:2]
    return before.partition(" (")[2], state, int(parent)


KERNEL_THREADS = 2  # the parent of all threads of the kernel, which are in no container


def _processes(token, own):
    me = os.getpid()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name, state, parent = _stat(pid)
            inside = parent != KERNEL_THREADS and token in _read(f"/proc/{pid}/cgroup")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if (parent == me and int(pid) not in own) or inside:
            yield f"{pid} ({name}, state {state}{', in a cgroup of the container' if inside else ''})"


def end_children():
    """Kills and reaps every child of this process, and the orphans that arrive meanwhile."""
    me = os.getpid()
    while children := _read(f"/proc/{me}/task/{me}/children").split():
        for pid in map(int, children):
            os.kill(pid, 9)
        # Whoever comes first: the first process of a pid namespace ends only after the others are reaped.
        os.waitpid(-1, 0)


def _mounts():
    with open("/proc/self/mountinfo") as file:
        for line in file:
            fields = line.split()
            yield " ".join(fields[3:])


def _state_entries(state_root):
    for directory, names, files in os.walk(state_root):
        hidden = [name for name in names if name.startswith(".")]  # caches beside the containers
        for name in hidden if directory == state_root else []:
            names.remove(name)
        yield from (f"{directory}/{name}" for name in names + files if not name.startswith("."))


def _bundle_entries(bundle):
    for name in os.listdir(bundle):
        path = f"{bundle}/{name}"
        if os.path.isfile(path) and not os.path.islink(path):
            with open(path, "rb") as file:
                yield f"{name} {hashlib.sha1(file.read()).hexdigest()[:12]}"
        else:
            yield name


def _settings():
    yield f"hostname {os.uname().nodename}"
    for path in ("kernel/domainname", "kernel/core_pattern", "kernel/msgmax", "net/core/somaxconn", "net/ipv4/ip_default_ttl"):
        with open(f"/proc/sys/{path}") as file:
            yield f"{path} {file.read().strip()}"
