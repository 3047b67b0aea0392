"""A machine of its own for one engine: namespaces of mounts, network and processes, with its own /run, /dev/shm,
/etc/containers and subordinate ids, and v1 hierarchies for the controllers that a hybrid machine leaves over. What is
there when the engine is gone was leaked."""

import os
import re
import stat
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../conformance"))

from harness import cgroups  # noqa: E402

UNSHARE = ["unshare", "--mount", "--propagation", "private", "--net", "--pid", "--fork", "--kill-child",
           "--mount-proc"]
# The user whose subordinate ids `podman --userns auto` deals out, and an ordinary user.
SUBORDINATE = "containers:2147483647:2147483648\nnobody:100000:65536\n"
# Where engines put cgroups when nobody names a parent.
DEFAULT_PARENTS = ("libpod_parent", "docker", "default", "k8s.io", "buildah", "machine.slice", "system.slice")

# apus keeps compiled seccomp filters here.
KEPT = ".cache"


def adopt():
    """Makes this process, which is the first of its PID namespace, the reaper of orphans, and goes on in a child."""
    child = os.fork()
    if child == 0:
        return
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(max(0, os.waitstatus_to_exitcode(status)) or bool(status))


def furnish(folder):
    """Called in the namespaces of UNSHARE. Everything that is mounted goes with them."""
    for point in ("/run", "/dev/shm"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755" if point == "/run" else "mode=1777", "tmpfs", point],
                       check=True)
    os.makedirs("/run/lock")
    # crun 1.8 gives the caller's /dev/null to the container's user: not the machine's.
    os.makedirs(folder + "/devices")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder + "/devices"], check=True)
    os.mknod(folder + "/devices/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.chmod(folder + "/devices/null", 0o666)
    subprocess.run(["mount", "--bind", folder + "/devices/null", "/dev/null"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open(folder + "/subordinate", "w") as file:
        file.write(SUBORDINATE)
    for name in ("/etc/subuid", "/etc/subgid"):
        if os.path.exists(name):
            subprocess.run(["mount", "--bind", folder + "/subordinate", name], check=True)
    os.makedirs("/etc/containers", exist_ok=True)
    subprocess.run(["cp", "-a", "/etc/containers", folder], check=True)
    subprocess.run(["mount", "--bind", folder + "/containers", "/etc/containers"], check=True)
    cgroups.mount_left_over(tempfile.mkdtemp(dir=folder))


def hold_namespaces():
    """Starts a process in network and IPC namespaces of its own."""
    holder = subprocess.Popen(["unshare", "--net", "--ipc", "sleep", "infinity"], stdin=subprocess.DEVNULL)
    while (holder.poll() is None
           and os.readlink(f"/proc/{holder.pid}/ns/ipc") == os.readlink("/proc/self/ns/ipc")):
        time.sleep(0.01)
    return holder


def mount_points():
    with open("/proc/self/mountinfo") as file:
        return sorted(line.split()[4] for line in file)


def processes():
    """Every process of the namespace but the reaper, this one and zombies that the reaper is about to see."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in (1, os.getpid()):
            try:
                with open(f"/proc/{name}/stat") as file:
                    text = file.read()
                with open(f"/proc/{name}/cmdline") as file:
                    line = file.read().replace("\0", " ").strip()
            except OSError:
                continue
            found[int(name)] = line or text[text.index("("):text.rindex(")") + 1]
    return found


def default_parents():
    """The cgroups at the places where engines make them by themselves."""
    return {f"{point}/{name}" for point in set(cgroups.hierarchies().values()) for name in os.listdir(point)
            if name.startswith(DEFAULT_PARENTS) and os.path.isdir(f"{point}/{name}")}


class Snapshot:
    """What was there before an engine was started."""

    def __init__(self, token):
        self.token = token
        self.mounts, self.parents = mount_points(), default_parents()

    def leaks(self, own_cgroups):
        """Sentences about what is there now and was not. own_cgroups: a pattern for the names of the cgroups
        that the engine itself keeps below its parent."""
        deadline = time.monotonic() + 10
        while (left := processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        found = [f"a process was left: {line}" for line in left.values()]
        now = mount_points()
        for point in self.mounts:
            if point in now:
                now.remove(point)
        found += [f"a mount was left on {point}" for point in now]
        found += [f"a network namespace was left: {name}" for name in listing("/run/netns")]
        if os.stat("/dev/null").st_uid:
            found.append(f"/dev/null was given to user {os.stat('/dev/null').st_uid}")
        for name in ("apus", "crun", "runc"):
            found += [f"state of the runtime was left: /run/{name}/{entry}" for entry in listing("/run/" + name)
                  if entry != KEPT]
        left = sorted(cgroups.directories(self.token))
        found += [f"a cgroup was left: {path}" for path in left
                  if path.split(self.token)[1].count("/") and not re.fullmatch(own_cgroups, os.path.basename(path))]
        parents = sorted(default_parents() - self.parents)
        found += [f"a cgroup was left: {path}" for path in parents]
        cgroups.remove(set(left) | {below for path in parents for below in cgroups.below(path)})
        return found


def listing(path):
    return sorted(name for name in os.listdir(path)) if os.path.isdir(path) else []
