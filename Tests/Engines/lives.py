"""Lives of containers in the commands that podman and docker share."""

import os
import time

from bench import case, runs

BOTH = ("podman", "docker")

runs(BOTH, [
    ("exit-status", "", "sh -c 'exit 9'", 9, "^$"),
    ("no-such-program", "", "/bin/nothing", 127, "(?i)no such file or directory"),
    ("not-in-path", "", "nothing", 127, "(?i)not found|no such file or directory"),
    ("not-executable", "", "/etc/passwd", 126, "(?i)permission denied"),
    ("directory-as-program", "", "/etc", 126, "(?i)permission denied|is a directory"),
    ("killed-by-itself", "--pid host", "sh -c 'kill -9 $$'", 137, "^$"),
    ("environment", "-e GREETING='hello world' -w /tmp", "sh -c 'echo $GREETING $PWD'", 0, "^hello world /tmp$"),
    ("user", "--user 1000:1000 --group-add 2000", "id", 0,
     r"^uid=1000\(user\) gid=1000(\(user\))? groups=.*2000\(extra\)"),
    ("hostname", "--hostname probe-host", "hostname", 0, "^probe-host$"),
    ("sysctl", "--sysctl net.ipv4.ip_forward=1", "cat /proc/sys/net/ipv4/ip_forward", 0, "^1$"),
    ("ulimit", "--ulimit nofile=100:200 --ulimit nproc=64:64", "sh -c 'ulimit -Sn; ulimit -Hn'", 0, "^100\n200$"),
    ("oom-score", "--oom-score-adj 500", "cat /proc/self/oom_score_adj", 0, "^500$"),
    ("no-init", "", "sh -c 'cat /proc/1/comm'", 0, "^cat$|^sh$"),
])


@case(*BOTH)
def wrong_format(bench):
    """It is the container that fails, not its start: docker would leave its shim behind."""
    with open(bench.folder + "/text", "w") as file:
        file.write("no program\n")
    os.chmod(file.name, 0o755)
    bench("run --name NAME -v FOLDER/text:/text IMAGE /text", status=1, prints="(?i)/text.*exec format error")
    bench("logs NAME", prints="(?i)/text.*exec format error")
    bench("inspect -f '{{.State.Status}} {{.State.ExitCode}}' NAME", prints="^exited 1$")


@case(*BOTH)
def terminal(bench):
    bench("run --rm -t IMAGE sh -c 'tty; ls -l /proc/self/fd/0'", prints=r"^/dev/pts/0\n.*pts/0",
          tty=True)


@case(*BOTH)
def interactive_terminal(bench):
    bench("run --rm -i -t IMAGE sh", stdin="echo $((40+2)); exit 5\n", tty=True, status=5, prints="^42$")


@case(*BOTH)
def standard_input(bench):
    bench("run --rm -i IMAGE cat", stdin="said\n", prints="^said$")


@case(*BOTH)
def output_streams(bench):
    bench("run --name NAME IMAGE sh -c 'echo out; echo err >&2'", prints="(?s)out.*err|err.*out")
    bench("logs NAME", prints="(?s)out.*err|err.*out")
    bench("logs --tail 1 NAME", prints=r"\A(out|err)\Z")
    bench("logs -t NAME", prints=r"^\d{4}-\d\d-\d\dT\S+ out$")


@case(*BOTH)
def logs_follow(bench):
    bench("run -d --name NAME IMAGE sh -c 'for i in 1 2 3; do echo line $i; sleep 0.1; done'")
    bench("logs -f NAME", prints=r"\Aline 1\nline 2\nline 3\Z")


@case(*BOTH)
def exec_(bench):
    bench.start("-e COLOUR=red")
    bench("exec NAME echo there", prints="^there$")
    bench("exec NAME sh -c 'exit 9'", status=9)
    bench("exec NAME sh -c 'kill -9 $$'", status=137)
    bench("exec NAME /bin/nothing", status={"podman": 127, "docker": 126}, prints="(?i)no such file or directory")
    bench("exec NAME /etc/passwd", status=126, prints="(?i)permission denied")
    bench("exec -i NAME cat", stdin="said\n", prints="^said$")
    bench("exec --user 1000 NAME id -u", prints="^1000$")
    bench("exec -e SHAPE=round -w /tmp NAME sh -c 'echo $COLOUR $SHAPE $PWD'", prints="^red round /tmp$")
    bench("exec NAME ps", prints="sleep|sh")


@case(*BOTH)
def exec_detached(bench):
    bench.start()
    bench("exec -d NAME sh -c 'echo written >/tmp/sign; exec sleep 100'")
    bench.until("exec NAME cat /tmp/sign", prints="^written$")
    bench("exec NAME ps", prints="sleep 100")


@case(*BOTH)
def exec_terminal(bench):
    bench.start()
    bench("exec -t NAME tty", tty=True, prints=r"^/dev/pts/\d+$")
    bench("exec -i -t NAME sh", tty=True, stdin="echo $((40+2)); exit 5\n", status=5, prints="^42$")


@case(*BOTH)
def exec_confined(bench):
    """A second process has the namespaces, the cgroup, the capabilities and the filter of the first."""
    bench.start("--cap-drop ALL --cap-add CHOWN --memory 32m")
    script = ("for n in cgroup ipc mnt net pid user uts; do readlink /proc/PID/ns/$n; done; cat /proc/PID/cgroup; "
              "grep -E '^(Cap(Bnd|Eff|Prm)|Seccomp|NoNewPrivs):' /proc/PID/status")
    of_first = bench(f"exec NAME sh -c \"{script.replace('PID', '1')}\"")
    of_second = bench(f"exec NAME sh -c \"{script.replace('PID', 'self')}\"")
    bench.same("what confines exec", of_second, of_first)
    bench.same("CapEff", of_second.split("CapEff:\t")[1].split("\n")[0], "0000000000000001")


@case(*BOTH)
def exec_privileged(bench):
    """All the capabilities that the machine itself has, whatever the container's own."""
    bench.start("--cap-drop ALL")
    bench("exec --privileged NAME grep CapEff /proc/self/status", prints=r"CapEff:\t0000003f|CapEff:\t000001f")


@case(*BOTH)
def many_execs(bench):
    bench.start()
    for number in range(15):
        bench(f"exec NAME sh -c 'exit {number}'", status=number)
    bench("exec NAME sh -c 'ps -o stat,comm | grep -c Z'", status=1, prints="^0$")


@case(*BOTH)
def pause(bench):
    bench.start(command="sh -c 'n=0; while :; do n=$((n+1)); echo $n >/tmp/count; done'")
    bench.until("exec NAME cat /tmp/count", prints=r"\d")
    bench("pause NAME")
    bench("inspect -f {{.State.Status}} NAME", prints="^paused$")
    root = bench("inspect -f {{.State.Pid}} NAME")
    first = counted(root)
    time.sleep(0.2)
    bench.same("the count of a paused container", counted(root), first)
    bench("exec NAME true", status={"podman": 255, "docker": 1}, prints="is paused|only .* on running containers")
    bench("unpause NAME")
    bench("inspect -f {{.State.Status}} NAME", prints="^running$")
    bench.wait_for("the container counts again", lambda: counted(root) not in ("", first))


def counted(pid):
    with open(f"/proc/{pid}/root/tmp/count") as file:
        return file.read().strip()


@case(*BOTH)
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
    bench("kill NAME", status={"podman": 125, "docker": 1}, prints="is not running|can only kill running")


@case(*BOTH)
def stop(bench):
    bench.start()
    bench("stop -t 20 NAME")
    bench("inspect -f '{{.State.Status}} {{.State.ExitCode}}' NAME", prints="^exited 4$")
    bench("logs NAME", prints="^bye$")
    bench("start NAME")
    bench.until("inspect -f {{.State.Status}} NAME", prints="^running$")


@case(*BOTH)
def stop_timeout(bench):
    bench.start(command="sh -c 'trap : TERM; echo hello; while :; do sleep 0.05; done'")
    bench.until("logs NAME", prints="hello")
    began = time.monotonic()
    bench("stop -t 1 NAME")
    took = time.monotonic() - began
    bench.demand(f"stop -t 1 took {took:.1f} s", 1 <= took < 8)
    bench("inspect -f {{.State.ExitCode}} NAME", prints="^137$")


@case(*BOTH)
def stop_signal(bench):
    bench("run -d --name NAME --stop-signal USR1 IMAGE sh -c 'trap \"exit 8\" USR1; echo hello; "
          "while :; do sleep 0.05; done'")
    bench.until("logs NAME", prints="hello")
    bench("stop -t 20 NAME")
    bench("inspect -f {{.State.ExitCode}} NAME", prints="^8$")


@case(*BOTH)
def restart(bench):
    bench.start()
    first = bench("inspect -f {{.State.Pid}} NAME")
    bench("restart -t 10 NAME")
    bench.until("logs NAME", prints="(?s)hello.*bye.*hello")
    bench.demand("the process is the same", bench("inspect -f {{.State.Pid}} NAME") != first)


@case(*BOTH)
def restart_on_failure(bench):
    bench("run -d --name NAME --restart on-failure:2 IMAGE sh -c 'echo life; exit 5'")
    bench.until("inspect -f '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}' NAME", prints="^2 exited 5$")
    bench.same("the lives", bench("logs NAME"), "life\nlife\nlife")


@case(*BOTH)
def restart_always(bench):
    bench("run -d --name NAME --restart always -v FOLDER:/shared IMAGE sh -c 'echo life >>/shared/lives; "
          "[ $(wc -l </shared/lives) -lt 3 ] || exec sleep 100'")
    bench.wait_for("three lives", lambda: os.path.exists(bench.folder + "/lives")
                   and bench.text("FOLDER/lives") == "life\nlife\nlife")
    bench.until("inspect -f {{.State.Status}} NAME", prints="^running$")
    bench("stop -t 0 NAME")
    bench("inspect -f {{.State.Status}} NAME", prints="^exited$")


@case(*BOTH)
def start_attached(bench):
    bench("create -i --name NAME IMAGE sh -c 'read word; echo got $word; exit 3'")
    bench("start -a -i NAME", stdin="it\n", status=3, prints="^got it$")
    bench("wait NAME", prints="^3$")


@case(*BOTH)
def removed_while_running(bench):
    bench.start()
    pid = bench("inspect -f {{.State.Pid}} NAME")
    bench("rm NAME", status={"podman": 2, "docker": 1}, prints="it is running|a running container")
    bench("rm -f NAME")
    bench("ps -aq", prints=r"\A\Z")
    bench.demand("the process lives on", not os.path.exists(f"/proc/{pid}"))
