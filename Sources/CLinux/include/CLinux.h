// The kernel calls that apus makes, one prototype each.
//
// Every function returns the kernel's value, or the negated errno: errno itself never crosses into Swift, so nothing
// can clobber it between the call and its reading. No function here decides, allocates, retries, falls back or prints.
// Called by LinuxSystem alone. The header must not depend on _GNU_SOURCE (the Glibc module is built without it), hence
// the mirror structs, which checks.c pins to the kernel's.

#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLINUX_NULLABLE _Nullable
#define CLINUX_NONNULL _Nonnull

// Files

struct clinux_open_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

struct clinux_file_facts {
    uint32_t mode;
    uint32_t link_count;
    uint32_t uid;
    uint32_t gid;
    uint64_t inode;
    uint64_t size;
    uint32_t rdev_major;
    uint32_t rdev_minor;
    uint32_t dev_major;
    uint32_t dev_minor;
    uint64_t mount_id;
    uint64_t attributes;
};

long clinux_openat(int dir, const char *CLINUX_NONNULL path, int flags, uint32_t mode);
long clinux_openat2(int dir, const char *CLINUX_NONNULL path, const struct clinux_open_how *CLINUX_NONNULL how);
long clinux_close(int fd);
long clinux_close_range(unsigned first, unsigned last, unsigned flags);
long clinux_read(int fd, void *CLINUX_NONNULL buffer, size_t count);
long clinux_pread(int fd, void *CLINUX_NONNULL buffer, size_t count, int64_t offset);
long clinux_write(int fd, const void *CLINUX_NONNULL buffer, size_t count);
long clinux_file_facts(int dir, const char *CLINUX_NONNULL path, int flags, struct clinux_file_facts *CLINUX_NONNULL out);
long clinux_file_system_type(int fd, uint64_t *CLINUX_NONNULL type, uint64_t *CLINUX_NONNULL flags);
long clinux_readlinkat(int dir, const char *CLINUX_NONNULL path, char *CLINUX_NONNULL buffer, size_t size);
long clinux_getdents64(int fd, void *CLINUX_NONNULL buffer, size_t size);
long clinux_mkdirat(int dir, const char *CLINUX_NONNULL path, uint32_t mode);
long clinux_mknodat(int dir, const char *CLINUX_NONNULL path, uint32_t mode, uint32_t major, uint32_t minor);
long clinux_unlinkat(int dir, const char *CLINUX_NONNULL path, int flags);
long clinux_symlinkat(const char *CLINUX_NONNULL target, int dir, const char *CLINUX_NONNULL path);
long clinux_renameat2(int old_dir, const char *CLINUX_NONNULL old_path, int new_dir, const char *CLINUX_NONNULL new_path, unsigned flags);
long clinux_fchmod(int fd, uint32_t mode);
long clinux_fchmodat(int dir, const char *CLINUX_NONNULL path, uint32_t mode);
long clinux_fchownat(int dir, const char *CLINUX_NONNULL path, uint32_t uid, uint32_t gid, int flags);
long clinux_faccessat(int dir, const char *CLINUX_NONNULL path, int mode);
long clinux_faccessat2(int dir, const char *CLINUX_NONNULL path, int mode, int flags);
long clinux_socket_route(void);
long clinux_interface_up(const char *CLINUX_NONNULL name);
long clinux_flock(int fd, int operation);
long clinux_fcntl(int fd, int command, long argument);
long clinux_dup3(int old_fd, int new_fd, int flags);
long clinux_chdir(const char *CLINUX_NONNULL path);
long clinux_fchdir(int fd);
long clinux_chroot(const char *CLINUX_NONNULL path);
long clinux_getcwd(char *CLINUX_NONNULL buffer, size_t size);
long clinux_umask(uint32_t mask);
long clinux_pipe2(int fds[CLINUX_NONNULL 2], int flags);
long clinux_memfd_create(const char *CLINUX_NONNULL name, unsigned flags);
long clinux_ftruncate(int fd, int64_t size);
long clinux_copy_file(int out_fd, int in_fd, size_t count);
long clinux_getxattr(int fd, const char *CLINUX_NONNULL name, void *CLINUX_NONNULL value, size_t size);
long clinux_setxattr(int fd, const char *CLINUX_NONNULL name, const void *CLINUX_NONNULL value, size_t size);

// Mounts

struct clinux_mount_attr {
    uint64_t attr_set;
    uint64_t attr_clr;
    uint64_t propagation;
    uint64_t userns_fd;
};

long clinux_mount(const char *CLINUX_NULLABLE source, const char *CLINUX_NONNULL target, const char *CLINUX_NULLABLE type,
                  unsigned long flags, const char *CLINUX_NULLABLE data);
long clinux_umount2(const char *CLINUX_NONNULL target, int flags);
long clinux_pivot_root(const char *CLINUX_NONNULL new_root, const char *CLINUX_NONNULL put_old);
long clinux_open_tree(int dir, const char *CLINUX_NONNULL path, unsigned flags);
long clinux_move_mount(int from_dir, const char *CLINUX_NONNULL from_path, int to_dir, const char *CLINUX_NONNULL to_path, unsigned flags);
long clinux_fsopen(const char *CLINUX_NONNULL type, unsigned flags);
long clinux_fsconfig(int fd, unsigned command, const char *CLINUX_NULLABLE key, const void *CLINUX_NULLABLE value, int aux);
long clinux_fsmount(int fd, unsigned flags, unsigned attributes);
long clinux_mount_setattr(int dir, const char *CLINUX_NONNULL path, unsigned flags, const struct clinux_mount_attr *CLINUX_NONNULL attr);

/// Whether this process runs from a file that nobody can change, since before main (seal.c).
int clinux_is_sealed(void);

/// Of a traced command (seal.c): when the process began (0) and when it was sealed (1). Nanoseconds since 1970; 0 when there
/// was no such moment.
long long clinux_start_time(int which);

/// Finds selinuxfs for libselinux; to be called before anything of it (startup.c).
void clinux_prepare_selinux(void);

// Namespaces and processes

struct clinux_clone_request {
    uint64_t flags;
    int cgroup_fd;
    int exit_signal;
};

struct clinux_exit {
    int pid;
    int code;
    int status;
};

long clinux_setns(int fd, int type);
long clinux_unshare(int flags);
long clinux_namespace_type(int fd);
// fork with clone3: returns 0 in the child. `pidfd` receives a close-on-exec pidfd in the parent.
long clinux_clone3(const struct clinux_clone_request *CLINUX_NONNULL request, int *CLINUX_NONNULL pidfd);
long clinux_execve(const char *CLINUX_NONNULL path, const char *CLINUX_NULLABLE const *CLINUX_NONNULL argv,
                   const char *CLINUX_NULLABLE const *CLINUX_NONNULL envp);
long clinux_fexecve(int fd, const char *CLINUX_NULLABLE const *CLINUX_NONNULL argv,
                    const char *CLINUX_NULLABLE const *CLINUX_NONNULL envp);
long clinux_waitid(int id_type, int id, int options, struct clinux_exit *CLINUX_NONNULL out);
long clinux_kill(int pid, int signal);
long clinux_pidfd_open(int pid, unsigned flags);
long clinux_pidfd_send_signal(int pidfd, int signal);
long clinux_pidfd_getfd(int pidfd, int target_fd);
long clinux_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5);
long clinux_getpid(void);
long clinux_getppid(void);
long clinux_geteuid(void);
long clinux_getegid(void);
long clinux_setsid(void);
long clinux_sethostname(const char *CLINUX_NONNULL name, size_t length);
long clinux_setdomainname(const char *CLINUX_NONNULL name, size_t length);
long clinux_personality(unsigned long domain);
long clinux_poll(int *CLINUX_NONNULL fds, const short *CLINUX_NONNULL events, short *CLINUX_NONNULL returned, unsigned count, int timeout_ms);
// Waits without end until at least one of two descriptors has one of `events`.
long clinux_poll_two(int first, int second, short events, short *CLINUX_NONNULL of_first, short *CLINUX_NONNULL of_second);
void *CLINUX_NULLABLE clinux_shared_memory(size_t size);
_Noreturn void clinux_exit(int status);

// Credentials

long clinux_setresuid(uint32_t real, uint32_t effective, uint32_t saved);
long clinux_setresgid(uint32_t real, uint32_t effective, uint32_t saved);
long clinux_setgroups(size_t count, const uint32_t *CLINUX_NULLABLE groups);
long clinux_getgroups(int count, uint32_t *CLINUX_NULLABLE groups);
long clinux_capget(uint64_t *CLINUX_NONNULL effective, uint64_t *CLINUX_NONNULL permitted, uint64_t *CLINUX_NONNULL inheritable);
long clinux_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);

// Limits and scheduling

struct clinux_sched_attr {
    uint32_t size;
    uint32_t sched_policy;
    uint64_t sched_flags;
    int32_t sched_nice;
    uint32_t sched_priority;
    uint64_t sched_runtime;
    uint64_t sched_deadline;
    uint64_t sched_period;
    uint32_t sched_util_min;
    uint32_t sched_util_max;
};

long clinux_prlimit(int pid, int resource, uint64_t soft, uint64_t hard);
long clinux_get_rlimit(int resource, uint64_t *CLINUX_NONNULL soft, uint64_t *CLINUX_NONNULL hard);
long clinux_sched_setattr(int pid, const struct clinux_sched_attr *CLINUX_NONNULL attr);
// `cpus` has one bit a CPU; `size` is in bytes.
long clinux_sched_setaffinity(int pid, const unsigned long *CLINUX_NONNULL cpus, size_t size);
long clinux_ioprio_set(int which, int who, int priority);
long clinux_set_mempolicy(int mode, const unsigned long *CLINUX_NULLABLE nodes, unsigned long maximum);

// Signals

long clinux_reset_signals(void);
long clinux_block_signals(int block);
long clinux_ignore_signal(int signal);
long clinux_signalfd(void);
long clinux_read_signalfd(int fd, int *CLINUX_NONNULL signal);
long clinux_eventfd(void);

// Keys, seccomp, BPF

long clinux_keyctl_join_session(const char *CLINUX_NULLABLE name);
long clinux_keyctl_describe(int key, char *CLINUX_NONNULL buffer, size_t size);
long clinux_keyctl_setperm(int key, uint32_t permissions);
// `filter` is an array of `struct sock_filter` (8 bytes each).
long clinux_seccomp_set_filter(const void *CLINUX_NONNULL filter, unsigned short count, unsigned flags);
long clinux_seccomp_get_notif_sizes(void);
long clinux_seccomp_action_available(uint32_t action);
// Always refused, because there is no filter: -EFAULT says that the kernel knows the flags.
long clinux_seccomp_probe_flags(unsigned flags);
// `instructions` is an array of `struct bpf_insn` (8 bytes each). `log` receives the verifier's words.
long clinux_bpf_load_device_program(const void *CLINUX_NONNULL instructions, uint32_t count, char *CLINUX_NULLABLE log, uint32_t log_size);
long clinux_bpf_attach_device(int cgroup_fd, int program_fd, uint32_t flags, int replace_fd);
long clinux_bpf_detach_device(int cgroup_fd, int program_fd);
long clinux_bpf_query_device(int cgroup_fd, uint32_t *CLINUX_NONNULL ids, uint32_t *CLINUX_NONNULL count);
long clinux_bpf_program_fd(uint32_t id);

// Sockets (sockets.c)

long clinux_socket_unix(int type);
long clinux_socketpair_seqpacket(int fds[CLINUX_NONNULL 2]);
long clinux_connect_unix(int fd, const char *CLINUX_NONNULL path);
long clinux_connect_abstract(int fd, const void *CLINUX_NONNULL name, size_t length);
long clinux_bind_unix(int fd, const char *CLINUX_NONNULL path);
long clinux_send_fds(int socket, const void *CLINUX_NONNULL data, size_t size, const int *CLINUX_NULLABLE fds, size_t count);
// `fd_count` holds the room on entry and the number received on return.
long clinux_receive_fds(int socket, void *CLINUX_NONNULL data, size_t size, int *CLINUX_NULLABLE fds, size_t *CLINUX_NONNULL fd_count);

// Terminals

long clinux_terminal_peer(int primary, int flags);
long clinux_terminal_unlock(int primary);
long clinux_terminal_number(int primary);
long clinux_terminal_set_size(int fd, uint16_t rows, uint16_t columns);
long clinux_terminal_get_size(int fd, uint16_t *CLINUX_NONNULL rows, uint16_t *CLINUX_NONNULL columns);
long clinux_terminal_make_controlling(int fd);
// Saves the present attributes in `saved` (at least CLINUX_TERMIOS_SIZE bytes) and sets raw mode.
long clinux_terminal_make_raw(int fd, void *CLINUX_NONNULL saved);
long clinux_terminal_restore(int fd, const void *CLINUX_NONNULL saved);
long clinux_terminal_no_onlcr(int fd);
// The character that ends input, or zero where none does: in raw mode it is a character like any other.
long clinux_terminal_end_of_file(int fd);
enum { CLINUX_TERMIOS_SIZE = 128 };

// Time and the machine

long clinux_clock_nanoseconds(int clock, int64_t *CLINUX_NONNULL seconds, int64_t *CLINUX_NONNULL nanoseconds);
long clinux_kernel_release(char *CLINUX_NONNULL buffer, size_t size);
// The program's environment and arguments as the kernel passed them.
const char *CLINUX_NULLABLE const *CLINUX_NONNULL clinux_environment(void);

#endif
