"""How podman shares namespaces: with the machine, between containers, in pods; and how it maps users."""

import os
import re
import subprocess

from bench import case, runs

# The user called nobody, who has subordinate ids in machine.py.
ORDINARY = 65534
KINDS = {"network": "net", "pid": "pid", "ipc": "ipc", "uts": "uts"}


def own(kind):
    return re.escape(os.readlink(f"/proc/self/ns/{kind}"))


def remove_pod(bench):
    """Podman 4.3 may find a container's /dev/shm busy while its monitor's own cleanup unmounts it, with any runtime."""
    bench.until("pod rm -f -i -t 0 NAME", prints="")


@case("podman")
def host_namespaces(bench):
    for option, kind in KINDS.items():
        bench(f"run --rm --{option} host IMAGE readlink /proc/self/ns/{kind}", prints=f"^{own(kind)}$")
        bench(f"run --rm --{option} {'none' if option == 'network' else 'private'} IMAGE readlink /proc/self/ns/{kind}",
              prints=rf"^(?!{own(kind)}$){kind}:\[\d+\]$")


@case("podman")
def container_namespaces(bench):
    bench.start()
    pid = bench("inspect -f {{.State.Pid}} NAME")
    for option, kind in KINDS.items():
        wanted = re.escape(os.readlink(f"/proc/{pid}/ns/{kind}"))
        bench(f"run --rm --{option} container:NAME IMAGE readlink /proc/self/ns/{kind}", prints=f"^{wanted}$")
    bench("run --rm --pid container:NAME IMAGE ps", prints=r"^ +1 .*sh -c echo hello")


@case("podman")
def namespace_by_path(bench):
    bench.start()
    pid = bench("inspect -f {{.State.Pid}} NAME")
    bench(f"run --rm --network ns:/proc/{pid}/ns/net IMAGE readlink /proc/self/ns/net",
          prints="^" + re.escape(os.readlink(f"/proc/{pid}/ns/net")) + "$")


@case("podman")
def pod(bench):
    bench("pod create --name NAME --share net,ipc,uts --hostname shared-name")
    for part in ("a", "b"):
        bench(f"run -d --pod NAME --name NAME-{part} IMAGE sleep 100")
    of_a, of_b = (bench(f"exec NAME-{part} sh -c 'readlink /proc/self/ns/net; readlink /proc/self/ns/ipc; hostname'")
                  for part in ("a", "b"))
    bench.same("the namespaces of the second container", of_b, of_a)
    bench.demand("the host name is another", of_a.endswith("shared-name"))
    bench("exec -d NAME-a sh -c 'echo hello | nc -l -p 4000'")
    bench.until("exec NAME-b sh -c 'nc 127.0.0.1 4000 </dev/null'", prints="^hello$")
    bench("pod pause NAME")
    bench("ps -a --filter name=NAME-a --format {{.Status}}", prints="(?i)paused")
    bench("pod unpause NAME")
    bench("pod top NAME", prints="sleep 100")
    bench("pod stop -t 0 NAME")
    bench("pod ps --format {{.Status}}", prints="(?i)exited|stopped")
    bench("pod start NAME")
    bench("pod ps --format {{.Status}}", prints="(?i)running")
    bench("pod kill NAME")
    remove_pod(bench)
    bench("ps -aq", prints=r"\A\Z")


@case("podman")
def pod_pid(bench):
    bench("pod create --name NAME --share pid,net")
    bench("run -d --pod NAME --name NAME-a IMAGE sleep 101")
    bench("run --rm --pod NAME IMAGE ps", prints="sleep 101")
    remove_pod(bench)


@case("podman")
def user_namespace_mapped(bench):
    bench("run -d --name NAME --uidmap 0:200000:5000 --gidmap 0:300000:5000 -v FOLDER:/data:U IMAGE "
          "sh -c 'cat /proc/self/uid_map; echo x >/data/x; echo done; sleep 100'")
    bench.until("logs NAME", prints=r"^ +0 +200000 +5000\ndone$")
    seen = os.stat(bench.folder + "/x")
    bench.same("the owner of a file outside", (seen.st_uid, seen.st_gid), (200000, 300000))
    bench("exec NAME id -u", prints="^0$")
    bench("exec NAME stat -c %u:%g /bin/busybox /proc/1", prints="^0:0\n0:0$")


@case("podman")
def user_namespace_auto(bench):
    for part in ("a", "b"):
        bench(f"run -d --name NAME-{part} --userns auto:size=2000 IMAGE sleep 100")
    first, second = (bench(f"exec NAME-{part} cat /proc/self/uid_map").split() for part in ("a", "b"))
    bench.same("the sizes", (first[2], second[2]), ("2000", "2000"))
    bench.demand(f"the mappings overlap: {first} {second}", abs(int(first[1]) - int(second[1])) >= 2000)
    bench.demand("the mapping is the machine's", int(first[1]) >= 100000)


@case("podman")
def user_namespace_shared(bench):
    bench("run -d --name NAME --uidmap 0:200000:5000 IMAGE sleep 100")
    wanted = bench("exec NAME readlink /proc/self/ns/user")
    bench("run --rm --userns container:NAME IMAGE readlink /proc/self/ns/user", prints="^" + re.escape(wanted) + "$")


@case("podman")
def user_namespace_pod(bench):
    bench("pod create --name NAME --userns auto:size=3000")
    for part in ("a", "b"):
        bench(f"run -d --pod NAME --name NAME-{part} IMAGE sleep 100")
    first, second = (bench(f"exec NAME-{part} cat /proc/self/uid_map") for part in ("a", "b"))
    bench.same("the mapping of the second container", second, first)
    remove_pod(bench)


runs(("podman",), [
    ("user-namespace-host", "--userns host", "cat /proc/self/uid_map", 0, r"^ +0 +0 +4294967295$"),
    ("user-namespace-sysctl", "--uidmap 0:200000:5000 --sysctl net.ipv4.ip_forward=1 --read-only --tmpfs /scratch",
     "sh -c 'cat /proc/sys/net/ipv4/ip_forward; touch /scratch/x && echo fine'", 0, "^1\nfine$"),
])


@case("podman")
def user_namespace_keep_id(bench):
    """An ordinary user's own podman: the user's id is the same inside."""
    state = {name: f"{bench.folder}/{name}" for name in ("home", "run", "root")}
    for path in state.values():
        os.mkdir(path)
        os.chown(path, ORDINARY, ORDINARY)
    engine = bench.engine
    environment = dict(engine.environment(), HOME=state["home"], XDG_RUNTIME_DIR=state["run"], TMPDIR=state["run"])
    del environment["CONTAINERS_STORAGE_CONF"]

    def podman(line):
        words = ["setpriv", "--reuid", str(ORDINARY), "--regid", str(ORDINARY), "--clear-groups", "podman", "--root",
                 state["root"], "--storage-driver", "vfs", *bench.plain(line)]
        done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=state["home"], timeout=60,
                              check=False)
        bench.demand(f"{line}: status {done.returncode}: {done.stderr[-500:]}", done.returncode == 0)
        return done.stdout.strip()

    podman(f"load -i {engine.archive}")
    bench.same("the user", podman("run --rm --userns keep-id --ulimit host IMAGE id -u"), str(ORDINARY))
    podman("run -d --name NAME --userns keep-id --ulimit host -v FOLDER/home:/data IMAGE "
           "sh -c 'touch /data/x; echo done; exec sleep 100'")
    bench.wait_for("the file is there", lambda: os.path.exists(state["home"] + "/x"))
    bench.same("the owner of a file outside", os.stat(state["home"] + "/x").st_uid, ORDINARY)
    bench.same("the user of exec", podman("exec NAME id -u"), str(ORDINARY))
    podman("rm -f -t 0 NAME")
    podman("system migrate")
