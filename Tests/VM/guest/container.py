"""What the guests' own tests share: a container of busybox, and cases that are judged one after the other.

A test is called with the runtime and, perhaps, words: only cases whose name has one of them run. Each case prints
"ok NAME" or "FAIL NAME: what was found"; the status is 1 when one failed."""

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

RUNTIME = os.path.abspath(shutil.which(sys.argv[1]) or sys.argv[1])
IS_APUS = os.path.basename(RUNTIME) == "apus"
ONLY = sys.argv[3] if len(sys.argv) > 3 else ""
IS_UNIFIED = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
# Where units have their cgroups: of v2, or of the hierarchy of v1 that systemd keeps for itself.
CGROUPS = "/sys/fs/cgroup" if IS_UNIFIED else "/sys/fs/cgroup/systemd"
CASES = []
APPLETS = ("sh", "cat", "sleep", "true", "dd", "mknod", "grep", "touch", "mkdir", "echo", "ls", "id")
USER = 1000  # of the program as-user


class Failed(Exception):
    """What a case found instead of what it expected."""


class Skipped(Exception):
    """What the machine lacks for a case."""


def case(function):
    CASES.append(function)
    return function


def expect(condition, found):
    if not condition:
        raise Failed(found)


def run(*words, env=None, check=False, seconds=120):
    result = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=dict(os.environ, **(env or {})), timeout=seconds)
    if check and result.returncode != 0:
        raise Failed(f"{words}: status {result.returncode}: {result.stdout}{result.stderr}")
    return result


class Container:
    """One bundle, removed with everything that was made of it. With user it is the ordinary user's; flags are the
    runtime's, before every command; prefix is what the runtime is started by."""
    number = 0

    def __init__(self, script, user=False, flags=(), prefix=(), **resources):
        Container.number += 1
        self.id = f"st{Container.number}"
        self.user, self.flags, self.prefix = user, list(flags), list(prefix)
        self.directory = tempfile.mkdtemp(prefix="apus-guest-")
        make_root(f"{self.directory}/rootfs")
        os.chmod(self.directory, 0o755)
        run("chown", "-R", "tester" if user else "root", self.directory)
        self.runtime("spec", "--bundle", self.directory, *(["--rootless"] if user else []), check=True)
        with open(f"{self.directory}/config.json") as file:
            self.config = json.load(file)
        self.config["root"]["readonly"] = False
        self.config["process"].update(terminal=False, args=["/bin/sh", "-c", script])
        self.config["linux"].setdefault("resources", {}).update(resources)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.runtime("delete", "--force", self.id)
        shutil.rmtree(self.directory)

    def command(self, *words):
        root = f"/run/user/{USER}/apus-st" if self.user else "/run/apus-st"
        return (["as-user"] if self.user else []) + self.prefix + [RUNTIME, "--root", root, *self.flags, *words]

    def runtime(self, *words, **options):
        return run(*self.command(*words), **options)

    def write(self):
        with open(f"{self.directory}/config.json", "w") as file:
            json.dump(self.config, file)

    def create(self, verb="create", env=None):
        """The status, and what was printed and logged: the container keeps the streams open, so they are files."""
        self.write()
        words = self.command("--log", f"{self.directory}/log", verb, "--bundle", self.directory, self.id)
        with open(f"{self.directory}/out", "w") as out:
            result = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=120,
                                    env=dict(os.environ, **(env or {})))
        log = ""
        if os.path.exists(f"{self.directory}/log"):
            with open(f"{self.directory}/log") as file:
                log = file.read()
        return result.returncode, log + self.output()

    def start(self):
        self.runtime("start", self.id, check=True)

    def exec(self, *words, **options):
        """A second process: options and a program. To its end."""
        at = next((index for index, word in enumerate(words) if word.startswith("/")), len(words))
        return self.runtime("exec", *words[:at], self.id, *words[at:], **options)

    def pid(self):
        return json.loads(self.runtime("state", self.id, check=True).stdout)["pid"]

    def output(self):
        with open(f"{self.directory}/out") as file:
            return file.read()


of_systemd = functools.partial(Container, flags=["--systemd-cgroup"])


def make_root(path):
    """A root file system of busybox and empty directories."""
    for name in ("bin", "proc", "dev", "sys", "tmp", "etc", "run"):
        os.makedirs(f"{path}/{name}")
    shutil.copy(shutil.which("busybox"), f"{path}/bin/busybox")
    for name in APPLETS:
        os.symlink("busybox", f"{path}/bin/{name}")


def nest(c):
    """Makes the container one that, as systemd in a container does, moves below its cgroup and hands controllers on: then
    the cgroup itself may hold no process."""
    mounts = [mount for mount in c.config["mounts"] if mount["destination"] != "/sys/fs/cgroup"]
    c.config["mounts"] = mounts + [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"}]
    namespaces = c.config["linux"]["namespaces"]
    namespaces += [{"type": "cgroup"}] if {"type": "cgroup"} not in namespaces else []
    c.config["process"]["args"] = ["/bin/sh", "-c", """cd /sys/fs/cgroup && mkdir init && echo 0 > init/cgroup.procs &&
        echo +pids > cgroup.subtree_control && echo nested; sleep 1000"""]


def created(container, **options):
    status, text = container.create(**options)
    expect(status == 0, text)


def started(container, **options):
    created(container, **options)
    container.start()


def cgroup_of(pid):
    with open(f"/proc/{pid}/cgroup") as file:
        lines = [line.strip().split(":", 2) for line in file]
    return next(path for _, name, path in lines if name == ("" if IS_UNIFIED else "name=systemd"))


def value(path, file):
    with open(f"{CGROUPS}{path}/{file}") as source:
        return source.read().strip()


def until(what, condition, seconds=30):
    """Waits until the condition holds; what it answered."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        expect(time.monotonic() < deadline, f"not in {seconds} s: {what}")
        time.sleep(0.05)
    return found


def attempt(function):
    """What was wrong; empty when nothing was."""
    try:
        function()
        return ""
    except (Failed, subprocess.TimeoutExpired, OSError, KeyError, ValueError) as failure:
        return f"{type(failure).__name__} {failure}"


def missing(function):
    """The program that a case's name asks for and the machine has not."""
    programs = {"user": "as-user", "podman": "podman", "buildah": "buildah", "docker": "dockerd",
                "containerd": "containerd"}
    for word, program in programs.items():
        if word in function.__name__ and shutil.which(program) is None:
            return program
    return None


def judge(leftovers="true"):
    """Runs the chosen cases; the status. What leftovers, a command, prints must be nothing."""
    failures = 0
    for function in CASES:
        if not any(word in function.__name__ for word in ONLY.split(",")):
            continue
        if program := missing(function):
            print(f"skip {function.__name__}: there is no {program}", flush=True)
            continue
        began = time.monotonic()
        try:
            # A guest is slow enough for systemd to miss the deadline of a conversation: what fails twice is a failure.
            wrong = attempt(function)
            if wrong:
                print(f"once more, {function.__name__}: {wrong}", flush=True)
                wrong = attempt(function)
        except Skipped as reason:
            print(f"skip {function.__name__}: {reason}", flush=True)
            continue
        failures += bool(wrong)
        took = f"({time.monotonic() - began:.1f} s)"
        print(f"FAIL {function.__name__}: {wrong}" if wrong else f"ok {function.__name__} {took}", flush=True)
    left = run("sh", "-c", f"ls -d /run/apus-st/* 2>/dev/null; {leftovers}").stdout.strip()
    if left:
        failures += 1
        print(f"FAIL nothing_is_left: {left}")
    return 1 if failures else 0
