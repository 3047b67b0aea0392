"""The guests of profiles.json: which image and kernel, and which tests run in them."""

import dataclasses
import json
import os

BUILD_LIMIT = 900  # seconds for making an image
QUICK_LIMIT = 1500  # seconds for the life of a guest in the short matrix


@dataclasses.dataclass
class Profile:
    name: str
    about: str
    suite: str
    kernels: list  # what the image holds
    kernel: str  # the one that is booted
    arguments: str  # of the kernel
    parts: list  # what Tests/VM/inside runs
    quick: list  # the same, in short; may be empty
    limit: int  # seconds for the whole life of the guest


def load():
    """All profiles, by name."""
    with open(f"{os.path.dirname(os.path.abspath(__file__))}/profiles.json") as file:
        data = json.load(file)
    return {
        name: Profile(name, entry["about"], entry["image"], data["images"][entry["image"]], entry["kernel"],
                      f"{data['arguments']} {entry['arguments']}", entry["parts"], entry.get("quick", []),
                      entry["limit"])
        for name, entry in data["profiles"].items()
    }


def matrix(words):
    """What the words ask for, as pairs of a profile and its parts."""
    known, chosen = load(), []
    for word in words:
        if word == "quick":
            chosen += [(dataclasses.replace(profile, limit=min(profile.limit, QUICK_LIMIT)), profile.quick)
                       for profile in known.values() if profile.quick]
        elif word == "all":
            chosen += [(profile, profile.parts) for profile in known.values()]
        elif word in known:
            chosen.append((known[word], known[word].parts))
        else:
            raise SystemExit(f"vm: no profile {word}; there are quick, all, {', '.join(known)}")
    return chosen
