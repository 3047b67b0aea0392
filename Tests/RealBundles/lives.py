"""Whole lives of containers, told in an engine's own commands: what each should end with and print.

A life is the verb of the runtime that it needs beyond the five of the specification, or None, and its steps. A step is
a command, its exit status (or several that will do) and a pattern in what it prints. RUN, IMAGE and LOOP are replaced;
NAME is the container.
"""

import re
import subprocess
import time

import images

LOOP = 'echo hello; trap "echo bye; exit 4" TERM; while :; do sleep 0.1; done'
START = ("RUN -d --name NAME IMAGE sh -c LOOP", 0, "")
END = ("rm -f NAME", 0, "")
# Commands that only ask, so that they may be asked again until the engine has caught up.
QUESTIONS = ("logs", "inspect", "task ls", "ps")

DOCKER_LIVES = {
    "stop": (None, [
        START, ("logs NAME", 0, "^hello$"), ("inspect -f {{.State.Status}} NAME", 0, "running"),
        ("stop -t 10 NAME", 0, ""), ("inspect -f {{.State.ExitCode}} NAME", 0, "^4$"), ("logs NAME", 0, "hello\nbye"),
        ("start NAME", 0, ""), ("inspect -f {{.State.Status}} NAME", 0, "running"), ("kill NAME", 0, ""),
        ("inspect -f {{.State.ExitCode}} NAME", 0, "^137$"), END]),
    "statuses": (None, [
        ("RUN --rm IMAGE sh -c 'exit 9'", 9, ""), ("RUN --rm IMAGE /bin/nothing", 127, "no such file or directory"),
        ("RUN --rm IMAGE nothing", 127, "executable file not found"), ("RUN --rm IMAGE /etc", 126, ""),
        ("RUN --rm IMAGE /etc/passwd", 126, "permission denied"),
        ("RUN --rm --memory 8m IMAGE sh -c 'x=$(head -c 64m /dev/zero | tr \"\\0\" a)'", 137, "")]),
    "stdin": (None, [("RUN --rm -i IMAGE cat", 0, "^said$")]),
    "exec": ("exec", [
        START, ("exec NAME echo there", 0, "^there$"), ("exec NAME sh -c 'exit 9'", 9, ""),
        ("exec NAME /bin/nothing", (126, 127), ""), ("exec --user 1000 NAME id -u", 0, "^1000$"),
        ("exec -e A=b -w /tmp NAME sh -c 'echo $A $PWD'", 0, "^b /tmp$"), ("exec -i NAME cat", 0, "^said$"), END]),
    "pause": ("pause", [
        START, ("pause NAME", 0, ""), ("inspect -f {{.State.Status}} NAME", 0, "paused"), ("unpause NAME", 0, ""),
        ("inspect -f {{.State.Status}} NAME", 0, "running"), END]),
    "top": ("ps", [START, ("top NAME", 0, "sleep|sh"), END]),
    "update": ("update", [
        START, ("update --cpu-shares 512 NAME", 0, ""), END]),
}
CTR_END = [("task kill -s TERM NAME", 0, ""), ("task ls", 0, "NAME.*STOPPED"), ("task delete NAME", 0, "code 4"),
           ("container rm NAME", 0, "")]
CTR_LIVES = {
    "stop": (None, [START, ("task ls", 0, "NAME.*RUNNING"), ("task metrics NAME", 0, "pids|memory")] + CTR_END),
    "statuses": (None, [("RUN --rm IMAGE NAME sh -c 'exit 9'", 9, ""),
                        ("RUN --rm IMAGE NAME /bin/nothing", 1, "no such file or directory")]),
    "exec": ("exec", [START, ("task exec --exec-id 1 NAME echo there", 0, "^there$"),
                      ("task exec --exec-id 2 NAME sh -c 'exit 9'", 9, "")] + CTR_END),
    "pause": ("pause", [START, ("task pause NAME", 0, ""), ("task ls", 0, "NAME.*PAUSED"),
                        ("task resume NAME", 0, ""), ("task ls", 0, "NAME.*RUNNING")] + CTR_END),
    "ps": ("ps", [START, ("task ps NAME", 0, r"^\d+")] + CTR_END),
}
CTR_LIVES = {name: (verb, [(line.replace("--name NAME IMAGE", "IMAGE NAME"), status, pattern)
                           for line, status, pattern in steps]) for name, (verb, steps) in CTR_LIVES.items()}
LIVES = {"podman": DOCKER_LIVES, "docker": DOCKER_LIVES, "containerd": CTR_LIVES}


def knows(runtime, verb):
    return verb is None or subprocess.run([runtime, verb, "--help"], capture_output=True, check=False).returncode == 0


def live(engine, life):
    """Goes through one life. Answers the sentences about what went otherwise."""
    wrong, name = [], "life-" + life
    for line, status, pattern in LIVES[engine.name][life][1]:
        words = [{"IMAGE": images.NAME, "NAME": name, "LOOP": LOOP}.get(word, word) for word in split(line)]
        if words[0] == "RUN":
            words[0:1] = engine.run_words()
        step = (engine, words, status, pattern.replace("NAME", name))
        complaint = attempt(*step)
        deadline = time.monotonic() + 5
        while complaint and line.startswith(QUESTIONS) and time.monotonic() < deadline:
            time.sleep(0.1)
            complaint = attempt(*step)
        if complaint:
            wrong.append(f"{line}: {complaint}")
    return wrong


def split(line):
    """The words of a command; quotes keep words together."""
    return [quoted or word for quoted, word in re.findall(r"'([^']*)'|(\S+)", line)]


def attempt(engine, words, status, pattern):
    # In the engine's directory: conmon leaves a file where it is started when a container runs out of memory.
    done = subprocess.run(engine.base() + words, input="said\n", capture_output=True, text=True, errors="replace",
                          timeout=60, check=False, cwd=engine.folder)
    if done.returncode not in (status if isinstance(status, tuple) else (status,)):
        return f"status {done.returncode} instead of {status}: {(done.stdout + done.stderr).strip()[-400:]}"
    if not re.search(pattern, done.stdout + done.stderr, re.MULTILINE):
        return f"printed {(done.stdout + done.stderr).strip()[-400:]!r}, not like {pattern!r}"
    return None
