"""Makes bundles: a root file system that holds the probe, and config.json from the base and a case's patch."""

import json
import os
import shutil
import stat
import subprocess

from . import cgroups, kernel
from .patch import edited, merged, substituted

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

BASE = {
    "ociVersion": "1.0.2",
    "process": {
        "user": {"uid": 0, "gid": 0},
        "args": ["/probe"],
        "env": ["PATH=/bin:/usr/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": {
            kind: ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD", "CAP_SETGID", "CAP_SETUID"]
            for kind in ("bounding", "effective", "permitted")
        },
    },
    "root": {"path": "rootfs"},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    ],
    "linux": {
        "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
        "cgroupsPath": "${CGROUPS_PATH}",
    },
}

ROOTLESS = [
    ["add", "/linux/namespaces/-", {"type": "user"}],
    ["add", "/linux/uidMappings", [{"containerID": 0, "hostID": "${UID}", "size": 1}]],
    ["add", "/linux/gidMappings", [{"containerID": 0, "hostID": "${UID}", "size": 1}]],
    ["remove", "/linux/cgroupsPath"],
]

ROOT_DIRECTORIES = ("bin", "data", "dev", "etc", "mnt", "proc", "sys", "tmp", "usr", "usr/bin")


def compile_probe(directory):
    """Compiles the probe, statically, into directory and returns its path."""
    probe = f"{directory}/probe"
    source = f"{HERE}/probe.c"
    if not os.path.exists(probe) or os.path.getmtime(probe) < os.path.getmtime(source):
        compiler = [os.environ.get("CC", "cc"), "-static", "-O1", "-o", f"{probe}.{os.getpid()}", source]
        subprocess.run(compiler, check=True)
        os.replace(f"{probe}.{os.getpid()}", probe)
    return probe


def make_root(directory, probe):
    """Makes directory a root file system with the probe as /probe and, for PATH searches, /bin/found."""
    os.mkdir(directory)
    for name in ROOT_DIRECTORIES:
        os.mkdir(f"{directory}/{name}")
    os.chmod(f"{directory}/tmp", 0o1777)
    for name in ("probe", "bin/found"):
        try:
            os.link(probe, f"{directory}/{name}")
        except OSError:
            shutil.copy(probe, f"{directory}/{name}")


def configuration(case, variables, rootless):
    """The case's configuration as a JSON value."""
    config = edited(BASE, ROOTLESS if rootless else [])
    config = edited(merged(config, case.get("patch", {})), case.get("edits", []))
    if "probe" in case:
        config["process"]["args"] = ["/probe", *case["probe"]]
    return substituted(config, variables)


def cgroup_variables(identifier, systemd):
    """What a case's container has as cgroupsPath unless the case says otherwise, and the cgroup that it means."""
    if systemd:
        return {"CGROUPS_PATH": f"system.slice:cf:{identifier}", "CGROUP": f"system.slice/cf-{identifier}.scope"}
    return {"CGROUPS_PATH": f"/{identifier}", "CGROUP": identifier}


def names_a_cgroup(case):
    """Whether the case brings a cgroupsPath of its own, which is a path in the cgroup file system."""
    return "cgroupsPath" in (case.get("patch", {}).get("linux") or {})


def write(path, config):
    """Writes config.json; a string is written as it is, so that a case can write what is not JSON."""
    with open(path, "w") as file:
        file.write(config if isinstance(config, str) else json.dumps(config))


class Preparation:
    """The host side of a case: files, links and mounts that its setup asks for. Mounts are undone by undo()."""

    def __init__(self):
        self._mounts, self._cgroups, self._profiles = [], [], []

    def perform(self, action):
        """Performs one action: a list of a verb of this class and its arguments."""
        verb, *arguments = action
        getattr(self, f"_{verb.replace('-', '_')}")(*arguments)

    def undo(self):
        """Unmounts and removes what was made outside the bundle."""
        while self._mounts:
            try:
                kernel.unmount(self._mounts.pop())
            except OSError:
                pass  # the case has unmounted it itself
        cgroups.remove(self._cgroups)
        while self._profiles:
            _apparmor_parser("--remove", self._profiles.pop())

    def _dir(self, path, mode="0755"):
        os.makedirs(path, exist_ok=True)
        os.chmod(path, int(mode, 8))

    def _file(self, path, content="", mode="0644"):
        with open(path, "w") as file:
            file.write(content)
        os.chmod(path, int(mode, 8))

    def _json(self, path, content):
        self._file(path, json.dumps(content))

    def _link(self, path, target):
        os.symlink(target, path)

    def _copy(self, path, source):
        shutil.copy(source, path)

    def _fifo(self, path):
        os.mkfifo(path)

    def _node(self, path, kind, high, low):
        os.mknod(path, (stat.S_IFCHR if kind == "c" else stat.S_IFBLK) | 0o666, os.makedev(high, low))

    def _chown(self, path, uid, gid):
        os.chown(path, uid, gid)

    def _chmod(self, path, mode):
        os.chmod(path, int(mode, 8))

    def _remove(self, path):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)

    def _tmpfs(self, path, data=""):
        os.makedirs(path, exist_ok=True)
        kernel.mount("tmpfs", path, "tmpfs", 0, data)
        self._mounts.append(path)

    def _attributes(self, path, *names):
        flags = sum(kernel.ATTRIBUTES[name] for name in names)
        kernel.mount(None, path, None, kernel.MS_REMOUNT | kernel.MS_BIND | flags)

    def _bind(self, source, path):
        kernel.mount(source, path, None, kernel.MS_BIND | kernel.MS_REC)
        self._mounts.append(path)

    def _propagation(self, path, kind):
        kernel.mount(None, path, None, getattr(kernel, f"MS_{kind.upper()}"))

    def _cgroup(self, name):
        for point in set(cgroups.hierarchies().values()):
            os.mkdir(f"{point}/{name}")
            self._cgroups.append(f"{point}/{name}")

    def _cgroup_remove(self, name):
        for point in set(cgroups.hierarchies().values()):
            cgroups.remove(cgroups.below(f"{point}/{name}"))

    def _unmount(self, path):
        kernel.unmount(path)

    def _label(self, path, context):
        """Gives the file, or the directory and all in it, an SELinux context."""
        for directory, _, files in os.walk(path) if os.path.isdir(path) else []:
            os.setxattr(directory, "security.selinux", context.encode())
            for name in files:
                self._label(f"{directory}/{name}", context)
        if os.path.isfile(path) and not os.path.islink(path):
            if os.lstat(path).st_nlink > 1:  # the probe's other names keep their label
                shutil.copy(path, f"{path}.copy")
                os.replace(f"{path}.copy", path)
            os.setxattr(path, "security.selinux", context.encode())

    def _apparmor(self, name, rules):
        """Loads a profile that allows everything but what the rules deny."""
        profile = f"profile {name} flags=(attach_disconnected) {{ file, capability, network, signal, mount, {rules} }}"
        _apparmor_parser("--replace", profile)
        self._profiles.append(profile)


def _apparmor_parser(action, profile):
    command = ["apparmor_parser", "--skip-cache", action]
    subprocess.run(command, input=profile.encode(), check=True, stdout=subprocess.DEVNULL)
