"""One run of the suite against one runtime: temporary directory, private mounts, workers."""

import contextlib
import os
import shutil
import tempfile
import time

from . import bundle, cgroups, kernel, leaks, pool

ROOTLESS_UID = 64321  # an id that no user of the machine has


def cache_directory():
    """Where the compiled probe is kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    directory = f"{base}/oci-conformance"
    os.makedirs(directory, exist_ok=True)
    return directory


@contextlib.contextmanager
def cgroup_mounts(left_over):
    """With left_over, puts this process for good into a mount namespace where every v1 controller is mounted."""
    if left_over:
        kernel.unshare(kernel.CLONE["mnt"])
        kernel.mount(None, "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        directory = tempfile.mkdtemp(prefix="cf-cgroup-")
        try:
            cgroups.mount_left_over(directory)
        finally:
            with contextlib.suppress(OSError):
                os.rmdir(directory)
    yield


def _end_interrupted(prefix):
    """Ends what workers that did not come to their own end have left: runtimes, containers, cgroups."""
    deadline = time.monotonic() + 5
    leaks.end_children()
    while (left := cgroups.directories(prefix)) and time.monotonic() < deadline:
        cgroups.remove(left)
        leaks.end_children()


def run(cases, program, root_flags=(), jobs=2, rootless=False, timeout=20, mount_v1=False,
        systemd=False):
    """Runs the cases against program and yields their results in order."""
    kernel.become_subreaper()
    work = tempfile.mkdtemp(prefix="cf-", dir=os.environ.get("TMPDIR", "/tmp"))
    os.chmod(work, 0o755)
    try:
        with cgroup_mounts(mount_v1):
            probe = shutil.copy(bundle.compile_probe(cache_directory()), f"{work}/probe")
            settings = pool.Settings(program, list(root_flags), work, probe, ROOTLESS_UID if rootless else 0, timeout,
                                     systemd)
            try:
                yield from pool.run(cases, jobs, settings)
            finally:
                _end_interrupted(settings.prefix)
    finally:
        shutil.rmtree(work, ignore_errors=True)
