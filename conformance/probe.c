/* The program inside every test container. It prints what it sees as one JSON object on standard output.
 *
 * Usage: probe [WORD...]. Each word is an operation, performed in order; its result becomes a member of the object.
 * A word that does not name an operation is only an argument. The facts about the process itself come first, unless
 * the first word is "only". Operations that end or hold the process (exit, raise, wait, report) run after printing.
 * Called by the harness as the container's program, as a hook and, on the host, as a compiler check. It never
 * judges: expectations are in the cases. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* ---- JSON writing: everything goes to one buffer, flushed by one write. ---- */

static char out[1 << 20];
static size_t out_length;
static int needs_comma;

static void put(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(out + out_length, sizeof out - out_length, format, arguments);
    va_end(arguments);
    if (n > 0 && out_length + (size_t)n < sizeof out)
        out_length += (size_t)n;
}

static void put_bytes(const char *bytes, size_t length) {
    put("\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == '"' || c == '\\')
            put("\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            put("\\u%04x", c);
        else
            put("%c", c);
    }
    put("\"");
}

static void put_string(const char *text) { put_bytes(text, strlen(text)); }

static void separate(void) {
    if (needs_comma)
        put(",");
    needs_comma = 0;
}

static void key(const char *name) {
    separate();
    put_string(name);
    put(":");
}

static void number(const char *name, long long value) { key(name), put("%lld", value), needs_comma = 1; }
static void text(const char *name, const char *value) { key(name), put_string(value), needs_comma = 1; }
static void item(const char *value) { separate(), put_string(value), needs_comma = 1; }
static void item_number(long long value) { separate(), put("%lld", value), needs_comma = 1; }
static void begin(const char *name, char bracket) {
    if (name)
        key(name);
    else
        separate();
    put("%c", bracket), needs_comma = 0;
}
static void end(char bracket) { put("%c", bracket), needs_comma = 1; }

static void error_name(const char *name, int error) {
    const char *symbol = strerrorname_np(error);
    text(name, symbol ? symbol : "E?");
}

static void flush(void) {
    for (size_t done = 0; done < out_length;) {
        ssize_t n = write(1, out + done, out_length - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    out_length = 0, needs_comma = 0;
}

/* ---- Facts about this process. ---- */

static ssize_t slurp(const char *path, char *buffer, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t length = 0;
    ssize_t n = 0;
    while (length < size - 1 && (n = read(fd, buffer + length, size - 1 - length)) > 0)
        length += (size_t)n;
    int error = errno;
    close(fd);
    buffer[length] = 0;
    errno = error;
    return n < 0 ? -1 : (ssize_t)length;
}

static void identity_facts(void) {
    uid_t r, e, s;
    gid_t gr, ge, gs, groups[256];
    getresuid(&r, &e, &s);
    getresgid(&gr, &ge, &gs);
    number("uid", r), number("euid", e), number("suid", s);
    number("gid", gr), number("egid", ge), number("sgid", gs);
    int n = getgroups(256, groups);
    begin("groups", '[');
    for (int i = 0; i < n; i++)
        item_number(groups[i]);
    end(']');
    mode_t mask = umask(0);
    umask(mask);
    number("umask", mask);
    number("pid", getpid()), number("ppid", getppid()), number("sid", getsid(0)), number("pgid", getpgrp());
}

static const char *const capability_names[] = {
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE"};

static void capability_set(const char *name, uint64_t set) {
    begin(name, '[');
    for (unsigned i = 0; i < sizeof capability_names / sizeof *capability_names; i++)
        if (set >> i & 1) {
            char full[40];
            snprintf(full, sizeof full, "CAP_%s", capability_names[i]);
            item(full);
        }
    end(']');
}

static void capability_facts(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {0};
    syscall(SYS_capget, &header, data);
    uint64_t bounding = 0, ambient = 0;
    for (int i = 0; i < 64; i++) {
        if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1)
            bounding |= 1ULL << i;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1)
            ambient |= 1ULL << i;
    }
    begin("capabilities", '{');
    capability_set("effective", data[0].effective | (uint64_t)data[1].effective << 32);
    capability_set("permitted", data[0].permitted | (uint64_t)data[1].permitted << 32);
    capability_set("inheritable", data[0].inheritable | (uint64_t)data[1].inheritable << 32);
    capability_set("bounding", bounding);
    capability_set("ambient", ambient);
    end('}');
}

static void limit_facts(void) {
    static const char *const names[] = {"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK",
                                        "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
    begin("rlimits", '{');
    for (int i = 0; i < 16; i++) {
        struct rlimit limit;
        char full[32];
        if (getrlimit((__rlimit_resource_t)i, &limit))
            continue;
        snprintf(full, sizeof full, "RLIMIT_%s", names[i]);
        key(full);
        put("[%llu,%llu]", (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
        needs_comma = 1;
    }
    end('}');
}

struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static void scheduling_facts(void) {
    struct scheduling s = {.size = sizeof s};
    static const char *const policies[] = {"OTHER", "FIFO", "RR", "BATCH", "ISO", "IDLE", "DEADLINE"};
    if (syscall(SYS_sched_getattr, 0, &s, sizeof s, 0) == 0) {
        char policy[32];
        snprintf(policy, sizeof policy, "SCHED_%s", s.policy < 7 ? policies[s.policy] : "?");
        begin("scheduler", '{');
        text("policy", policy), number("nice", s.nice), number("priority", s.priority);
        number("flags", (long long)s.flags), number("runtime", (long long)s.runtime);
        number("deadline", (long long)s.deadline), number("period", (long long)s.period);
        end('}');
    }
    static const char *const classes[] = {"NONE", "RT", "BE", "IDLE"};
    long priority = syscall(SYS_ioprio_get, 1, 0);
    begin("ioprio", '{');
    text("class", classes[priority < 0 ? 0 : priority >> 13 & 3]), number("priority", priority & 7);
    end('}');
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    sched_getaffinity(0, sizeof cpus, &cpus);
    begin("cpus", '[');
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &cpus))
            item_number(i);
    end(']');
}

static void machine_facts(void) {
    struct utsname names;
    uname(&names);
    text("hostname", names.nodename), text("domainname", names.domainname), text("machine", names.machine);
    number("personality", personality(0xffffffff));
    number("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    number("seccomp", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    number("keyring", syscall(SYS_keyctl, 0 /* get keyring id */, -3 /* session */, 0));
    char buffer[512];
    long described = syscall(SYS_keyctl, 6 /* describe */, -3, buffer, sizeof buffer);
    text("keyring_description", described > 0 ? buffer : "");
    struct timespec boot;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    number("boottime", boot.tv_sec);
    clock_gettime(CLOCK_MONOTONIC, &boot);
    number("monotonic", boot.tv_sec);
    if (slurp("/proc/self/oom_score_adj", buffer, sizeof buffer) > 0)
        number("oom_score_adj", atoi(buffer));
    if (slurp("/proc/self/timens_offsets", buffer, sizeof buffer) > 0)
        text("timens_offsets", buffer);
}

static void signal_facts(void) {
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    begin("signals_blocked", '[');
    for (int i = 1; i < 65; i++)
        if (sigismember(&blocked, i) == 1)
            item_number(i);
    end(']');
    begin("signals_ignored", '[');
    for (int i = 1; i < 65; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            item_number(i);
    }
    end(']');
}

static void descriptor_facts(void) {
    begin("fds", '[');
    for (int fd = 0; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            item_number(fd);
    end(']');
    begin("tty", '{');
    struct winsize size;
    static const char *const streams[] = {"stdin", "stdout", "stderr"};
    for (int fd = 0; fd < 3; fd++)
        number(streams[fd], isatty(fd));
    if (ioctl(0, TIOCGWINSZ, &size) == 0)
        number("rows", size.ws_row), number("columns", size.ws_col);
    int controlling = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    number("controlling", controlling >= 0);
    if (controlling >= 0)
        close(controlling);
    end('}');
}

static void namespace_facts(void) {
    static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
    begin("ns", '{');
    for (int i = 0; i < 8; i++) {
        char path[64], target[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n > 0)
            target[n] = 0, text(names[i], target);
    }
    end('}');
    char line[1024];
    FILE *file = fopen("/proc/self/cgroup", "re");
    begin("cgroup", '{');
    while (file && fgets(line, sizeof line, file)) {
        char *names_field = strchr(line, ':'), *path = names_field ? strchr(names_field + 1, ':') : NULL;
        if (!path)
            continue;
        *path++ = 0, path[strcspn(path, "\n")] = 0;
        text(names_field[1] ? names_field + 1 : "unified", path);
    }
    end('}');
    if (file)
        fclose(file);
}

static void list_of(const char *name, char *words, const char *separator) {
    begin(name, '[');
    for (char *save, *word = strtok_r(words, separator, &save); word; word = strtok_r(NULL, separator, &save))
        item(word);
    end(']');
}

/* One member per mount point; of several mounts on one point the last, which is the visible one, wins. */
static void mount_facts(void) {
    static char lines[512][1024];
    static char *points[512];
    int count = 0;
    FILE *file = fopen("/proc/self/mountinfo", "re");
    while (file && count < 512 && fgets(lines[count], sizeof *lines, file))
        count++;
    if (file)
        fclose(file);
    begin("mounts", '{');
    for (int i = 0; i < count; i++) {
        char *save, *fields[6] = {0}, *word = strtok_r(lines[i], " \n", &save);
        for (int f = 0; word && f < 6; f++, word = strtok_r(NULL, " \n", &save))
            fields[f] = word;
        points[i] = fields[4];
        if (!points[i])
            continue;
        begin(points[i], '{');
        text("root", fields[3]), number("order", i);
        int shared = 0, slave = 0, unbindable = 0;
        for (; word && strcmp(word, "-"); word = strtok_r(NULL, " \n", &save)) {
            shared |= !strncmp(word, "shared:", 7), slave |= !strncmp(word, "master:", 7);
            unbindable |= !strcmp(word, "unbindable");
        }
        text("propagation", unbindable ? "unbindable" : shared ? (slave ? "slave,shared" : "shared")
                                                       : slave ? "slave" : "private");
        char *type = strtok_r(NULL, " \n", &save), *source = strtok_r(NULL, " \n", &save);
        char *super = strtok_r(NULL, " \n", &save);
        text("type", type ? type : ""), text("source", source ? source : "");
        list_of("options", fields[5], ",");
        list_of("super", super ? super : "", ",");
        end('}');
    }
    end('}');
}

static void environment_facts(char **argv) {
    char cwd[PATH_MAX];
    text("cwd", getcwd(cwd, sizeof cwd) ? cwd : "");
    begin("argv", '[');
    for (; *argv; argv++)
        item(*argv);
    end(']');
    begin("env", '[');
    for (char **variable = environ; *variable; variable++)
        item(*variable);
    end(']');
}

/* ---- Operations: a word "name=value"; the result is member value of object name. ---- */

static void result(const char *value, long outcome) {
    if (outcome < 0)
        error_name(value, errno);
    else
        text(value, "ok");
}

static void op_stat(const char *path) {
    struct stat s;
    if (lstat(path, &s)) {
        error_name(path, errno);
        return;
    }
    const char *type = S_ISDIR(s.st_mode)   ? "directory"
                       : S_ISREG(s.st_mode) ? "file"
                       : S_ISCHR(s.st_mode) ? "char"
                       : S_ISBLK(s.st_mode) ? "block"
                       : S_ISFIFO(s.st_mode) ? "fifo"
                       : S_ISLNK(s.st_mode) ? "link"
                                            : "socket";
    char value[PATH_MAX];
    begin(path, '{');
    text("type", type);
    snprintf(value, sizeof value, "%04o", s.st_mode & 07777);
    text("mode", value);
    number("uid", s.st_uid), number("gid", s.st_gid), number("size", s.st_size), number("links", (long)s.st_nlink);
    snprintf(value, sizeof value, "%u:%u", major(s.st_rdev), minor(s.st_rdev));
    text("rdev", value);
    snprintf(value, sizeof value, "%lu.%09lu", s.st_atim.tv_sec, s.st_atim.tv_nsec);
    text("atime", value);
    ssize_t n = readlink(path, value, sizeof value - 1);
    if (n >= 0)
        value[n] = 0, text("target", value);
    end('}');
}

static void op_read(const char *path) {
    static char buffer[4097];
    ssize_t n = slurp(path, buffer, sizeof buffer);
    if (n < 0)
        error_name(path, errno);
    else
        key(path), put_bytes(buffer, (size_t)n), needs_comma = 1;
}

static void op_list(const char *path) {
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    if (n < 0) {
        error_name(path, errno);
        return;
    }
    begin(path, '[');
    for (int i = 0; i < n; i++)
        if (strcmp(entries[i]->d_name, ".") && strcmp(entries[i]->d_name, ".."))
            item(entries[i]->d_name);
    end(']');
}

static void op_open(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
    result(path, fd);
    if (fd >= 0)
        close(fd);
}

/* "PATH:TEXT" writes TEXT to an existing file. */
static void op_put(const char *value) {
    char path[PATH_MAX];
    const char *colon = strrchr(value, ':');
    snprintf(path, sizeof path, "%.*s", (int)(colon ? colon - value : 0), value);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    result(value, fd < 0 ? -1 : write(fd, colon + 1, strlen(colon + 1)));
    if (fd >= 0)
        close(fd);
}

/* "TYPE:MAJOR:MINOR:PATH" makes a device node. */
static void op_mknod(const char *value) {
    char type = 'c', path[256] = "";
    unsigned high = 0, low = 0;
    sscanf(value, "%c:%u:%u:%255s", &type, &high, &low, path);
    result(value, mknod(path, (type == 'b' ? S_IFBLK : S_IFCHR) | 0600, makedev(high, low)));
}

/* The label of the session keyring, as a security module sees it. */
static void op_keylabel(const char *name) {
    char label[256] = "";
    if (syscall(SYS_keyctl, KEYCTL_GET_SECURITY, KEY_SPEC_SESSION_KEYRING, label, sizeof label) < 0)
        error_name(name, errno);
    else
        text(name, label);
}

static void op_exec(const char *path) {
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC))
        return;
    pid_t child = fork();
    if (child == 0) {
        execl(path, path, "only", "quiet", NULL);
        int error = errno;
        _exit(write(pipe_fds[1], &error, sizeof error) < 0);
    }
    close(pipe_fds[1]);
    int error = 0;
    ssize_t n = read(pipe_fds[0], &error, sizeof error);
    close(pipe_fds[0]);
    waitpid(child, NULL, 0);
    errno = error;
    result(path, n > 0 ? -1 : 0);
}

static const struct {
    const char *name;
    long number;
} calls[] = {{"getpgid", SYS_getpgid},
             {"getsid", SYS_getsid},
             {"getpriority", SYS_getpriority},
             {"sysinfo", SYS_sysinfo},
             {"dup", SYS_dup},
             {"lseek", SYS_lseek}};

/* "NAME,ARGUMENT..." tries a system call in a child, because a filter may kill the caller. */
static void op_call(const char *value) {
    char copy[256], *save, *name;
    snprintf(copy, sizeof copy, "%s", value);
    name = strtok_r(copy, ",", &save);
    long call = -1;
    for (unsigned i = 0; name && i < sizeof calls / sizeof *calls; i++)
        if (!strcmp(calls[i].name, name))
            call = calls[i].number;
    unsigned long a[6] = {0};
    for (int i = 0; i < 6; i++) {
        char *argument = strtok_r(NULL, ",", &save);
        a[i] = argument ? strtoul(argument, NULL, 0) : 0;
    }
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC))
        return;
    pid_t child = fork();
    if (child == 0) {
        long returned = syscall(call, a[0], a[1], a[2], a[3], a[4], a[5]);
        int error = returned == -1 ? errno : 0;
        _exit(write(pipe_fds[1], &error, sizeof error) < 0);
    }
    close(pipe_fds[1]);
    int error = 0, status = 0;
    ssize_t n = read(pipe_fds[0], &error, sizeof error);
    close(pipe_fds[0]);
    waitpid(child, &status, 0);
    errno = error;
    if (n == sizeof error)
        result(value, error ? -1 : 0);
    else if (WIFSIGNALED(status))
        key(value), put("\"SIG%s\"", sigabbrev_np(WTERMSIG(status))), needs_comma = 1;
}

/* Writes what a hook sees as one line at the end of a file: who it is, where it runs and what came on stdin. */
static void op_hook(const char *path, char **argv) {
    size_t mark = out_length;
    int comma = needs_comma;
    static char input[65536];
    size_t length = 0;
    ssize_t n;
    while (length < sizeof input - 1 && (n = read(0, input + length, sizeof input - 1 - length)) > 0)
        length += (size_t)n;
    out_length = 0, needs_comma = 0;
    begin(NULL, '{');
    environment_facts(argv);
    namespace_facts();
    number("pid", getpid());
    op_stat("/probe");
    key("state_text"), put_bytes(input, length), needs_comma = 1;
    end('}');
    put("\n");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0 && write(fd, out, out_length) >= 0)
        close(fd);
    out_length = mark, needs_comma = comma;
}

static const struct {
    const char *name;
    void (*act)(const char *);
} operations[] = {{"stat", op_stat}, {"read", op_read}, {"list", op_list}, {"put", op_put},
                  {"mknod", op_mknod}, {"exec", op_exec}, {"call", op_call}, {"keylabel", op_keylabel}};

static const struct {
    const char *name;
    int flags;
} openings[] = {{"open", O_RDONLY}, {"openw", O_WRONLY}, {"openrw", O_RDWR}, {"create", O_CREAT | O_EXCL | O_WRONLY}};

static void perform(const char *name, const char *value, char **argv) {
    for (unsigned i = 0; i < sizeof operations / sizeof *operations; i++)
        if (!strcmp(name, operations[i].name))
            operations[i].act(value);
    for (unsigned i = 0; i < sizeof openings / sizeof *openings; i++)
        if (!strcmp(name, openings[i].name))
            op_open(value, openings[i].flags);
    if (!strcmp(name, "mkdir"))
        result(value, mkdir(value, 0777));
    else if (!strcmp(name, "unlink"))
        result(value, unlink(value));
    else if (!strcmp(name, "tmpfs"))
        result(value, mount("tmpfs", value, "tmpfs", 0, NULL));
    else if (!strcmp(name, "bindself"))
        result(value, mount(value, value, NULL, MS_BIND, NULL));
    else if (!strcmp(name, "readfd")) {
        char buffer[4096];
        ssize_t n = read(atoi(value), buffer, sizeof buffer);
        if (n < 0)
            error_name(value, errno);
        else
            key(value), put_bytes(buffer, (size_t)n), needs_comma = 1;
    } else if (!strcmp(name, "hook"))
        op_hook(value, argv);
}

/* Operations of one name are gathered in one object, so that a case can name each path once. */
static void perform_all(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        size_t length = strcspn(argv[i], "=");
        int seen = 0, first = argv[i][length] == '=';
        for (int j = 1; j < i && !seen; j++)
            seen = !strncmp(argv[j], argv[i], length + 1);
        if (!first || seen)
            continue;
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)length, argv[i]);
        begin(name, '{');
        for (int j = i; j < argc; j++)
            if (!strncmp(argv[j], argv[i], length + 1))
                perform(name, argv[j] + length + 1, argv);
        end('}');
    }
}

/* Blocks every signal, waits for one, and prints which it was. */
static void report_signal(const sigset_t *all) {
    siginfo_t info;
    int received = sigwaitinfo(all, &info);
    begin(NULL, '{');
    number("signal", received);
    end('}');
    put("\n");
    flush();
}

int main(int argc, char **argv) {
    sigset_t all, previous;
    int reports = 0;
    for (int i = 1; i < argc; i++)
        reports |= !strcmp(argv[i], "report");
    if (reports)
        sigfillset(&all), sigdelset(&all, SIGCHLD), sigprocmask(SIG_BLOCK, &all, &previous);
    begin(NULL, '{');
    if (reports)
        number("reports", 1); /* whoever reads this may send the signal: none can be lost any more */
    if (argc < 2 || strcmp(argv[1], "only")) {
        identity_facts(), capability_facts(), limit_facts(), scheduling_facts(), machine_facts();
        if (!reports)
            signal_facts();
        descriptor_facts(), namespace_facts(), mount_facts(), environment_facts(argv);
    }
    perform_all(argc, argv);
    end('}');
    put("\n");
    int quiet = 0, status = 0;
    for (int i = 1; i < argc; i++)
        quiet |= !strncmp(argv[i], "hook=", 5) || !strcmp(argv[i], "quiet");
    if (!quiet)
        flush();
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "orphan") && fork() == 0)
            for (;;)
                pause();
        if (!strcmp(argv[i], "report"))
            report_signal(&all);
        else if (!strcmp(argv[i], "wait"))
            for (;;)
                pause();
        else if (!strncmp(argv[i], "exit=", 5))
            status = atoi(argv[i] + 5);
        else if (!strncmp(argv[i], "raise=", 6))
            kill(getpid(), atoi(argv[i] + 6));
        else if (!strncmp(argv[i], "say=", 4))
            dprintf(2, "%s\n", argv[i] + 4);
    }
    return status;
}
