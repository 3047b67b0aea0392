// Starts a program on a kernel that seems not to have certain system calls: DenyCalls openat2,clone3 PROGRAM [ARG...].
// A seccomp filter answers ENOSYS for each; the program and all its children live under it. For tests of fallbacks.

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned number;
} calls[] = {
    {"clone3", SYS_clone3},
    {"close_range", SYS_close_range},
    {"execveat", SYS_execveat},
    {"faccessat2", SYS_faccessat2},
    {"fsopen", SYS_fsopen},
    {"keyctl", SYS_keyctl},
    {"memfd_create", SYS_memfd_create},
    {"mount_setattr", SYS_mount_setattr},
    {"move_mount", SYS_move_mount},
    {"open_tree", SYS_open_tree},
    {"openat2", SYS_openat2},
    {"pidfd_open", SYS_pidfd_open},
    {"pidfd_send_signal", SYS_pidfd_send_signal},
    {"statx", SYS_statx},
};

static unsigned number_of(const char *name) {
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].number;
    fprintf(stderr, "DenyCalls: unknown call %s\n", name);
    _exit(125);
}

int main(int argc, char **argv) {
    struct sock_filter filter[64] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    unsigned short length = 1;
    if (argc < 3)
        return 125;
    for (char *name = strtok(argv[1], ","); name && length < 60; name = strtok(NULL, ",")) {
        filter[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number_of(name), 0, 1);
        filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    }
    filter[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {length, filter};
    // Without no_new_privs, which would change what is tested; so it needs CAP_SYS_ADMIN.
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        perror("DenyCalls: prctl");
        return 125;
    }
    execv(argv[2], argv + 2);
    perror(argv[2]);
    return 125;
}
