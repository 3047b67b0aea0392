"""Turns a config.json that an engine wrote into a fixture without ids, hosts and places, and back into one that runs."""

import json
import os
import re

DIRECTORIES = ("shm", "data", "buildah-bind-target-0")
NAMESPACE_FILES = {"ipc": "ipc", "network": "net", "pid": "pid", "user": "user", "uts": "uts", "cgroup": "cgroup"}
HOST_SOURCES = ("/dev/", "/proc/", "/sys/")
# Stands for any file that an engine binds into a container; as an init it runs what follows its own arguments.
FILE_TEXT = '#!/bin/sh\n[ "$1" = -- ] && shift\nexec "$@"\n'
# Stands for an engine's own hook: keeps the state that it is given.
HOOK_TEXT = '#!/bin/sh\ncat >"$(dirname "$0")/hook-state"\n'


def normalise(config, folder, default_seccomp=None):
    """The fixture of `config`, which an engine in the directory `folder` wrote."""
    config["root"]["path"] = "rootfs"
    for mount in config["mounts"]:
        source = mount.get("source", "")
        if source.startswith("/") and not source.startswith(HOST_SOURCES):
            name = os.path.basename(source)
            mount["source"] = "FILES/" + name + ("/" if name in DIRECTORIES or os.path.isdir(source) else "")
    for hooks in config.get("hooks", {}).values():
        for hook in hooks:
            hook["path"] = "FILES/hook"
    linux = config["linux"]
    for space in linux["namespaces"]:
        if space.get("path"):
            space["path"] = "/proc/HOLDER/ns/" + NAMESPACE_FILES[space["type"]]
    if default_seccomp is not None and linux.get("seccomp") == default_seccomp:
        del linux["seccomp"]
    text = json.dumps(config).replace(folder, "FILES")
    text = text.replace(f"HOSTNAME={os.uname().nodename}", "HOSTNAME=container")
    text = re.sub(r"\b[0-9a-f]{64}\b", "container", text)
    text = re.sub(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{12}\b", "container", text)
    text = re.sub(r"\bbuildah-buildah\d+\b", "container", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "2024-01-01T00:00:00Z", text)
    return json.loads(text)


def substitute(fixture, files, cgroup, holder):
    """The runnable configuration of a fixture.

    Its files are in the directory `files`, its cgroup is below `cgroup`, and the process `holder` is in the namespaces
    that it joins.
    """
    config = json.loads(json.dumps(fixture).replace("FILES/", files + "/").replace("/HOLDER/", f"/{holder}/"))
    linux = config["linux"]
    if linux.get("cgroupsPath"):
        linux["cgroupsPath"] = cgroup + linux["cgroupsPath"]
    for mount in config["mounts"]:
        source = mount.get("source", "")
        if source.startswith(files) and not os.path.exists(source):
            if source.endswith("/"):
                os.makedirs(source)
            else:
                write_program(source, FILE_TEXT)
    if "hooks" in config:
        write_program(files + "/hook", HOOK_TEXT)
    return config


def write_program(path, text):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)


def render(value, indent=0, width=120):
    """JSON text that keeps on one line what fits there, and fills lines with the members of long lists of words."""
    line = json.dumps(value)
    if len(line) + indent <= width or not isinstance(value, (dict, list)) or not value:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {render(item, indent + 4 + len(key), width)}" for key, item in value.items()]
        # What does not fit beside its key is laid out below the key's own indentation.
        parts = [part if "\n" not in part else f"{json.dumps(key)}: {render(item, indent + 2, width)}"
                 for part, (key, item) in zip(parts, value.items())]
        return "{\n" + ",\n".join(inner + part for part in parts) + "\n" + " " * indent + "}"
    if all(isinstance(item, str) for item in value):
        lines, current = [], ""
        for word in map(json.dumps, value):
            if current and len(inner + current + ", " + word) >= width:
                lines.append(current + ",")
                current = word
            else:
                current = current + ", " + word if current else word
        return "[\n" + "\n".join(inner + line for line in lines + [current]) + "\n" + " " * indent + "]"
    return "[\n" + ",\n".join(inner + render(item, indent + 2, width) for item in value) + "\n" + " " * indent + "]"
