"""What a case may need from the machine, and whether it is there. A missing need is the reason of a skip."""

import functools
import os
import platform

from . import cgroups, kernel


def missing(need, work):
    """Why the need is not met, or None. A need is a word or "kind:argument"; see NEEDS. work is a directory."""
    kind, _, argument = need.partition(":")
    return NEEDS[kind](argument, work)


def _unless(condition, reason):
    return None if condition else reason


def _cgroup_v1(controller, _):
    mounted = cgroups.hierarchies()
    point = mounted.get(controller)
    return _unless(point and point != mounted.get("unified"), f"no cgroup v1 hierarchy has the {controller} controller")


def _cgroup_v2(_argument, _):
    return _unless(cgroups.is_unified(cgroups.hierarchies()), "cgroup v2 is not the only hierarchy here")


def _cgroup_file(name, _):
    """A file exists in new cgroups: "cpu/cpu.cfs_burst_us", "unified/io.weight". Tried on a directory made for this."""
    controller, _, file = name.partition("/")
    point = cgroups.hierarchies().get(controller)
    if not point:
        return f"no cgroup hierarchy here is {controller}"
    directory = f"{point}/cf-question-{os.getpid()}"
    os.mkdir(directory)
    try:
        return _unless(os.path.exists(f"{directory}/{file}"), f"this kernel has no {file}")
    finally:
        os.rmdir(directory)


def _file(path, _):
    return _unless(os.path.exists(path), f"{path} does not exist here")


def _kernel(version, _):
    have = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
    return _unless(have >= tuple(int(part) for part in version.split(".")), f"the kernel is older than {version}")


def _machine(name, _):
    return _unless(platform.machine() == name, f"the machine is not {name}")


def _cpus(count, _):
    return _unless(len(os.sched_getaffinity(0)) >= int(count), f"fewer than {count} processors")


def _capability(number, _):
    with open("/proc/self/status") as file:
        effective = next(line for line in file if line.startswith("CapEff")).split()[1]
    return _unless(int(effective, 16) >> int(number) & 1, f"the harness lacks capability {number}")


def _no_capability(number, work):
    return _unless(_capability(number, work), f"the harness has capability {number}")


def _lsm(name, _):
    try:
        with open("/sys/kernel/security/lsm") as file:
            active = file.read().split(",")
    except OSError:
        active = []
    return _unless(name in active, f"{name} is not active in this kernel")


def _no_lsm(name, work):
    return _unless(_lsm(name, work), f"{name} is active in this kernel")


def _selinux_context(context, _):
    """The loaded policy knows the context: the kernel answers, without a library."""
    try:
        with open("/sys/fs/selinux/context", "w") as file:
            file.write(context)
    except OSError:
        return f"the SELinux policy has no {context}"
    return None


def _selinux_enforcing(_argument, _):
    try:
        with open("/sys/fs/selinux/enforce") as file:
            enforcing = file.read() == "1"
    except OSError:
        enforcing = False
    return _unless(enforcing, "SELinux does not enforce its policy here")


def _idmap(_argument, work):
    return _unless(kernel.can_idmap(work), "the file system of the bundles has no idmapped mounts")


def _block_device(_argument, _):
    return _unless(block_device(), "this machine has no block device that takes I/O limits")


@functools.cache
def block_device():
    """MAJOR:MINOR of the first real disk, or None: blkio rules name a device that exists."""
    for name in sorted(os.listdir("/sys/block")):
        if os.path.exists(f"/sys/block/{name}/device"):
            with open(f"/sys/block/{name}/dev") as file:
                return file.read().strip()
    return None


NEEDS = {
    "cgroup-v1": _cgroup_v1,
    "cgroup-v2": _cgroup_v2,
    "cgroup-file": _cgroup_file,
    "file": _file,
    "kernel": _kernel,
    "machine": _machine,
    "cpus": _cpus,
    "capability": _capability,
    "no-capability": _no_capability,
    "lsm": _lsm,
    "no-lsm": _no_lsm,
    "selinux-context": _selinux_context,
    "selinux-enforcing": _selinux_enforcing,
    "idmap": _idmap,
    "block-device": _block_device,
}


def facts():
    """What cases compare with: the namespaces and identity of the harness, as ${host.NAME}."""
    values = {}
    for name in ("cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"):
        if os.path.exists(f"/proc/self/ns/{name}"):
            values[f"host.{name}"] = os.readlink(f"/proc/self/ns/{name}")
    with open("/proc/self/oom_score_adj") as file:
        values["host.oom"] = int(file.read())
    with open("/proc/uptime") as file:
        values["host.uptime"] = float(file.read().split()[0])
    values["host.hostname"] = os.uname().nodename
    values["host.machine"] = os.uname().machine
    processors = sorted(os.sched_getaffinity(0))
    values["host.cpus"] = len(processors)
    values["host.cpu.first"], values["host.cpu.last"] = str(processors[0]), str(processors[-1])
    values["host.disk"] = block_device() or "0:0"
    values["host.disk.major"], values["host.disk.minor"] = map(int, values["host.disk"].split(":"))
    return values
