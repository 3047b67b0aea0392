"""One container with a bundle of its own, for the cases of `run`: driven by the runtime under test, then removed."""

import json
import os
import shutil
import subprocess
import tempfile
import time

COUNT = "i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done"
PATIENCE = 60  # seconds; a guest without KVM on a busy machine is slow


class Failed(Exception):
    """What a case found wrong, in words."""


def until(what, question):
    """The first true answer."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.02)
    raise Failed(f"{what}: not within {PATIENCE} s")


def contents(path):
    with open(path) as file:
        return file.read()


class Stream:
    """What a container prints, line by line."""

    def __init__(self, descriptor):
        self.file = os.fdopen(descriptor)
        self.last = ""

    def readline(self):
        line = self.file.readline()
        self.last = line or self.last
        return line

    def last_of_all(self):
        """The last line, when all who could write have ended."""
        while self.readline():
            pass
        return self.last


class Bench:
    """A bundle, a state root, image directories, and every container of theirs."""

    def __init__(self, runtime, word):
        self.runtime = runtime
        self.folder = tempfile.mkdtemp(prefix=f"apus-cr-{word}-")
        os.chmod(self.folder, 0o755)
        self.id = os.path.basename(self.folder)
        self.bundle, self.images = f"{self.folder}/bundle", f"{self.folder}/images"
        self.rootfs = f"{self.bundle}/rootfs"
        self.streams = []
        self.before = self.traces()
        self.make_rootfs(self.rootfs)
        self.config = self.plain_config()

    @staticmethod
    def make_rootfs(path):
        for name in ("bin", "proc", "sys", "dev", "tmp", "etc"):
            os.makedirs(f"{path}/{name}")
        shutil.copy("/bin/busybox", f"{path}/bin/busybox")
        for name in ("sh", "cat", "sleep", "hostname", "nc", "tty", "stty", "mount", "grep"):
            os.symlink("busybox", f"{path}/bin/{name}")

    def plain_config(self):
        return {
            "ociVersion": "1.2.0",
            "process": {
                "cwd": "/", "args": ["/bin/sh", "-c", COUNT], "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin"],
                "capabilities": {kind: ["CAP_KILL"] for kind in ("bounding", "effective", "permitted")},
                "noNewPrivileges": True,
            },
            "root": {"path": "rootfs"},
            "hostname": "counting",
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc"},
                {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                 "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
                {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
                {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]},
            ],
            "linux": {
                "namespaces": [{"type": kind} for kind in ("pid", "mount", "ipc", "uts", "network", "cgroup")],
                "maskedPaths": ["/proc/kcore", "/proc/acpi"], "readonlyPaths": ["/proc/sys"],
                "resources": {"memory": {"limit": 64 << 20}, "pids": {"limit": 20}},
                "cgroupsPath": f"/{self.id}",
            },
        }

    # Commands

    def call(self, *words, **more):
        """A command of the runtime to its end."""
        line = [self.runtime, "--root", f"{self.folder}/state", *words]
        more.setdefault("cwd", self.folder)
        return subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, **more)

    def do(self, *words, **more):
        """A command that must work; what it printed."""
        done = self.call(*words, **more)
        if done.returncode:
            raise Failed(f"{' '.join(words)}: status {done.returncode}: {done.stderr.strip()[-1500:]}{self.log_tail()}")
        return done.stdout

    def refuses(self, text, *words, **more):
        """A command that must fail with this text, and leave nothing."""
        done = self.call(*words, **more)
        if done.returncode != 1 or text not in done.stderr:
            raise Failed(f"{' '.join(words)}: status {done.returncode}, not 1 with \"{text}\": {done.stderr.strip()}")
        return done.stderr

    def log_tail(self):
        tail = ""
        for folder, _, names in os.walk(self.folder):
            for name in set(names) & {"dump.log", "restore.log"}:
                lines = contents(f"{folder}/{name}").splitlines()
                errors = [line for line in lines if "Error" in line or "Warn" in line]
                tail += f"\n-- {name}\n" + "\n".join(errors[-12:])
        return tail

    def configure(self):
        with open(f"{self.bundle}/config.json", "w") as file:
            json.dump(self.config, file)

    def begin(self, verb, *words, id=None):
        """create, or run or restore detached, with its output in a pipe; the reader of that."""
        if verb != "restore":
            self.configure()
        reader, writer = os.pipe()
        line = [self.runtime, "--root", f"{self.folder}/state", verb, "--bundle", self.bundle,
                "--pid-file", f"{self.folder}/pid", *words, id or self.id]
        if verb != "create":
            line.insert(4, "--detach")
        with open(f"{self.folder}/errors", "w") as errors:
            done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=writer, stderr=errors, cwd=self.folder,
                                  timeout=PATIENCE)
        os.close(writer)
        stream = Stream(reader)
        self.streams.append(stream)
        if done.returncode:
            raise Failed(f"{verb}: status {done.returncode}: {contents(self.folder + '/errors').strip()}"
                         + self.log_tail())
        return stream

    def restore(self, *words, id=None):
        return self.begin("restore", "--image-path", self.images, *words, id=id)

    def checkpoint(self, *words, id=None):
        return self.do("checkpoint", "--image-path", self.images, *words, id or self.id)

    def state(self, id=None):
        return json.loads(self.do("state", id or self.id))

    def counted(self):
        """Runs the container until it has counted, checkpoints it and deletes it; its output."""
        before = self.begin("run")
        until("the count", before.readline)
        self.checkpoint()
        self.do("delete", self.id)
        return before

    # Questions

    def same(self, what, found, expected):
        if found != expected:
            raise Failed(f"{what} is {found!r}, not {expected!r}")

    def goes_on(self, before, after):
        """The numbers of the second stream begin where those of the first ended: the count was in memory alone."""
        last = int(before.last_of_all())
        first = int(after.readline())
        if first != last + 1:
            raise Failed(f"the count went on with {first} after {last}")

    def cgroup(self, legacy, unified, id=None):
        """A file of the container's cgroup: controller and name on v1, name on v2."""
        name = id or self.id
        if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
            return contents(f"/sys/fs/cgroup/{name}/{unified}").strip()
        controller, file = legacy.split("/")
        return contents(f"/sys/fs/cgroup/{controller}/{name}/{file}").strip()

    @staticmethod
    def own_procs():
        """Of the container's cgroup, as the container sees it."""
        unified = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        return "/sys/fs/cgroup/cgroup.procs" if unified else "/sys/fs/cgroup/pids/cgroup.procs"

    # The end

    def traces(self):
        """Mounts, processes and cgroups that a test could leave."""
        with open("/proc/self/mountinfo") as table:
            mounts = sorted(line.split()[4] for line in table)
        own = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                name = contents(f"/proc/{pid}/comm").strip()
                if name in ("criu", "apus") or self.id in contents(f"/proc/{pid}/cgroup"):
                    own.append(name)
            except OSError:  # it ended meanwhile
                continue
        cgroups = [folder for folder, _, _ in os.walk("/sys/fs/cgroup") if self.id in folder]
        return mounts, own, cgroups

    def mentioned(self):
        """Processes whose command line names this place."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if self.folder in contents(f"/proc/{pid}/cmdline"):
                    found.append(pid)
            except OSError:  # it ended meanwhile
                continue
        return found

    def finish(self, clean):
        """Removes everything; what was left, when it should have been nothing."""
        for stream in self.streams:
            stream.file.close()
        left = []
        state = f"{self.folder}/state"
        names = [name for name in os.listdir(state) if name != ".cache"] if os.path.isdir(state) else []
        if clean and names:
            left.append(f"containers {names}")
        for name in names:
            self.call("delete", "--force", name)
        for before, after, kind in zip(self.before, self.traces(), ("mounts", "processes", "cgroups")):
            if before != after and clean:
                left.append(f"{kind} {before} became {after}")
        shutil.rmtree(self.folder, ignore_errors=True)
        return left
