"""The rows `scale`: what a unit costs when there are many (live containers, mounts of the host, bind mounts, variables,
seccomp rules, KiB of config.json), and how many lifecycles a second there are when many go on at once.

Called by bench. Beside apus only crun is measured: the targets name it, and others would take minutes.
"""

import ctypes
import os
import statistics

from machine import SCRATCH, mount
from plans import REAP, execute, execute_lanes, step

MS_BIND, MNT_DETACH = 4096, 2  # mount(2), umount(2)
LIVE, HOST_MOUNTS, LANES, TURNS = 1000, 10_000, (8, 32), 4


class Scale:
    """Each row compares N units with N/10 and with none, taken in turns, or around each other where that cannot be."""

    def __init__(self, bench):
        self.bench = bench
        self.names = [name for name in bench.runtimes if name != "runc"]
        self.samples = max(5, bench.samples // 4)

    def measure(self):
        bundles = self.bench.bundles
        self.in_one_container("bind mount", "bind mounts", 1000, bundles.binds)
        self.in_one_container("env entry", "env entries", 10_000, bundles.environment)
        self.in_one_container("seccomp rule", "seccomp rules", 500, bundles.rules)
        self.in_one_container("KiB of config", "KiB of config", 1024, bundles.annotations)
        self.host_mounts()
        for lanes in LANES:
            self.lifecycles(lanes)
        self.live_containers()

    def derive(self, row, name, unit, *samples):
        self.bench.derived.append((row, name, unit, list(samples)))

    def per_unit(self, unit, name, count, *times):
        """The cost of one unit among many, and over that among a tenth: above 1 it grows with their number.

        Of the fastest samples: a busy machine only adds to a time, and the difference of two small ones is lost in it.
        """
        none, some, many = map(min, times)
        each, before = (many - none) / count, (some - none) / (count // 10)
        self.derive(f"{unit}, each", name, "us", 1000 * each)
        if before > 0:
            self.derive(f"{unit}, growth", name, "x", each / before)

    # In one container

    def in_one_container(self, unit, units, count, make_bundle):
        """`run` of a container with so many units, beside one with a tenth and one with none."""
        bundles = {0: self.bench.bundles.short, count // 10: make_bundle(count // 10), count: make_bundle(count)}
        rows = {number: f"run, {number} {units}" for number in bundles}
        plan = [step(rows[number], name, self.bench.command(name, "run", "--bundle", bundles[number],
                                                            self.bench.container(name)))
                for number in bundles for name in self.names]
        for sample in execute(plan, 1 + self.samples)[len(plan):]:
            self.bench.keep(sample)
        for name in self.names:
            none = self.bench.forget((rows[0], name))
            some, many = (self.bench.times[(rows[number], name)] for number in (count // 10, count))
            self.per_unit(unit, name, count, none, some, many)

    # Of the machine

    def host_mounts(self):
        """`run` where the runtime's own mount namespace has so many mounts, all of them binds on a tmpfs."""
        place, times = SCRATCH / "mounts", {}
        place.mkdir()
        for _ in range(2):
            for number in (0, HOST_MOUNTS // 10, HOST_MOUNTS):
                make_mounts(place, number)
                try:
                    self.runs(f"run, {number} host mounts", (1 + self.samples) // 2, times, number)
                finally:
                    take_mounts(place)
        for name in [*self.names, "floor"]:
            self.per_unit("host mount", name, HOST_MOUNTS,
                          *(times[(number, name)] for number in (0, HOST_MOUNTS // 10, HOST_MOUNTS)))
            self.bench.forget(("run, 0 host mounts", name))

    def runs(self, row, rounds, times, key):
        plan = [step(row, name, self.bench.command(name, "run", "--bundle", self.bench.bundles.short,
                                                   self.bench.container(name))) for name in self.names]
        plan.append(self.bench.floor_step(row))
        for sample in execute(plan, 1 + rounds)[len(plan):]:
            self.bench.keep(sample)
            times.setdefault((key, sample.runtime), []).append(sample.milliseconds)

    # At once

    def lifecycles(self, lanes):
        """Create, start, kill, delete, by so many callers at once; the runtimes take turns."""
        rounds, rates = max(2, 64 // lanes), {name: [] for name in self.names}
        for _ in range(1 + TURNS):
            for name in self.names:
                plans = [self.lifecycle(name, f"{self.bench.container(name)}-{lane}") for lane in range(lanes)]
                _, seconds = execute_lanes(plans, rounds)
                rates[name].append(lanes * rounds / seconds)
        for name in self.names:
            self.derive(f"lifecycles, {lanes} at once", name, "1/s", *rates[name][1:])

    def lifecycle(self, name, container):
        command = self.bench.command
        return [step("create", name, command(name, "create", "--bundle", self.bench.bundles.long, container)),
                step("start", name, command(name, "start", container)),
                step("kill", name, command(name, "kill", container, "KILL")),
                REAP,
                step("delete", name, command(name, "delete", container))]

    # Live containers

    def live_containers(self):
        """`create` beside 1000 containers of the same runtime that wait for their start; and before and after them.

        The floor beside them has no state to look through: what it loses is the kernel's.
        """
        none, many, times = "create, none live", f"create, {LIVE} live", {}
        for name in self.names:
            live = [f"{self.bench.container(name)}-live-{number}" for number in range(LIVE)]
            self.creations(none, name, times)
            try:
                self.on_both_processors(name, live, "create", "--bundle", self.bench.bundles.long)
                self.creations(many, name, times)
                listing = step(f"list, {LIVE} live", name, self.bench.command(name, "list"))
                for sample in execute([listing], 1 + self.samples)[1:]:
                    self.bench.keep(sample)
            finally:
                self.on_both_processors(name, live, "delete", "--force")
            self.creations(none, name, times)
        for name in [*self.names, "floor"]:
            beside_many, beside_none = (statistics.median(times[(row, name)]) for row in (many, none))
            self.derive(f"{many} / none", name, "x", beside_many / beside_none)

    def creations(self, row, name, times):
        container = self.bench.container(name)
        plan = [step(row, name, self.bench.command(name, "create", "--bundle", self.bench.bundles.long, container)),
                step("delete", name, self.bench.command(name, "delete", "--force", container)), REAP,
                self.bench.floor_step(row)]
        for sample in execute(plan, 1 + self.samples)[3:]:
            if sample.row == row:
                self.bench.keep(sample)
                times.setdefault((row, sample.runtime), []).append(sample.milliseconds)

    def on_both_processors(self, name, containers, *words):
        execute_lanes([[step(words[0], name, self.bench.command(name, *words, container)) for container in half]
                       for half in (containers[::2], containers[1::2])])


def make_mounts(place, count):
    """A tmpfs with so many bind mounts on it, in this process's mount namespace."""
    library = ctypes.CDLL(None, use_errno=True)
    mount("-t", "tmpfs", "bench", place)
    (place / "source").mkdir()
    for number in range(count):
        target = place / str(number)
        target.mkdir()
        if library.mount(str(place / "source").encode(), str(target).encode(), None, MS_BIND, None) != 0:
            raise OSError(ctypes.get_errno(), f"mount {target}: {os.strerror(ctypes.get_errno())}")


def take_mounts(place):
    library = ctypes.CDLL(None, use_errno=True)
    if library.umount2(str(place).encode(), MNT_DETACH) != 0:
        raise OSError(ctypes.get_errno(), f"umount {place}: {os.strerror(ctypes.get_errno())}")
