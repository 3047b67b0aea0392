"""The receiving end of a console socket: takes the terminal that the runtime sends and reads what appears on it."""

import array
import os
import select
import socket
import time


class Console:
    """A listening AF_UNIX stream socket at path, and later the terminal received over it."""

    def __init__(self, path, owner):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        os.chown(path, owner, owner)
        self.listener.listen(1)
        self.path, self.master, self.output, self.messages = path, None, b"", []

    def receive(self, timeout):
        """Accepts one connection and keeps the descriptor in it. Returns problems as sentences."""
        self.listener.settimeout(timeout)
        try:
            connection, _ = self.listener.accept()
        except TimeoutError:
            return ["the runtime did not connect to the console socket"]
        with connection:
            connection.settimeout(timeout)
            size = array.array("i").itemsize
            data, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4 * size))
            descriptors = array.array("i")
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.frombytes(content[:len(content) - len(content) % size])
            problems = [] if data else ["the message on the console socket has no payload"]
            if len(descriptors) != 1:
                return problems + [f"the console socket carried {len(descriptors)} descriptors instead of one"]
            self.master = descriptors[0]
            return problems

    def drain(self, timeout):
        """Reads until the other side is closed, a full line has come and nothing more does, or time is over."""
        deadline = time.monotonic() + timeout
        while self.master is not None and time.monotonic() < deadline:
            ready, _, _ = select.select([self.master], [], [], 0.0 if self.output.endswith(b"\n") else 0.05)
            if not ready and self.output.endswith(b"\n"):
                return
            try:
                chunk = os.read(self.master, 65536) if ready else None
            except OSError:
                return  # EIO: the last process of the terminal is gone
            if chunk == b"":
                return
            self.output += chunk or b""

    def write(self, text):
        """Types text."""
        os.write(self.master, text.encode())

    def close(self):
        """Gives everything back."""
        self.listener.close()
        os.unlink(self.path)
        if self.master is not None:
            os.close(self.master)
