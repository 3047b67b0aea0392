"""Shapes of containers: options of an engine, and that the container is as the config.json says that the engine made
of them. The engine calls a small script for them, which copies config.json and then becomes the runtime."""

import json
import os

import facts
from bench import add
from machine import hold_namespaces

PROBE_STATUS = 7

# The shapes of `podman run` and `docker run`. FILES becomes a directory that is there, HOLDER a process that is in
# other network and IPC namespaces than the host.
RUN_SHAPES = {
    "default": [],
    "privileged": ["--privileged"],
    "read-only": ["--read-only"],
    "tmpfs": ["--tmpfs", "/scratch:rw,noexec,size=64k,mode=1777"],
    "volumes": ["-v", "FILES/data:/data:ro", "-v", "FILES/data:/var/data:rprivate"],
    "limits": ["--memory", "64m", "--memory-reservation", "32m", "--cpu-shares", "512", "--cpu-quota", "50000",
               "--cpu-period", "100000", "--pids-limit", "64", "--cpuset-cpus", "0", "--oom-score-adj", "500"],
    "tty": ["-t"],
    "host-namespaces": ["--net", "host", "--pid", "host", "--ipc", "host", "--uts", "host"],
    "capabilities": ["--cap-add", "SYS_ADMIN", "--cap-drop", "CHOWN", "--cap-drop", "NET_RAW"],
    "no-capabilities": ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"],
    "seccomp": ["--security-opt", "seccomp=FILES/seccomp.json"],
    "unconfined": ["--security-opt", "seccomp=unconfined"],
    "user": ["--user", "1000:1000", "--group-add", "2000", "-w", "/tmp", "-e", "GREETING=hello world"],
    "sysctl": ["--sysctl", "net.ipv4.ip_forward=1", "--hostname", "probe-host"],
    "device": ["--device", "/dev/null:/dev/nothing:rw"],
    "no-task-limit": ["--pids-limit", "-1"],
}
PODMAN_SHAPES = dict(
    RUN_SHAPES,
    userns=["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"],
    joined=["--net", "ns:/proc/HOLDER/ns/net", "--ipc", "ns:/proc/HOLDER/ns/ipc"],
    unmasked=["--security-opt", "unmask=/proc/kcore", "--security-opt", "mask=/etc/group", "--umask", "0077"],
    **{"private-cgroup": ["--cgroupns", "private"]})
DOCKER_SHAPES = dict(
    RUN_SHAPES, **{"private-cgroup": ["--cgroupns", "private"], "init": ["--init"]})
CTR_SHAPES = {
    "default": [],
    "privileged": ["--privileged"],
    "read-only": ["--read-only"],
    "mounts": ["--mount", "type=bind,src=FILES/data,dst=/data,options=rbind:ro",
               "--mount", "type=tmpfs,src=tmpfs,dst=/scratch,options=nosuid:size=64k"],
    "limits": ["--memory-limit", "67108864", "--cpu-quota", "50000", "--cpu-period", "100000"],
    "tty": ["-t"],
    "host-network": ["--net-host"],
    "capabilities": ["--cap-add", "CAP_SYS_ADMIN", "--cap-drop", "CAP_CHOWN"],
    "seccomp": ["--seccomp"],
    "environment": ["--cwd", "/tmp", "--env", "GREETING=hello world", "--label", "kind=probe"],
    "device": ["--device", "/dev/null"],
}
BUILDAH_SHAPES = {"default": [], "user": ["--user", "1000:1000"], "tty": ["-t"],
                  "capabilities": ["--cap-add", "CAP_SYS_ADMIN"], "volumes": ["-v", "FILES/data:/data:ro"]}
SHAPES = {"podman": PODMAN_SHAPES, "docker": DOCKER_SHAPES, "containerd": CTR_SHAPES, "buildah": BUILDAH_SHAPES}
# The containers that have them; buildah's are told to run something later.
RUN = {"podman": "run --rm {} IMAGE /bin/probe", "docker": "run --rm {} IMAGE /bin/probe",
       "containerd": "run --rm {} IMAGE NAME /bin/probe", "buildah": "run {} NAME -- /bin/probe"}


def make_files(folder):
    """Fills the directory that the shapes call FILES."""
    os.makedirs(os.path.join(folder, "data"), exist_ok=True)
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
        "syscalls": [{"names": ["setpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}],
    }
    with open(os.path.join(folder, "seccomp.json"), "w") as file:
        json.dump(profile, file)


def check(bench, options):
    engine, files = bench.engine, bench.engine.path("files")
    make_files(files)
    holder = hold_namespaces() if any("HOLDER" in word for word in options) else None
    line = RUN[engine.name].format(" ".join(f"'{word}'" for word in options)).replace("FILES", files)
    captured = bench.folder + "/config.json"
    try:
        if engine.name == "buildah":
            bench("from --name NAME IMAGE")
        output = bench(line.replace("HOLDER", str(holder.pid if holder else 0)), tty="-t" in options,
                       status=PROBE_STATUS, capture=captured)
        with open(captured) as file:
            config = json.load(file)
        wrong = facts.mismatches(config, output)
    finally:
        if holder:
            holder.kill()
            holder.wait()
    bench.demand("\n".join(wrong), not wrong)


def add_shapes():
    for engine, shapes in SHAPES.items():
        for name, options in shapes.items():
            add([engine], "shape-" + name, lambda bench, options=options: check(bench, options), None)
