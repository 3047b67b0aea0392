"""The disk images of the guests: built when missing, kept in a cache, named by a hash of everything they are made of."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile

HERE = f"{os.path.dirname(os.path.abspath(__file__))}/image"


class Unavailable(Exception):
    """The image cannot be had on this machine; the text says why."""


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("APUS_VM_CACHE") or f"{base}/apus-vm"


def _key(suite, kernels):
    digest = hashlib.sha256(f"{suite} {kernels}".encode())
    for directory, names, files in sorted(os.walk(HERE)):
        for name in sorted(files):
            path = f"{directory}/{name}"
            digest.update(f"\0{os.path.relpath(path, HERE)}\0{os.access(path, os.X_OK)}\0".encode())
            if not os.path.islink(path):
                with open(path, "rb") as file:
                    digest.update(file.read())
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def opened(suite, kernels, limit):
    """The directory of the image, built in at most limit seconds; nobody removes it while the context lasts."""
    directory = f"{cache()}/{suite}-{_key(suite, kernels)}"
    os.makedirs(cache(), mode=0o700, exist_ok=True)
    with open(f"{directory}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        if not os.path.exists(directory):
            fcntl.flock(lock, fcntl.LOCK_EX)  # a second caller waits here for the build of the first
            if not os.path.exists(directory):
                _build(suite, kernels, directory, limit)
                _remove_older(suite, directory)
            fcntl.flock(lock, fcntl.LOCK_SH)
        yield directory


def _build(suite, kernels, directory, limit):
    if os.getuid() != 0:
        raise Unavailable("building an image needs root")
    for program in ("mkfs.ext4", "apt-get", "dpkg-deb", "perl", "xz", "unshare"):
        if not shutil.which(program):
            raise Unavailable(f"{program} is not installed, so no image can be built")
    new = tempfile.mkdtemp(prefix="new-", dir=cache())
    try:
        # Namespaces of its own: whatever the build mounts or starts ends with it.
        command = ["nice", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                   "--propagation", "private", f"{HERE}/build", suite, " ".join(kernels), new]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=limit)
        os.rename(new, directory)
    except subprocess.SubprocessError as error:
        raise Unavailable(f"the image could not be built: {error}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _remove_older(suite, current):
    """Removes the suite's images of other versions, but not those that somebody uses."""
    for name in os.listdir(cache()):
        path = f"{cache()}/{name}"
        if name.startswith(f"{suite}-") and not name.endswith(".lock") and path != current:
            with open(f"{path}.lock", "w") as lock, contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
                os.unlink(f"{path}.lock")
