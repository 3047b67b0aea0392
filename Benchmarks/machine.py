"""The measuring environment: a private mount namespace that every runtime accepts, and what must not stay behind.

Called by bench. Nothing here changes a mount of the machine's own namespace.
"""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".build" / "bench"
SCRATCH = CACHE / "scratch"  # a tmpfs of the namespace is mounted here; outside it stays an empty directory
CGROUP_ROOT = Path("/sys/fs/cgroup")
INSIDE = "BENCH_MOUNT_NAMESPACE"  # holds the outer namespace's name once this program runs in its own
PREFIX = f"bench{os.getpid()}"  # every container and cgroup made here is named PREFIX-...


class BenchError(Exception):
    """One sentence for the user; ends the program with status 1 after the clean-up."""


def enter_mount_namespace():
    """Starts this program again under unshare(1), unless that has been done."""
    if INSIDE not in os.environ:
        if os.geteuid() != 0:
            raise BenchError("root is needed: containers with every default namespace are measured")
        SCRATCH.mkdir(parents=True, exist_ok=True)
        os.environ[INSIDE] = os.readlink("/proc/self/ns/mnt")
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])
    if os.readlink("/proc/self/ns/mnt") == os.environ[INSIDE]:
        raise BenchError(f"unshare made no mount namespace; unset {INSIDE} and try again")
    mount("-t", "tmpfs", "bench", SCRATCH)


def mount(*words):
    subprocess.run(["mount", *map(str, words)], check=True)


def mount_leftover_controllers():
    """On a hybrid host, mounts the controllers that have no v1 mount yet, and returns their names.

    crun up to 1.8 refuses a hybrid host whose v2 mount still lists controllers. /sys/fs/cgroup gets a tmpfs of this
    namespace on top, with the machine's hierarchies bound into it and one new directory for each such controller.
    """
    v2 = CGROUP_ROOT / "unified/cgroup.controllers"
    if not v2.exists():
        return []
    known = {line.split()[0] for line in Path("/proc/cgroups").read_text().splitlines()}
    candidates = set(v2.read_text().split()) | ({"hugetlb", "perf_event"} & known)  # v2 never lists perf_event
    leftover = sorted(name for name in candidates if not (CGROUP_ROOT / name).exists())
    if not leftover:
        return []
    below = SCRATCH / "cgroup"
    below.mkdir()
    mount("--rbind", CGROUP_ROOT, below)
    mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", CGROUP_ROOT)
    for entry in sorted(below.iterdir()):
        if entry.is_symlink():
            (CGROUP_ROOT / entry.name).symlink_to(os.readlink(entry))
        else:
            (CGROUP_ROOT / entry.name).mkdir()
            mount("--bind", entry, CGROUP_ROOT / entry.name)
    subprocess.run(["umount", "--recursive", below], check=True)
    for name in leftover:
        (CGROUP_ROOT / name).mkdir()
        mount("-t", "cgroup", "-o", name, "cgroup", CGROUP_ROOT / name)
    return leftover


def unmount_leftover_controllers(names):
    """Gives the controllers back to v2; the kernel does that only once no dying cgroup is left in their hierarchies."""
    def counted_once():
        lines = Path("/proc/cgroups").read_text().splitlines()
        return all(line.split()[2] == "1" for line in lines if line.split()[0] in names)

    def forgotten():
        mounted = Path("/proc/self/cgroup").read_text()
        return not any(f":{name}:" in mounted for name in names)

    wait_for(counted_once)
    for name in names:
        subprocess.run(["umount", CGROUP_ROOT / name], check=True)
    if not wait_for(forgotten):
        print(f"bench: the kernel still has a v1 hierarchy for one of {', '.join(names)}; it is in use elsewhere, or "
              "mounting and unmounting it once more removes it", file=sys.stderr)


def wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def own_cgroups():
    """This run's cgroup directories, deepest first."""
    found = [Path(directory) / name for directory, names, _ in os.walk(CGROUP_ROOT) for name in names if PREFIX in name]
    return sorted(found, key=lambda path: len(path.parts), reverse=True)


def describe_machine():
    return {"kernel": platform.release(), "machine": platform.machine(), "cpus": os.cpu_count(),
            "load": os.getloadavg()[0], "hierarchies": len(Path("/proc/self/cgroup").read_text().splitlines())}
