"""One container of one case, as its caller sees it: calls about it, its process, its output, its cgroup."""

import contextlib
import json
import os
import select
import threading
import time

from . import cgroups
from .console import Console


class Container:
    """Knows the files of one container; every method is one thing that a caller of a runtime does."""

    def __init__(self, runtime, identifier, bundle, work, config):
        self.runtime, self.identifier, self.bundle, self.work = runtime, identifier, bundle, work
        self.output, self.pid_file = f"{work}/output", f"{work}/pid"
        process = config.get("process") if isinstance(config, dict) else None
        self.has_terminal = isinstance(process, dict) and process.get("terminal") is True
        self.console = None
        self.status = None  # of the container process, as waitpid reports it, once it was reaped here
        self.known_pid = None

    def call(self, words, terminal=False, **options):
        """Calls the runtime. "create" and its like are completed with bundle, id and files, "exec" with the
        process in process.json; a list is taken as is.

        With terminal the runtime itself gets one, whose output counts as the container's.
        """
        keeps_output = False
        if isinstance(words, str):
            command, *rest = words.split()
            if command in ("create", "run"):
                keeps_output = True
                rest = ["--bundle", self.bundle, "--pid-file", self.pid_file, *self._console_flags(command),
                        *rest, self.identifier]
            elif command == "kill":
                rest = [self.identifier, *rest]
            elif command == "exec":
                rest = [*rest, "--process", f"{self.work}/process.json", self.identifier]
            elif command in ("start", "state", "delete"):
                rest = [*rest, self.identifier]
            words = [command, *rest]
        elif words and words[0] in ("create", "run"):
            keeps_output = True
        if terminal:
            return self._call_on_terminal(words, options)
        result = self.runtime.call(words, stdout=self.output if keeps_output else None, **options)
        if keeps_output and self.console and result.status == 0:
            result.stderr += "".join(f"\n{problem}" for problem in self.console.receive(self.runtime.timeout))
        return result

    def _call_on_terminal(self, words, options):
        master, slave = os.openpty()
        reader = threading.Thread(target=self._copy_output, args=(master,))
        reader.start()
        try:
            return self.runtime.call(words, terminal=slave, **options)
        finally:
            os.close(slave)
            reader.join(self.runtime.timeout)
            os.close(master)

    def _copy_output(self, master):
        with open(self.output, "ab") as file, contextlib.suppress(OSError):
            while chunk := os.read(master, 65536):  # EIO ends it: nobody has the other side open
                file.write(chunk)

    def _console_flags(self, command):
        if not self.has_terminal or command == "run":
            return []
        self.console = Console(f"{self.work}/console.sock", self.runtime.uid)
        return ["--console-socket", self.console.path]

    def pid(self):
        """The container process, from the pid file of the last create or run."""
        if os.path.exists(self.pid_file):
            with open(self.pid_file) as file:
                self.known_pid = int(file.read())
        return self.known_pid

    def wait(self):
        """Waits until the container process has ended and reaps it when it is a child. Whether it ended in time."""
        pid = self.pid()
        if pid is None:
            return False
        deadline = time.monotonic() + self.runtime.timeout
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            poller = select.poll()
            poller.register(descriptor, select.POLLIN)
            while not poller.poll(20):
                if self.console:
                    self.console.drain(0.02)
                if time.monotonic() > deadline:
                    return False
        finally:
            os.close(descriptor)
        self.reap()
        return True

    def reap(self):
        """Collects the status of the container process if it is our child and has ended."""
        try:
            done, status = os.waitpid(self.pid(), os.WNOHANG)
        except (ChildProcessError, TypeError):
            return
        if done:
            self.status = os.waitstatus_to_exitcode(status)

    def written(self):
        """Everything that the container has written to standard output."""
        if self.console:
            self.console.drain(self.runtime.timeout)
            return self.console.output.decode(errors="replace")
        if not os.path.exists(self.output):
            return ""
        with open(self.output, errors="replace") as file:
            return file.read()

    def facts(self, needed=()):
        """The probe's JSON lines, joined to one object. Waits for the needed members while the process lives."""
        deadline = time.monotonic() + self.runtime.timeout
        while True:
            found = {}
            for line in self.written().splitlines():
                try:
                    found.update(json.loads(line))
                except ValueError:
                    pass
            if all(name in found for name in needed) or not self._alive() or time.monotonic() > deadline:
                return found
            time.sleep(0.002)

    def _alive(self):
        try:
            with open(f"/proc/{self.pid()}/stat") as file:
                return file.read().rpartition(") ")[2][0] not in "ZX"
        except OSError:
            return False

    def cgroup_file(self, name):
        """A file of the container's cgroup, or None."""
        return cgroups.read(self.pid(), name)

    def process_file(self, name):
        """A file of /proc/PID, as the host sees it; a link gives its target, a missing file None."""
        path = f"/proc/{self.pid()}/{name}"
        try:
            if os.path.islink(path):
                return os.readlink(path)
            with open(path, errors="replace") as file:
                return file.read().strip()
        except FileNotFoundError:
            return None

    def close(self):
        """Gives back what the harness holds of the container."""
        if self.console:
            self.console.close()
            self.console = None
