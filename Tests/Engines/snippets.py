"""The configuration that the README tells users to write: the code block that follows a line with its title."""

import os
import re

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../README.md")
PATH = "/usr/local/bin/apus"


def snippet(title, name, path):
    """The block below `title`, for a runtime that is called `name` and is at `path`."""
    with open(README) as file:
        form = rf"^[^\n]*{re.escape(title)}[^\n]*\n\n```\w*\n(.*?)^```"
        found = re.search(form, file.read(), re.MULTILINE | re.DOTALL)
    if not found:
        raise RuntimeError(f"the README has no code block below {title}")
    return re.sub(r"\bapus\b", name, found[1].replace(PATH, "RUNTIME")).replace("RUNTIME", path)
