"""Starts podman, docker, containerd and buildah, each in a directory of its own with its own storage, state and socket,
configured as the README says. They are gone after `stop`."""

import os
import shutil
import signal
import subprocess
import time

import images
import machine
from snippets import snippet

# No engine may ask for more open files or processes than this machine's hard limits.
LIMITS = {"nofile": "1024:2048", "nproc": "1024:1024"}
ULIMITS = [word for name, value in LIMITS.items() for word in ("--ulimit", f"{name}={value}")]


class Engine:
    """What the engines share. `runtime` is the runtime's path, `parent` the cgroup that containers belong below."""

    name = ""
    programs = ()
    # A pattern for cgroups below the parent that the engine itself makes and does not remove.
    own_cgroups = ""

    def __init__(self, folder, runtime, parent):
        self.folder, self.runtime, self.parent = folder, runtime, parent
        self.runtime_name = os.path.basename(runtime)
        self.daemons = []
        os.makedirs(self.path("tmp"))
        for path in (folder, self.path("tmp")):
            os.chmod(path, 0o755)

    @classmethod
    def is_here(cls):
        return all(shutil.which(program) for program in cls.programs)

    def path(self, name):
        return os.path.join(self.folder, name)

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": self.folder, "TMPDIR": self.path("tmp")}

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def snippet(self, title):
        return snippet(title, self.runtime_name, self.runtime)

    def start(self, archive):
        """Starts what the engine needs and loads the image."""

    def command(self, words):
        """The whole command line for the engine's words."""
        return self.base() + words

    def capturing(self, words, file):
        """The command line for words of which one is `run`, with a runtime that copies config.json to the file."""
        shim = self.path("capture")
        self.write("capture", f'#!/bin/sh\nfor word; do\n    [ "$last" = --bundle ] && cp "$word/config.json" {file}\n'
                              f'    last=$word\ndone\nexec {self.runtime} "$@"\n')
        os.chmod(shim, 0o755)
        return self.command(words[:1] + ["--runtime", shim] + words[1:])

    def base(self):
        """The engine's program and the options that keep it in its directory."""
        raise NotImplementedError

    def check(self, *words):
        done = subprocess.run(self.base() + list(words), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, check=False, env=self.environment(), cwd=self.folder)
        if done.returncode:
            raise RuntimeError(f"{self.name} {' '.join(words)}: {(done.stdout + done.stderr)[-800:]}")
        return done.stdout

    def start_daemon(self, line, *ready):
        """Starts a daemon and waits until the engine's command `ready` succeeds."""
        with open(self.path("daemon.log"), "ab") as log:
            daemon = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment())
        self.daemons.append(daemon)
        deadline = time.monotonic() + 60
        while daemon.poll() is None and time.monotonic() < deadline:
            if subprocess.run(self.base() + list(ready), capture_output=True, check=False,
                              env=self.environment()).returncode == 0:
                return
            time.sleep(0.05)
        with open(self.path("daemon.log"), errors="replace") as log:
            raise RuntimeError(f"{line[0]} did not start: {log.read()[-800:]}")

    def clear(self):
        """Removes every container."""

    def tidy(self):
        """Removes what a case may have left."""
        self.clear()

    def stop(self):
        """Removes every container and ends the daemons."""
        try:
            self.clear()
        finally:
            for daemon in reversed(self.daemons):
                daemon.send_signal(signal.SIGTERM)
                try:
                    daemon.wait(20)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()


class Podman(Engine):
    name = "podman"
    programs = ("podman", "conmon", "catatonit")
    # A pod's own cgroup stays in the v1 hierarchies that podman does not know.
    own_cgroups = "conmon|[0-9a-f]{64}"

    def base(self):
        return ["podman", "--root", self.path("root"), "--runroot", self.path("run"), "--tmpdir", self.path("libpod"),
                "--storage-driver", "overlay", "--events-backend", "file"]

    def environment(self):
        return dict(super().environment(), CONTAINERS_STORAGE_CONF=self.path("storage.conf"))

    def start(self, archive):
        self.archive = archive
        write_container_files(self)
        self.check("load", "-i", archive)

    def command(self, words):
        for verb in (["run"], ["create"], ["pod", "create"]):
            if words[:len(verb)] == verb and "--cgroups=disabled" not in words:
                return self.base() + verb + ["--cgroup-parent", self.parent] + words[len(verb):]
        return self.base() + words

    def capturing(self, words, file):
        line = super().capturing(words[:1], file)
        at = line.index("--runtime")
        return self.base() + line[at:at + 2] + self.command(words)[len(self.base()):]

    def clear(self):
        self.check("pod", "rm", "-fa", "-t", "0")
        self.check("rm", "-fa", "-t", "0", "-v")
        self.check("volume", "rm", "-fa")

    def tidy(self):
        # podman's own clean-up of a container that ended may be at it at the same time.
        for attempt in range(20, -1, -1):
            try:
                self.check("rm", "-fa", "-t", "0")
                return
            except RuntimeError:
                if not attempt:
                    raise
                time.sleep(0.2)


class Docker(Engine):
    name = "docker"
    programs = ("dockerd", "docker", "docker-init", "containerd")

    def base(self):
        return ["docker", "-H", "unix://" + self.path("socket")]

    def start(self, archive):
        limits = [word for name, value in LIMITS.items() for word in ("--default-ulimit", f"{name}={value}")]
        self.start_daemon(
            ["dockerd", "--config-file", self.write("daemon.json", self.snippet("/etc/docker/daemon.json")),
             "--data-root", self.path("data"), "--exec-root", self.path("exec"), "--pidfile", self.path("pid"),
             "-H", "unix://" + self.path("socket"), "--bridge", "none", "--iptables=false", "--ip6tables=false",
             "--cgroup-parent", self.parent, "--add-runtime", "capture=" + self.path("capture"), *limits], "version")
        self.check("load", "-i", archive)

    def command(self, words):
        if words[0] in ("run", "create") and not any(word.startswith("--net") for word in words):
            words = words[:1] + ["--network", "none"] + words[1:]
        return self.base() + words

    def capturing(self, words, file):
        shim = self.path("capture")
        return ["capture" if word == shim else word for word in super().capturing(words, file)]

    def clear(self):
        held = self.check("ps", "-aq").split()
        if held:
            self.check("rm", "-f", "-v", *held)

    def stop(self):
        super().stop()
        # dockerd keeps a handle on the network namespace of its host.
        subprocess.run(["umount", self.path("exec/netns/default")], capture_output=True, check=False)


class Containerd(Engine):
    """containerd with `ctr`; Kubernetes' way to it is in cri.py."""

    name = "containerd"
    programs = ("containerd", "ctr", "protoc")
    made = 0

    def base(self):
        return ["ctr", "-a", self.path("socket")]

    def environment(self):
        return dict(super().environment(), CONTAINERD_SNAPSHOTTER="overlayfs")

    def start(self, archive):
        os.makedirs(self.path("cni"))
        self.write("cni/10-pods.conflist", POD_NETWORK.replace("FOLDER", self.path("cni-state")))
        self.start_daemon(["containerd", "-c", self.write("config.toml", f'''version = 2
root = "{self.path("root")}"
state = "{self.path("state")}"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
address = "{self.path("socket")}"
[ttrpc]
address = "{self.path("socket")}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{images.PAUSE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{self.path("cni")}"
''' + self.snippet("/etc/containerd/config.toml"))], "version")
        self.check("image", "import", archive)
        self.check("-n", "k8s.io", "image", "import", archive)

    def command(self, words):
        if words[0] == "run":
            self.made += 1
            words = ["run", "--cgroup", f"{self.parent}/{self.made}"] + words[1:]
            if "--runc-binary" not in words:
                words[1:1] = ["--runc-binary", self.runtime]
        return self.base() + words

    def pod_cgroup(self, name):
        """The cgroup of a pod, as a kubelet says it."""
        return f"{self.parent}/{name}"

    def remove_pod_cgroup(self, parent):
        """As a kubelet does; an error where a container's cgroup is left in it."""
        for path in sorted(machine.cgroups.directories(parent), key=len):
            os.rmdir(path)

    def capturing(self, words, file):
        return ["--runc-binary" if word == "--runtime" else word for word in super().capturing(words, file)]

    def clear(self):
        for task in self.check("task", "ls", "-q").split():
            self.check("task", "delete", "-f", task)
        for container in self.check("container", "ls", "-q").split():
            self.check("container", "rm", container)


class Buildah(Engine):
    """Builds and working containers. FROM IMAGE works in a Containerfile too."""

    name = "buildah"
    programs = ("buildah",)

    def base(self):
        return ["buildah", "--root", self.path("root"), "--runroot", self.path("run"), "--storage-driver", "overlay"]

    def environment(self):
        lines = self.snippet("the environment of the build").split("\n")
        exported = dict(line.removeprefix("export ").split("=", 1) for line in lines if line)
        return dict(super().environment(), CONTAINERS_STORAGE_CONF=self.path("storage.conf"), **exported)

    def start(self, archive):
        write_container_files(self)
        self.check("pull", f"docker-archive:{archive}:{images.NAME}")

    def command(self, words):
        if words[0] in ("build", "from"):
            words = words[:1] + ["--network", "none", "--cgroup-parent", self.parent] + words[1:]
        return self.base() + words

    def clear(self):
        self.check("rm", "-a")


def write_container_files(engine):
    """The files that podman and buildah read, in the /etc/containers of the block."""
    limits = ", ".join(f'"{name}={value}"' for name, value in LIMITS.items())
    with open("/etc/containers/containers.conf", "w") as file:
        file.write(engine.snippet("/etc/containers/containers.conf")
                   + f'\n[containers]\ndefault_ulimits = [{limits}]\nnetns = "none"\n')
    engine.write("storage.conf", f'[storage]\ndriver = "overlay"\ngraphroot = "{engine.path("root")}"\n'
                                 f'runroot = "{engine.path("run")}"\n')


# A bridge that leads nowhere but to the other pods.
POD_NETWORK = """{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods0",
"isGateway": true, "ipam": {"type": "host-local", "dataDir": "FOLDER", "ranges": [[{"subnet": "10.88.0.0/24"}]]}}]}"""

ENGINES = {engine.name: engine for engine in (Podman, Docker, Containerd, Buildah)}
