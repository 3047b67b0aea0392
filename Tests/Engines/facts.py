"""Compares what a probe saw inside a container with what the container's config.json asked for."""

import os
import re

CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split()
LIMITS = {"RLIMIT_NOFILE": "Max open files", "RLIMIT_NPROC": "Max processes"}
NAMESPACES = {"cgroup": "cgroup", "ipc": "ipc", "mount": "mnt", "network": "net", "pid": "pid", "user": "user",
              "uts": "uts"}
DEVICES = {"/dev/null": (1, 3), "/dev/zero": (1, 5), "/dev/full": (1, 7), "/dev/random": (1, 8),
           "/dev/urandom": (1, 9), "/dev/tty": (5, 0)}
FLAGS = {"ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec"}
UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def parse(output):
    """The probe's answer: a dictionary of section names and lines."""
    sections, lines = {}, []
    for line in output.replace("\r", "").split("\n"):
        if line.startswith("--- "):
            lines = sections.setdefault(line[4:], [])
        elif line:
            lines.append(line)
    return sections


def status_of(lines):
    return {line.split(":", 1)[0]: line.split(":", 1)[1].split() for line in lines if ":" in line}


class Mounts:
    """The container's mount table."""

    def __init__(self, lines):
        self.entries = []
        for line in lines:
            left, _, right = line.partition(" - ")
            fields, kind = left.split(" "), right.split(" ")
            self.entries.append({
                "root": fields[3], "point": fields[4], "flags": set(fields[5].split(",")), "type": kind[0],
                "options": kind[2].split(",") if len(kind) > 2 else []})

    def at(self, point):
        """The uppermost mount on exactly this place."""
        return next((entry for entry in reversed(self.entries) if entry["point"] == point), None)

    def covering(self, path):
        """The mount that a path is on."""
        while path != "/" and not self.at(path):
            path = os.path.dirname(path)
        return self.at(path)


def mismatches(config, output):
    """Sentences about everything that is not as the configuration says."""
    seen = parse(output)
    if "end" not in seen:
        return [f"the probe did not finish: {output[-600:]!r}"]
    mounts = Mounts(seen["mountinfo"])
    found = []
    for check in (identity, powers, limits, surroundings, namespaces, devices):
        found += check(config, seen)
    for check in (mounted, hidden):
        found += check(config, mounts)
    return found


def differs(what, expected, seen):
    return [] if expected == seen else [f"{what} is {seen!r}, not {expected!r}"]


def identity(config, seen):
    user, status = config["process"]["user"], status_of(seen["status"])
    found = differs("the user", [str(user.get("uid", 0))] * 4, status["Uid"])
    found += differs("the group", [str(user.get("gid", 0))] * 4, status["Gid"])
    found += differs("the supplementary groups", sorted(set(user.get("additionalGids", []))),
                     sorted(map(int, status["Groups"])))
    if "umask" in user:
        found += differs("the umask", user["umask"], int(seen["umask"][0], 8))
    return found


def mask(names):
    return sum(1 << CAPABILITIES.index(name[4:]) for name in names or [] if name[4:] in CAPABILITIES)


def powers(config, seen):
    """Capabilities as execve(2) leaves them, no_new_privs and seccomp."""
    process, status = config["process"], status_of(seen["status"])
    with open("/proc/self/status") as file:
        own = status_of(file.read().split("\n"))
    asked = {kind: mask(process.get("capabilities", {}).get(kind))
             for kind in ("bounding", "permitted", "inheritable", "ambient")}
    grantable = (1 << len(CAPABILITIES)) - 1
    if not any(space["type"] == "user" for space in config["linux"]["namespaces"]):
        grantable = int(own["CapBnd"][0], 16)
    bounding = asked["bounding"] & grantable
    inheritable = asked["inheritable"] & grantable
    ambient = asked["ambient"] & asked["permitted"] & inheritable
    permitted = bounding | inheritable if process["user"].get("uid", 0) == 0 else ambient
    # Under no_new_privs execve(2) adds nothing.
    if process.get("noNewPrivileges"):
        permitted &= asked["permitted"] | ambient
    found = []
    for name, value in (("CapBnd", bounding), ("CapInh", inheritable), ("CapAmb", ambient), ("CapPrm", permitted),
                        ("CapEff", permitted)):
        found += differs(name, f"{value:016x}", status[name][0])
    found += differs("NoNewPrivs", str(int(process.get("noNewPrivileges", False))), status["NoNewPrivs"][0])
    filtered = config["linux"].get("seccomp")
    found += differs("Seccomp", "2" if filtered else own["Seccomp"][0], status["Seccomp"][0])
    refused = [rule for rule in (filtered or {}).get("syscalls", [])
               if "setpriority" in rule["names"] and rule["action"] == "SCMP_ACT_ERRNO"]
    return found + differs("nice was refused", "yes" if refused else "no", seen["nice-refused"][-1])


def limits(config, seen):
    found = []
    for limit in config["process"].get("rlimits", []):
        title = LIMITS.get(limit["type"])
        lines = [line for line in seen["limits"] if title and line.startswith(title)]
        if lines:
            found += differs(title, [str(limit["soft"]), str(limit["hard"])], lines[0][len(title):].split()[:2])
    return found


def surroundings(config, seen):
    process = config["process"]
    environment = dict(line.split("=", 1) for line in seen["env"] if "=" in line)
    found = differs("the working directory", process["cwd"], seen["cwd"][0])
    for name, value in dict(entry.split("=", 1) for entry in process.get("env", [])).items():
        found += differs(f"the variable {name}", value, environment.get(name))
    if "hostname" in config:
        found += differs("the host name", config["hostname"], seen["hostname"][0])
    if "oomScoreAdj" in process:
        found += differs("oom_score_adj", str(process["oomScoreAdj"]), seen["oom"][0])
    forwarding = config["linux"].get("sysctl", {}).get("net.ipv4.ip_forward")
    if forwarding:
        found += differs("net.ipv4.ip_forward", forwarding, seen["forwarding"][0])
    return found + differs("a terminal", "yes" if process.get("terminal") else "no", seen["terminal"][0])


def namespaces(config, seen):
    asked = {space["type"]: space.get("path") for space in config["linux"]["namespaces"]}
    inside = dict(line.split(" ", 1) for line in seen["namespaces"])
    found = []
    for kind, name in NAMESPACES.items():
        own = os.readlink(f"/proc/self/ns/{name}")
        if kind not in asked:
            found += differs(f"the {kind} namespace", own, inside[name])
        elif not asked[kind] and inside[name] == own:
            found.append(f"the {kind} namespace is the host's")
        elif asked[kind] and os.path.exists(asked[kind]):
            found += differs(f"the {kind} namespace", f"{name}:[{os.stat(asked[kind]).st_ino}]", inside[name])
    return found


def devices(config, seen):
    inside = {line.split()[0]: line.split()[1] for line in seen["devices"] if line.startswith("/dev/")}
    wanted = dict(DEVICES)
    for device in config["linux"].get("devices", []):
        # /dev/ptmx is always a link to the container's own: config-linux.md, Default Devices.
        if device["type"] in "cu" and re.fullmatch("/dev/(?!ptmx)[^/]*", device["path"]):
            wanted[device["path"]] = (device["major"], device["minor"])
    found = []
    for path, (major, minor) in wanted.items():
        found += differs(path, f"{major:x}:{minor:x}", inside.get(path))
    return found


def mounted(config, mounts):
    found = differs("a read-only root", config["root"].get("readonly", False), "ro" in mounts.at("/")["flags"])
    last = {os.path.normpath(mount["destination"]): mount for mount in config["mounts"]}
    for point, mount in last.items():
        entry, options = mounts.at(point), mount.get("options", [])
        if not entry:
            found.append(f"nothing is mounted on {point}")
            continue
        bound = "bind" in options or "rbind" in options
        if not bound and mount["type"] != "cgroup":
            found += differs(f"the filesystem on {point}", mount["type"], entry["type"])
        effective = {}
        for option in options:
            if option in FLAGS:
                base = {"ro": "ro", "rw": "ro"}.get(option, option if option.startswith("no") else "no" + option)
                effective[base] = option == base
        for flag, on in effective.items():
            if on and flag not in entry["flags"]:
                found.append(f"{point} is not {flag}")
            if not on and flag in entry["flags"]:
                found.append(f"{point} is {flag}")
        if entry["type"] == "tmpfs" and not bound:
            found += differs(f"the size of {point}", size(options), size(entry["options"]))
    return found


def size(options):
    for option in options:
        match = re.fullmatch(r"size=(\d+)([kmg]?)", option)
        if match:
            return int(match[1]) * UNITS[match[2]]
    return None


def hidden(config, mounts):
    """Masked paths hold nothing, read-only paths cannot be written. What the host's kernel lacks is not looked at."""
    linux, found = config["linux"], []
    for path in linux.get("maskedPaths") or []:
        if os.path.exists(path):
            entry = mounts.at(path)
            if not entry or not (entry["root"] == "/null" or entry["type"] == "tmpfs" and "ro" in entry["flags"]):
                found.append(f"{path} is not masked")
    for path in linux.get("readonlyPaths") or []:
        if os.path.exists(path) and "ro" not in mounts.covering(path)["flags"]:
            found.append(f"{path} can be written")
    return found
