"""Prints what was measured: the table with its ratios, the targets, and the comparison with an earlier run.

Called by bench with the list of {row, runtime, unit, min, median, p90, samples}.
"""

import json
from pathlib import Path

REFERENCES = ("crun", "runc", "floor", "hello")
LINEAR = 1.2  # a unit among N over one among N/10; what is above 1 and below this is the machine's

# (row, divided by, required, aimed at): ratios; a missing "divided by" makes them absolute, in the row's unit.
TARGETS = (
    ("--version", "hello", 1.6, None),
    ("run", "crun", 0.55, 0.40),
    ("run", "runc", 0.20, 0.15),
    ("run", "floor", None, 1.5),
    ("seccomp, over run", None, None, 0.3),
    ("cold create", "crun", 0.5, None),
    ("cold lifecycle", "crun", None, 0.35),
    ("cold lifecycle", "runc", None, 0.20),
    ("start", "crun", None, 0.40),
    ("state", "crun", None, 0.40),
    ("kill", "crun", None, 0.40),
    ("delete", "crun", None, 0.40),
    ("exec", "crun", None, 0.45),
    ("peak RSS", None, 6.0, 4.0),
    ("bind mount, each", "crun", None, 1.0),
    ("env entry, each", "crun", None, 1.0),
    ("seccomp rule, each", "crun", None, 1.0),
    ("KiB of config, each", "crun", None, 1.0),
    ("host mount, each", "crun", None, 1.0),
    ("bind mount, growth", None, None, LINEAR),
    ("env entry, growth", None, None, LINEAR),
    ("seccomp rule, growth", None, None, LINEAR),
    ("KiB of config, growth", None, None, LINEAR),
    ("host mount, growth", None, None, LINEAR),
    ("create, 1000 live / none", None, None, 1.15),
)
# The same, where more is better.
AT_LEAST = (
    ("lifecycles, 8 at once", "crun", 2.0),
    ("lifecycles, 32 at once", "crun", 2.0),
)
WHOLE = ("calls", "faults")  # units without fractions
DIFFERENCES = ("seccomp, over run",)  # rows of which a ratio says nothing


def print_table(results):
    medians = {(result["row"], result["runtime"]): result["median"] for result in results}
    references = [name for name in REFERENCES if any(name == result["runtime"] for result in results)]
    header = "".join(f"{'/' + name:>8}" for name in references)
    print(f"{'':40}{'min':>9}{'median':>9}{'p90':>9}  {'':8}{header}")
    for row in dict.fromkeys(result["row"] for result in results):
        for index, result in enumerate(result for result in results if result["row"] == row):
            digits = 0 if result["unit"] in WHOLE else 2
            numbers = "".join(f"{result[column]:>9.{digits}f}" for column in ("min", "median", "p90"))
            ratios = "".join(f"{result['median'] / medians[(row, name)]:>8.2f}"
                             if medians.get((row, name), 0) > 0 and row not in DIFFERENCES else f"{'':8}"
                             for name in references)
            print(f"{row if index == 0 else '':32}{result['runtime']:8}{numbers}  {result['unit']:8}{ratios}".rstrip())


def print_steps(results):
    for name in dict.fromkeys(result["runtime"] for result in results):
        print(f"\none run of {name}, from its trace: medians in us; steps of two processes can overlap\n"
              f"{'process':14}{'step':26}{'times':>6}{'begin':>10}{'duration':>10}{'p90':>10}{'share':>8}")
        for result in (result for result in results if result["runtime"] == name):
            print(f"{result['process']:14}{result['step']:26}{result['count']:>6}{result['begin']:>10.0f}"
                  f"{result['median']:>10.0f}{result['p90']:>10.0f}{result['share']:>8.1%}")


def print_targets(results, subject):
    medians = {(result["row"], result["runtime"]): result["median"] for result in results}

    def value(row, reference):
        if (row, subject) not in medians or (reference and medians.get((row, reference), 0) <= 0):
            return None
        return medians[(row, subject)] / (medians[(row, reference)] if reference else 1)

    lines = []
    for row, reference, required, aim in TARGETS:
        if (found := value(row, reference)) is not None:
            verdict = ("misses the required" if required and found > required else
                       "misses the aim" if aim and found > aim else "met")
            limits = ", ".join(f"{word} <= {limit:g}"
                               for word, limit in (("required", required), ("aim", aim)) if limit)
            lines.append((row, reference, found, limits, verdict))
    for row, reference, aim in AT_LEAST:
        if (found := value(row, reference)) is not None:
            lines.append((row, reference, found, f"aim >= {aim:g}", "met" if found >= aim else "misses the aim"))
    if lines:
        print(f"\n{subject} against the targets:")
    for row, reference, found, limits, verdict in lines:
        print(f"  {row + (f' / {reference}' if reference else ''):30}{found:>7.2f}   {limits:34}{verdict}")


def print_comparison(results, path):
    """Medians over an earlier run's, and the same after dividing both by crun's, which cancels the machine's mood."""
    before = json.loads(Path(path).read_text())["results"]
    earlier, now = ({(result["row"], result["runtime"]): result["median"] for result in run}
                    for run in (before, results))
    print(f"\nagainst {path}:\n{'':40}{'earlier':>9}{'now':>9}{'ratio':>8}{'relative to crun':>18}")
    for key in now:
        row, name = key
        if row in DIFFERENCES or earlier.get(key, 0) <= 0 or now[key] <= 0:
            continue
        ratio, crun = now[key] / earlier[key], (row, "crun")
        relative = f"{ratio * earlier[crun] / now[crun]:.2f}" if crun in now and earlier.get(crun, 0) > 0 else ""
        print(f"{row:32}{name:8}{earlier[key]:>9.2f}{now[key]:>9.2f}{ratio:>8.2f}{relative:>18}".rstrip())
