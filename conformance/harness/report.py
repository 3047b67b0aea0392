"""Prints results: TAP as they come, then a table by section of the specification and one closing line."""

import sys


class Tap:
    """Test Anything Protocol, version 13."""

    def __init__(self, count, out=sys.stdout):
        self.number, self.out = 0, out
        print("TAP version 13", f"1..{count}", sep="\n", file=out)

    def add(self, result):
        """Prints one result; the reasons of a failure follow as comments."""
        self.number += 1
        word = "not ok" if result["outcome"] == "failed" else "ok"
        skip = f" # SKIP {'; '.join(result['reasons'])}" if result["outcome"] == "skipped" else ""
        print(f"{word} {self.number} - {result['id']}{skip}", file=self.out, flush=True)
        if result["outcome"] == "failed":
            print(f"#   {result['rule']}", file=self.out)
            for reason in result["reasons"]:
                for line in reason.splitlines():
                    print(f"#   {line}", file=self.out)


OUTCOMES = ("passed", "failed", "skipped")


def counts(results):
    """Maps each section to its numbers of passed, failed and skipped cases."""
    sections = {}
    for result in results:
        row = sections.setdefault(result["rule"], dict.fromkeys(OUTCOMES, 0))
        row[result["outcome"]] += 1
    return sections


def print_table(results, out=sys.stdout):
    """The table by section."""
    sections = counts(results)
    width = max((len(name) for name in sections), default=8)
    print(f"{'section':<{width}} {'passed':>7} {'failed':>7} {'skipped':>7}", file=out)
    for name in sorted(sections):
        print(f"{name:<{width}} " + " ".join(f"{sections[name][outcome]:>7}" for outcome in OUTCOMES), file=out)


def closing_line(results):
    """The last line, for people and machines."""
    return ", ".join(f"{sum(r['outcome'] == outcome for r in results)} {outcome}" for outcome in OUTCOMES)
