"""Makes the root filesystem of the probe, as a directory and as an image that podman, docker and ctr all load."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile

NAME = "localhost/apus-probe:latest"
PAUSE = "localhost/apus-pause:latest"
FOLDERS = ("bin", "data", "dev", "etc", "proc", "root", "run", "scratch", "sys", "tmp", "var")
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n",
    "etc/group": "root:x:0:\nuser:x:1000:\nextra:x:2000:\n",
}


def busybox():
    """The path of a static busybox, or None."""
    for path in ("/bin/busybox", shutil.which("busybox") or ""):
        if os.path.exists(path):
            return path
    return None


def make_rootfs(path, owner=0):
    """Fills the directory `path`, which need not exist, with busybox and the probe, all owned by `owner`."""
    for folder in FOLDERS:
        os.makedirs(os.path.join(path, folder), exist_ok=True)
    os.chmod(os.path.join(path, "tmp"), 0o1777)
    for name, text in FILES.items():
        with open(os.path.join(path, name), "w") as file:
            file.write(text)
    shutil.copy2(busybox(), os.path.join(path, "bin/busybox"))
    shutil.copy2(os.path.join(os.path.dirname(__file__), "probe.sh"), os.path.join(path, "bin/probe"))
    os.chmod(os.path.join(path, "bin/probe"), 0o755)
    for applet in subprocess.check_output([busybox(), "--list"], text=True).split():
        if applet != "busybox":
            os.symlink("busybox", os.path.join(path, "bin", applet))
    if owner:
        give(path, owner)


def give(path, owner):
    """Gives a tree to the user and group `owner`, as an engine does for a user namespace."""
    os.lchown(path, owner, owner)
    for parent, folders, files in os.walk(path):
        for name in folders + files:
            os.lchown(os.path.join(parent, name), owner, owner)


def make_archive(rootfs, path):
    """Writes the directory `rootfs` to the file `path` as an archive of two images that have it as their one layer: one
    that probes, and one that waits, as the sandbox of a pod does."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(rootfs, ".")
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    files, manifest = {"layer.tar": layer.getvalue()}, []
    for name, command in ((NAME, ["/bin/probe"]), (PAUSE, ["/bin/sleep", "infinity"])):
        config = json.dumps({
            "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine),
            "os": "linux",
            "config": {"Cmd": command, "Env": ["PATH=/usr/bin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]},
            "history": [{"created": "2024-01-01T00:00:00Z", "comment": name}],
        }).encode()
        file = hashlib.sha256(config).hexdigest() + ".json"
        files[file] = config
        manifest.append({"Config": file, "RepoTags": [name], "Layers": ["layer.tar"]})
    files["manifest.json"] = json.dumps(manifest).encode()
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
