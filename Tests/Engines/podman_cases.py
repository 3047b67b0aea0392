"""What podman alone does with containers over their life. More is in the modules that are imported below."""

import json
import re
import subprocess

import lives  # noqa: F401
import podman_confinement  # noqa: F401
import podman_namespaces  # noqa: F401
from bench import case, runs

runs(("podman",), [
    ("no-such-directory", "-w /etc/passwd", "pwd", 126, "not a directory"),
    ("file-as-directory", "", "/etc/passwd/x", 126, "(?i)not a directory"),
    ("umask", "--umask 0077", "sh -c umask", 0, "^0077$"),
    ("annotation", "--annotation org.example.key=value", "echo fine", 0, "^fine$"),
    ("systemd-mode", "--systemd=always", "cat /proc/self/mounts", 0, r"^tmpfs /run tmpfs.*\n(.*\n)*.*/sys/fs/cgroup"),
    ("init", "--init", "sh -c 'cat /proc/1/comm; (sleep 0.01 &); sleep 0.3; ps -o stat,comm'", 0,
     r"\A(catatonit|podman-init)\n(?![\s\S]*Z)[\s\S]*ps"),
])


@case("podman")
def create_init_start(bench):
    bench("create --name NAME IMAGE sh -c 'echo begun; exit 6'")
    bench("init NAME")
    bench("inspect -f '{{.State.Status}} {{.State.Pid}}' NAME", prints=r"^(initialized|created) [1-9]")
    bench("logs NAME", prints="^$")
    bench("start -a NAME", status=6, prints="^begun$")
    bench("inspect -f '{{.State.Status}} {{.State.ExitCode}}' NAME", prints="^exited 6$")
    bench("start -a NAME", status=6, prints="begun")


@case("podman")
def healthcheck(bench):
    quiet = {"DISABLE_HC_SYSTEMD": "true"}
    bench("run -d --name NAME --health-cmd 'test -e /tmp/well' --health-interval 30s --health-retries 1 IMAGE "
          "sh -c LOOP".replace("sh -c LOOP", "sleep 100"), env=quiet)
    bench("healthcheck run NAME", status=1, env=quiet)
    bench("inspect -f {{.State.Health.Status}} NAME", prints="^(starting|unhealthy)$")
    bench("exec NAME touch /tmp/well")
    bench("healthcheck run NAME", env=quiet)
    bench("inspect -f {{.State.Health.Status}} NAME", prints="^healthy$")


@case("podman")
def copy_and_commit(bench):
    """Both pause a running container."""
    bench.start()
    with open(bench.folder + "/letter", "w") as file:
        file.write("dear\n")
    bench("cp FOLDER/letter NAME:/tmp/letter")
    bench("exec NAME cat /tmp/letter", prints="^dear$")
    bench("cp NAME:/tmp/letter FOLDER/back")
    bench.same("the file that came back", bench.text("FOLDER/back"), "dear")
    bench("commit --pause NAME localhost/committed", prints="[0-9a-f]{64}")
    bench("inspect -f {{.State.Status}} NAME", prints="^running$")
    bench("run --rm localhost/committed cat /tmp/letter", prints="^dear$")
    bench("rmi -f localhost/committed")


@case("podman")
def preserved_descriptor(bench):
    with open(bench.folder + "/gift", "w") as file:
        file.write("given\n")
    words = bench.words("run --rm --preserve-fds 1 IMAGE sh -c 'cat <&3'")
    done = subprocess.run(["sh", "-c", 'exec 3<"$0" "$@"', file.name, *words], capture_output=True, text=True,
                          timeout=60, check=False, env=bench.engine.environment(), cwd=bench.folder)
    bench.same("what is read from descriptor 3", (done.returncode, done.stdout), (0, "given\n"))


@case("podman")
def events(bench):
    bench("run --rm --name NAME IMAGE true")
    bench("events --stream=false --filter container=NAME --format '{{.Status}}'",
          prints="(?s)create.*init.*start.*died.*remove")


@case("podman")
def stats(bench):
    bench.start("--memory 64m", command="sh -c 'head -c 8m /dev/zero >/dev/shm/x; echo full; sleep 100'")
    bench.until("logs NAME", prints="full")
    told = json.loads(bench("stats --no-stream --format json NAME"))[0]
    bench.demand(f"less than 8 MiB is used: {told}", re.match(r"(8|9)\.\d+MB", told["mem_usage"]))
    bench.demand(f"another limit than 64 MiB: {told}", "67.11MB" in told["mem_usage"])
    bench.demand(f"no process: {told}", int(told["pids"]) >= 1)


@case("podman")
def top(bench):
    bench.start()
    bench("top NAME pid user args", prints=r"(?s)^PID +USER +COMMAND\n1 +root +sh -c")
    bench("top NAME hpid state seccomp capeff", prints=r"(?s)^HPID.*\n\d+ +[SR] +filter +.*CHOWN")


@case("podman")
def attach(bench):
    bench("run -d -i --name NAME IMAGE sh -c 'read word; echo got $word; exit 3'")
    bench("attach NAME", stdin="it\n", prints="^got it$")
    bench("wait NAME", prints="^3$")
