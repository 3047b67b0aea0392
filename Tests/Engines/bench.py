"""What a case is given: commands of an engine, and what they must end with and print."""

import os
import re
import shlex
import subprocess
import time

import images

CASES = {}
# For a container that says hello, waits for TERM and ends with status 4.
LOOP = 'echo hello; trap "echo bye; exit 4" TERM; while :; do sleep 0.05; done'


class Wrong(Exception):
    """Something else happened than a case expects."""


class Skipped(Exception):
    """The case cannot be tried here."""


def case(*of_engines, machine=None):
    """Makes a function a case of engines. `machine` tells why it fails on this kind of machine whatever the runtime."""
    def register(function):
        add(of_engines, function.__name__.strip("_").replace("_", "-"), function, machine)
        return function
    return register


def runs(of_engines, table, form="run --rm {options} IMAGE {command}", ask=None):
    """Makes cases of one command: its name, options of run, the container's command, exit status, pattern it prints.
    ask: runs the line where a Bench does not do it itself."""
    for name, options, command, status, pattern in table:
        def one(bench, line=form.format(options=options, command=command), status=status, pattern=pattern):
            (ask or Bench.__call__)(bench, line, status=status, prints=pattern)
        add(of_engines, name, one, None)


def add(of_engines, name, function, machine):
    for engine in of_engines:
        assert name not in CASES.setdefault(engine, {}), name
        CASES[engine][name] = (function, machine)


class Bench:
    """The commands of one case with one engine. NAME is a container of the case, IMAGE the image, LOOP see above,
    FOLDER a directory of the case's own, ENGINE the engine's."""

    def __init__(self, engine, name):
        self.engine, self.name, self.notes = engine, name, []
        self.folder = engine.path("cases/" + name)
        os.makedirs(self.folder)
        os.chmod(self.folder, 0o755)

    def note(self, text):
        """Something to be shown, although the case goes on."""
        self.notes.append(text)

    def plain(self, line):
        """The words of a line."""
        words = shlex.split(line)
        for mark, text in (("NAME", self.name), ("IMAGE", images.NAME), ("FOLDER", self.folder)):
            words = [word.replace(mark, text) for word in words]
        return [LOOP if word == "LOOP" else word for word in words]

    def words(self, line, capture=None):
        """The command line of the engine that a line stands for."""
        words = self.plain(line)
        return self.engine.capturing(words, capture) if capture else self.engine.command(words)

    def attempt(self, line, stdin="", tty=False, timeout=60, env=(), capture=None):
        """Answers the exit status and everything that a command printed. capture: the file that gets config.json."""
        words = self.words(line, capture)
        if tty:
            words = ["script", "-qec", shlex.join(words), "/dev/null"]
        try:
            done = subprocess.run(words, input=stdin.encode(), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=timeout, check=False, cwd=self.folder,
                                  env=dict(self.engine.environment(), **dict(env)))
        except subprocess.TimeoutExpired:
            raise Wrong(f"{line}: still running after {timeout} s") from None
        return done.returncode, re.sub("\r+\n", "\n", done.stdout.decode(errors="replace")).strip("\n")

    def __call__(self, line, status=0, prints="", **options):
        """Runs a command, which must end and print so. Answers what it printed. status: one number, or one for each
        engine by its name."""
        ended, output = self.attempt(line, **options)
        status = status[self.engine.name] if isinstance(status, dict) else status
        complaint = complain(ended, output, status, prints)
        if complaint:
            raise Wrong(f"{line}: {complaint}")
        return output

    def until(self, line, prints, status=0, seconds=20, **options):
        """Runs a command that only asks again and again, until it ends and prints so."""
        deadline = time.monotonic() + seconds
        while True:
            ended, output = self.attempt(line, **options)
            complaint = complain(ended, output, status, prints)
            if not complaint:
                return output
            if time.monotonic() > deadline:
                raise Wrong(f"{line}: for {seconds} s: {complaint}")
            time.sleep(0.05)

    def start(self, options="", name="NAME", command="sh -c LOOP"):
        """Starts a container in the background and waits until its command runs."""
        self(f"run -d --name {name} {options} IMAGE {command}")
        if command == "sh -c LOOP":
            self.until(f"logs {name}", prints="^hello$")

    def text(self, path):
        """What a file of the machine says."""
        with open(path.replace("FOLDER", self.folder)) as file:
            return file.read().strip()

    def demand(self, what, truth):
        if not truth:
            raise Wrong(what)

    def same(self, what, seen, wanted):
        if seen != wanted:
            raise Wrong(f"{what} is {seen!r}, not {wanted!r}")

    def wait_for(self, what, question, seconds=20):
        """Waits until question() answers something true, and answers that."""
        deadline = time.monotonic() + seconds
        while not (answer := question()):
            if time.monotonic() > deadline:
                raise Wrong(f"not within {seconds} s: {what}")
            time.sleep(0.02)
        return answer


def complain(ended, output, status, prints):
    if ended != status:
        return f"status {ended} instead of {status}: {output[-500:]}"
    if not re.search(prints, output, re.MULTILINE):
        return f"printed {output[-500:]!r}, not like {prints!r}"
    return None
