"""Turns the base configuration into a case's configuration: merge patch, array edits, variables."""

import copy
import re

VARIABLE = re.compile(r"\$\{([A-Za-z_.]+)\}")


def merged(base, patch):
    """RFC 7396: members of patch replace those of base, objects are merged, null removes."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def edited(document, edits):
    """Applies ["add"|"replace"|"remove", POINTER, VALUE] in order.

    A pointer is a JSON pointer (RFC 6901); inside an array "-" is the end and "key=value" selects the first object
    with that member, as in /mounts/destination=~1proc/options/-.
    """
    document = copy.deepcopy(document)
    for action, pointer, *value in edits:
        *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
        target = document
        for part in path:
            if isinstance(target, dict):
                target = target.setdefault(part, [] if last == "-" and part == path[-1] else {})
            else:
                target = target[_index(target, part)]
        if isinstance(target, dict):
            if action == "remove":
                del target[last]
            else:
                target[last] = value[0]
        elif action == "add":
            target.insert(len(target) if last == "-" else _index(target, last), value[0])
        elif action == "replace":
            target[_index(target, last)] = value[0]
        else:
            del target[_index(target, last)]
    return document


def _index(array, part):
    if part.lstrip("-").isdigit():
        return int(part)
    key, _, wanted = part.partition("=")
    return next(i for i, member in enumerate(array) if str(member.get(key)) == wanted)


def substituted(value, variables):
    """Replaces ${NAME} in every string; a string that is one variable becomes its value, whatever its type."""
    if isinstance(value, dict):
        return {substituted(key, variables): substituted(member, variables) for key, member in value.items()}
    if isinstance(value, list):
        return [substituted(member, variables) for member in value]
    if not isinstance(value, str):
        return value
    whole = VARIABLE.fullmatch(value)
    if whole:
        return variables[whole[1]]
    return VARIABLE.sub(lambda found: str(variables[found[1]]), value)
