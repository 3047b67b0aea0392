// Kernel calls that glibc lacks, wraps with state of its own, or declares in a form that Swift cannot import
// (variadic, macro, _GNU_SOURCE only). One call per function; see CLinux.h for the contract.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/filter.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define RETURN(expression)                  \
    do {                                    \
        long value_ = (long)(expression);   \
        return value_ < 0 ? -errno : value_; \
    } while (0)

// Files

long clinux_openat(int dir, const char *path, int flags, uint32_t mode) { RETURN(openat(dir, path, flags, mode)); }

long clinux_openat2(int dir, const char *path, const struct clinux_open_how *how) {
    RETURN(syscall(SYS_openat2, dir, path, how, sizeof *how));
}

// Not glibc's close(): EINTR from close means closed on Linux, so there is nothing to retry.
long clinux_close(int fd) { RETURN(close(fd)); }
long clinux_close_range(unsigned first, unsigned last, unsigned flags) { RETURN(syscall(SYS_close_range, first, last, flags)); }
long clinux_read(int fd, void *buffer, size_t count) { RETURN(read(fd, buffer, count)); }
long clinux_pread(int fd, void *buffer, size_t count, int64_t offset) { RETURN(pread(fd, buffer, count, offset)); }
long clinux_write(int fd, const void *buffer, size_t count) { RETURN(write(fd, buffer, count)); }

long clinux_file_facts(int dir, const char *path, int flags, struct clinux_file_facts *out) {
    struct statx facts;
    if (statx(dir, path, flags, STATX_BASIC_STATS | STATX_MNT_ID, &facts) < 0) return -errno;
    out->mode = facts.stx_mode;
    out->link_count = facts.stx_nlink;
    out->uid = facts.stx_uid;
    out->gid = facts.stx_gid;
    out->inode = facts.stx_ino;
    out->size = facts.stx_size;
    out->rdev_major = facts.stx_rdev_major;
    out->rdev_minor = facts.stx_rdev_minor;
    out->dev_major = facts.stx_dev_major;
    out->dev_minor = facts.stx_dev_minor;
    out->mount_id = facts.stx_mnt_id;
    out->attributes = facts.stx_attributes;
    return 0;
}

long clinux_file_system_type(int fd, uint64_t *type, uint64_t *flags) {
    struct statfs facts;
    if (fstatfs(fd, &facts) < 0) return -errno;
    *type = (uint64_t)facts.f_type;
    *flags = (uint64_t)facts.f_flags;
    return 0;
}

long clinux_readlinkat(int dir, const char *path, char *buffer, size_t size) { RETURN(readlinkat(dir, path, buffer, size)); }
long clinux_getdents64(int fd, void *buffer, size_t size) { RETURN(syscall(SYS_getdents64, fd, buffer, size)); }
long clinux_mkdirat(int dir, const char *path, uint32_t mode) { RETURN(mkdirat(dir, path, mode)); }

long clinux_mknodat(int dir, const char *path, uint32_t mode, uint32_t major_number, uint32_t minor_number) {
    RETURN(mknodat(dir, path, mode, makedev(major_number, minor_number)));
}

long clinux_unlinkat(int dir, const char *path, int flags) { RETURN(unlinkat(dir, path, flags)); }
long clinux_symlinkat(const char *target, int dir, const char *path) { RETURN(symlinkat(target, dir, path)); }

long clinux_renameat2(int old_dir, const char *old_path, int new_dir, const char *new_path, unsigned flags) {
    RETURN(syscall(SYS_renameat2, old_dir, old_path, new_dir, new_path, flags));
}

long clinux_fchmod(int fd, uint32_t mode) { RETURN(fchmod(fd, mode)); }
long clinux_fchmodat(int dir, const char *path, uint32_t mode) { RETURN(syscall(SYS_fchmodat, dir, path, mode)); }

long clinux_fchownat(int dir, const char *path, uint32_t uid, uint32_t gid, int flags) {
    RETURN(fchownat(dir, path, uid, gid, flags));
}

long clinux_faccessat(int dir, const char *path, int mode) { RETURN(syscall(SYS_faccessat, dir, path, mode)); }
long clinux_faccessat2(int dir, const char *path, int mode, int flags) { RETURN(syscall(SYS_faccessat2, dir, path, mode, flags)); }
long clinux_flock(int fd, int operation) { RETURN(flock(fd, operation)); }
long clinux_fcntl(int fd, int command, long argument) { RETURN(fcntl(fd, command, argument)); }
long clinux_dup3(int old_fd, int new_fd, int flags) { RETURN(dup3(old_fd, new_fd, flags)); }
long clinux_chdir(const char *path) { RETURN(chdir(path)); }
long clinux_fchdir(int fd) { RETURN(fchdir(fd)); }
long clinux_chroot(const char *path) { RETURN(chroot(path)); }

// The raw call: glibc's getcwd hides the kernel's "(unreachable)" answer, which is what the caller looks for.
long clinux_getcwd(char *buffer, size_t size) { RETURN(syscall(SYS_getcwd, buffer, size)); }
long clinux_umask(uint32_t mask) { return (long)umask(mask); }
long clinux_pipe2(int fds[2], int flags) { RETURN(pipe2(fds, flags)); }
long clinux_memfd_create(const char *name, unsigned flags) { RETURN(syscall(SYS_memfd_create, name, flags)); }
long clinux_ftruncate(int fd, int64_t size) { RETURN(ftruncate(fd, size)); }
long clinux_copy_file(int out_fd, int in_fd, size_t count) { RETURN(sendfile(out_fd, in_fd, NULL, count)); }
long clinux_getxattr(int fd, const char *name, void *value, size_t size) { RETURN(fgetxattr(fd, name, value, size)); }
long clinux_setxattr(int fd, const char *name, const void *value, size_t size) { RETURN(fsetxattr(fd, name, value, size, 0)); }

// Mounts

long clinux_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    RETURN(mount(source, target, type, flags, data));
}

long clinux_umount2(const char *target, int flags) { RETURN(umount2(target, flags)); }
long clinux_pivot_root(const char *new_root, const char *put_old) { RETURN(syscall(SYS_pivot_root, new_root, put_old)); }
long clinux_open_tree(int dir, const char *path, unsigned flags) { RETURN(syscall(SYS_open_tree, dir, path, flags)); }

long clinux_move_mount(int from_dir, const char *from_path, int to_dir, const char *to_path, unsigned flags) {
    RETURN(syscall(SYS_move_mount, from_dir, from_path, to_dir, to_path, flags));
}

long clinux_fsopen(const char *type, unsigned flags) { RETURN(syscall(SYS_fsopen, type, flags)); }

long clinux_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux) {
    RETURN(syscall(SYS_fsconfig, fd, command, key, value, aux));
}

long clinux_fsmount(int fd, unsigned flags, unsigned attributes) { RETURN(syscall(SYS_fsmount, fd, flags, attributes)); }

long clinux_mount_setattr(int dir, const char *path, unsigned flags, const struct clinux_mount_attr *attr) {
    RETURN(syscall(SYS_mount_setattr, dir, path, flags, attr, sizeof *attr));
}

// Namespaces and processes

long clinux_setns(int fd, int type) { RETURN(setns(fd, type)); }
long clinux_unshare(int flags) { RETURN(unshare(flags)); }
long clinux_namespace_type(int fd) { RETURN(ioctl(fd, NS_GET_NSTYPE)); }

long clinux_clone3(const struct clinux_clone_request *request, int *pidfd) {
    struct clone_args arguments;
    memset(&arguments, 0, sizeof arguments);
    arguments.flags = request->flags | CLONE_PIDFD;
    arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
    arguments.exit_signal = (uint64_t)request->exit_signal;
    if (request->cgroup_fd >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (uint64_t)request->cgroup_fd;
    }
    RETURN(syscall(SYS_clone3, &arguments, sizeof arguments));
}

long clinux_execve(const char *path, const char *const *argv, const char *const *envp) {
    RETURN(execve(path, (char *const *)argv, (char *const *)envp));
}

long clinux_fexecve(int fd, const char *const *argv, const char *const *envp) {
    RETURN(syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH));
}

long clinux_waitid(int id_type, int id, int options, struct clinux_exit *out) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    if (waitid((idtype_t)id_type, (id_t)id, &info, options) < 0) return -errno;
    out->pid = info.si_pid;
    out->code = info.si_code;
    out->status = info.si_status;
    return 0;
}

long clinux_kill(int pid, int signal) { RETURN(kill(pid, signal)); }
long clinux_pidfd_open(int pid, unsigned flags) { RETURN(syscall(SYS_pidfd_open, pid, flags)); }
long clinux_pidfd_send_signal(int pidfd, int signal) { RETURN(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0)); }
long clinux_pidfd_getfd(int pidfd, int target_fd) { RETURN(syscall(SYS_pidfd_getfd, pidfd, target_fd, 0)); }

long clinux_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5) {
    RETURN(prctl(option, arg2, arg3, arg4, arg5));
}

long clinux_getpid(void) { return syscall(SYS_getpid); }
long clinux_getppid(void) { return syscall(SYS_getppid); }
long clinux_geteuid(void) { return (long)geteuid(); }
long clinux_getegid(void) { return (long)getegid(); }
long clinux_setsid(void) { RETURN(setsid()); }
long clinux_sethostname(const char *name, size_t length) { RETURN(sethostname(name, length)); }
long clinux_setdomainname(const char *name, size_t length) { RETURN(setdomainname(name, length)); }
long clinux_personality(unsigned long domain) { RETURN(syscall(SYS_personality, domain)); }

long clinux_poll(int *fds, const short *events, short *returned, unsigned count, int timeout_ms) {
    struct pollfd list[8];
    if (count > 8) return -EINVAL;
    for (unsigned i = 0; i < count; i++) list[i] = (struct pollfd){.fd = fds[i], .events = events[i]};
    long ready = poll(list, count, timeout_ms);
    if (ready < 0) return -errno;
    for (unsigned i = 0; i < count; i++) returned[i] = list[i].revents;
    return ready;
}

long clinux_poll_two(int first, int second, short events, short *of_first, short *of_second) {
    struct pollfd list[] = {{.fd = first, .events = events}, {.fd = second, .events = events}};
    long ready = poll(list, 2, -1);
    if (ready < 0) return -errno;
    *of_first = list[0].revents;
    *of_second = list[1].revents;
    return ready;
}

void *clinux_shared_memory(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void clinux_exit(int status) { _exit(status); }

// Credentials. The raw calls: glibc's wrappers signal every thread, and this program has one.

long clinux_setresuid(uint32_t real, uint32_t effective, uint32_t saved) { RETURN(syscall(SYS_setresuid, real, effective, saved)); }
long clinux_setresgid(uint32_t real, uint32_t effective, uint32_t saved) { RETURN(syscall(SYS_setresgid, real, effective, saved)); }
long clinux_setgroups(size_t count, const uint32_t *groups) { RETURN(syscall(SYS_setgroups, count, groups)); }
long clinux_getgroups(int count, uint32_t *groups) { RETURN(syscall(SYS_getgroups, count, groups)); }

long clinux_capget(uint64_t *effective, uint64_t *permitted, uint64_t *inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0) return -errno;
    *effective = data[0].effective | (uint64_t)data[1].effective << 32;
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    return 0;
}

long clinux_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {
        {.effective = (uint32_t)effective, .permitted = (uint32_t)permitted, .inheritable = (uint32_t)inheritable},
        {.effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(permitted >> 32), .inheritable = (uint32_t)(inheritable >> 32)},
    };
    RETURN(syscall(SYS_capset, &header, data));
}

// Limits and scheduling

long clinux_prlimit(int pid, int resource, uint64_t soft, uint64_t hard) {
    struct rlimit64 limit = {.rlim_cur = soft, .rlim_max = hard};
    RETURN(syscall(SYS_prlimit64, pid, resource, &limit, NULL));
}

long clinux_get_rlimit(int resource, uint64_t *soft, uint64_t *hard) {
    struct rlimit64 limit;
    if (syscall(SYS_prlimit64, 0, resource, NULL, &limit) < 0) return -errno;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return 0;
}

long clinux_sched_setattr(int pid, const struct clinux_sched_attr *attr) { RETURN(syscall(SYS_sched_setattr, pid, attr, 0)); }
long clinux_sched_setaffinity(int pid, const unsigned long *cpus, size_t size) { RETURN(syscall(SYS_sched_setaffinity, pid, size, cpus)); }
long clinux_ioprio_set(int which, int who, int priority) { RETURN(syscall(SYS_ioprio_set, which, who, priority)); }

long clinux_set_mempolicy(int mode, const unsigned long *nodes, unsigned long maximum) {
    RETURN(syscall(SYS_set_mempolicy, mode, nodes, maximum));
}

// Signals

// Raw, because glibc refuses to touch the two real-time signals that it keeps for itself.
static long raw_sigaction(int number, void (*handler)(int)) {
    struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {.handler = handler};
    RETURN(syscall(SYS_rt_sigaction, number, &action, NULL, 8));
}

long clinux_reset_signals(void) {
    for (int number = 1; number <= 64; number++) {
        if (number == SIGKILL || number == SIGSTOP) continue;
        long result = raw_sigaction(number, SIG_DFL);
        if (result < 0) return result;
    }
    return clinux_block_signals(0);
}

long clinux_block_signals(int block) {
    uint64_t mask = block ? ~0ULL : 0;
    RETURN(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8));
}

long clinux_ignore_signal(int signal) { return raw_sigaction(signal, SIG_IGN); }

long clinux_signalfd(void) {
    uint64_t mask = ~0ULL;
    RETURN(syscall(SYS_signalfd4, -1, &mask, 8, SFD_CLOEXEC | SFD_NONBLOCK));
}

long clinux_read_signalfd(int fd, int *signal) {
    struct signalfd_siginfo info;
    long count = read(fd, &info, sizeof info);
    if (count < 0) return -errno;
    *signal = (int)info.ssi_signo;
    return count;
}

long clinux_eventfd(void) { RETURN(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

// Keys, seccomp, BPF

long clinux_keyctl_join_session(const char *name) { RETURN(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name)); }
long clinux_keyctl_describe(int key, char *buffer, size_t size) { RETURN(syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, buffer, size)); }
long clinux_keyctl_setperm(int key, uint32_t permissions) { RETURN(syscall(SYS_keyctl, KEYCTL_SETPERM, key, permissions)); }

long clinux_seccomp_set_filter(const void *filter, unsigned short count, unsigned flags) {
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)filter};
    RETURN(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

long clinux_seccomp_get_notif_sizes(void) {
    struct seccomp_notif_sizes sizes;
    RETURN(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
}

long clinux_seccomp_action_available(uint32_t action) { RETURN(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action)); }

long clinux_seccomp_probe_flags(unsigned flags) { RETURN(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL)); }

// Newer kernels write back fields behind those that old headers know: always pass a full-sized, zeroed attribute.
union bpf_request {
    union bpf_attr attr;
    unsigned char room[256];
};

long clinux_bpf_load_device_program(const void *instructions, uint32_t count, char *log, uint32_t log_size) {
    union bpf_request request;
    memset(&request, 0, sizeof request);
    request.attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    request.attr.insns = (uint64_t)(uintptr_t)instructions;
    request.attr.insn_cnt = count;
    request.attr.license = (uint64_t)(uintptr_t) "Apache-2.0";
    if (log != NULL) {
        request.attr.log_level = 1;
        request.attr.log_buf = (uint64_t)(uintptr_t)log;
        request.attr.log_size = log_size;
    }
    RETURN(syscall(SYS_bpf, BPF_PROG_LOAD, &request, sizeof request));
}

long clinux_bpf_attach_device(int cgroup_fd, int program_fd, uint32_t flags, int replace_fd) {
    union bpf_request request;
    memset(&request, 0, sizeof request);
    request.attr.target_fd = (uint32_t)cgroup_fd;
    request.attr.attach_bpf_fd = (uint32_t)program_fd;
    request.attr.attach_type = BPF_CGROUP_DEVICE;
    request.attr.attach_flags = flags;
    if (replace_fd >= 0) request.attr.replace_bpf_fd = (uint32_t)replace_fd;
    RETURN(syscall(SYS_bpf, BPF_PROG_ATTACH, &request, sizeof request));
}

long clinux_bpf_detach_device(int cgroup_fd, int program_fd) {
    union bpf_request request;
    memset(&request, 0, sizeof request);
    request.attr.target_fd = (uint32_t)cgroup_fd;
    request.attr.attach_bpf_fd = (uint32_t)program_fd;
    request.attr.attach_type = BPF_CGROUP_DEVICE;
    RETURN(syscall(SYS_bpf, BPF_PROG_DETACH, &request, sizeof request));
}

long clinux_bpf_query_device(int cgroup_fd, uint32_t *ids, uint32_t *count) {
    union bpf_request request;
    memset(&request, 0, sizeof request);
    request.attr.query.target_fd = (uint32_t)cgroup_fd;
    request.attr.query.attach_type = BPF_CGROUP_DEVICE;
    request.attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
    request.attr.query.prog_cnt = *count;
    long result = syscall(SYS_bpf, BPF_PROG_QUERY, &request, sizeof request);
    if (result < 0) return -errno;
    *count = request.attr.query.prog_cnt;
    return result;
}

long clinux_bpf_program_fd(uint32_t id) {
    union bpf_request request;
    memset(&request, 0, sizeof request);
    request.attr.prog_id = id;
    RETURN(syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &request, sizeof request));
}

// Terminals

long clinux_terminal_peer(int primary, int flags) { RETURN(ioctl(primary, TIOCGPTPEER, flags)); }

long clinux_terminal_unlock(int primary) {
    int unlock = 0;
    RETURN(ioctl(primary, TIOCSPTLCK, &unlock));
}

long clinux_terminal_number(int primary) {
    unsigned number = 0;
    if (ioctl(primary, TIOCGPTN, &number) < 0) return -errno;
    return (long)number;
}

long clinux_terminal_set_size(int fd, uint16_t rows, uint16_t columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    RETURN(ioctl(fd, TIOCSWINSZ, &size));
}

long clinux_terminal_get_size(int fd, uint16_t *rows, uint16_t *columns) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *rows = size.ws_row;
    *columns = size.ws_col;
    return 0;
}

long clinux_terminal_make_controlling(int fd) { RETURN(ioctl(fd, TIOCSCTTY, 0)); }

_Static_assert(sizeof(struct termios) <= CLINUX_TERMIOS_SIZE, "saved terminal attributes must fit");

long clinux_terminal_make_raw(int fd, void *saved) {
    struct termios attributes;
    if (tcgetattr(fd, &attributes) < 0) return -errno;
    memcpy(saved, &attributes, sizeof attributes);
    cfmakeraw(&attributes);
    RETURN(tcsetattr(fd, TCSANOW, &attributes));
}

long clinux_terminal_restore(int fd, const void *saved) {
    struct termios attributes;
    memcpy(&attributes, saved, sizeof attributes);
    RETURN(tcsetattr(fd, TCSANOW, &attributes));
}

long clinux_terminal_no_onlcr(int fd) {
    struct termios attributes;
    if (tcgetattr(fd, &attributes) < 0) return -errno;
    attributes.c_oflag &= ~(tcflag_t)ONLCR;
    RETURN(tcsetattr(fd, TCSANOW, &attributes));
}

long clinux_terminal_end_of_file(int fd) {
    struct termios attributes;
    if (tcgetattr(fd, &attributes) < 0) return -errno;
    return attributes.c_lflag & ICANON ? attributes.c_cc[VEOF] : _POSIX_VDISABLE;
}

// Time and the machine

long clinux_clock_nanoseconds(int clock, int64_t *seconds, int64_t *nanoseconds) {
    struct timespec now;
    if (clock_gettime(clock, &now) < 0) return -errno;
    *seconds = now.tv_sec;
    *nanoseconds = now.tv_nsec;
    return 0;
}

long clinux_kernel_release(char *buffer, size_t size) {
    struct utsname names;
    if (uname(&names) < 0) return -errno;
    size_t length = strlen(names.release);
    if (length >= size) return -ERANGE;
    memcpy(buffer, names.release, length + 1);
    return (long)length;
}

extern char **environ;
const char *const *clinux_environment(void) { return (const char *const *)environ; }
