"""The rows `steps`: where the time of one `run` goes, step by step in each process, from the runtime's own `--trace`.

Called by bench, for every runtime but the reference ones. Steps of one name are one row, such as all mounts of init.
"""

import json
import statistics

import report
from machine import SCRATCH
from plans import BURST, execute, step

RUNTIME = "runtime"  # the process that was called, in a trace


class Steps:
    def __init__(self, bench):
        self.bench = bench

    def measure(self):
        for name in self.bench.runtimes:
            if name not in report.REFERENCES:
                self.bench.steps += self.of_runtime(name)

    def of_runtime(self, name):
        """{row, process, step, count, begin, samples, share} for each step in the order of their begins; all in us."""
        traces = [steps_of(document) for document in self.traces(name)]
        walls = [wall for wall, _ in traces]
        found = []
        for process, step_name in dict.fromkeys(key for _, steps in traces for key in steps):
            key = (process, step_name)
            samples = [steps[key] for _, steps in traces if key in steps]
            durations = [sum(duration for _, duration in events) for events in samples]
            found.append({"row": f"step {process} {step_name}", "runtime": name, "unit": "us", "process": process,
                          "step": step_name, "count": max(map(len, samples)),
                          "begin": statistics.median(events[0][0] for events in samples),
                          "share": statistics.median(durations) / statistics.median(walls), "samples": durations})
        found.sort(key=lambda entry: entry["begin"])
        between = [wall - sum(duration for (process, _), events in steps.items() if process == RUNTIME
                              for _, duration in events) for wall, steps in traces]
        found.append({"row": "step runtime (no step)", "runtime": name, "unit": "us", "process": RUNTIME,
                      "step": "(no step)", "count": 1, "begin": 0, "samples": between,
                      "share": statistics.median(between) / statistics.median(walls)})
        return found

    def traces(self, name):
        """The traces of `run` back to back; the first of each turn is not counted."""
        directory = SCRATCH / f"traces-{name}"
        directory.mkdir()
        plan = [step(f"{number}", name, self.bench.command(name, "--trace", str(directory / f"{number}.json"), "run",
                                                           "--bundle", self.bench.bundles.short,
                                                           self.bench.container(name)))
                for number in range(1 + BURST)]
        for _ in range(-(-self.bench.samples // BURST)):
            execute(plan)
            for number in range(1, 1 + BURST):
                yield json.loads((directory / f"{number}.json").read_text())


def steps_of(document):
    """The whole's duration, and {(process, step): [(begin, duration)]}; a trace's first complete event is the whole."""
    events = document["traceEvents"]
    names = {event["tid"]: event["args"]["name"] for event in events if event["ph"] == "M"}
    whole, *steps = [event for event in events if event["ph"] == "X"]
    found = {}
    for event in steps:
        found.setdefault((names[event["tid"]], event["name"]), []).append((event["ts"], event["dur"]))
    return whole["dur"], found
