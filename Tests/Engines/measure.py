"""What the machine says of a container's limits."""

import os
import re
import time

from bench import Skipped


def processor_share(pid, seconds=1.0):
    def used():
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    before, began = used(), time.monotonic()
    time.sleep(seconds)
    return (used() - before) / (time.monotonic() - began)


def limit(bench, pid, controller, name):
    """What a file of the process's v1 cgroup says, or on a machine that has v2 alone the file in its place."""
    if not os.path.exists(f"/sys/fs/cgroup/{controller}"):
        return unified_limit(bench, pid, name)
    line = rf"^\d+:(?:[^:\n]*,)?{controller}(?:,[^:\n]*)?:(.*)$"
    place = re.search(line, bench.text(f"/proc/{pid}/cgroup"), re.MULTILINE)
    if not place:
        raise Skipped(f"there is no v1 hierarchy of {controller}")
    return bench.text(f"/sys/fs/cgroup/{controller}{place[1]}/{name}")


# The v2 file of a v1 limit, and which of its fields.
UNIFIED = {"memory.limit_in_bytes": ("memory.max", 0), "cpu.cfs_quota_us": ("cpu.max", 0),
           "cpu.cfs_period_us": ("cpu.max", 1), "pids.max": ("pids.max", 0)}


def unified_limit(bench, pid, name):
    if name not in UNIFIED:
        raise Skipped(f"v2 has nothing that is {name} to the number")
    file, field = UNIFIED[name]
    place = bench.text(f"/proc/{pid}/cgroup").partition("::")[2]
    return bench.text(f"/sys/fs/cgroup{place}/{file}").split()[field]
