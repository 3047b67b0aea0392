"""A process that holds namespaces for a case to join by path."""

import os
import signal

from . import kernel


class Holder:
    """Holds one new namespace of each named type until release(). A pid namespace gets an init process of its own."""

    def __init__(self, names):
        ready, child_ready = os.pipe()
        self.process = os.fork()
        if self.process == 0:
            self._hold(names, ready, child_ready)
        os.close(child_ready)
        with os.fdopen(ready, "rb") as file:
            answer = file.read()
        if not answer:
            os.waitpid(self.process, 0)
            raise OSError(f"no new namespaces {names} could be made")
        self.inner = int(answer)
        self.names = names
        if "user" in names:
            self._map_user()

    @staticmethod
    def _hold(names, ready, child_ready):
        try:
            kernel.die_with_parent()
            os.close(ready)
            if "user" in names:
                kernel.unshare(kernel.CLONE["user"])
            kernel.unshare(sum(kernel.CLONE[name] for name in names if name != "user"))
            inner = os.getpid()
            if "pid" in names:
                inner = os.fork()
                if inner == 0:
                    kernel.die_with_parent()
                    os.close(child_ready)
                    while True:
                        signal.pause()
            os.write(child_ready, str(inner).encode())
            os.close(child_ready)
            while True:
                signal.pause()
        finally:
            os._exit(1)

    def _map_user(self, first=100000, size=65536):
        for kind in ("uid", "gid"):
            with open(f"/proc/{self.process}/{kind}_map", "w") as file:
                file.write(f"0 {first} {size}")

    def path(self, name):
        """The file of a held namespace."""
        if name == "pid":
            return f"/proc/{self.inner}/ns/pid"
        return f"/proc/{self.process}/ns/{'time_for_children' if name == 'time' else name}"

    def variables(self):
        """${holder.NAME} is the namespace's identity, ${holder.path.NAME} its file."""
        values = {f"holder.path.{name}": self.path(name) for name in self.names}
        values.update({f"holder.{name}": os.readlink(self.path(name)) for name in self.names})
        return values

    def children(self):
        """The processes of this holder that are children of the harness."""
        return {self.process}

    def release(self):
        """Ends the processes; the namespaces go with them."""
        if self.inner != self.process:
            os.kill(self.inner, 9)
        os.kill(self.process, 9)
        os.waitpid(self.process, 0)
