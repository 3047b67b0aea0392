"""What a kubelet asks of containerd, over the Container Runtime Interface."""

import os
import time

import cri
from bench import case
from measure import limit, processor_share

LOOP = ("sh", "-c", 'echo hello; echo problem >&2; trap "echo bye; exit 4" TERM; while :; do sleep 0.05; done')
STUBBORN = ("sh", "-c", "trap : TERM; echo hello; while :; do sleep 0.05; done")
CLIENTS = {}


def client(bench):
    if bench.engine not in CLIENTS:
        CLIENTS[bench.engine] = cri.Client(bench.engine, os.path.dirname(os.path.abspath(__file__)))
    return CLIENTS[bench.engine]


@case("containerd")
def cri_pod(bench):
    with cri.Pod(client(bench), bench) as pod:
        status = pod.status()
        bench.same("the sandbox's state", status.state, 0)
        bench.same("the handler", status.runtime_handler, bench.engine.runtime_name)
        client(bench).call("StopPodSandbox", pod_sandbox_id=pod.id)
        bench.same("the state of a stopped sandbox", pod.status().state, 1)


@case("containerd")
def cri_container(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.create(*LOOP)
        bench.same("the state", container.status().state, 0)
        container.call("StartContainer", container_id=container.id)
        bench.same("the state", container.status().state, 1)
        lines = bench.wait_for("both lines are in the log",
                               lambda: (told := container.log().split("\n")) and len(told) == 2 and told)
        bench.demand(f"the log is {lines}", sorted(line.split(" ", 1)[1] for line in lines)
                     == ["stderr F problem", "stdout F hello"])
        began = time.monotonic()
        container.call("StopContainer", container_id=container.id, timeout=20)
        bench.demand("the grace was not needed", time.monotonic() - began < 10)
        bench.same("the exit code", container.wait().exit_code, 4)
        bench.demand("no farewell in the log", "stdout F bye" in container.log())
        container.call("RemoveContainer", container_id=container.id)


@case("containerd")
def cri_grace_period(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start(*STUBBORN)
        bench.wait_for("the trap is set", lambda: "hello" in container.log())
        began = time.monotonic()
        container.call("StopContainer", container_id=container.id, timeout=1)
        took = time.monotonic() - began
        bench.demand(f"the grace of 1 s took {took:.1f} s", 1 <= took < 8)
        bench.same("the exit code", container.wait().exit_code, 137)


@case("containerd")
def cri_exec(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start("sleep", "100", envs=[{"key": "COLOUR", "value": "red"}])
        bench.same("exec", container.exec("sh", "-c", "echo $COLOUR; echo bad >&2; exit 7"), (7, "red\nbad"))
        for program, words in (("/bin/nothing", "no such file or directory"), ("/etc/passwd", "permission denied")):
            try:
                container.exec(program)
                bench.demand(f"exec of {program} did not fail", False)
            except cri.Wrong as refusal:
                bench.demand(f"exec of {program}: {refusal}", words in str(refusal).lower())


@case("containerd")
def cri_exec_timeout(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start("sleep", "100")
        try:
            container.exec("sleep", "1234", timeout=1)
            bench.demand("a command that takes too long was not stopped", False)
        except cri.Wrong as refusal:
            bench.demand(str(refusal), "DEADLINE_EXCEEDED" in str(refusal))
        bench.same("what is left of it", container.exec("sh", "-c", "ps | grep -c [1]234"), (1, "0"))


@case("containerd")
def cri_probes(bench):
    """Exec probes in a loop: each has its own status, and nothing of them stays."""
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start("sleep", "100")
        for number in range(40):
            bench.same("a probe", container.exec("sh", "-c", f"exit {number % 3}"), (number % 3, ""))
        bench.same("the processes", container.exec("sh", "-c", "ls -d /proc/[0-9]* | wc -l")[1], "4")


@case("containerd")
def cri_out_of_memory(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start("sh", "-c", 'x=$(head -c 64m /dev/zero | tr "\\0" a)',
                              resources={"memory_limit_in_bytes": 12 << 20})
        status = container.wait()
        bench.same("how it ended", (status.exit_code, status.reason), (137, "OOMKilled"))


@case("containerd")
def cri_no_such_program(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.create("/bin/nothing")
        try:
            container.call("StartContainer", container_id=container.id)
            bench.demand("start did not fail", False)
        except cri.Wrong as refusal:
            bench.demand(str(refusal), "no such file or directory" in str(refusal).lower())
        status = container.wait()
        bench.same("how it ended", (status.exit_code, status.reason), (128, "StartError"))


@case("containerd")
def cri_limits_and_update(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start("sh", "-c", "while :; do :; done", resources={
            "memory_limit_in_bytes": 64 << 20, "cpu_period": 100000, "cpu_quota": 20000, "cpu_shares": 512,
            "oom_score_adj": 500})
        pid = container.pid()
        share = processor_share(pid)
        bench.demand(f"the container had {share:.0%} of a processor", 0.08 <= share <= 0.32)
        bench.same("oom_score_adj", bench.text(f"/proc/{pid}/oom_score_adj"), "500")
        container.call("UpdateContainerResources", container_id=container.id, linux={
            "memory_limit_in_bytes": 48 << 20, "cpu_period": 100000, "cpu_quota": 50000, "cpu_shares": 256})
        for controller, name, value in (("memory", "memory.limit_in_bytes", 48 << 20),
                                        ("cpu", "cpu.cfs_quota_us", 50000), ("cpu", "cpu.shares", 256)):
            bench.same(name, limit(bench, pid, controller, name), str(value))


@case("containerd")
def cri_stats(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start("sh", "-c", "head -c 8m /dev/zero >/dev/shm/x; while :; do :; done",
                              resources={"memory_limit_in_bytes": 64 << 20})
        stats = bench.wait_for("8 MiB are counted", lambda: (
            told := container.call("ContainerStats", container_id=container.id).stats)
            and told.memory.working_set_bytes.value >= 8 << 20 and told)
        bench.demand("no processor time is counted", stats.cpu.usage_core_nano_seconds.value > 0)


@case("containerd")
def cri_shared_namespaces(bench):
    """Two containers of a pod that has a network of its own: they meet on localhost, and the pod has an address."""
    with cri.Pod(client(bench), bench, network="POD", pid="POD", sysctls={"net.ipv4.ip_forward": "1"}) as pod:
        bench.demand("the pod has no address", pod.status().network.ip.startswith("10.88.0."))
        first = pod.start("sh", "-c", "echo greeting | nc -l -p 4000; sleep 100", name="first")
        second = pod.start("sleep", "101", name="second")
        bench.same("the host name", second.exec("hostname"), (0, bench.name))
        bench.same("the sysctl", second.exec("cat", "/proc/sys/net/ipv4/ip_forward"), (0, "1"))
        bench.wait_for("the other container answers", lambda: second.exec(
            "sh", "-c", "nc 127.0.0.1 4000 </dev/null")[1] == "greeting")
        bench.demand("the processes of the other container are not seen", "sleep 101" in first.exec("ps")[1])
        own = [os.readlink(f"/proc/{container.pid()}/ns/net") for container in (first, second)]
        bench.same("the second network", own[1], own[0])
        bench.demand("the network is the machine's", own[0] != os.readlink("/proc/self/ns/net"))


@case("containerd")
def cri_security_context(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start("sleep", "100", context={
            "run_as_user": {"value": 1000}, "supplemental_groups": [2000], "readonly_rootfs": True,
            "no_new_privs": True, "capabilities": {"drop_capabilities": ["ALL"]}, "masked_paths": ["/proc/kcore"],
            "readonly_paths": ["/proc/sys"]}, mounts=[{"container_path": "/data", "host_path": bench.folder,
                                                       "readonly": True}])
        bench.demand("the user", "uid=1000(user)" in container.exec("id")[1])
        seen = container.exec("grep", "-E", "^(CapBnd|Seccomp|NoNewPrivs|Groups):", "/proc/self/status")[1]
        for words in ("CapBnd:\t0000000000000000", "Seccomp:\t2", "NoNewPrivs:\t1", "2000"):
            bench.demand(f"not {words!r} in {seen!r}", words in seen)
        for path in ("/x", "/data/x", "/proc/sys/kernel/hostname"):
            bench.demand(f"{path} can be written", container.exec("sh", "-c", f": >{path}")[0] != 0)


@case("containerd")
def cri_privileged(bench):
    with cri.Pod(client(bench), bench) as pod:
        refused = None
        try:
            pod.start("sleep", "100", context={"privileged": True})
        except cri.Wrong as refusal:
            refused = str(refusal)
        bench.demand(f"a privileged container in a pod that is not: {refused}", refused and "privileged" in refused)


@case("containerd")
def cri_terminal(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start("sh", "-c", "tty", tty=True)
        bench.same("the exit code", container.wait().exit_code, 0)
        bench.demand(container.log(), "stdout F /dev/pts/0" in container.log())


@case("containerd")
def cri_removed_while_running(bench):
    with cri.Pod(client(bench), bench) as pod:
        container = pod.start("sleep", "100")
        pid = container.pid()
        container.call("RemoveContainer", container_id=container.id)
        bench.demand("the process lives on", not os.path.exists(f"/proc/{pid}"))
