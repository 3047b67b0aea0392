"""What podman lets a container do: files, capabilities, system calls, memory, processors, tasks."""

import json
import os
import subprocess

from bench import case, runs
from measure import limit, processor_share

runs(("podman",), [
    ("read-only", "--read-only", "sh -c 'exec 2>&1; touch /x; touch /tmp/y && echo fine'", 0,
     "(?s)Read-only file system.*fine"),
    ("read-only-all", "--read-only --read-only-tmpfs=false", "touch /tmp/y", 1, "Read-only file system"),
    ("tmpfs", "--tmpfs /scratch:rw,noexec,size=64k,mode=1777",
     "sh -c 'exec 2>&1; grep /scratch /proc/self/mounts; head -c 100000 /dev/zero >/scratch/x'", 1,
     r"(?s)tmpfs /scratch tmpfs rw,[^\n]*noexec[^\n]*size=64k.*(No space left|I/O error)"),
    ("volume-read-only", "-v FOLDER:/data:ro", "touch /data/x", 1, "Read-only file system"),
    ("mount-option", "--mount type=bind,src=FOLDER,dst=/data,ro=true", "touch /data/x", 1, "Read-only file system"),
    ("cap-default", "", "grep CapEff /proc/self/status", 0, "CapEff:\t00000000800405fb"),
    ("cap-add", "--cap-add SYS_ADMIN", "sh -c 'mount -t tmpfs none /scratch && grep -c /scratch /proc/self/mounts'", 0,
     "^1$"),
    ("cap-drop", "--cap-drop CHOWN", "chown 1:1 /tmp", 1, "Operation not permitted"),
    ("cap-drop-all", "--cap-drop ALL", "grep Cap /proc/self/status", 0,
     "CapPrm:\t0{16}\nCapEff:\t0{16}\nCapBnd:\t0{16}"),
    ("no-new-privileges", "--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", 0, "NoNewPrivs:\t1"),
    ("privileged", "--privileged",
     "sh -c 'grep Seccomp: /proc/self/status; mount -t tmpfs none /scratch && ls /dev/kmsg'", 0,
     "Seccomp:\t0\n/dev/kmsg"),
    ("seccomp-default", "", "grep Seccomp: /proc/self/status", 0, "Seccomp:\t2"),
    ("seccomp-unconfined", "--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status", 0, "Seccomp:\t0"),
    ("mask-and-unmask", "--security-opt mask=/etc/group --security-opt unmask=/proc/timer_list",
     "sh -c 'wc -c </etc/group; grep -c timer_list /proc/self/mounts'", 1, "^0\n0$"),
    ("device", "--device /dev/null:/dev/nothing:rw", "sh -c 'echo x >/dev/nothing; stat -c %t:%T /dev/nothing'", 0,
     "^1:3$"),
    ("device-refused", "--cap-add MKNOD", "sh -c 'mknod /tmp/d c 1 2 && : </tmp/d'", 1, "Operation not permitted"),
    ("device-rule", "--cap-add MKNOD --device-cgroup-rule 'c 1:2 r'", "sh -c 'mknod /tmp/d c 1 2 && : </tmp/d'", 1,
     "No such device or address"),
    ("cpuset", "--cpuset-cpus 0", "grep Cpus_allowed_list /proc/self/status", 0, r"\s0$"),
])

PROFILE = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"],
    "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}],
}


@case("podman")
def seccomp_profile(bench):
    with open(bench.folder + "/profile.json", "w") as file:
        json.dump(PROFILE, file)
    bench("run --rm --security-opt seccomp=FOLDER/profile.json IMAGE mkdir /tmp/x", status=1,
          prints="Function not implemented")
    bench("run -d --name NAME --security-opt seccomp=FOLDER/profile.json IMAGE sleep 100")
    bench("exec NAME mkdir /tmp/x", status=1, prints="Function not implemented")


@case("podman")
def bind_volume(bench):
    bench("run --rm -v FOLDER:/data IMAGE sh -c 'echo inside >/data/x'")
    bench.same("the file outside", bench.text("FOLDER/x"), "inside")
    bench("run --rm -v FOLDER/x:/etc/group IMAGE cat /etc/group", prints="^inside$")


@case("podman")
def named_volume(bench):
    bench("volume create store")
    bench("run --rm -v store:/data IMAGE sh -c 'echo kept >/data/x'")
    bench("run --rm -v store:/elsewhere:ro IMAGE cat /elsewhere/x", prints="^kept$")
    bench("run --rm -v copied:/etc IMAGE cat /etc/passwd", prints="^root:")
    bench("volume rm -fa")


@case("podman")
def volumes_from(bench):
    bench("run -d --name NAME -v /shared IMAGE sh -c 'echo shared >/shared/x; exec sleep 100'")
    bench.until("run --rm --volumes-from NAME IMAGE cat /shared/x", prints="^shared$")


@case("podman")
def propagation(bench):
    """A mount that the machine makes later is seen with rslave and rshared, and not with rprivate; one made inside
    comes out with rshared alone."""
    source = bench.folder + "/source"
    os.makedirs(source + "/late")
    os.makedirs(source + "/inner")
    subprocess.run(["mount", "--bind", source, source], check=True)
    subprocess.run(["mount", "--make-shared", source], check=True)
    try:
        for mode in ("rshared", "rslave", "rprivate"):
            bench(f"run -d --name NAME-{mode} --cap-add SYS_ADMIN -v {source}:/data:{mode} IMAGE sleep 100")
        subprocess.run(["mount", "-t", "tmpfs", "late", source + "/late"], check=True)
        for mode, count in (("rshared", 1), ("rslave", 1), ("rprivate", 0)):
            bench(f"exec NAME-{mode} grep -c '^late /data/late' /proc/self/mounts", status=1 - count,
                  prints=f"^{count}$")
        for mode, count in (("rprivate", 0), ("rslave", 0), ("rshared", 1)):
            bench(f"exec NAME-{mode} mount -t tmpfs inner /data/inner")
            with open("/proc/self/mounts") as file:
                bench.same(f"mounts that came out with {mode}", file.read().count(f"inner {source}/inner"), count)
    finally:
        bench("rm -fa -t 0")
        subprocess.run(["umount", "-R", source], check=True)


@case("podman")
def root_filesystem(bench):
    """A directory instead of an image, and an overlay over it."""
    os.makedirs(bench.folder + "/root")
    subprocess.run(["cp", "-a", "/bin/busybox", bench.folder + "/root/sh"], check=True)
    for name in ("dev", "etc", "proc", "sys", "run", "tmp"):
        os.mkdir(f"{bench.folder}/root/{name}")
    bench("run --rm --rootfs FOLDER/root /sh -c 'echo direct >/made'")
    bench.same("the file", bench.text("FOLDER/root/made"), "direct")
    bench("run --rm --rootfs FOLDER/root:O /sh -c 'echo over >/made'")
    bench.same("the file below an overlay", bench.text("FOLDER/root/made"), "direct")


@case("podman")
def memory_limit(bench):
    bench("run --name NAME --memory 12m --memory-swap 12m IMAGE sh -c 'x=$(head -c 64m /dev/zero | tr \"\\0\" a)'",
          status=137)
    told = bench("inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' NAME", prints=" 137$")
    # conmon notices that the container ran out of memory; podman 4.3 looks for its note in another directory.
    bench.demand("conmon noticed nothing", told.startswith("true") or os.path.exists(bench.folder + "/oom"))


@case("podman")
def processor_limit(bench):
    bench("run -d --name NAME --cpus 0.2 IMAGE sh -c 'while :; do :; done'")
    pid = bench("inspect -f {{.State.Pid}} NAME")
    share = processor_share(pid)
    bench.demand(f"the container had {share:.0%} of a processor", 0.08 <= share <= 0.32)


@case("podman")
def task_limit(bench):
    bench("run --rm --pids-limit 8 IMAGE sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 5 & done'", status=2,
          prints="can't fork: Resource temporarily unavailable")


@case("podman")
def no_cgroups(bench):
    """The container stays in the cgroups of the process that started it."""
    bench("run -d --name NAME --cgroups=disabled IMAGE sleep 100")
    pid = bench("inspect -f {{.State.Pid}} NAME")
    bench.demand("the container is in a cgroup of its own", "libpod" not in bench.text(f"/proc/{pid}/cgroup"))
    bench("stop -t 0 NAME")
    bench("inspect -f {{.State.Status}} NAME", prints="^exited$")


@case("podman")
def cgroup_namespace(bench):
    bench("run --rm --cgroupns=private IMAGE cat /proc/self/cgroup", prints=r":memory:/$|\A0::/\Z")
    bench("run --rm --cgroupns=host IMAGE cat /proc/self/cgroup", prints=":(memory)?:/apus-engines.*libpod-")


@case("podman")
def update(bench):
    bench("run -d --name NAME --memory 64m IMAGE sleep 100")
    pid = bench("inspect -f {{.State.Pid}} NAME")
    bench("update --memory 48m --cpus 0.5 NAME")
    bench.same("memory.limit_in_bytes", limit(bench, pid, "memory", "memory.limit_in_bytes"), str(48 << 20))
    bench.same("cpu.cfs_quota_us", limit(bench, pid, "cpu", "cpu.cfs_quota_us"), "50000")
