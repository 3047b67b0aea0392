"""Runs one container with podman, docker, containerd or buildah, and keeps the config.json that the engine wrote.

Every engine lives in a directory of its own, with its own storage, state and socket, and is gone after `stop`.
The runtime that the engine calls is a small script, which copies the bundle's config.json and then becomes the runtime.
"""

import json
import os
import shutil
import signal
import subprocess
import time

import images

# No engine may ask for more open files or processes than this machine's hard limits.
LIMITS = ["--ulimit", "nofile=1024:2048", "--ulimit", "nproc=1024:1024"]

# The shapes of `podman run` and `docker run`. FILES becomes a directory that is there, HOLDER a process that is in other
# network and IPC namespaces than the host.
RUN_SHAPES = {
    "default": [],
    "privileged": ["--privileged"],
    "read-only": ["--read-only"],
    "tmpfs": ["--tmpfs", "/scratch:rw,noexec,size=64k,mode=1777"],
    "volumes": ["-v", "FILES/data:/data:ro", "-v", "FILES/data:/var/data:rprivate"],
    "limits": ["--memory", "64m", "--memory-reservation", "32m", "--cpu-shares", "512", "--cpu-quota", "50000",
               "--cpu-period", "100000", "--pids-limit", "64", "--cpuset-cpus", "0", "--oom-score-adj", "500"],
    "tty": ["-t"],
    "host-namespaces": ["--net", "host", "--pid", "host", "--ipc", "host", "--uts", "host"],
    "capabilities": ["--cap-add", "SYS_ADMIN", "--cap-drop", "CHOWN", "--cap-drop", "NET_RAW"],
    "no-capabilities": ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    "seccomp": ["--security-opt", "seccomp=FILES/seccomp.json"],
    "unconfined": ["--security-opt", "seccomp=unconfined"],
    "user": ["--user", "1000:1000", "--group-add", "2000", "-w", "/tmp", "-e", "GREETING=hello world"],
    "sysctl": ["--sysctl", "net.ipv4.ip_forward=1", "--hostname", "probe-host"],
    "device": ["--device", "/dev/null:/dev/nothing:rw"],
    "no-task-limit": ["--pids-limit", "-1"],
}
PODMAN_SHAPES = dict(
    RUN_SHAPES,
    userns=["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"],
    joined=["--net", "ns:/proc/HOLDER/ns/net", "--ipc", "ns:/proc/HOLDER/ns/ipc"],
    unmasked=["--security-opt", "unmask=/proc/kcore", "--security-opt", "mask=/etc/group", "--umask", "0077"],
    **{"private-cgroup": ["--cgroupns", "private"]})
DOCKER_SHAPES = dict(
    RUN_SHAPES, **{"private-cgroup": ["--cgroupns", "private"], "init": ["--init"]})
CTR_SHAPES = {
    "default": [],
    "privileged": ["--privileged"],
    "read-only": ["--read-only"],
    "mounts": ["--mount", "type=bind,src=FILES/data,dst=/data,options=rbind:ro",
               "--mount", "type=tmpfs,src=tmpfs,dst=/scratch,options=nosuid:size=64k"],
    "limits": ["--memory-limit", "67108864", "--cpu-quota", "50000", "--cpu-period", "100000"],
    "tty": ["-t"],
    "host-network": ["--net-host"],
    "capabilities": ["--cap-add", "CAP_SYS_ADMIN", "--cap-drop", "CAP_CHOWN"],
    "seccomp": ["--seccomp"],
    "environment": ["--cwd", "/tmp", "--env", "GREETING=hello world", "--label", "kind=probe"],
    "device": ["--device", "/dev/null"],
}


def hold_namespaces():
    """Starts a process in network and IPC namespaces of its own."""
    holder = subprocess.Popen(["unshare", "--net", "--ipc", "sleep", "infinity"], stdin=subprocess.DEVNULL)
    while (holder.poll() is None
           and os.readlink(f"/proc/{holder.pid}/ns/ipc") == os.readlink("/proc/self/ns/ipc")):
        time.sleep(0.01)
    return holder


def make_files(folder):
    """Fills the directory that the shapes call FILES."""
    os.makedirs(os.path.join(folder, "data"), exist_ok=True)
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": [{"names": ["setpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}],
    }
    with open(os.path.join(folder, "seccomp.json"), "w") as file:
        json.dump(profile, file)


class Engine:
    """What the engines share: the directory, the script that stands for the runtime, and running a command."""

    name = ""
    programs = ()
    shapes = {}

    def __init__(self, folder, runtime):
        self.folder = folder
        self.daemons = []
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        self.files = self.path("files")
        make_files(self.files)
        self.shim = self.path("runtime")
        with open(self.shim, "w") as file:
            file.write(f'#!/bin/sh\nfor word; do\n    [ "$last" = --bundle ] && cp "$word/config.json" '
                       f'{self.path("captured.json")}\n    last=$word\ndone\nexec {runtime} "$@"\n')
        os.chmod(self.shim, 0o755)

    @classmethod
    def is_here(cls):
        return all(shutil.which(program) for program in cls.programs)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, archive):
        """Starts what the engine needs and loads the image."""

    def arguments(self, shape):
        words = [word.replace("FILES", self.files) for word in self.shapes[shape]]
        if any("HOLDER" in word for word in words):
            self.daemons.append(hold_namespaces())
            words = [word.replace("HOLDER", str(self.daemons[-1].pid)) for word in words]
        return words

    def base(self):
        """The engine's program and the options that keep it in its directory."""
        raise NotImplementedError

    def run_words(self, shape=None):
        """The word `run` and the options that every container gets."""
        network = [] if "--net" in self.shapes.get(shape, []) else ["--network", "none"]
        return ["run", "--cgroup-parent", "/apus-engines"] + LIMITS + network

    def command(self, shape, words):
        """The command line that runs the container in the foreground."""
        raise NotImplementedError

    def run(self, shape, words=("/bin/probe",), timeout=60):
        """Runs a container. Answers its exit status, its output, its errors and the config.json that was used."""
        captured = self.path("captured.json")
        if os.path.exists(captured):
            os.unlink(captured)
        line = self.command(shape, list(words))
        if "-t" in line:
            line = ["script", "-qec", " ".join(f"'{word}'" for word in line), "/dev/null"]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
                              errors="replace", env=dict(os.environ, TMPDIR=self.folder), cwd=self.folder)
        config = None
        if os.path.exists(captured):
            with open(captured) as file:
                config = json.load(file)
        return done.returncode, done.stdout.replace("\r\n", "\n"), done.stderr, config

    def check(self, line, **options):
        subprocess.run(line, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                       **options)

    def start_daemon(self, line, ready):
        """Starts a daemon and waits until the command `ready` succeeds."""
        with open(self.path("daemon.log"), "ab") as log:
            daemon = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.daemons.append(daemon)
        for _ in range(100):
            if daemon.poll() is not None:
                break
            if subprocess.run(ready, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        with open(self.path("daemon.log"), errors="replace") as log:
            raise RuntimeError(f"{line[0]} did not start: {log.read()[-800:]}")

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        unmount_below(self.folder)
        remove_cgroups("apus-engines", "apus-build", "libpod_parent")
        shutil.rmtree(self.folder, ignore_errors=True)


class Podman(Engine):
    name = "podman"
    programs = ("podman", "conmon")
    shapes = PODMAN_SHAPES

    def base(self):
        return ["podman", "--root", self.path("root"), "--runroot", self.path("run"), "--tmpdir", self.path("tmp"),
                "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none",
                "--runtime", self.shim]

    def start(self, archive):
        self.check(self.base() + ["load", "-i", archive])

    def command(self, shape, words):
        return self.base() + self.run_words(shape) + ["--rm"] + self.arguments(shape) + [images.NAME] + words

    def stop(self):
        subprocess.run(self.base() + ["rm", "-fa", "-t", "0"], capture_output=True, check=False)
        super().stop()


class Docker(Engine):
    name = "docker"
    programs = ("dockerd", "docker", "containerd")
    shapes = DOCKER_SHAPES

    def base(self):
        return ["docker", "-H", "unix://" + self.path("socket")]

    def start(self, archive):
        self.start_daemon(
            ["dockerd", "--data-root", self.path("data"), "--exec-root", self.path("exec"),
             "--pidfile", self.path("pid"), "-H", "unix://" + self.path("socket"), "--config-file",
             self.configuration(), "--bridge", "none", "--iptables=false", "--ip6tables=false",
             "--storage-driver", "vfs", "--add-runtime", "probe=" + self.shim, "--default-runtime", "probe"],
            self.base() + ["version"])
        self.check(self.base() + ["load", "-i", archive])

    def configuration(self):
        """A configuration file that says nothing, so that the machine's own is not read."""
        with open(self.path("daemon.json"), "w") as file:
            file.write("{}")
        return self.path("daemon.json")

    def command(self, shape, words):
        return self.base() + self.run_words(shape) + ["--rm"] + self.arguments(shape) + [images.NAME] + words

    def stop(self):
        held = subprocess.run(self.base() + ["ps", "-aq"], capture_output=True, text=True, check=False).stdout.split()
        if held:
            subprocess.run(self.base() + ["rm", "-f"] + held, capture_output=True, check=False)
        super().stop()


class Containerd(Engine):
    name = "containerd"
    programs = ("containerd", "ctr")
    shapes = CTR_SHAPES
    count = 0

    def base(self):
        return ["ctr", "-a", self.path("socket")]

    def start(self, archive):
        with open(self.path("config.toml"), "w") as file:
            file.write(f'version = 2\nroot = "{self.path("root")}"\nstate = "{self.path("state")}"\n'
                       f'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]\n'
                       f'[grpc]\naddress = "{self.path("socket")}"\n'
                       f'[ttrpc]\naddress = "{self.path("socket")}.ttrpc"\n')
        self.start_daemon(["containerd", "-c", self.path("config.toml")], self.base() + ["version"])
        self.check(self.base() + ["image", "import", "--snapshotter", "native", archive])

    def run_words(self, shape=None):
        self.count += 1
        return ["run", "--snapshotter", "native", "--runc-binary", self.shim,
                "--cgroup", f"/apus-engines/probe{self.count}"]

    def command(self, shape, words):
        return (self.base() + self.run_words() + ["--rm"] + self.arguments(shape)
                + [images.NAME, f"probe{self.count}"] + words)


class Buildah(Engine):
    name = "buildah"
    programs = ("buildah",)
    shapes = {"default": [], "user": ["--user", "1000:1000"], "tty": ["-t"], "capabilities": ["--cap-add", "CAP_SYS_ADMIN"],
              "volumes": ["-v", "FILES/data:/data:ro"]}

    def base(self):
        return ["buildah", "--root", self.path("root"), "--runroot", self.path("run"), "--storage-driver", "vfs"]

    def start(self, archive):
        self.check(self.base() + ["from", "--isolation", "oci", "--ulimit", LIMITS[1], "--ulimit", LIMITS[3],
                                  "--network", "none", "--cgroup-parent", "/apus-build", "--name", "probe",
                                  "docker-archive:" + archive])

    def command(self, shape, words):
        return (self.base() + ["run", "--isolation", "oci", "--runtime", self.shim] + self.arguments(shape)
                + ["probe", "--"] + words)


ENGINES = (Podman, Docker, Containerd, Buildah)


def remove_cgroups(*names):
    """Removes these cgroups; one that still holds a process stays."""
    for hierarchy in os.listdir("/sys/fs/cgroup"):
        for name in names:
            path = os.path.join("/sys/fs/cgroup", hierarchy, name)
            for parent, folders, _ in os.walk(path, topdown=False):
                for folder in folders:
                    remove_directory(os.path.join(parent, folder))
            remove_directory(path)


def remove_directory(path):
    try:
        os.rmdir(path)
    except OSError:
        pass


def unmount_below(folder):
    """Unmounts what an engine left mounted below its own directory."""
    with open("/proc/self/mounts") as file:
        points = [line.split()[1] for line in file if line.split()[1].startswith(folder + "/")]
    for point in sorted(points, reverse=True):
        subprocess.run(["umount", "-l", point], capture_output=True, check=False)
