"""A Debian root filesystem: made by debootstrap where a mirror answers, else unpacked from a few packages."""

import glob
import os
import shutil
import subprocess

# Enough for bash, coreutils and dpkg to run.
PACKAGES = ("base-files", "bash", "coreutils", "debianutils", "dpkg", "libacl1", "libattr1", "libbz2-1.0", "libc6",
            "libcrypt1", "libgmp10", "liblzma5", "libmd0", "libmount1", "libblkid1", "libpcre2-8-0", "libselinux1",
            "libssl3", "libsmartcols1", "libtinfo6", "libzstd1", "mount", "tar", "zlib1g")
SCRIPT = "cat /etc/debian_version; dpkg --version | head -1; id; mount | wc -l; exit 5"


def cache():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "apus-real-bundles")


def rootfs():
    """The path of the root filesystem, made now unless it is in the cache; None when it cannot be made."""
    path = os.path.join(cache(), "debian")
    if os.path.exists(path + "/bin/bash"):
        return path
    if not shutil.which("dpkg"):
        return None
    os.makedirs(cache(), exist_ok=True)
    for make in (with_debootstrap, with_packages):
        shutil.rmtree(path, ignore_errors=True)
        if make(path) and os.path.exists(path + "/bin/bash"):
            return path
    return None


def with_debootstrap(path):
    source = mirror()
    if not shutil.which("debootstrap") or not source:
        return False
    line = ["debootstrap", "--variant=minbase", source[1], path, source[0]]
    with open(cache() + "/debootstrap.log", "w") as log:
        return run(line, stdout=log, stderr=log, timeout=600)


def mirror():
    """Where this machine's own packages come from, and the name of its release."""
    form = "$(SITE) $(CODENAME) $(COMPONENT)"
    done = subprocess.run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], capture_output=True,
                          text=True, check=False)
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == "main" and "-" not in words[1]:
            return words[0], words[1]
    return None


def with_packages(path):
    folder = cache() + "/packages"
    os.makedirs(folder, exist_ok=True)
    if not run(["apt-get", "download", *PACKAGES], cwd=folder, capture_output=True, timeout=300):
        return False
    os.makedirs(path)
    for package in glob.glob(folder + "/*.deb"):
        run(["dpkg", "-x", package, path], capture_output=True)
    for name in ("dev", "proc", "sys", "tmp", "var/lib/dpkg"):
        os.makedirs(os.path.join(path, name), exist_ok=True)
    return True


def run(line, timeout=60, **options):
    try:
        return subprocess.run(line, stdin=subprocess.DEVNULL, check=False, timeout=timeout, **options).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def copy(source, path, owner):
    """A copy of the root filesystem, for a container whose root is the user `owner` of the host."""
    subprocess.run(["cp", "-a", "--reflink=auto", source, path], check=True)
    if owner:
        subprocess.run(["chown", "-hR", f"{owner}:{owner}", path], check=True)
