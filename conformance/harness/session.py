"""One run of the suite against one runtime: temporary directory, private mounts, workers."""

import contextlib
import os
import shutil
import tempfile

from . import bundle, cgroups, kernel, pool

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


def run(cases, program, root_flags=(), jobs=2, rootless=False, timeout=20, mount_v1=False):
    """Runs the cases against program and yields their results in order."""
    if os.getuid() != 0:
        raise PermissionError("the suite runs as root; --rootless calls the runtime as an unprivileged user")
    work = tempfile.mkdtemp(prefix="cf-", dir=os.environ.get("TMPDIR", "/tmp"))
    os.chmod(work, 0o755)
    try:
        with cgroup_mounts(mount_v1):
            probe = shutil.copy(bundle.compile_probe(cache_directory()), f"{work}/probe")
            settings = pool.Settings(program, list(root_flags), work, probe, ROOTLESS_UID if rootless else 0, timeout)
            yield from pool.run(cases, jobs, settings)
    finally:
        shutil.rmtree(work, ignore_errors=True)
