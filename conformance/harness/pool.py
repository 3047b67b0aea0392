"""Workers: each is a process with a mount namespace of its own, takes cases from a shared queue, reports on a pipe."""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import time
import traceback

from . import bundle, host, kernel
from .runtime import Runtime
from .scenario import Scenario


class Settings:
    """What all workers share."""

    def __init__(self, program, root_flags, work, probe, uid, timeout, systemd=False):
        self.program, self.root_flags, self.work, self.probe = program, root_flags, work, probe
        self.uid, self.timeout, self.systemd = uid, timeout, systemd
        self.prefix = f"cf{os.getpid()}w"  # how the name of every container of this run begins


def run(cases, jobs, settings):
    """Runs the cases and yields {"id", "outcome", "reasons", "seconds"} for each, in the order of cases."""
    queue, feed = os.pipe()
    workers = {}
    for number in range(jobs):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            for descriptor in [feed, reader, *workers]:
                os.close(descriptor)
            _work(cases, queue, writer, number, settings)
        os.close(writer)
        workers[reader] = (child, os.fdopen(reader, "r"))
    os.close(queue)
    try:
        yield from _collect(cases, feed, workers)
    finally:
        for child, _ in workers.values():
            try:
                os.kill(child, signal.SIGTERM)
            except ProcessLookupError:
                pass
            os.waitpid(child, 0)


def _collect(cases, feed, workers):
    # The queue is a pipe of four-byte numbers: reading one is atomic, so no lock is needed.
    for number in range(len(cases)):
        os.write(feed, number.to_bytes(4, "little"))
    os.close(feed)
    results, following = {}, 0
    alive = dict(workers)
    while following < len(cases) and alive:
        ready, _, _ = select.select(list(alive), [], [])
        for reader in ready:
            line = alive[reader][1].readline()
            if not line:
                del alive[reader]
                continue
            number, result = json.loads(line)
            results[number] = result
        while following in results:
            yield results.pop(following)
            following += 1
    for number in range(following, len(cases)):
        case = cases[number]
        lost = {"id": case["id"], "rule": case["rule"], "outcome": "failed", "reasons": ["the worker ended"],
                "seconds": 0}
        yield results.get(number, lost)


def _work(cases, queue, writer, number, settings):
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        kernel.become_subreaper()
        kernel.die_with_parent()
        token = f"{settings.prefix}{number}-"
        directory = f"{settings.work}/{token}"
        state_root, runtime_directory = f"{directory}/state", f"{directory}/runtime"
        for path in (directory, state_root, runtime_directory):
            os.mkdir(path)
        if settings.uid:
            for path in (state_root, runtime_directory):
                os.chown(path, settings.uid, settings.uid)
        kernel.unshare(kernel.CLONE["mnt"])
        # A host as systemd sets it up: every mount is shared, so a runtime that lets mounts escape is seen.
        kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        _forget_mounts_of_others(needed=(settings.program, settings.work))
        kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_SHARED)
        queue, writer = fcntl.fcntl(queue, fcntl.F_DUPFD_CLOEXEC, 20), fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, 20)
        _reserve_descriptors()
        # So that "not changed" differs from "set to 0". With CAP_SYS_RESOURCE it would also become the least that an
        # ordinary user may set.
        with kernel.without_capability(kernel.CAP_SYS_RESOURCE), open("/proc/self/oom_score_adj", "w") as file:
            file.write("50")
        runtime = Runtime(settings.program, settings.root_flags, state_root, settings.uid, runtime_directory,
                          settings.timeout)
        while chosen := os.read(queue, 4):
            index = int.from_bytes(chosen, "little")
            result = _result(cases[index], runtime, directory, token, index, settings)
            os.write(writer, (json.dumps([index, result]) + "\n").encode())
        shutil.rmtree(directory, ignore_errors=True)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _forget_mounts_of_others(needed):
    """Unmounts, in this worker's namespace, what other programs may take away while a case runs.

    A mount point that its owner removes vanishes from every namespace, which would look like a deed of the runtime.
    Kept are the system's mounts (one level deep, or below /dev, /proc and /sys) and those that lead to needed paths.
    """
    with open("/proc/self/mountinfo") as file:
        points = [line.split()[4] for line in file]
    for point in reversed(points):
        system = point.count("/") == 1 or point.startswith(("/dev/", "/proc/", "/sys/"))
        if not system and not any(path.startswith(f"{point}/") for path in needed):
            with contextlib.suppress(OSError):
                kernel.unmount(point)


def _reserve_descriptors():
    """Opens 3 to 9 on a file with a text, so that a case can hand exactly these numbers to the runtime."""
    file = os.memfd_create("descriptor")
    os.write(file, b"a descriptor of the caller")
    file = fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 20)
    for descriptor in range(3, 10):
        os.dup2(file, descriptor, inheritable=False)
    os.close(file)


def _result(case, runtime, directory, token, number, settings):
    started = time.monotonic()
    reasons = [reason for need in case.get("needs", []) if (reason := host.missing(need, directory))]
    if settings.systemd and bundle.names_a_cgroup(case):
        reasons.append("the case names a cgroup by its path, which systemd does not take")
    outcome = "skipped" if reasons else "passed"
    if not reasons:
        try:
            reasons = Scenario(case, runtime, directory, token, number, settings).run()
        except Exception as error:
            reasons = [f"the harness failed: {error!r}", *traceback.format_exc().splitlines()[-6:]]
        outcome = "failed" if reasons else "passed"
    seconds = round(time.monotonic() - started, 3)
    return {"id": case["id"], "rule": case["rule"], "outcome": outcome, "reasons": reasons, "seconds": seconds}
