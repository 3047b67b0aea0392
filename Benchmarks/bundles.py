"""The bundles that are measured: a busybox root filesystem, one config.json, and a seccomp profile of an engine's size.

Called by bench. Everything is written to the scratch tmpfs.
"""

import json
import os
import platform
import shutil
import subprocess

from machine import CACHE, SCRATCH, BenchError


class Bundles:
    """The bundles, the same for every runtime: one config.json written by `spec` of one of them."""

    def __init__(self, runtimes, author):
        self.author = author or next((name for name in ("crun", "runc") if name in runtimes), next(iter(runtimes)))
        rootfs = SCRATCH / "rootfs"
        busybox = shutil.which("busybox")
        if not busybox:
            raise BenchError("a static busybox is needed for the container's root filesystem")
        for name in ("bin", "dev", "proc", "sys"):
            (rootfs / name).mkdir(parents=True)
        shutil.copy(busybox, rootfs / "bin/busybox")
        for name in ("true", "sleep"):
            (rootfs / "bin" / name).symlink_to("busybox")
        (SCRATCH / "spec").mkdir()
        subprocess.run([runtimes[self.author], "spec"], cwd=SCRATCH / "spec", check=True)
        config = json.loads((SCRATCH / "spec/config.json").read_text())
        config["process"]["terminal"] = False
        config["root"] = {"path": str(rootfs), "readonly": True}
        self.rootfs = str(rootfs)
        self.cgroup_namespace = any(entry["type"] == "cgroup" for entry in config["linux"]["namespaces"])
        self.short = self.write("short", config, ["/bin/true"])
        self.long = self.write("long", config, ["/bin/sleep", "1000"])
        self.config = json.dumps(config)
        config["linux"]["seccomp"] = seccomp_profile()
        self.seccomp = self.write("seccomp", config, ["/bin/true"])

    def binds(self, count):
        """A bundle with so many bind mounts of one directory, as an engine writes volumes; their places are there."""
        config, source = json.loads(self.config), SCRATCH / "volume"
        source.mkdir(exist_ok=True)
        for number in range(count):
            (SCRATCH / f"rootfs/volumes/{number}").mkdir(parents=True, exist_ok=True)
            config["mounts"].append({"destination": f"/volumes/{number}", "type": "bind", "source": str(source),
                                     "options": ["rbind", "rprivate"]})
        return self.write(f"binds{count}", config, ["/bin/true"])

    def environment(self, count):
        config = json.loads(self.config)
        config["process"]["env"] += [f"VARIABLE_{number}=the value of variable {number}" for number in range(count)]
        return self.write(f"env{count}", config, ["/bin/true"])

    def rules(self, count):
        """A bundle with so many seccomp rules, each for one value of one argument, for this architecture only."""
        config = json.loads(self.config)
        config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["ioctl"], "action": "SCMP_ACT_ERRNO",
             "args": [{"index": 1, "value": 0x10000 + number, "op": "SCMP_CMP_EQ"}]} for number in range(count)]}
        return self.write(f"rules{count}", config, ["/bin/true"])

    def annotations(self, kibibytes):
        """A bundle whose config.json is so much longer: annotations of a KiB each."""
        config = json.loads(self.config)
        config["annotations"] = {f"org.example.annotation-{number}": "annotation " * 90 for number in range(kibibytes)}
        return self.write(f"annotations{kibibytes}", config, ["/bin/true"])

    @staticmethod
    def write(name, config, arguments):
        bundle = SCRATCH / name
        bundle.mkdir()
        config["process"]["args"] = arguments
        (bundle / "config.json").write_text(json.dumps(config, indent=1))
        return str(bundle)


# What an engine refuses by default: the calls that reach beyond a container.
REFUSED = set("""
acct add_key bpf clock_adjtime clock_settime create_module delete_module finit_module fsconfig fsmount fsopen fspick
get_kernel_syms init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mount mount_setattr
move_mount name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open pivot_root process_vm_readv
process_vm_writev query_module quotactl reboot request_key setns settimeofday swapoff swapon sysfs _sysctl umount2
unshare uselib userfaultfd ustat vhangup
""".split())
PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
NAMESPACE_FLAGS = 0x7E020000  # clone is allowed without any of these
ARCHITECTURES = {"x86_64": ("X86_64", "X86", "X32"), "aarch64": ("AARCH64", "ARM")}


def system_calls():
    """The names in this machine's headers; kept, as the compiled programs are, for a machine without a compiler."""
    kept = CACHE / "system-calls"
    if not kept.exists():
        headers = subprocess.run([os.environ.get("CC", "cc"), "-E", "-dM", "-include", "sys/syscall.h", "-"],
                                 input="", capture_output=True, text=True, check=True).stdout
        names = {line.split()[1] for line in headers.splitlines() if line.startswith("#define __NR_")}
        kept.write_text("\n".join(sorted(name.removeprefix("__NR_") for name in names)))
    return set(kept.read_text().split())


def seccomp_profile():
    """A profile of an engine's size: a rule for each system call of this machine's headers, but the refused ones."""
    names = system_calls()

    def allow(name, **condition):
        arguments = {"args": [{"index": 0, **condition}]} if condition else {}
        return {"names": [name], "action": "SCMP_ACT_ALLOW", **arguments}

    rules = [allow(name) for name in sorted(names - REFUSED - {"personality", "clone"})]
    rules += [allow("personality", value=value, op="SCMP_CMP_EQ") for value in PERSONALITIES]
    rules.append(allow("clone", value=NAMESPACE_FLAGS, valueTwo=0, op="SCMP_CMP_MASKED_EQ"))
    return {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": rules,
            "architectures": [f"SCMP_ARCH_{name}" for name in ARCHITECTURES.get(platform.machine(), ())]}
