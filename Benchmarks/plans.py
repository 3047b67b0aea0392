"""The plans that spawn.c carries out, and what it says about each command. Called by bench and the rows beside it."""

import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from machine import CACHE, BenchError

HERE = Path(__file__).resolve().parent
BURST = 5  # samples taken in one turn where "back to back" is measured
IDLE, REAP = ["@idle", "50"], ["@reap"]  # steps of a plan that are not commands (spawn.c)


class Sample(NamedTuple):
    """What one command cost."""
    row: str
    runtime: str
    milliseconds: float
    mebibytes: float
    faults: int
    instructions: int | None  # millions; None where the machine cannot count them


def build(name):
    """The path of a C program of this directory, compiled when it is older than its source."""
    source, program = HERE / f"{name}.c", CACHE / name
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        flags = ["-std=gnu11", "-O2", "-static", "-Wall", "-Wextra", "-Werror"]
        subprocess.run([os.environ.get("CC", "cc"), *flags, source, "-o", program], check=True)
    return str(program)


def step(row, name, words):
    """A measured step of a plan."""
    return [f"{row}|{name}", *words]


def execute(plan, rounds=1):
    """Has spawn run a plan, and returns a sample for every command, in order."""
    return execute_lanes([plan], rounds)[0][0]


def execute_lanes(plans, rounds=1):
    """Has one spawn for each plan run it, all at once; returns their samples, and the seconds until the last ended."""
    lanes = [subprocess.Popen([build("spawn"), str(rounds)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) for _ in plans]
    try:
        start = time.monotonic()  # all wait for their plans now
        for lane, plan in zip(lanes, plans):
            lane.stdin.write("".join("\t".join(words) + "\n" for words in plan))
            lane.stdin.close()
            lane.stdin = None  # communicate() must not touch it again
        outputs = [lane.communicate() for lane in lanes]
        seconds = time.monotonic() - start
    finally:
        for lane in lanes:
            if lane.poll() is None:
                lane.kill()
                lane.wait()
    for lane, (_, errors) in zip(lanes, outputs):
        if lane.returncode != 0:
            raise BenchError(errors.strip() or f"spawn ended with status {lane.returncode}")
    return [[parse(line) for line in output.splitlines()] for output, _ in outputs], seconds


def parse(line):
    label, nanoseconds, kibibytes, faults, instructions = line.split("\t")
    return Sample(*label.split("|"), int(nanoseconds) / 1e6, int(kibibytes) / 1024, int(faults),
                  None if instructions == "-" else int(instructions) / 1e6)
