"""What podman does with containers over their life. More is in the modules that are imported below."""

import json
import os
import subprocess
import time

import podman_confinement  # noqa: F401
import podman_namespaces  # noqa: F401
from bench import case, runs

runs("podman", [
    ("exit-status", "", "sh -c 'exit 9'", 9, "^$"),
    ("no-such-program", "", "/bin/nothing", 127, "(?i)no such file or directory"),
    ("not-in-path", "", "nothing", 127, "(?i)not found|no such file or directory"),
    ("not-executable", "", "/etc/passwd", 126, "(?i)permission denied"),
    ("directory-as-program", "", "/etc", 126, "(?i)permission denied|is a directory"),
    ("killed-by-itself", "--pid host", "sh -c 'kill -9 $$'", 137, "^$"),
    ("no-such-directory", "-w /etc/passwd", "pwd", (126, 127), "(?i)not a directory"),
    ("environment", "-e GREETING='hello world' -w /tmp", "sh -c 'echo $GREETING $PWD'", 0, "^hello world /tmp$"),
    ("user", "--user 1000:1000 --group-add 2000", "id", 0, r"^uid=1000\(user\) gid=1000(\(user\))? groups=.*2000\(extra\)"),
    ("umask", "--umask 0077", "sh -c umask", 0, "^0077$"),
    ("hostname", "--hostname probe-host", "hostname", 0, "^probe-host$"),
    ("sysctl", "--sysctl net.ipv4.ip_forward=1", "cat /proc/sys/net/ipv4/ip_forward", 0, "^1$"),
    ("ulimit", "--ulimit nofile=100:200 --ulimit nproc=64:64", "sh -c 'ulimit -Sn; ulimit -Hn'", 0, "^100\n200$"),
    ("oom-score", "--oom-score-adj 500", "cat /proc/self/oom_score_adj", 0, "^500$"),
    ("annotation", "--annotation org.example.key=value", "echo fine", 0, "^fine$"),
    ("systemd-mode", "--systemd=always", "cat /proc/self/mounts", 0, r"^tmpfs /run tmpfs.*\n(.*\n)*.*/sys/fs/cgroup"),
    ("init", "--init", "sh -c 'cat /proc/1/comm; (sleep 0.01 &); sleep 0.3; ps -o stat,comm'", 0,
     r"\A(catatonit|podman-init)\n(?![\s\S]*Z)[\s\S]*ps"),
    ("no-init", "", "sh -c 'cat /proc/1/comm'", 0, "^cat$|^sh$"),
])


@case("podman")
def terminal(bench):
    bench("run --rm -t IMAGE sh -c 'tty; ls -l /proc/self/fd/0'", prints=r"^/dev/pts/0\n.*pts/0",
          tty=True)


@case("podman")
def interactive_terminal(bench):
    bench("run --rm -i -t IMAGE sh", stdin="echo $((40+2)); exit 5\n", tty=True, status=5, prints="^42$")


@case("podman")
def standard_input(bench):
    bench("run --rm -i IMAGE cat", stdin="said\n", prints="^said$")


@case("podman")
def output_streams(bench):
    bench("run --name NAME IMAGE sh -c 'echo out; echo err >&2'", prints="(?s)out.*err|err.*out")
    bench("logs NAME", prints="(?s)out.*err|err.*out")
    bench("logs --tail 1 NAME", prints=r"\A(out|err)\Z")
    bench("logs -t NAME", prints=r"^\d{4}-\d\d-\d\dT\S+ out$")


@case("podman")
def logs_follow(bench):
    bench("run -d --name NAME IMAGE sh -c 'for i in 1 2 3; do echo line $i; sleep 0.1; done'")
    bench("logs -f NAME", prints=r"\Aline 1\nline 2\nline 3\Z")


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
def attach_and_wait(bench):
    bench("run -d -i --name NAME IMAGE sh -c 'read word; echo got $word; exit 3'")
    bench("attach NAME", stdin="it\n", status=(0, 3), prints="^got it$")
    bench("wait NAME", prints="^3$")


@case("podman")
def exec_(bench):
    bench.start("-e COLOUR=red")
    bench("exec NAME echo there", prints="^there$")
    bench("exec NAME sh -c 'exit 9'", status=9)
    bench("exec NAME sh -c 'kill -9 $$'", status=137)
    bench("exec NAME /bin/nothing", status=127, prints="(?i)no such file or directory")
    bench("exec NAME /etc/passwd", status=126, prints="(?i)permission denied")
    bench("exec -i NAME cat", stdin="said\n", prints="^said$")
    bench("exec --user 1000 NAME id -u", prints="^1000$")
    bench("exec -e SHAPE=round -w /tmp NAME sh -c 'echo $COLOUR $SHAPE $PWD'", prints="^red round /tmp$")
    bench("exec NAME ps", prints="sleep|sh")


@case("podman")
def exec_detached(bench):
    bench.start()
    bench("exec -d NAME sh -c 'echo written >/tmp/sign; exec sleep 100'")
    bench.until("exec NAME cat /tmp/sign", prints="^written$")
    bench("exec NAME ps", prints="sleep 100")


@case("podman")
def exec_terminal(bench):
    bench.start()
    bench("exec -t NAME tty", tty=True, prints=r"^/dev/pts/\d+$")
    bench("exec -i -t NAME sh", tty=True, stdin="echo $((40+2)); exit 5\n", status=5, prints="^42$")


@case("podman")
def exec_confined(bench):
    """A second process has the namespaces, the cgroup, the capabilities and the filter of the first."""
    bench.start("--cap-drop ALL --cap-add CHOWN --memory 32m")
    script = ("for n in cgroup ipc mnt net pid user uts; do readlink /proc/PID/ns/$n; done; cat /proc/PID/cgroup; "
              "grep -E '^(Cap(Bnd|Eff|Prm)|Seccomp|NoNewPrivs):' /proc/PID/status")
    of_first = bench(f"exec NAME sh -c \"{script.replace('PID', '1')}\"")
    of_second = bench(f"exec NAME sh -c \"{script.replace('PID', 'self')}\"")
    bench.same("what confines exec", of_second, of_first)
    bench.same("CapEff", of_second.split("CapEff:\t")[1].split("\n")[0], "0000000000000001")
    bench("exec --privileged NAME grep CapEff /proc/self/status", prints="CapEff:\t0000003f|CapEff:\t000001f")


@case("podman")
def many_execs(bench):
    bench.start()
    for number in range(15):
        bench(f"exec NAME sh -c 'exit {number}'", status=number)
    bench("exec NAME sh -c 'ps -o stat,comm | grep -c Z'", status=1, prints="^0$")


@case("podman")
def top(bench):
    bench.start()
    bench("top NAME pid user args", prints=r"(?s)^PID +USER +COMMAND\n1 +root +sh -c")
    bench("top NAME hpid state seccomp capeff", prints=r"(?s)^HPID.*\n\d+ +[SR] +filter +.*CHOWN")


@case("podman")
def stats(bench):
    bench.start("--memory 64m", command="sh -c 'x=$(head -c 8388608 /dev/zero | tr \"\\0\" a); echo full; sleep 100'")
    bench.until("logs NAME", prints="full")
    told = json.loads(bench("stats --no-stream --format json NAME"))[0]
    bench.demand(f"no memory is used: {told}", not told["mem_usage"].startswith("0B"))
    bench.demand(f"another limit than 64 MiB: {told}", "67.11MB" in told["mem_usage"])
    bench.demand(f"no process: {told}", int(told["pids"]) >= 1)


@case("podman")
def pause(bench):
    bench.start(command="sh -c 'n=0; while :; do n=$((n+1)); echo $n >/tmp/count; done'")
    bench.until("exec NAME cat /tmp/count", prints=r"\d")
    bench("pause NAME")
    bench("inspect -f {{.State.Status}} NAME", prints="^paused$")
    root = bench("inspect -f {{.State.Pid}} NAME")
    first = counted(root)
    time.sleep(0.2)
    bench.same("the count of a paused container", counted(root), first)
    bench("exec NAME true", status=(125, 126, 255), prints="(?i)paused|not running|state")
    bench("unpause NAME")
    bench("inspect -f {{.State.Status}} NAME", prints="^running$")
    bench.wait_for("the container counts again", lambda: counted(root) not in ("", first))


def counted(pid):
    with open(f"/proc/{pid}/root/tmp/count") as file:
        return file.read().strip()


@case("podman")
def kill(bench):
    bench.start(command="sh -c 'for s in HUP INT QUIT USR1 USR2 WINCH; do trap \"echo got $s\" $s; done; echo ready; "
                        "while :; do sleep 0.02; done'")
    bench.until("logs NAME", prints="^ready$")
    for signal, words in (("HUP", "HUP"), ("INT", "SIGINT"), ("QUIT", "3"), ("USR1", "USR1"), ("USR2", "SIGUSR2"),
                          ("WINCH", "28")):
        bench(f"kill -s {words} NAME")
        bench.until("logs NAME", prints=f"^got {signal}$")
    bench("kill NAME")
    bench("wait NAME", prints="^137$")
    bench("kill NAME", status=125, prints="(?i)not running|can only kill running|state")


@case("podman")
def stop(bench):
    bench.start()
    bench("stop -t 20 NAME")
    bench("inspect -f '{{.State.Status}} {{.State.ExitCode}}' NAME", prints="^exited 4$")
    bench("logs NAME", prints="^bye$")
    bench("start NAME")
    bench.until("inspect -f {{.State.Status}} NAME", prints="^running$")


@case("podman")
def stop_timeout(bench):
    bench.start(command="sh -c 'trap : TERM; echo hello; while :; do sleep 0.05; done'")
    bench.until("logs NAME", prints="hello")
    began = time.monotonic()
    bench("stop -t 1 NAME")
    took = time.monotonic() - began
    bench.demand(f"stop -t 1 took {took:.1f} s", 1 <= took < 8)
    bench("inspect -f {{.State.ExitCode}} NAME", prints="^137$")


@case("podman")
def stop_signal(bench):
    bench("run -d --name NAME --stop-signal USR1 IMAGE sh -c 'trap \"exit 8\" USR1; echo hello; "
          "while :; do sleep 0.05; done'")
    bench.until("logs NAME", prints="hello")
    bench("stop -t 20 NAME")
    bench("inspect -f {{.State.ExitCode}} NAME", prints="^8$")


@case("podman")
def restart(bench):
    bench.start()
    first = bench("inspect -f {{.State.Pid}} NAME")
    bench("restart -t 10 NAME")
    bench.until("logs NAME", prints="(?s)hello.*bye.*hello")
    bench.demand("the process is the same", bench("inspect -f {{.State.Pid}} NAME") != first)


@case("podman")
def restart_on_failure(bench):
    bench("run -d --name NAME --restart on-failure:2 IMAGE sh -c 'echo life; exit 5'")
    bench.until("inspect -f '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' NAME", prints="^2 exited 5$")
    bench.same("the lives", bench("logs NAME"), "life\nlife\nlife")


@case("podman")
def restart_always(bench):
    bench("run -d --name NAME --restart always -v FOLDER:/shared IMAGE sh -c 'echo life >>/shared/lives; "
          "[ $(wc -l </shared/lives) -lt 3 ] || exec sleep 100'")
    bench.wait_for("three lives", lambda: os.path.exists(bench.folder + "/lives")
                   and bench.text("FOLDER/lives") == "life\nlife\nlife")
    bench.until("inspect -f {{.State.Status}} NAME", prints="^running$")
    bench("stop -t 0 NAME")
    bench("inspect -f {{.State.Status}} NAME", prints="^exited$")


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
def removed_while_running(bench):
    bench.start()
    pid = bench("inspect -f {{.State.Pid}} NAME")
    bench("rm NAME", status=2, prints="(?i)running|stop")
    bench("rm -f -t 0 NAME")
    bench("ps -aq", prints=r"\A\Z")
    bench.demand("the process lives on", not os.path.exists(f"/proc/{pid}"))
