"""What docker alone does."""

import json
import os

import lives  # noqa: F401
from bench import case, runs
from measure import limit, processor_share

runs(("docker",), [
    ("runtime-refuses", "--sysctl kernel.msgmax=no-number", "true", 125, "(?i)oci runtime create failed.*msgmax"),
    ("read-only", "--read-only --tmpfs /tmp", "sh -c 'exec 2>&1; touch /x; touch /tmp/y && echo fine'", 0,
     "(?s)Read-only file system.*fine"),
    ("volume-read-only", "-v FOLDER:/data:ro", "touch /data/x", 1, "Read-only file system"),
    ("tmpfs", "--tmpfs /scratch:rw,noexec,size=64k", "grep /scratch /proc/self/mounts", 0,
     "^tmpfs /scratch tmpfs rw,.*noexec.*size=64k"),
    ("cap-drop-all", "--cap-drop ALL", "grep CapEff /proc/self/status", 0, "CapEff:\t0{16}"),
    ("cap-add", "--cap-add SYS_ADMIN --security-opt apparmor=unconfined",
     "sh -c 'mount -t tmpfs none /scratch && echo fine'", 0, "^fine$"),
    ("no-new-privileges", "--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", 0, "NoNewPrivs:\t1"),
    ("privileged", "--privileged", "grep Seccomp: /proc/self/status", 0, "Seccomp:\t0"),
    ("seccomp-default", "", "sh -c 'grep Seccomp: /proc/self/status; unshare -m true 2>&1'", 1,
     "Seccomp:\t2\nunshare.*Operation not permitted"),
    ("device", "--device /dev/null:/dev/nothing:rw", "stat -c %t:%T /dev/nothing", 0, "^1:3$"),
    ("device-refused", "--cap-add MKNOD", "sh -c 'mknod /tmp/d c 1 2 && : </tmp/d'", 1, "Operation not permitted"),
    ("init", "--init", "sh -c 'cat /proc/1/comm'", 0, "^docker-init|^tini"),
    ("host-namespaces", "--network host --pid host --ipc host --uts host", "sh -c 'readlink /proc/self/ns/net; ps'", 0,
     r"^net:\[\d+\]\n(.*\n)*.*dockerd"),
    ("cgroup-namespace", "--cgroupns private", "cat /proc/self/cgroup", 0, r":memory:/$|\A0::/\Z"),
])


@case("docker")
def file_as_directory(bench):
    """The daemon knows it by the runtime's words; the client of docker 20.10 does not."""
    bench("run --name NAME IMAGE /etc/passwd/x", status=125, prints="(?i)not a directory.*mount a directory onto a file")
    bench("inspect -f {{.State.ExitCode}} NAME", prints="^127$")


@case("docker")
def file_on_directory(bench):
    """Known by the runtime's words, too; "is a directory" would be another answer."""
    with open(bench.folder + "/file", "w"):
        bench("run --name NAME -v FOLDER/file:/tmp IMAGE true", status=125,
              prints="(?i)not a directory.*mount a directory onto a file")
    bench("inspect -f {{.State.ExitCode}} NAME", prints="^127$")


@case("docker")
def closed_directory(bench):
    """A user may start where only root may enter."""
    os.mkdir(bench.folder + "/closed", 0o700)
    bench("run --rm --user 1000 -v FOLDER/closed:/closed -w /closed IMAGE sh -c 'pwd; cd /closed 2>&1'", status=2,
          prints="(?s)^/closed\n.*Permission denied")


@case("docker")
def volume(bench):
    bench("run --rm -v FOLDER:/data IMAGE sh -c 'echo inside >/data/x'")
    bench.same("the file outside", bench.text("FOLDER/x"), "inside")
    bench("run --rm -v store:/data IMAGE sh -c 'echo kept >/data/x'")
    bench("run --rm -v store:/elsewhere:ro IMAGE cat /elsewhere/x", prints="^kept$")
    bench("volume rm -f store")


@case("docker")
def container_namespaces(bench):
    bench.start("--ipc shareable")
    pid = bench("inspect -f {{.State.Pid}} NAME")
    for option, kind in (("network", "net"), ("pid", "pid"), ("ipc", "ipc")):
        wanted = os.readlink(f"/proc/{pid}/ns/{kind}")
        bench.same(kind, bench(f"run --rm --{option} container:NAME IMAGE readlink /proc/self/ns/{kind}"), wanted)


@case("docker")
def out_of_memory(bench):
    """The status, the state and the event."""
    bench("run --name NAME --memory 12m --memory-swap 12m IMAGE sh -c 'x=$(head -c 64m /dev/zero | tr \"\\0\" a)'",
          status=137)
    bench.until("inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' NAME", prints="^true 137$")
    bench.until("events --since 10m --until 0s --filter container=NAME --filter event=oom --format '{{.Action}}'",
                prints="^oom$")


@case("docker")
def events(bench):
    bench("run --rm --name NAME IMAGE true")
    bench.until("events --since 10m --until 0s --filter container=NAME --format '{{.Action}}'",
                prints="(?s)create.*start.*die.*destroy")


@case("docker")
def limits(bench):
    bench("run -d --name NAME --cpus 0.2 --pids-limit 8 --memory 64m IMAGE sh -c 'while :; do :; done'")
    pid = bench("inspect -f {{.State.Pid}} NAME")
    share = processor_share(pid)
    bench.demand(f"the container had {share:.0%} of a processor", 0.08 <= share <= 0.32)
    bench.same("pids.max", limit(bench, pid, "pids", "pids.max"), "8")
    bench.same("memory.limit_in_bytes", limit(bench, pid, "memory", "memory.limit_in_bytes"), str(64 << 20))


@case("docker")
def update(bench):
    bench("run -d --name NAME --memory 64m --memory-swap 64m IMAGE sleep 100")
    pid = bench("inspect -f {{.State.Pid}} NAME")
    bench("update --memory 48m --memory-swap 48m --cpus 0.5 --cpu-shares 512 --pids-limit 33 NAME")
    for controller, name, value in (("memory", "memory.limit_in_bytes", 48 << 20), ("cpu", "cpu.cfs_quota_us", 50000),
                                    ("cpu", "cpu.shares", 512), ("pids", "pids.max", 33)):
        bench.same(name, limit(bench, pid, controller, name), str(value))


@case("docker")
def healthcheck(bench):
    """The daemon executes the command in a loop of its own."""
    bench("run -d --name NAME --health-cmd 'test -e /tmp/well' --health-interval 200ms --health-retries 1 IMAGE "
          "sleep 100")
    bench.until("inspect -f {{.State.Health.Status}} NAME", prints="^unhealthy$")
    bench("exec NAME touch /tmp/well")
    bench.until("inspect -f {{.State.Health.Status}} NAME", prints="^healthy$")
    bench.until("inspect -f '{{len .State.Health.Log}}' NAME", prints="^5$")


@case("docker")
def create_start_rename(bench):
    bench("create --name NAME IMAGE sh -c 'echo begun; exit 6'")
    bench("start -a NAME", status=6, prints="^begun$")
    bench("start -a NAME", status=6, prints="begun")
    bench("rename NAME NAME-b")
    bench("inspect -f '{{.State.Status}} {{.State.ExitCode}}' NAME-b", prints="^exited 6$")


@case("docker")
def copy_and_commit(bench):
    """commit pauses a running container."""
    bench.start()
    with open(bench.folder + "/letter", "w") as file:
        file.write("dear\n")
    bench("cp FOLDER/letter NAME:/tmp/letter")
    bench("exec NAME cat /tmp/letter", prints="^dear$")
    bench("commit NAME committed", prints="[0-9a-f]{64}")
    bench("inspect -f {{.State.Status}} NAME", prints="^running$")
    bench("run --rm committed cat /tmp/letter", prints="^dear$")
    bench("rmi -f committed")


@case("docker")
def features(bench):
    """dockerd asks the runtime for its version when it tells about itself."""
    told = json.loads(bench("info --format '{{json .}}'"))
    name = bench.engine.runtime_name
    bench.same("the default runtime", told["DefaultRuntime"], name)
    bench.demand(f"no runtime {name}: {told['Runtimes']}", told["Runtimes"][name]["path"] == bench.engine.runtime)
    bench.same("the cgroup driver", told["CgroupDriver"], "cgroupfs")


@case("docker")
def stats(bench):
    bench.start("--memory 64m", command="sh -c 'head -c 8m /dev/zero >/dev/shm/x; echo full; sleep 100'")
    bench.until("logs NAME", prints="full")
    told = json.loads(bench("stats --no-stream --format '{{json .}}' NAME"))
    bench.demand(f"another limit than 64 MiB: {told}", told["MemUsage"].endswith("/ 64MiB"))
    bench.demand(f"no memory is used: {told}", float(told["MemUsage"].split("MiB")[0]) > 4)
    bench.demand(f"no process: {told}", int(told["PIDs"]) >= 1)


@case("docker")
def top(bench):
    bench.start()
    bench("exec -d NAME sleep 1234")
    bench("top NAME -eo pid,user,args", prints=r"(?s)PID.*\n\d+ +root +sh -c.*\n\d+ +root +sleep 1234")
