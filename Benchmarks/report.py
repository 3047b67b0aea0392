"""Prints what was measured: the table with its ratios, the targets, and the comparison with an earlier run.

Called by bench with the list of {row, runtime, unit, min, median, p90, samples}.
"""

import json
from pathlib import Path

REFERENCES = ("crun", "runc", "floor", "hello")

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
)


def print_table(results):
    medians = {(result["row"], result["runtime"]): result["median"] for result in results}
    references = [name for name in REFERENCES if any(name == result["runtime"] for result in results)]
    header = "".join(f"{'/' + name:>8}" for name in references)
    print(f"{'':32}{'min':>9}{'median':>9}{'p90':>9}  {'':6}{header}")
    for row in dict.fromkeys(result["row"] for result in results):
        for index, result in enumerate(result for result in results if result["row"] == row):
            digits = 0 if result["unit"] == "calls" else 2
            numbers = "".join(f"{result[column]:>9.{digits}f}" for column in ("min", "median", "p90"))
            ratios = "".join(f"{result['median'] / medians[(row, name)]:>8.2f}"
                             if medians.get((row, name), 0) > 0 and row != "seccomp, over run" else f"{'':8}"
                             for name in references)
            print(f"{row if index == 0 else '':24}{result['runtime']:8}{numbers}  {result['unit']:6}{ratios}".rstrip())


def print_targets(results, subject):
    medians = {(result["row"], result["runtime"]): result["median"] for result in results}
    print(f"\n{subject} against the targets:")
    for row, reference, required, aim in TARGETS:
        value = medians.get((row, subject))
        if value is None or (reference and (row, reference) not in medians):
            continue
        value = value / medians[(row, reference)] if reference else value
        verdict = ("misses the required" if required and value > required else
                   "misses the aim" if aim and value > aim else "met")
        limits = ", ".join(f"{word} <= {limit:g}" for word, limit in (("required", required), ("aim", aim)) if limit)
        print(f"  {row + (f' / {reference}' if reference else ''):24}{value:>7.2f}   {limits:34}{verdict}")


def print_comparison(results, path):
    """Medians over an earlier run's, and the same after dividing both by crun's, which cancels the machine's mood."""
    before = json.loads(Path(path).read_text())["results"]
    earlier, now = ({(result["row"], result["runtime"]): result["median"] for result in run}
                    for run in (before, results))
    print(f"\nagainst {path}:\n{'':32}{'earlier':>9}{'now':>9}{'ratio':>8}{'relative to crun':>18}")
    for key in now:
        row, name = key
        if earlier.get(key, 0) <= 0 or now[key] <= 0:
            continue
        ratio, crun = now[key] / earlier[key], (row, "crun")
        relative = f"{ratio * earlier[crun] / now[crun]:.2f}" if crun in now and earlier.get(crun, 0) > 0 else ""
        print(f"{row:24}{name:8}{earlier[key]:>9.2f}{now[key]:>9.2f}{ratio:>8.2f}{relative:>18}".rstrip())
