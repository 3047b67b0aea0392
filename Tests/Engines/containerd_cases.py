"""What containerd does: with its own commands and, in the module that is imported, for Kubernetes."""

import itertools
import os
import re
import time

import kubernetes  # noqa: F401
from bench import Wrong, case, runs
from measure import limit


NUMBERS = itertools.count()


def ask(bench, line, status=0, prints="", **options):
    """Runs a command. ctr closes the pipes when a process ends, and may lose its last words: asks again for them, and
    says so."""
    for _ in range(5):
        output = bench(line.replace("EXEC", f"--exec-id {next(NUMBERS)}"), status=status, **options)
        if re.search(prints, output, re.MULTILINE):
            return output
        bench.note(f"{line}: printed {output!r}; asked again")
    raise Wrong(f"{line}: printed {output!r}, not like {prints!r}")


runs(("containerd",), [
    ("exit-status", "", "sh -c 'echo said; exit 9'", 9, "^said$"),
    ("no-such-program", "", "/bin/nothing", 1, "(?i)no such file or directory"),
    ("not-executable", "", "/etc/passwd", 1, "(?i)permission denied"),
    ("environment", "--env GREETING='hello world' --cwd /tmp", "sh -c 'echo $GREETING $PWD'", 0, "^hello world /tmp$"),
    ("read-only", "--read-only", "touch /x", 1, "Read-only file system"),
    ("mounts", "--mount type=bind,src=FOLDER,dst=/data,options=rbind:ro --mount "
     "type=tmpfs,src=tmpfs,dst=/scratch,options=nosuid:size=64k",
     "sh -c 'grep -E \"/data|/scratch\" /proc/self/mounts; touch /data/x 2>&1'", 1,
     r"(?s)/data .*[ ,]ro[ ,].*/scratch tmpfs rw,nosuid.*size=64k.*Read-only"),
    ("capabilities", "--cap-drop CAP_CHOWN", "chown 1:1 /tmp", 1, "Operation not permitted"),
    ("seccomp", "--seccomp", "grep Seccomp: /proc/self/status", 0, "Seccomp:\t2"),
    ("privileged", "--privileged", "grep Seccomp: /proc/self/status", 0, "Seccomp:\t0"),
    ("user-namespace", "--uidmap 0:200000:5000 --gidmap 0:200000:5000", "cat /proc/self/uid_map", 0,
     r"^ +0 +200000 +5000$"),
    ("device", "--device /dev/null", "stat -c %t:%T /dev/null", 0, "^1:3$"),
], form="run --rm {options} IMAGE NAME {command}", ask=ask)

START = "run -d --log-uri file://FOLDER/log IMAGE NAME sh -c LOOP"


def start(bench):
    bench(START)
    bench.wait_for("the container says hello",
                   lambda: os.path.exists(bench.folder + "/log") and "hello" in bench.text("FOLDER/log"))


@case("containerd")
def life(bench):
    start(bench)
    bench("task ls", prints=r"^NAME +\d+ +RUNNING".replace("NAME", bench.name))
    bench("task kill -s SIGTERM NAME")
    bench.until("task ls", prints=rf"^{bench.name} +\d+ +STOPPED")
    bench("task delete NAME", prints='exit with non-zero exit code 4"$')
    bench("container rm NAME")
    bench.demand("no farewell in the log", "bye" in bench.text("FOLDER/log"))


@case("containerd")
def terminal(bench):
    bench("run --rm -t IMAGE NAME sh -c 'tty; exit 3'", tty=True, status=3, prints=r"/dev/pts/0$")


@case("containerd")
def exec_(bench):
    start(bench)
    ask(bench, "task exec EXEC NAME echo there", prints="^there$")
    ask(bench, "task exec EXEC NAME sh -c 'exit 9'", status=9)
    ask(bench, "task exec EXEC --user 1000 --cwd /tmp NAME sh -c 'id -u; pwd'", prints="^1000\n/tmp$")
    ask(bench, "task exec EXEC NAME /bin/nothing", status=1, prints="(?i)no such file or directory")
    ask(bench, "task exec EXEC NAME cat", stdin="said\n", prints="^said$")
    ask(bench, "task exec EXEC -t NAME tty", tty=True, prints=r"/dev/pts/\d$")
    bench("task exec --exec-id quiet -d NAME sleep 1234")
    ask(bench, "task exec EXEC NAME ps", prints="sleep 1234")
    bench("task kill --exec-id quiet -s SIGKILL NAME")
    bench.wait_for("the process ends", lambda: "sleep 1234" not in ask(
        bench, "task exec EXEC NAME ps", prints="PID"))


@case("containerd")
def pause(bench):
    """What the process counts stands still, and goes on."""
    bench("run -d --log-uri file://FOLDER/log IMAGE NAME sh -c 'while true; do echo x; sleep 0.1; done'")

    def count():
        return bench.text("FOLDER/log").count("x") if os.path.exists(bench.folder + "/log") else 0

    bench.wait_for("the container counts", lambda: count() > 2)
    bench("task pause NAME")
    bench("task ls", prints=rf"^{bench.name} +\d+ +PAUSED")
    time.sleep(0.3)  # what was on its way to the log
    before = count()
    time.sleep(1)
    bench.same("lines of a paused container", count(), before)
    bench("task resume NAME")
    bench("task ls", prints=rf"^{bench.name} +\d+ +RUNNING")
    bench.wait_for("the container counts on", lambda: count() > before)


@case("containerd")
def metrics(bench):
    bench("run -d --memory-limit 67108864 --log-uri file://FOLDER/log IMAGE NAME "
          "sh -c 'head -c 8m /dev/zero >/dev/shm/x; echo full; exec sleep 100'")
    bench.wait_for("the memory is used", lambda: os.path.exists(bench.folder + "/log") and bench.text("FOLDER/log"))
    told = dict(re.findall(r"^([a-z_.]+) +(\d+) *$", bench("task metrics NAME"), re.MULTILINE))
    used, most = (("memory.usage_in_bytes", "memory.limit_in_bytes") if os.path.exists("/sys/fs/cgroup/memory")
                  else ("memory.usage", "memory.usage_limit"))
    bench.same(most, told[most], str(64 << 20))
    bench.demand(f"{told[used]} bytes are used, not 8 MiB and a little", 8 << 20 <= int(told[used]) < 16 << 20)
    bench.same("pids.current", told["pids.current"], "1")


@case("containerd")
def processes(bench):
    start(bench)
    told = bench("task ps NAME", prints=r"^\d+")
    pid = re.search(r"^(\d+) ", told, re.MULTILINE)[1]
    bench.demand("the first process is not the shell", bench.text(f"/proc/{pid}/comm") in ("sh", "sleep"))


@case("containerd")
def kill(bench):
    bench("run -d --log-uri file://FOLDER/log IMAGE NAME sh -c 'for s in HUP USR1; do trap \"echo got $s\" $s; done; "
          "echo ready; while :; do sleep 0.02; done'")
    for signal, words in (("ready", ""), ("got HUP", "SIGHUP"), ("got USR1", "SIGUSR1")):
        if words:
            bench(f"task kill -s {words} NAME")
        bench.wait_for(signal, lambda: os.path.exists(bench.folder + "/log")
                       and signal in bench.text("FOLDER/log").split("\n"))
    bench("task kill -s SIGKILL NAME")
    bench.until("task ls", prints=rf"^{bench.name} +\d+ +STOPPED")
    bench("task kill -s SIGKILL NAME", status=1, prints="(?i)process already finished|not found")
    bench("task delete NAME", prints='exit with non-zero exit code 137"$')


@case("containerd")
def delete_by_force(bench):
    start(bench)
    pid = bench("task ls", prints=r"\d")
    pid = re.search(rf"^{bench.name} +(\d+)", pid, re.MULTILINE)[1]
    bench("task delete NAME", status=1, prints="(?i)must be stopped|failed precondition|running")
    bench("task delete -f NAME", prints='exit with non-zero exit code 137"$')
    bench.demand("the process lives on", not os.path.exists(f"/proc/{pid}"))
    bench("container rm NAME")


@case("containerd")
def named_cgroup_and_limits(bench):
    bench("run -d --memory-limit 67108864 --cpu-quota 50000 --cpu-period 100000 IMAGE NAME sleep 100")
    pid = re.search(rf"^{bench.name} +(\d+)", bench("task ls"), re.MULTILINE)[1]
    bench.demand("another cgroup", re.search(f":(memory)?:{bench.engine.parent}/{bench.engine.made}$",
                                             bench.text(f"/proc/{pid}/cgroup"), re.MULTILINE))
    for controller, name, value in (("memory", "memory.limit_in_bytes", 64 << 20), ("cpu", "cpu.cfs_quota_us", 50000),
                                    ("cpu", "cpu.cfs_period_us", 100000)):
        bench.same(name, limit(bench, pid, controller, name), str(value))


@case("containerd")
def joined_namespace(bench):
    start(bench)
    pid = re.search(rf"^{bench.name} +(\d+)", bench("task ls"), re.MULTILINE)[1]
    wanted = os.readlink(f"/proc/{pid}/ns/net")
    bench(f"run --rm --with-ns network:/proc/{pid}/ns/net IMAGE NAME-b readlink /proc/self/ns/net",
          prints="^" + re.escape(wanted) + "$")
