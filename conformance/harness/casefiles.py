"""Reads the case files. A file holds one case or, under "cases", a table of cases that share the file's fields."""

import json
import pathlib

from .patch import merged

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"

FIELDS = {
    "rule": str, "sentence": str, "patch": dict, "edits": list, "probe": list, "setup": list, "holder": list,
    "expect": dict, "steps": list, "needs": list, "rootless": bool, "text": str, "agent": bool,
}
REQUIRED = ("rule", "sentence")
LISTS_THAT_ADD_UP = ("edits", "setup", "needs")


class CaseError(Exception):
    """A case file that does not follow the format; the message names the file."""


def load(directory=CASES):
    """All cases, ordered by name. A case is an object of FIELDS plus "id": area/file or area/file/name."""
    cases = []
    for path in sorted(directory.glob("*/*.json")):
        name = str(path.relative_to(directory).with_suffix(""))
        try:
            document = json.loads(path.read_text())
        except ValueError as error:
            raise CaseError(f"{path}: {error}") from None
        rows = document.pop("cases", None)
        if rows is None:
            cases.append(_checked(path, name, document))
            continue
        for row in rows:
            label = row.pop("name", None)
            if not label:
                raise CaseError(f"{path}: a row has no name")
            cases.append(_checked(path, f"{name}/{label}", _row(document, row)))
    names = [case["id"] for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise CaseError(f"{name}: two cases have this name")
    return cases


def _row(shared, row):
    case = merged(shared, row)
    for field in LISTS_THAT_ADD_UP:
        if field in shared and field in row:
            case[field] = shared[field] + row[field]
    # null in a merge patch means "remove this property", so the patches are joined without dropping it.
    if "patch" in shared or "patch" in row:
        case["patch"] = _joined(shared.get("patch", {}), row.get("patch", {}))
    return case


def _joined(first, second):
    result = dict(first)
    for key, value in second.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _joined(result[key], value) if both else value
    return result


def _checked(path, name, case):
    for field in REQUIRED:
        if not case.get(field):
            raise CaseError(f"{path}: {name}: {field} is missing")
    for field, value in case.items():
        if field not in FIELDS:
            raise CaseError(f"{path}: {name}: {field} is not a field of a case")
        if not isinstance(value, FIELDS[field]):
            raise CaseError(f"{path}: {name}: {field} is not a {FIELDS[field].__name__}")
    if ("steps" in case) == ("expect" in case):
        raise CaseError(f"{path}: {name}: exactly one of expect and steps is needed")
    case["id"] = name
    return case
