"""Creates, starts, watches and deletes one container from a bundle, as an engine does: with a pid file, a log file, a
console socket where the configuration wants a terminal, and itself as the reaper of the container's process."""

import array
import ctypes
import json
import os
import select
import socket
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36


class Failed(Exception):
    """The runtime did something else than was asked."""


def become_reaper():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_strays():
    """Collects what engines left behind: orphans come to this process, which is their reaper."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


class Container:
    """One container of the runtime at `runtime`, with its state and its output in the directory `folder`."""

    def __init__(self, runtime, folder, name):
        self.runtime, self.folder, self.name = runtime, folder, name
        self.log = os.path.join(folder, "log.json")

    def call(self, *words, **options):
        line = [self.runtime, "--root", self.folder + "/state", "--log", self.log, "--log-format", "json", *words]
        return subprocess.run(line, text=True, errors="replace", timeout=60, check=False, **options)

    def demand(self, *words, **options):
        done = self.call(*words, stdin=subprocess.DEVNULL, **options)
        if done.returncode:
            raise Failed(f"{words[0]} ended with status {done.returncode}: {self.last_message()}")
        return done

    def last_message(self):
        """What an engine shows of a failure: the last line of the log."""
        try:
            with open(self.log) as file:
                lines = [json.loads(line) for line in file]
            return lines[-1]["msg"] if lines else "the log is empty"
        except (OSError, ValueError, KeyError) as error:
            return f"the log cannot be read: {error}"

    def run(self, bundle, while_created=lambda pid: None):
        """A whole life. Answers the exit status and the output of the container's process."""
        with open(os.path.join(bundle, "config.json")) as file:
            terminal = json.load(file)["process"].get("terminal", False)
        try:
            status, output = self.live(bundle, terminal, while_created)
        finally:
            self.call("delete", "--force", self.name, capture_output=True)
        left = os.listdir(self.folder + "/state") if os.path.isdir(self.folder + "/state") else []
        if self.name in left:
            raise Failed("delete left the container's state")
        return status, output

    def live(self, bundle, terminal, while_created):
        pid_file, output_file = self.folder + "/pid", self.folder + "/output"
        words = ["create", "--bundle", bundle, "--pid-file", pid_file]
        with open(output_file, "wb") as output:
            if terminal:
                listener = socket.socket(socket.AF_UNIX)
                listener.bind(self.folder + "/console")
                listener.listen(1)
                words += ["--console-socket", self.folder + "/console"]
            self.demand(*words, self.name, stdout=output, stderr=output)
        primary = receive_terminal(listener) if terminal else None
        with open(pid_file) as file:
            pid = int(file.read())
        self.expect_status("created")
        while_created(pid)
        self.demand("start", self.name, capture_output=True)
        text = read_terminal(primary) if terminal else None
        status = reap(pid)
        self.expect_status("stopped")
        self.demand("delete", self.name, capture_output=True)
        if text is None:
            with open(output_file, errors="replace") as file:
                text = file.read()
        return status, text

    def expect_status(self, expected):
        state = json.loads(self.demand("state", self.name, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout)
        if state["status"] != expected:
            raise Failed(f"the status is {state['status']}, not {expected}")


def receive_terminal(listener):
    """The one descriptor that the runtime sends."""
    listener.settimeout(10)
    connection, _ = listener.accept()
    descriptors = array.array("i", [0])
    _, control, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
    listener.close()
    connection.close()
    if not control:
        raise Failed("no terminal came over the console socket")
    descriptors.frombytes(control[0][2][:4])
    return descriptors[-1]


def read_terminal(primary, timeout=20):
    """All that is written to a terminal until its other side is closed."""
    chunks, deadline = [], time.monotonic() + timeout
    while select.select([primary], [], [], max(0, deadline - time.monotonic()))[0]:
        try:
            chunk = os.read(primary, 65536)
        except OSError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(primary)
    return b"".join(chunks).decode(errors="replace").replace("\r\n", "\n")


def reap(pid, timeout=20):
    """The exit status of a process that became this one's child; 128 and the signal's number for one that was killed."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            found, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            raise Failed("the container's process is not a child of the runtime's caller") from None
        if found:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
        time.sleep(0.005)
    raise Failed("the container's process did not end")
