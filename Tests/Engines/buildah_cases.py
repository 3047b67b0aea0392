"""What buildah runs: the RUN steps of builds, and commands in working containers."""

import json

from bench import case

STEPS = """FROM IMAGE AS first
ENV COLOUR=red
RUN echo $COLOUR >/one && test $(cat /proc/self/comm) = cat
WORKDIR /work
RUN pwd >two
USER 1000
RUN id -u >/tmp/three
USER 0
RUN --mount=type=tmpfs,target=/scratch grep ' /scratch tmpfs' /proc/self/mounts && touch /scratch/x
RUN --mount=type=bind,source=context,target=/given cat /given >/work/four
RUN --mount=type=cache,target=/store echo cached >/store/kept
RUN --mount=type=cache,target=/store cat /store/kept >/work/five
RUN ["/bin/sh", "-c", "echo exec form >/six"]
FROM IMAGE
COPY --from=first /one /work/two /tmp/three /work/four /work/five /six /collected/
RUN test ! -e /scratch/x && cat /collected/* >/all
"""


def build(bench, text, options="", **expected):
    with open(bench.folder + "/Containerfile", "w") as file:
        file.write(text.replace("IMAGE", bench.words("IMAGE")[-1]))
    return bench(f"build {options} -t localhost/{bench.name} FOLDER", **expected)


@case("buildah")
def steps(bench):
    with open(bench.folder + "/context", "w") as file:
        file.write("from the context\n")
    build(bench, STEPS)
    bench(f"from --name NAME localhost/{bench.name}")
    bench.same("/all", bench("run NAME cat /all"), "cached\nfrom the context\nred\nexec form\n1000\n/work")


@case("buildah")
def nothing_but_the_output(bench):
    """buildah mixes what a runtime says into what the step prints, and asks for ambient capabilities that nobody gets."""
    told = build(bench, "FROM IMAGE\nRUN echo said\n", prints="(?s)RUN echo said\n.*\nCOMMIT ")
    bench.same("what the step printed", told.split("RUN echo said\n")[1].split("\nCOMMIT ")[0], "said")


@case("buildah")
def failing_step(bench):
    build(bench, "FROM IMAGE\nRUN true\nRUN echo said >&2; exit 9\nRUN echo never\n", status=9,
          prints="(?s)said(?!.*\nnever).*exit status 9")


@case("buildah")
def no_such_program(bench):
    build(bench, 'FROM IMAGE\nRUN ["/bin/nothing"]\n', status=1, prints="(?i)no such file or directory")


@case("buildah")
def build_memory_limit(bench):
    build(bench, "FROM IMAGE\nRUN x=$(head -c 64m /dev/zero | tr '\\0' a)\n", "--memory 12m --memory-swap 12m",
          status=1, prints="^container exited on killed$")


@case("buildah")
def build_confinement(bench):
    bench.same("the volume outside", build(
        bench, "FROM IMAGE\nRUN grep -E '^(CapEff|Seccomp):' /proc/self/status; ulimit -n; touch /data/x\n",
        "--cap-drop CHOWN --ulimit nofile=100:100 --volume FOLDER:/data",
        prints="(?s)CapEff:\t00000000800405fa\nSeccomp:\t2\n100\n") and bench.text("FOLDER/x"), "")


@case("buildah")
def run(bench):
    bench("from --name NAME IMAGE")
    bench("run NAME sh -c 'echo there; exit 9'", status=9, prints="^there$")
    bench("run --user 1000:2000 --workingdir /tmp --env SHAPE=round NAME sh -c 'id; pwd; echo $SHAPE'",
          prints=r"^uid=1000\(user\) gid=2000\(extra\).*\n/tmp\nround$")
    bench("run NAME cat", stdin="said\n", prints="^said$")
    bench("run --volume FOLDER:/data:ro NAME touch /data/x", status=1, prints="Read-only file system")
    bench("run --cap-add CAP_SYS_ADMIN NAME sh -c 'mount -t tmpfs none /scratch && echo fine'", prints="^fine$")
    bench("run NAME sh -c 'echo kept >/kept'")
    bench("run NAME cat /kept", prints="^kept$")


@case("buildah")
def terminal(bench):
    bench("from --name NAME IMAGE")
    bench("run -t NAME sh -c 'tty; exit 3'", tty=True, status=3, prints=r"/dev/pts/0$")


@case("buildah")
def user_namespace(bench):
    bench("from --name NAME --userns-uid-map 0:200000:5000 --userns-gid-map 0:200000:5000 IMAGE")
    bench("run NAME cat /proc/self/uid_map", prints=r"^ +0 +200000 +5000$")
    bench("run NAME stat -c %u:%g /bin/busybox /proc", prints="^0:0\n")


@case("buildah")
def commit(bench):
    bench("from --name NAME IMAGE")
    bench("run NAME sh -c 'echo made >/made'")
    bench("config --cmd 'cat /made' NAME")
    bench("commit NAME localhost/committed")
    told = json.loads(bench("inspect --type image localhost/committed"))
    bench.same("the command", told["OCIv1"]["config"]["Cmd"], ["cat", "/made"])
