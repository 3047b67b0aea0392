"""The host's cgroup hierarchies: where they are, what a process's cgroup holds, what is left of a container.

A hierarchy's name is its controllers as in /proc/self/cgroup ("memory", "cpu,cpuacct", "name=systemd"); the v2
hierarchy is "unified".
"""

import os

from . import kernel

ROOT = "/sys/fs/cgroup"


def hierarchies():
    """Maps the name of each mounted hierarchy to its mount point. A controller of a pair is listed by itself too."""
    found = {}
    with open("/proc/self/mountinfo") as file:
        for line in file:
            fields, _, rest = line.partition(" - ")
            kind, _, options = rest.split()[:3]
            point = fields.split()[4]
            if kind == "cgroup2":
                found.setdefault("unified", point)
            elif kind == "cgroup":
                for option in options.split(","):
                    if option not in ("rw", "ro", "xattr", "clone_children", "noprefix", "none"):
                        found.setdefault(option, point)
    return found


def is_unified(mounted):
    """Whether v2 is the only hierarchy."""
    return set(mounted) == {"unified"}


def of_process(pid):
    """Maps each controller (and "unified", "name=...") to the cgroup path of the process."""
    paths = {}
    with open(f"/proc/{pid}/cgroup") as file:
        for line in file:
            _, names, path = line.rstrip("\n").split(":", 2)
            for name in names.split(",") if names else ["unified"]:
                paths[name] = path
    return paths


def read(pid, name):
    """The text of a file of the process's cgroup; name is "controller/file", as in memory/memory.limit_in_bytes.

    None when there is no such file.
    """
    controller, _, file = name.partition("/")
    mounted, paths = hierarchies(), of_process(pid)
    if controller not in mounted or controller not in paths:
        return None
    try:
        with open(f"{mounted[controller]}{paths[controller]}/{file}") as opened:
            return opened.read().strip()
    except FileNotFoundError:
        return None


def directories(token):
    """Every cgroup directory whose path contains token."""
    return {path for point in set(hierarchies().values()) for path in below(point) if token in path}


def below(directory):
    """The directory and all cgroups in it. A cgroup has many files and its link count tells whether it has cgroups, too;
    one that goes away meanwhile has none."""
    yield directory
    try:
        if os.stat(directory).st_nlink <= 2:
            return
        with os.scandir(directory) as entries:
            names = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for path in names:
        yield from below(path)


def remove(directories_to_remove):
    """Kills what is in the directories and removes them, innermost first. Used only after a failed case."""
    for directory in sorted(directories_to_remove, key=len, reverse=True):
        try:
            for state in ("freezer.state", "cgroup.freeze"):
                if os.path.exists(f"{directory}/{state}"):
                    with open(f"{directory}/{state}", "w") as file:
                        file.write("THAWED" if state == "freezer.state" else "0")
            with open(f"{directory}/cgroup.procs") as file:
                for pid in file.read().split():
                    os.kill(int(pid), 9)
            os.rmdir(directory)
        except OSError:
            pass


LEFT_OVER = ("hugetlb", "perf_event", "net_cls,net_prio")  # what a hybrid machine may have in no v1 hierarchy


def mount_left_over(directory):
    """Lays a private tmpfs over /sys/fs/cgroup with the host's hierarchies and, as v1, the controllers left over.

    The caller is in a mount namespace of its own, so the host's mounts stay as they are; directory is an empty one.
    A machine with v2 alone is left as it is. A controller that is in use elsewhere is mounted as it is there.
    """
    mounted = hierarchies()
    if is_unified(mounted) or all(name in mounted for names in LEFT_OVER for name in names.split(",")):
        return
    with open("/proc/self/cgroup") as file:
        in_use = [line.split(":")[1] for line in file]
    kernel.mount("tmpfs", directory, "tmpfs", 0, "mode=755")
    for point in sorted(set(mounted.values())):
        target = f"{directory}/{os.path.basename(point)}"
        os.mkdir(target)
        kernel.mount(point, target, None, kernel.MS_BIND)
    for wanted in LEFT_OVER:
        for controllers in [names for names in in_use if set(names.split(",")) & set(wanted.split(","))] or [wanted]:
            if not set(controllers.split(",")) & set(mounted):
                os.mkdir(f"{directory}/{controllers}")
                kernel.mount("cgroup", f"{directory}/{controllers}", "cgroup", 0, controllers)
                for name in controllers.split(",") if "," in controllers else []:
                    os.symlink(controllers, f"{directory}/{name}")
    kernel.mount(directory, ROOT, None, kernel.MS_MOVE)
