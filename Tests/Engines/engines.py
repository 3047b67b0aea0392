"""Starts podman, docker, containerd and buildah, each in a directory of its own with its own storage, state and socket,
configured as the README says. They are gone after `stop`."""

import os
import shutil
import signal
import subprocess
import time

import images
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
        return dict(super().environment(), CONTAINERS_CONF=self.path("containers.conf"),
                    CONTAINERS_STORAGE_CONF=self.path("storage.conf"))

    def start(self, archive):
        limits = ", ".join(f'"{name}={value}"' for name, value in LIMITS.items())
        self.write("containers.conf", self.snippet("/etc/containers/containers.conf")
                   + f'\n[containers]\ndefault_ulimits = [{limits}]\nnetns = "none"\n')
        self.write("storage.conf", f'[storage]\ndriver = "overlay"\ngraphroot = "{self.path("root")}"\n'
                                   f'runroot = "{self.path("run")}"\n')
        self.check("load", "-i", archive)

    def command(self, words):
        for verb in (["run"], ["create"], ["pod", "create"]):
            if words[:len(verb)] == verb and "--cgroups=disabled" not in words:
                return self.base() + verb + ["--cgroup-parent", self.parent] + words[len(verb):]
        return self.base() + words

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


ENGINES = {engine.name: engine for engine in (Podman,)}
