"""What must be true of a checkpoint and of what is restored from it."""

import array
import json
import os
import shutil
import socket
import subprocess

from bench import COUNT, Failed, contents, until

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


@case
def counts_on(bench):
    """A count that is in memory alone goes on, with the same surroundings."""
    with open(f"{bench.folder}/letter", "w") as file:
        file.write("dear\n")
    bench.config["mounts"] += [
        {"destination": "/letter", "type": "bind", "source": f"{bench.folder}/letter", "options": ["bind", "ro"]},
    ]
    before = bench.begin("run")
    until("the count", before.readline)
    bench.checkpoint()
    bench.same("the status after the checkpoint", bench.state()["status"], "stopped")
    for name in ("inventory.img", "descriptors.json", "dump.log"):
        if not os.path.exists(f"{bench.images}/{name}"):
            raise Failed(f"{name} is not among {os.listdir(bench.images)}")
    bench.do("delete", bench.id)
    after = bench.restore()
    bench.goes_on(before, after)
    state = bench.state()
    bench.same("the status after the restore", state["status"], "running")
    bench.same("the pid file", contents(f"{bench.folder}/pid"), str(state["pid"]))
    bench.same("the hostname", bench.do("exec", bench.id, "hostname").strip(), "counting")
    bench.same("the bound file", bench.do("exec", bench.id, "cat", "/letter"), "dear\n")
    bench.same("the memory limit", bench.cgroup("memory/memory.limit_in_bytes", "memory.max"), str(64 << 20))
    bench.same("the limit of processes", bench.cgroup("pids/pids.max", "pids.max"), "20")
    if str(state["pid"]) not in bench.cgroup("pids/cgroup.procs", "cgroup.procs").split():
        raise Failed("the restored process is not in the container's cgroup")
    bench.do("kill", bench.id, "KILL")
    until("the end", lambda: bench.state()["status"] == "stopped")
    bench.do("delete", bench.id)


@case
def leaves_running(bench):
    """With --leave-running the container goes on, and its images are of use all the same."""
    before = bench.begin("run")
    until("the count", before.readline)
    pid = bench.state()["pid"]
    bench.checkpoint("--leave-running", "--work-path", f"{bench.folder}/work")
    state = bench.state()
    bench.same("the status", (state["status"], state["pid"]), ("running", pid))
    if "dump.log" not in os.listdir(f"{bench.folder}/work"):
        raise Failed("criu's log is not where --work-path says")
    for _ in range(10):
        last = int(until("a further number", before.readline))
    bench.do("delete", "--force", bench.id)
    after = bench.restore()
    first = int(after.readline())
    if not 1 < first < last:
        raise Failed(f"the images' count went on with {first}; the container itself came to {last}")
    bench.do("delete", "--force", bench.id)


@case
def under_another_id(bench):
    """A restore has its own id and cgroup; what was checkpointed stays, stopped, until it is deleted."""
    before = bench.begin("run")
    until("the count", before.readline)
    bench.checkpoint()
    other = bench.id + "-2"
    bench.config["linux"]["cgroupsPath"] = f"/{other}"
    bench.config["linux"]["resources"]["memory"]["limit"] = 48 << 20
    bench.configure()
    after = bench.restore(id=other)
    bench.goes_on(before, after)
    bench.same("the limit", bench.cgroup("memory/memory.limit_in_bytes", "memory.max", other), str(48 << 20))
    pid = str(bench.state(other)["pid"])
    if pid not in bench.cgroup("pids/cgroup.procs", "cgroup.procs", other).split():
        raise Failed("the restored process is not in the new container's cgroup")
    bench.refuses(f"container with given ID already exists: {other}", "restore", "--image-path", bench.images, "--bundle",
                  bench.bundle, other)
    bench.same("the status of the first", bench.state()["status"], "stopped")
    bench.do("delete", bench.id)
    bench.do("delete", "--force", other)


@case
def paused(bench):
    """Engines pause a container before they have it checkpointed."""
    before = bench.begin("run")
    until("the count", before.readline)
    bench.do("pause", bench.id)
    bench.checkpoint()
    bench.same("the status", bench.state()["status"], "stopped")
    bench.do("delete", bench.id)
    after = bench.restore()
    bench.goes_on(before, after)
    bench.do("delete", "--force", bench.id)


@case
def pre_dump(bench):
    """The memory first, with the container running; what changed since then afterwards."""
    before = bench.begin("run")
    until("the count", before.readline)
    bench.do("checkpoint", "--pre-dump", "--image-path", f"{bench.folder}/first", bench.id)
    bench.same("the status after the pre-dump", bench.state()["status"], "running")
    bench.checkpoint("--parent-path", "../first")
    bench.same("the parent", os.readlink(f"{bench.images}/parent"), "../first")
    bench.do("delete", bench.id)
    after = bench.restore("--parent-path", "../first")
    bench.goes_on(before, after)
    bench.do("delete", "--force", bench.id)


@case
def foreground(bench):
    """restore stays, and ends as the program does."""
    bench.config["process"]["args"][2] = "echo begun; while [ ! -e /tmp/end ]; do sleep 0.05; done; echo ended; exit 7"
    before = bench.begin("run")
    until("the beginning", before.readline)
    bench.checkpoint()
    bench.do("delete", bench.id)
    open(f"{bench.rootfs}/tmp/end", "w").close()
    with open(f"{bench.folder}/stay", "w") as errors:  # as when it was run: streams stay what they were
        line = [bench.runtime, "--root", f"{bench.folder}/state", "restore", "--image-path", bench.images, "--bundle",
                bench.bundle, bench.id]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True,
                              timeout=60)
    bench.same("status, output and errors", (done.returncode, done.stdout, contents(f"{bench.folder}/stay")),
               (7, "ended\n", ""))
    bench.refuses("does not exist", "state", bench.id)


@case
def joined_network(bench):
    """A network namespace that others own is not in the images: the one of config.json is joined again."""
    holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
    try:
        path = f"/proc/{holder.pid}/ns/net"
        until("the namespace", lambda: os.stat(path).st_ino != os.stat("/proc/self/ns/net").st_ino)
        for space in bench.config["linux"]["namespaces"]:
            if space["type"] == "network":
                space["path"] = path
        before = bench.counted()
        after = bench.restore()
        bench.goes_on(before, after)
        bench.same("the namespace", os.stat(f"/proc/{bench.state()['pid']}/ns/net").st_ino, os.stat(path).st_ino)
        bench.do("delete", "--force", bench.id)
    finally:
        holder.kill()
        holder.wait()


@case
def hooks(bench):
    """prestart and createRuntime have their turn when the namespaces are there; a failing one takes all back."""
    bench.counted()
    note = f"{bench.folder}/note"
    hook = {"path": "/bin/sh", "args": ["sh", "-c", f"cat > {note}"]}
    bench.config["hooks"] = {"createRuntime": [hook]}
    bench.configure()
    bench.restore()
    state = json.loads(contents(note))
    bench.same("the hook's state", (state["id"], state["pid"]), (bench.id, bench.state()["pid"]))
    bench.do("delete", "--force", bench.id)
    hook["args"][2] = "exit 3"
    after = f"{bench.folder}/after"
    bench.config["hooks"]["poststop"] = [{"path": "/bin/sh", "args": ["sh", "-c", f"cat > {after}"]}]
    bench.configure()
    bench.refuses("error running createRuntime hook #0", "restore", "--detach", "--image-path", bench.images,
                  "--bundle", bench.bundle, bench.id)
    bench.same("the status that the poststop hook saw", json.loads(contents(after))["status"], "stopped")
    bench.refuses("does not exist", "state", bench.id)


@case
def terminal(bench):
    """A terminal is made again, and its primary goes to the console socket."""
    def receive(server):
        connection, _ = server.accept()
        with connection:
            _, ancillary, _, _ = connection.recvmsg(100, socket.CMSG_SPACE(4))
            numbers = array.array("i")
            numbers.frombytes(ancillary[0][2][:4])
            return os.fdopen(numbers[0], "rb", buffering=0)

    bench.config["process"]["terminal"] = True
    bench.config["process"]["args"][2] = COUNT
    path = f"{bench.folder}/console"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        bench.begin("run", "--console-socket", path)
        with receive(server) as primary:
            until("the count", lambda: primary.read(100))
            bench.checkpoint()
        bench.do("delete", bench.id)
        bench.restore("--console-socket", path)
        with receive(server) as primary:
            text = until("the count again", lambda: primary.read(100))
            if int(text.split()[0]) < 2:
                raise Failed(f"the count began anew: {text}")
        bench.do("delete", "--force", bench.id)


@case
def recursive_binds(bench):
    """A bound tree with mounts below it, at a destination that is a link; the container's cgroup without a namespace."""
    tree = f"{bench.folder}/tree"
    os.makedirs(f"{tree}/below")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", f"{tree}/below"], check=True)
    try:
        with open(f"{tree}/below/note", "w") as file:
            file.write("from below\n")
        os.makedirs(f"{bench.rootfs}/real")
        os.symlink("/real", f"{bench.rootfs}/link")
        bench.config["mounts"].append({"destination": "/link", "type": "bind", "source": tree, "options": ["rbind"]})
        spaces = bench.config["linux"]["namespaces"]
        bench.config["linux"]["namespaces"] = [space for space in spaces if space["type"] != "cgroup"]
        before = bench.counted()
        after = bench.restore()
        bench.goes_on(before, after)
        bench.same("the file", bench.do("exec", bench.id, "cat", "/real/below/note"), "from below\n")
        if "1" not in bench.do("exec", bench.id, "cat", bench.own_procs()).split():
            raise Failed("the container does not see its own cgroup")
        bench.do("delete", "--force", bench.id)
    finally:
        subprocess.run(["umount", f"{tree}/below"], check=True)


@case
def cgroups_ignored(bench):
    """Also when criu leaves cgroups alone the processes are in the container's, with its limits."""
    before = bench.begin("run")
    until("the count", before.readline)
    bench.checkpoint("--manage-cgroups-mode", "ignore")
    bench.do("delete", bench.id)
    after = bench.restore("--manage-cgroups-mode", "ignore")
    bench.goes_on(before, after)
    if str(bench.state()["pid"]) not in bench.cgroup("pids/cgroup.procs", "cgroup.procs").split():
        raise Failed("the restored process is not in the container's cgroup")
    bench.same("the limit of processes", bench.cgroup("pids/pids.max", "pids.max"), "20")
    bench.do("delete", "--force", bench.id)


@case
def killed_in_between(bench):
    """A runtime that is killed while criu restores leaves what delete removes."""
    bench.counted()
    mark = f"{bench.folder}/mark"
    bench.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", f": > {mark}; sleep 600"]}]}
    bench.configure()
    restore = subprocess.Popen([bench.runtime, "--root", f"{bench.folder}/state", "restore", "--detach", "--image-path",
                                bench.images, "--bundle", bench.bundle, bench.id], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until("the hook", lambda: os.path.exists(mark))
    restore.kill()
    restore.wait()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if contents(f"/proc/{pid}/cmdline") == "sleep\x00600\x00":
                os.kill(int(pid), 9)
        except OSError:
            continue
    bench.do("delete", "--force", bench.id)
    until("criu's end", lambda: "criu" not in bench.traces()[1])


@case
def refusals(bench):
    """What cannot be done is said, and nothing is left."""
    bench.refuses("does not exist", "checkpoint", "--image-path", bench.images, bench.id)
    before = bench.begin("run")
    until("the count", before.readline)
    bench.refuses("criu, which does the work, is not there", "checkpoint", "--image-path", bench.images, bench.id,
                  env={"PATH": "/nowhere"})
    bench.refuses("expected a path from the images", "checkpoint", "--image-path", bench.images, "--parent-path",
                  "/tmp", bench.id)
    bench.refuses("there is no such directory", "checkpoint", "--image-path", bench.images, "--parent-path",
                  "../missing", bench.id)
    bench.same("the status", bench.state()["status"], "running")
    bench.checkpoint()
    bench.refuses("is stopped: only a running or paused one", "checkpoint", "--image-path", bench.images, bench.id)
    bench.do("delete", bench.id)
    line = ["restore", "--detach", "--bundle", bench.bundle, "--image-path"]
    bench.refuses("open --image-path", *line, f"{bench.folder}/missing", bench.id)
    bench.refuses("criu could not restore the container", *line, bench.bundle, bench.id)
    shutil.copytree(bench.images, f"{bench.folder}/broken")
    for name in os.listdir(f"{bench.folder}/broken"):
        if name.startswith("core-"):
            with open(f"{bench.folder}/broken/{name}", "r+b") as file:
                file.truncate(12)
    bench.refuses("criu could not restore the container", *line, f"{bench.folder}/broken", bench.id)
    bench.refuses("does not exist", "state", bench.id)


@case
def not_a_created_one(bench):
    """A container that was created and not started has nothing to checkpoint yet; host pids cannot be had again."""
    bench.begin("create")
    bench.refuses("is created: only a running or paused one", "checkpoint", "--image-path", bench.images, bench.id)
    bench.do("delete", "--force", bench.id)
    spaces = bench.config["linux"]["namespaces"]
    bench.config["linux"]["namespaces"] = [space for space in spaces if space["type"] != "pid"]
    bench.begin("run")
    bench.refuses("linux.namespaces has no pid namespace", "checkpoint", "--image-path", bench.images, bench.id)
    bench.do("delete", "--force", bench.id)


def through_podman(bench, manager):
    def call(*words, status=0):
        line = ["podman", "--root", f"{bench.folder}/store", "--runroot", f"{bench.folder}/run", "--runtime",
                bench.runtime, "--cgroup-manager", manager, "--log-level", "error", *words]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if done.returncode != status:
            raise Failed(f"podman {' '.join(words)}: status {done.returncode}: {done.stderr[-2000:]}{bench.log_tail()}")
        return done.stdout

    try:
        call("run", "-d", "--name", bench.id, "--network", "none", "--memory", "80m", "--rootfs", bench.rootfs,
             "/bin/sh", "-c", COUNT)
        until("the count", lambda: call("logs", bench.id).split())
        call("container", "checkpoint", bench.id)
        bench.same("the status", call("inspect", "-f", "{{.State.Status}}", bench.id).strip(), "exited")
        last = int(call("logs", bench.id).split()[-1])
        call("container", "restore", bench.id)
        bench.same("the status", call("inspect", "-f", "{{.State.Status}}", bench.id).strip(), "running")
        numbers = until("the count again", lambda: call("logs", bench.id).split()[last:])
        bench.same("the number after the restore", int(numbers[0]), last + 1)
        pid = call("inspect", "-f", "{{.State.Pid}}", bench.id).strip()
        place = contents(f"/proc/{pid}/cgroup")
        if ("libpod" in place, ".scope" in place) != (True, manager == "systemd"):
            raise Failed(f"the restored process is in {place}")
    finally:
        call("rm", "-f", "-t", "0", bench.id)
        # podman's own cleanup runs on in the background, and keeps its store mounted.
        until("the end of podman's cleanup", lambda: not bench.mentioned())
        subprocess.run(["umount", f"{bench.folder}/store/overlay"], capture_output=True)


@case
def podman(bench):
    """podman finds that the runtime can checkpoint, and has it done."""
    through_podman(bench, "cgroupfs")


@case
def podman_with_systemd(bench):
    """The same in scopes of systemd, which are made around criu."""
    if contents("/proc/1/comm").strip() == "systemd":
        through_podman(bench, "systemd")
