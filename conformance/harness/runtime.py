"""Calls the runtime under test as a program: arguments, standard streams in files, a deadline."""

import contextlib
import json
import os
import select
import subprocess
import tempfile


class CallFailed(Exception):
    """The runtime could not be called or did not end in time."""


class Call:
    """What one call gave: status (negative for a signal), and what was on standard output and error."""

    def __init__(self, arguments, status, stdout, stderr):
        self.arguments, self.status, self.stdout, self.stderr = arguments, status, stdout, stderr

    def json(self):
        """Standard output as JSON, or None when it is not JSON."""
        try:
            return json.loads(self.stdout)
        except ValueError:
            return None


def _ends(pid, timeout):
    """Whether a child ends in time. Popen's own wait with a deadline sleeps, for longer and longer."""
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], timeout)[0])
    finally:
        os.close(descriptor)


class Runtime:
    """One runtime, its state root and the identity it runs under."""

    def __init__(self, program, root_flags, state_root, uid, runtime_directory, timeout):
        self.program, self.root_flags, self.state_root = program, root_flags, state_root
        self.uid, self.runtime_directory, self.timeout = uid, runtime_directory, timeout

    def command(self, arguments):
        """The full argument vector of a call."""
        return [self.program, *self.root_flags, "--root", self.state_root, *arguments]

    def call(self, arguments, stdout=None, stdin=None, fds=(), directory=None, environment=None, umask=-1,
             terminal=None):
        """Runs one command to its end. stdout names a file that is appended to and outlives the call, as a
        container's output does; terminal is a descriptor that becomes all three standard streams."""
        identity = {"user": self.uid, "group": self.uid, "extra_groups": []} if self.uid else {}
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR": self.runtime_directory}
        environ.update(environment or {})
        with tempfile.TemporaryFile() as own, tempfile.TemporaryFile() as errors, \
                open(stdout or os.devnull, "ab") as kept:
            output = kept if stdout else own
            process = subprocess.Popen(
                self.command(arguments), cwd=directory or self.runtime_directory, env=environ, umask=umask,
                stdin=terminal or (subprocess.PIPE if stdin is not None else subprocess.DEVNULL),
                stdout=terminal or output, stderr=terminal or errors,
                pass_fds=fds, start_new_session=True, **identity)
            if stdin is not None:
                # A runtime that ends without reading it is judged by how it ends.
                with contextlib.suppress(BrokenPipeError), process.stdin:
                    process.stdin.write(stdin.encode())
            if not _ends(process.pid, self.timeout):
                process.kill()
                process.wait()
                raise CallFailed(f"{' '.join(arguments)} did not end within {self.timeout} s")
            process.wait()
            own.seek(0)
            errors.seek(0)
            return Call(arguments, process.returncode, own.read().decode(errors="replace"),
                        errors.read().decode(errors="replace"))
