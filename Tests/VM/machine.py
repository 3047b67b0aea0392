"""One guest under QEMU: boots, runs one command, streams what it prints, and is discarded.

The machine has no network and its disk is a snapshot. The repository is in it as /apus, read-only; a directory of the
host can be shared as /share. Nothing of a machine outlives this process: QEMU is killed with it.
"""

import contextlib
import os
import selectors
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TIMED_OUT, DIED = 124, 125
POWER_OFF_SECONDS = 20


def unavailable():
    """Why no machine can be booted here, or None."""
    if not shutil.which("qemu-system-x86_64"):
        return "qemu-system-x86_64 is not installed (Debian: qemu-system-x86)"
    return None


class Machine:
    """kernel is "stable" or "backports"; share a directory or None; limit in seconds, for the machine's whole life."""

    def __init__(self, image, kernel, arguments, share=None, limit=900, memory=2048, console=None):
        self.image, self.kernel, self.arguments = image, kernel, arguments
        self.share, self.limit, self.memory, self.console = share, limit, memory, console
        self.is_up, self.failure = False, None

    def run(self, command):
        """Runs the command (one word: a script for bash; several: a program and its arguments); its exit status."""
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="apus-vm-") as directory:
            with open(f"{directory}/job", "w") as job:
                job.write(command[0] if len(command) == 1 else shlex.join(command))
            status = self._boot(directory, started)
            if status == DIED and not self.is_up:
                say("it died before it was up, as an emulated kernel does now and then: once more")
                status = self._boot(directory, started)
            if self.console:
                shutil.copy(f"{directory}/console", self.console)
        say(f"ended after {time.monotonic() - started:.1f} s, status {status}")
        return status

    def _boot(self, directory, started):
        streams = {name: os.pipe() for name in ("control", "output", "errors")}
        for _, writer in streams.values():
            os.set_inheritable(writer, True)
        with open(f"{directory}/qemu", "w") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "nice", "-n", "5", "qemu-system-x86_64", *self._arguments(directory, streams)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=False, env={**os.environ, "TMPDIR": directory})
        for _, writer in streams.values():
            os.close(writer)
        try:
            return self._watch({name: reader for name, (reader, _) in streams.items()}, started)
        finally:
            process.kill()
            process.wait()
            for reader, _ in streams.values():
                os.close(reader)
            self._explain(directory)

    def _arguments(self, directory, streams):
        def port(name):
            return ["-chardev", f"file,id={name},path=/dev/fd/{streams[name][1]},append=on",
                    "-device", f"virtserialport,chardev={name},name=vm.{name}"]

        def shared(tag, path, readonly):
            return ["-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap,readonly={readonly}",
                    "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]

        share = shared("share", os.path.realpath(self.share), "off") if self.share else []
        return [
            "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max", "-M", "q35", "-smp", "2", "-m", str(self.memory),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-rtc", "base=utc",
            "-kernel", f"{self.image}/kernel-{self.kernel}", "-initrd", f"{self.image}/initramfs-{self.kernel}",
            "-append", self.arguments + (" vm.share=1" if share else ""),
            "-serial", f"file:{directory}/console", "-device", "virtio-rng-pci",
            "-drive", f"if=none,id=root,file={self.image}/root.img,format=raw,snapshot=on,cache=unsafe,discard=unmap",
            "-device", "virtio-blk-pci,drive=root", "-device", "virtio-serial-pci",
            *port("control"), *port("output"), *port("errors"),
            "-fw_cfg", f"name=opt/vm/job,file={directory}/job", *shared("apus", REPOSITORY, "on"), *share,
        ]

    def _watch(self, readers, started):
        """Passes the streams on until the machine is off; the status that the job reported."""
        status, control, deadline = None, b"", started + self.limit
        with selectors.DefaultSelector() as selector:
            for name, reader in readers.items():
                selector.register(reader, selectors.EVENT_READ, name)
            while selector.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    if not (data := os.read(key.fd, 65536)):
                        selector.unregister(key.fd)
                    elif key.data != "control":
                        write(1 if key.data == "output" else 2, data)
                    else:
                        *lines, control = (control + data).split(b"\n")
                        for word, *rest in map(lambda line: line.decode().split(), lines):
                            if word == "ready":
                                self.is_up = True
                                say(f"up after {time.monotonic() - started:.1f} s, systemd says {' '.join(rest[1:])}")
                            else:
                                status = int(rest[0])
                                deadline = min(deadline, time.monotonic() + POWER_OFF_SECONDS)
        self.failure = None
        if status is not None:
            return status
        timed_out = time.monotonic() >= started + self.limit
        self.failure = f"killed at the limit of {self.limit} s" if timed_out else "ended without a status"
        return TIMED_OUT if timed_out else DIED

    def _explain(self, directory):
        """After a machine that did not report: the last lines of its console and of QEMU."""
        if not self.failure:
            return
        say(self.failure)
        for name in ("console", "qemu"):
            with contextlib.suppress(FileNotFoundError), open(f"{directory}/{name}", errors="replace") as file:
                for line in file.read().replace("\r", "").replace("\0", "").splitlines()[-15:]:
                    say(f"{name}: {line}")


def write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data):]


def say(text):
    print(f"vm: {text}", file=sys.stderr, flush=True)
