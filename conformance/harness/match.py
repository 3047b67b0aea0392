"""Compares what was found with what a case expects.

A plain value must be equal; an object matches when each of its members does (more may be present). An object whose
keys start with "$" holds conditions, all of which must hold: see CONDITIONS.
"""

import re

MISSING = object()


def _contains(found, wanted):
    return any(not mismatches(wanted, member) for member in found)


CONDITIONS = {
    "$re": lambda found, pattern: isinstance(found, str) and re.search(pattern, found, re.S | re.I) is not None,
    "$not": lambda found, wanted: bool(mismatches(wanted, found)),
    "$absent": lambda found, wanted: (found is MISSING or found is None) == wanted,
    "$has": lambda found, members: isinstance(found, list) and all(_contains(found, m) for m in members),
    "$lacks": lambda found, members: isinstance(found, list) and not any(_contains(found, m) for m in members),
    "$in": lambda found, values: (None if found is MISSING else found) in values,
    "$ge": lambda found, bound: found is not MISSING and float(found) >= float(bound),
    "$le": lambda found, bound: found is not MISSING and float(found) <= float(bound),
    "$set": lambda found, members: isinstance(found, list) and sorted(map(str, found)) == sorted(map(str, members)),
    "$values": lambda found, wanted: found is MISSING or all(not mismatches(wanted, v) for v in found.values()),
    "$length": lambda found, length: found is not MISSING and len(found) == length,
}


def mismatches(expected, found, where=""):
    """Lists the differences as sentences; an empty list means that found fits expected."""
    if isinstance(expected, dict) and expected and all(key.startswith("$") for key in expected):
        return [
            f"{where or 'value'}: expected {name[1:]} {argument!r}, found {_show(found)}"
            for name, argument in expected.items() if not CONDITIONS[name](found, argument)
        ]
    if isinstance(expected, dict):
        if not isinstance(found, dict):
            return [f"{where or 'value'}: expected an object, found {_show(found)}"]
        return [
            problem for key, wanted in expected.items()
            for problem in mismatches(wanted, found.get(key, MISSING), f"{where}.{key}" if where else key)
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [p for i, pair in enumerate(zip(expected, found)) for p in mismatches(*pair, f"{where}[{i}]")]
    same = type(expected) is type(found) or {type(expected), type(found)} <= {int, float}
    if same and expected == found:
        return []
    return [f"{where or 'value'}: expected {expected!r}, found {_show(found)}"]


def _show(found):
    text = "nothing" if found is MISSING else repr(found)
    return text if len(text) < 400 else text[:400] + "..."
