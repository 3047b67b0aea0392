"""Runs one case: prepares the bundle, walks through the steps, asks the leak oracle, cleans up.

A case with "expect" gets its steps from expected_steps(); a case with "steps" brings its own.
"""

import json
import os
import shutil
import time

from . import bundle, cgroups, host, leaks
from .agent import Agent
from .container import Container
from .holder import Holder
from .match import mismatches
from .patch import merged, substituted
from .runtime import CallFailed


class Failed(Exception):
    """The runtime did not do what the case expects. The argument is a list of sentences."""


def expected_steps(expect, terminal):
    """The steps of a case that only says what comes out.

    An error is looked for with run, which covers create and start. With "created", or a terminal, the container goes
    through create, start and delete, so that it can be looked at from outside; otherwise run does it all.
    """
    if "error" in expect:
        step = {"do": "run", "exit": "error"}
        if expect["error"] is not True:
            step["stderr"] = {"$re": expect["error"]}
        return [step, {"written": ""}, {"do": "state", "exit": "error"}, *_afterwards(expect)]
    status = expect.get("exit", 0)
    if "created" in expect or terminal:
        looks = [{name: wanted} for name, wanted in expect.get("created", {}).items()]
        return ["create", *looks, "start", {"wait": status}, *_afterwards(expect), "delete"]
    return [{"do": "run", "exit": status}, *_afterwards(expect)]


def _afterwards(expect):
    return [{name: expect[name]} for name in ("facts", "files", "hooks", "written") if name in expect]


class Scenario:
    """One run of one case. Made by a worker, used once."""

    def __init__(self, case, runtime, work, token, number, settings):
        self.case, self.runtime, self.work, self.token, self.probe = case, runtime, work, token, settings.probe
        self.identifier = f"{token}{number}"
        self.directory = f"{work}/{number}"
        self.bundle = f"{self.directory}/bundle"
        self.root = f"{self.bundle}/rootfs"
        self.preparation = bundle.Preparation()
        self.holder = self.agent = self.container = None
        self.variables = {
            "ID": self.identifier, "BUNDLE": self.bundle, "ROOTFS": self.root, "WORK": self.directory,
            "TOKEN": token, "UID": runtime.uid, "PROBE": self.probe, "STATE": runtime.state_root,
            **bundle.cgroup_variables(self.identifier, settings.systemd), **host.facts(),
        }

    def run(self):
        """Returns the problems found, as sentences; none means that the case passed."""
        try:
            self._prepare()
            before = self._snapshot()
            steps = self.case.get("steps") or expected_steps(self.case["expect"], self.container.has_terminal)
            for step in steps:
                self._perform(step)
            self.container.close()
            return leaks.difference(before, self._snapshot, self.runtime.timeout / 20)
        except Failed as failure:
            return failure.args[0]
        except CallFailed as failure:
            return [str(failure)]
        finally:
            self._clean()

    def _prepare(self):
        for directory in (self.directory, self.bundle):
            os.mkdir(directory)
        bundle.make_root(self.root, self.probe)
        if "holder" in self.case:
            self.holder = Holder(self.case["holder"])
            self.variables.update(self.holder.variables())
        if self.case.get("agent"):
            self.agent = Agent(f"{self.directory}/agent.sock", f"{self.directory}/agent.json", self.runtime.uid)
        for action in substituted(self.case.get("setup", []), self.variables):
            self.preparation.perform(action)
        config = bundle.configuration(self.case, self.variables, bool(self.runtime.uid))
        if "text" in self.case:
            config = substituted(self.case["text"], self.variables)
        bundle.write(f"{self.bundle}/config.json", config)
        if self.runtime.uid:
            self._give_away()
        self.container = Container(self.runtime, self.identifier, self.bundle, self.directory, config)
        self.config = config

    def _give_away(self):
        for directory, names, files in os.walk(self.directory):
            for path in [directory] + [f"{directory}/{name}" for name in files]:
                if os.lstat(path).st_nlink == 1 or os.path.isdir(path):  # the probe's other names stay root's
                    os.chown(path, self.runtime.uid, self.runtime.uid, follow_symlinks=False)

    def _snapshot(self):
        own = set().union(*(helper.children() for helper in (self.holder, self.agent) if helper))
        return leaks.Snapshot(self.token, self.runtime.state_root, self.bundle, own)

    def _clean(self):
        """Leaves nothing for the next case to stumble over, whatever this one did."""
        for entry in os.listdir(self.runtime.state_root):
            if entry.startswith(self.token):
                try:
                    self.runtime.call(["delete", "--force", entry])
                except CallFailed:
                    pass
                shutil.rmtree(f"{self.runtime.state_root}/{entry}", ignore_errors=True)
        if self.container:
            self.container.close()
        for helper in (self.holder, self.agent):
            if helper:
                helper.release()
        cgroups.remove(cgroups.directories(self.token))
        leaks.end_children()
        cgroups.remove(cgroups.directories(self.token))
        self.preparation.undo()
        with open("/proc/self/mountinfo") as file:
            points = [line.split()[4] for line in file]
        for point in reversed(points):
            if point.startswith(f"{self.directory}/"):
                self.preparation.perform(["unmount", point])
        shutil.rmtree(self.directory, ignore_errors=True)

    # Steps. A step is a word ("start", "kill TERM", "wait") or an object with one action and its conditions.

    def _perform(self, step):
        if isinstance(step, str):
            step = {"wait": None} if step == "wait" else {"do": step}
        self.variables["PID"] = self.container.pid()
        step = substituted(step, self.variables)
        action = next(name for name in self.ACTIONS if name in step)
        self.ACTIONS[action](self, step, step[action])

    def _require(self, what, expected, found):
        problems = mismatches(expected, found)
        if problems:
            raise Failed([f"{what}: {problem}" for problem in problems])

    def _do(self, step, words):
        """Calls the runtime. exit is 0 unless given, "error" any failure of the runtime itself."""
        passed_on = ("stdin", "environment", "umask", "directory", "terminal")
        options = {name: step[name] for name in passed_on if name in step}
        if "descriptors" in step:
            options["fds"] = tuple(range(3, 3 + step["descriptors"]))
            os.lseek(3, 0, os.SEEK_SET)
        call = self.container.call(words, **options)
        wanted = step.get("exit", 0)
        fits = call.status > 0 if wanted == "error" else call.status == wanted
        if not fits:
            text = call.stderr.strip()[-600:]
            raise Failed([f"{' '.join(call.arguments)}: exit status {call.status}, expected {wanted}; "
                          f"standard error: {text or 'nothing'}"])
        if "stdout" in step:
            self._require(f"standard output of {call.arguments[0]}", step["stdout"], call.stdout)
        if "stderr" in step:
            self._require(f"standard error of {call.arguments[0]}", step["stderr"], call.stderr)
        if "json" in step:
            self._require(f"output of {call.arguments[0]}", step["json"], call.json())

    def _state(self, _step, wanted):
        call = self.container.call("state")
        if call.status:
            raise Failed([f"state: exit status {call.status}; standard error: {call.stderr.strip()}"])
        self._require("state", wanted, call.json())

    def _wait(self, _step, status):
        if not self.container.wait():
            raise Failed(["the container process did not end in time"])
        if status is not None:
            self._require("exit status of the container process", status, self.container.status)

    def _facts(self, _step, wanted):
        self._require("inside", wanted, self.container.facts(needed=wanted))

    def _written(self, _step, wanted):
        self._require("output of the container", wanted, self.container.written())

    def _cgroup(self, _step, wanted):
        self._require("cgroup", wanted, {name: self.container.cgroup_file(name) for name in wanted})

    def _proc(self, _step, wanted):
        self._require("/proc/PID", wanted, {name: self.container.process_file(name) for name in wanted})

    def _files(self, _step, wanted):
        found = {}
        for path in wanted:
            try:
                with open(path, errors="replace") as file:
                    found[path] = file.read()
            except OSError:
                found[path] = "directory" if os.path.isdir(path) else None
        self._require("file", wanted, found)

    def _agent(self, _step, wanted):
        self._require("seccomp agent", wanted, self.agent.received(self.runtime.timeout))

    def _owner(self, _step, wanted):
        found = {path: [os.lstat(path).st_uid, os.lstat(path).st_gid] for path in wanted}
        self._require("owner", wanted, found)

    def _label(self, _step, wanted):
        found = {path: os.getxattr(path, "security.selinux").rstrip(b"\0").decode() for path in wanted}
        self._require("SELinux context", wanted, found)

    def _hooks(self, _step, wanted):
        """The lines that hooks have written to the two logs: on the host and in the root file system."""
        lines = []
        for path in (f"{self.directory}/hooks", f"{self.root}/hooks"):
            if os.path.exists(path):
                with open(path) as file:
                    lines += [json.loads(line) for line in file]
        for line in lines:
            try:
                line["state"] = json.loads(line["state_text"])
            except ValueError:
                line["state"] = None
        self._require("hooks", wanted, lines)

    def _host(self, _step, actions):
        for action in actions:
            verb = f"_host_{action[0].replace('-', '_')}"
            if hasattr(self, verb):
                getattr(self, verb)(*action[1:])
            else:
                self.preparation.perform(action)

    def _host_config(self, patch):
        """Writes another config.json: the case's own with this patch."""
        bundle.write(f"{self.bundle}/config.json", merged(self.config, patch))

    def _host_config_from(self, path, patch):
        """Writes the file at path, with this patch, as config.json."""
        with open(path) as file:
            bundle.write(f"{self.bundle}/config.json", merged(json.load(file), patch))

    def _host_config_again(self):
        """Puts the case's config.json back, for the leak oracle to find the bundle as it was."""
        bundle.write(f"{self.bundle}/config.json", self.config)

    def _host_type(self, text):
        self.container.console.write(text)

    def _host_mounts(self, _step, wanted):
        with open("/proc/self/mountinfo") as file:
            self._require("mounts of the host", wanted, file.read())

    def _json_file(self, _step, wanted):
        for path, content in wanted.items():
            with open(path) as file:
                self._require(path, content, json.load(file))

    def _until(self, _step, wanted):
        """Asks for the state until it is as wanted, without reaping the container process."""
        deadline = time.monotonic() + self.runtime.timeout
        while mismatches(wanted, self.container.call("state").json()):
            if time.monotonic() > deadline:
                raise Failed([f"the state did not become {wanted}"])

    def _remember(self, _step, wanted):
        """Keeps a file of /proc/PID or a member of the features document for ${remembered.NAME} in a later step."""
        for name, place in wanted.items():
            if "proc" in place:
                value = self.container.process_file(place["proc"])
            else:
                value = (self.container.call(["features"]).json() or {}).get(place["features"])
            self.variables[f"remembered.{name}"] = value

    def _children(self, _step, wanted):
        """Whether the container process is a child of the caller, as an orphan of the runtime must become."""
        status = self.container.process_file("status") or ""
        parent = next((line.split()[1] for line in status.splitlines() if line.startswith("PPid")), None)
        self._require("parent of the container process", wanted, parent == str(os.getpid()))

    def _reap_orphans(self, _step, wanted):
        """Reaps what the container's processes left to the caller, which must be dead by now."""
        deadline, reaped = time.monotonic() + self.runtime.timeout, 0
        while reaped < wanted and time.monotonic() < deadline:
            reaped += os.waitpid(-1, os.WNOHANG)[0] > 0
        self._require("orphans reaped", wanted, reaped)

    ACTIONS = {
        "do": _do, "state": _state, "until": _until, "wait": _wait, "reap_orphans": _reap_orphans,
        "facts": _facts, "written": _written, "cgroup": _cgroup, "proc": _proc, "child_of_caller": _children,
        "files": _files, "json_file": _json_file, "owner": _owner, "label": _label, "host_mounts": _host_mounts,
        "hooks": _hooks, "agent": _agent, "host": _host, "remember": _remember,
    }
