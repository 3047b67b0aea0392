"""The known differences: where the packaged runtimes do not follow a sentence, as data.

known-differences.json holds the two versions and a list of differences. Each names its cases (a name may end in *),
says under "runc" and "crun" what that runtime does instead (a runtime that is not named passes), under "reason" what
a conforming runtime does, under "root_only" or "rootless_only" which runtimes fail in only one of the two modes, and
under "sometimes" which do not fail every time.
"""

import fnmatch
import json
import pathlib

FILE = pathlib.Path(__file__).resolve().parent.parent / "known-differences.json"
RUNTIMES = ("runc", "crun")


class Differences:
    """The file, with the names expanded to the cases there are."""

    def __init__(self, cases):
        document = json.loads(FILE.read_text())
        self.versions = document["versions"]
        self.entries = document["differences"]
        names = [case["id"] for case in cases]
        self.by_case, self.unknown, self.twice = {}, [], []
        for entry in self.entries:
            entry["expanded"] = []
            for pattern in entry["cases"]:
                found = fnmatch.filter(names, pattern)
                if not found:
                    self.unknown.append(pattern)
                self.twice += [name for name in found if name in self.by_case]
                entry["expanded"] += found
                self.by_case.update(dict.fromkeys(found, entry))

    def expected(self, name, runtime, rootless):
        """Whether the runtime is known to fail the case."""
        entry = self.by_case.get(name, {})
        other_mode = entry.get("root_only" if rootless else "rootless_only", [])
        return runtime in entry and runtime not in other_mode

    def unexplained(self, result, runtime, rootless):
        """Whether the result is a failure that nobody has written down."""
        return result["outcome"] == "failed" and not self.expected(result["id"], runtime, rootless)

    def varies(self, name, runtime):
        """Whether the known failure comes and goes."""
        return runtime in self.by_case[name].get("sometimes", [])


def problems(differences, outcomes):
    """Compares outcomes {(runtime, rootless): results} with the differences; returns sentences."""
    found = [f"{name}: a known difference of a case that does not exist" for name in differences.unknown]
    found += [f"{name}: two known differences" for name in differences.twice]
    for (runtime, rootless), results in outcomes.items():
        who = f"{runtime}{' without root' if rootless else ''}"
        for result in results:
            known = differences.expected(result["id"], runtime, rootless)
            if differences.unexplained(result, runtime, rootless):
                reasons = "; ".join(result["reasons"])
                found.append(f"{result['id']}: {who} fails and no known difference says so: {reasons}")
            if result["outcome"] == "passed" and known and not differences.varies(result["id"], runtime):
                found.append(f"{result['id']}: {who} passes, but a known difference says that it fails")
    return found
