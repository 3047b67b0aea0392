// Only the kernel work of `run` with the default `spec` config: what no runtime can leave out.
//
//     floor [--cgroupns] ROOTFS NAME
//
// One cgroup directory NAME in every mounted hierarchy, below this process's own cgroup; clone3 with five
// namespaces; the child joins its cgroups by itself, mounts, pivots, masks, drops capabilities and executes
// /bin/true of ROOTFS; the parent waits and removes the cgroups. It reads no JSON, writes no state, protects
// itself against nothing and does one thing after the other. `bench` starts it beside the runtimes.
// Every call must succeed: the first failure is printed with its object and ends it with status 1.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_HIERARCHIES = 32, MAX_PATH = 1024, FILE_SIZE = 64 * 1024 };

struct hierarchy {
    char point[MAX_PATH];       // where it is mounted
    char parent[MAX_PATH];      // this process's own cgroup in it
    char own[MAX_PATH];         // the directory this program makes
    char subsystem[MAX_PATH];   // as /proc/self/cgroup names it; empty for v2
    bool made;
};

static struct hierarchy hierarchies[MAX_HIERARCHIES];
static size_t hierarchy_count;
static pid_t parent_pid;

static void remove_cgroups(void) {
    for (size_t i = 0; i < hierarchy_count; i++) {
        if (!hierarchies[i].made) continue;
        hierarchies[i].made = false;
        if (rmdir(hierarchies[i].own) == 0) continue;
        fprintf(stderr, "floor: rmdir %s: %s\n", hierarchies[i].own, strerror(errno));
        _exit(1);
    }
}

static void die(const char *call, const char *object) {
    fprintf(stderr, "floor: %s %s: %s\n", call, object, strerror(errno));
    if (getpid() == parent_pid) remove_cgroups();
    _exit(1);
}

static void must(long result, const char *call, const char *object) {
    if (result < 0) die(call, object);
}

__attribute__((format(printf, 2, 3)))
static void compose(char path[MAX_PATH], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(path, MAX_PATH, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= MAX_PATH) {
        errno = ENAMETOOLONG;
        die("compose", format);
    }
}

static size_t read_file(const char *path, char *text, size_t capacity) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd, "open", path);
    size_t length = 0;
    ssize_t count;
    while ((count = read(fd, text + length, capacity - 1 - length)) > 0) length += (size_t)count;
    must(count, "read", path);
    close(fd);
    text[length] = '\0';
    return length;
}

static void write_file(const char *directory, const char *name, const char *text) {
    char path[MAX_PATH];
    compose(path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    must(fd, "open", path);
    must(write(fd, text, strlen(text)), "write", path);
    close(fd);
}

// ---- cgroups

static bool has_option(const char *options, const char *wanted) {
    size_t length = strcspn(wanted, ",");
    for (const char *option = options; *option; option += strcspn(option, ",") + (strchr(option, ',') != NULL))
        if (strcspn(option, ",\n") == length && strncmp(option, wanted, length) == 0) return true;
    return false;
}

static bool is_known(const char *point) {
    for (size_t i = 0; i < hierarchy_count; i++)
        if (strcmp(hierarchies[i].point, point) == 0) return true;
    return false;
}

/// Finds the line of /proc/self/cgroup that belongs to a mount and records the hierarchy.
static void add_hierarchy(const char *point, bool v2, const char *options, const char *memberships, const char *name) {
    static char lines[FILE_SIZE];
    strcpy(lines, memberships);
    char *rest;
    for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *subsystem = strchr(line, ':') + 1, *path = strchr(subsystem, ':');
        *path++ = '\0';
        if (v2 ? *subsystem != '\0' : *subsystem == '\0' || !has_option(options, subsystem)) continue;
        if (hierarchy_count == MAX_HIERARCHIES) die("too many cgroup hierarchies at", point);
        struct hierarchy *found = &hierarchies[hierarchy_count++];
        compose(found->point, "%s", point);
        compose(found->subsystem, "%s", subsystem);
        compose(found->parent, "%s%s", point, strcmp(path, "/") == 0 ? "" : path);
        compose(found->own, "%s/%s", found->parent, name);
        return;
    }
}

static void find_hierarchies(const char *name) {
    static char mounts[FILE_SIZE], memberships[FILE_SIZE];
    read_file("/proc/self/mountinfo", mounts, sizeof mounts);
    read_file("/proc/self/cgroup", memberships, sizeof memberships);
    char *rest;
    for (char *line = strtok_r(mounts, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char point[MAX_PATH], type[64], options[MAX_PATH], *tail = strstr(line, " - ");
        if (!tail || sscanf(line, "%*s %*s %*s %*s %1023s", point) != 1) continue;
        if (sscanf(tail, " - %63s %*s %1023s", type, options) != 2 || strncmp(type, "cgroup", 6) != 0) continue;
        // Not what somebody has mounted in a container's root.
        static const char place[] = "/sys/fs/cgroup";
        if (strncmp(point, place, sizeof place - 1) != 0) continue;
        if (!is_known(point)) add_hierarchy(point, strcmp(type, "cgroup2") == 0, options, memberships, name);
    }
    errno = ENOENT;
    if (hierarchy_count == 0) die("find", "a mounted cgroup hierarchy");
}

static void copy_setting(const struct hierarchy *hierarchy, const char *name) {
    char path[MAX_PATH], text[4096];
    compose(path, "%s/%s", hierarchy->parent, name);
    read_file(path, text, sizeof text);
    write_file(hierarchy->own, name, text);
}

static void make_cgroups(void) {
    static const char *const allowed[] = {
        "c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm",
        "c 5:2 rwm", "c 136:* rwm",
    };
    for (size_t i = 0; i < hierarchy_count; i++) {
        struct hierarchy *hierarchy = &hierarchies[i];
        must(mkdir(hierarchy->own, 0755), "mkdir", hierarchy->own);
        hierarchy->made = true;
        if (has_option(hierarchy->subsystem, "cpuset")) {
            copy_setting(hierarchy, "cpuset.cpus");
            copy_setting(hierarchy, "cpuset.mems");
        }
        if (!has_option(hierarchy->subsystem, "devices")) continue;
        write_file(hierarchy->own, "devices.deny", "a");
        for (size_t rule = 0; rule < sizeof allowed / sizeof *allowed; rule++)
            write_file(hierarchy->own, "devices.allow", allowed[rule]);
    }
}

/// A lone thread that moves itself through v1 `tasks` skips the kernel's global lock; on v2 the child is born inside.
static void join_cgroups(void) {
    for (size_t i = 0; i < hierarchy_count; i++)
        if (*hierarchies[i].subsystem) write_file(hierarchies[i].own, "tasks", "0");
}

// ---- the child's filesystem; the working directory is ROOTFS

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    must(mount(source, target, type, flags, data), "mount", target);
}

static void make_devices(void) {
    static const struct { const char *path; unsigned major, minor; } nodes[] = {
        {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7},
        {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
    };
    static const char *const links[][2] = {
        {"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
        {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}, {"/proc/kcore", "dev/core"},
    };
    for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        must(mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)), "mknod", nodes[i].path);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        must(symlink(links[i][0], links[i][1]), "symlink", links[i][1]);
}

static void mount_cgroups(void) {
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    mount_at("tmpfs", "sys/fs/cgroup", "tmpfs", flags, "mode=755");
    for (size_t i = 0; i < hierarchy_count; i++) {
        char target[MAX_PATH];
        compose(target, "sys/fs/cgroup/%s", strrchr(hierarchies[i].point, '/') + 1);
        must(mkdir(target, 0755), "mkdir", target);
        mount_at(hierarchies[i].own, target, NULL, MS_BIND, NULL);
        mount_at(NULL, target, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL);
    }
    mount_at(NULL, "sys/fs/cgroup", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL);
}

static void mount_filesystems(const char *rootfs) {
    const unsigned long quiet = MS_NOSUID | MS_NOEXEC | MS_NODEV;
    mount_at(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    mount_at(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL);
    must(chdir(rootfs), "chdir", rootfs);
    mount_at("proc", "proc", "proc", 0, NULL);
    mount_at("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
    must(mkdir("dev/pts", 0755) | mkdir("dev/shm", 0755) | mkdir("dev/mqueue", 0755), "mkdir", "dev/*");
    mount_at("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5");
    mount_at("shm", "dev/shm", "tmpfs", quiet, "mode=1777,size=65536k");
    mount_at("mqueue", "dev/mqueue", "mqueue", quiet, NULL);
    mount_at("sysfs", "sys", "sysfs", quiet | MS_RDONLY, NULL);
    mount_cgroups();
    make_devices();
}

static void pivot(void) {
    mount_at(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
    must(syscall(SYS_pivot_root, ".", "."), "pivot_root", ".");
    must(umount2(".", MNT_DETACH), "umount", "the old root");
    must(chdir("/"), "chdir", "/");
}

static void hide_paths(void) {
    static const char *const masked[] = {
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
    };
    static const char *const readonly[] = {
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    };
    for (size_t i = 0; i < sizeof masked / sizeof *masked; i++) {
        struct stat status;
        if (stat(masked[i], &status) != 0) {
            if (errno != ENOENT) die("stat", masked[i]);
        } else if (S_ISDIR(status.st_mode)) {
            mount_at("tmpfs", masked[i], "tmpfs", MS_RDONLY, "size=0k");
        } else {
            mount_at("/dev/null", masked[i], NULL, MS_BIND, NULL);
        }
    }
    for (size_t i = 0; i < sizeof readonly / sizeof *readonly; i++) {
        if (access(readonly[i], F_OK) != 0 && errno == ENOENT) continue;
        mount_at(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL);
        mount_at(NULL, readonly[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
    }
}

// ---- the child's other properties

static void raise_loopback(void) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(fd, "socket", "AF_INET");
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    must(ioctl(fd, SIOCSIFFLAGS, &request), "SIOCSIFFLAGS", "lo");
    close(fd);
}

static void drop_privileges(void) {
    static const unsigned kept[] = {CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE};
    uint64_t mask = 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) mask |= UINT64_C(1) << kept[i];
    for (unsigned capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        if (!(mask >> capability & 1)) must(prctl(PR_CAPBSET_DROP, capability), "prctl", "PR_CAPBSET_DROP");
    must(setgroups(0, NULL) | setresgid(0, 0, 0) | setresuid(0, 0, 0), "set ids", "0:0");
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    for (int word = 0; word < 2; word++)
        data[word].effective = data[word].permitted = data[word].inheritable = (uint32_t)(mask >> (32 * word));
    must(syscall(SYS_capset, &header, data), "capset", "kept capabilities");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0), "prctl", "PR_CAP_AMBIENT_RAISE");
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "PR_SET_NO_NEW_PRIVS");
}

static void become_container(const char *rootfs, bool cgroup_namespace) {
    parent_pid = 0;  // a failure from here on leaves the clean-up to the parent
    join_cgroups();
    if (cgroup_namespace) must(unshare(CLONE_NEWCGROUP), "unshare", "CLONE_NEWCGROUP");
    must(setsid(), "setsid", "");
    must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "floor"), "keyctl", "join session keyring");
    must(sethostname("floor", 5), "sethostname", "floor");
    raise_loopback();
    mount_filesystems(rootfs);
    pivot();
    hide_paths();
    const struct rlimit files = {1024, 1024};
    must(setrlimit(RLIMIT_NOFILE, &files), "setrlimit", "RLIMIT_NOFILE");
    drop_privileges();
    char *const arguments[] = {"true", NULL}, *const environment[] = {"PATH=/bin", "TERM=xterm", NULL};
    execve("/bin/true", arguments, environment);
    die("execve", "/bin/true");
}

int main(int argc, char **argv) {
    bool cgroup_namespace = argc == 4 && strcmp(argv[1], "--cgroupns") == 0;
    if (argc != 3 && !cgroup_namespace) {
        fprintf(stderr, "usage: floor [--cgroupns] ROOTFS NAME\n");
        return 2;
    }
    parent_pid = getpid();
    find_hierarchies(argv[argc - 1]);
    make_cgroups();

    struct clone_args arguments = {
        .flags = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS, .exit_signal = SIGCHLD,
    };
    for (size_t i = 0; i < hierarchy_count; i++) {
        if (*hierarchies[i].subsystem) continue;
        int fd = open(hierarchies[i].own, O_PATH | O_DIRECTORY | O_CLOEXEC);
        must(fd, "open", hierarchies[i].own);
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)fd;
    }
    pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    must(child, "clone3", "");
    if (child == 0) become_container(argv[argc - 2], cgroup_namespace);

    int status;
    must(waitpid(child, &status, 0), "waitpid", "");
    remove_cgroups();
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
