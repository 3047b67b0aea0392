"""A seccomp agent: takes the container process state from the runtime and answers one kind of notification.

It runs as a process of its own, so that it can answer while the harness waits for the runtime. What it has received
is in a file, as one JSON object.
"""

import array
import fcntl
import json
import os
import select
import socket
import struct
import time

from . import kernel

RECEIVE, SEND = 0xC0502100, 0xC0182101  # ioctls of a seccomp notification descriptor
ANSWER = 18  # EXDEV: an errno that none of the probe's calls gives by itself


class Agent:
    """Listens at path until release()."""

    def __init__(self, path, report, owner):
        self.report = report
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        os.chown(path, owner, owner)
        listener.listen(4)
        self.process = os.fork()
        if self.process == 0:
            try:
                kernel.die_with_parent()
                _serve(listener, report)
            finally:
                os._exit(0)
        listener.close()

    def children(self):
        """The agent's process, a child of the harness."""
        return {self.process}

    def received(self, timeout):
        """What has come until the connection was closed, or what there is when time is over."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if os.path.exists(self.report):
                with open(self.report) as file:
                    return json.load(file)
            time.sleep(0.002)
        return None

    def release(self):
        """Ends the process."""
        os.kill(self.process, 9)
        os.waitpid(self.process, 0)


def _serve(listener, report):
    """Accepts connections, reads each to its end, and answers the notifications on the descriptors received."""
    connections, payload, descriptors, open_connections = 0, b"", [], []
    while True:
        ready, _, _ = select.select([listener, *open_connections, *descriptors], [], [])
        for source in ready:
            if source is listener:
                open_connections.append(listener.accept()[0])
                connections += 1
            elif source in open_connections:
                data, rights = _message(source)
                payload += data
                descriptors += rights
                if not data:
                    source.close()
                    open_connections.remove(source)
                    _write(report, payload, len(descriptors), connections)
            elif not _answer(source):
                descriptors.remove(source)


def _message(connection):
    numbers = array.array("i")
    data, ancillary, _, _ = connection.recvmsg(1 << 16, socket.CMSG_SPACE(8 * numbers.itemsize))
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(content[:len(content) - len(content) % numbers.itemsize])
    return data, list(numbers)


def _write(report, payload, descriptors, connections):
    decoder, text, documents = json.JSONDecoder(), payload.decode(), []
    while text.strip():
        document, end = decoder.raw_decode(text.lstrip())
        documents.append(document)
        text = text.lstrip()[end:]
    result = {**(documents[0] if documents else {}), "descriptors": descriptors, "connections": connections,
              "documents": len(documents), "closed": True}
    with open(f"{report}.new", "w") as file:
        json.dump(result, file)
    os.rename(f"{report}.new", report)


def _answer(descriptor):
    """Answers one notification. False when the filter has no process any more."""
    request = bytearray(80)
    try:
        fcntl.ioctl(descriptor, RECEIVE, request)
        identifier = struct.unpack_from("=Q", request)[0]
        fcntl.ioctl(descriptor, SEND, struct.pack("=QqiI", identifier, 0, -ANSWER, 0))
    except OSError:
        return False
    return True
