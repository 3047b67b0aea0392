// Where the static program begins, before the C library does: a runtime that is about to make processes of a container
// starts itself again through a mount of its own file that nobody can write to (CVE-2019-5736): read-only, and in no mount
// namespace any more, so that the kernel lets nobody change it, copy it or mount it elsewhere. When anything fails the
// program simply goes on: Launch/SealedSelf.swift, which checks every start, then makes a copy in memory or says why it
// cannot.
//
// Here nothing of the C library works yet (no thread pointer, no errno, no memcpy), so that the first start pays for
// nothing but itself: no relocations, no 50 traps of cpuid. Builds whose entry point is not `clinux_start` use the copy
// in memory.

#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <stddef.h>
#include <sys/syscall.h>

// No builtin: the compiler would call memcpy, strlen and the like. No stack protector: it needs the thread pointer.
#define EARLY __attribute__((no_builtin, no_stack_protector)) static

enum { MAXIMUM_PATH = 4096 };

#if defined(__x86_64__)
__asm__(".section .text.clinux_start,\"ax\"\n.globl clinux_start\n.type clinux_start, @function\nclinux_start:\n"
        "xor %ebp, %ebp\nmov %rsp, %rdi\nmov %rsp, %rbx\nand $-16, %rsp\ncall clinux_start_sealed\n"
        "mov %rbx, %rsp\nxor %edx, %edx\njmp _start\n.size clinux_start, . - clinux_start\n.text\n");

EARLY long call(long number, long a, long b, long c, long d, long e) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
__asm__(".section .text.clinux_start,\"ax\"\n.globl clinux_start\n.type clinux_start, %function\nclinux_start:\n"
        "mov x29, #0\nmov x0, sp\nbl clinux_start_sealed\n"
        "mov x0, #0\nb _start\n.size clinux_start, . - clinux_start\n.text\n");

EARLY long call(long number, long a, long b, long c, long d, long e) {
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                  x3 __asm__("x3") = d, x4 __asm__("x4") = e;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
    return x0;
}
#else
#error "the entry point is not written for this architecture"
#endif

EARLY int equal(const char *a, const char *b) {
    while (*a != '\0' && *a == *b) a++, b++;
    return *a == *b;
}

EARLY int begins(const char *text, const char *start) {
    while (*start != '\0' && *text == *start) text++, start++;
    return *start == '\0';
}

// A false alarm (a container called "run") costs one more start and nothing else.
EARLY int makes_processes(char **argv) {
    for (char **word = argv + 1; *word != NULL; word++) {
        if (equal(*word, "create") || equal(*word, "run") || equal(*word, "exec") || equal(*word, "restore")) return 1;
    }
    return 0;
}

// For traces only: when the first start began, when it started the second, and when that began. Nanoseconds since 1970, on
// the clock of Diagnostics/Trace.swift; 0 is a start that was not, or a command that is not traced.
static long long start_times[3];

long long clinux_start_time(int which) { return which < 0 || which > 2 ? 0 : start_times[which]; }

EARLY long long wall_clock(void) {
    struct { long long seconds, nanoseconds; } time;
    // CLOCK_REALTIME. Nothing can be called in the vdso yet.
    return call(SYS_clock_gettime, 0, (long)&time, 0, 0, 0) == 0 ? time.seconds * 1000000000LL + time.nanoseconds : 0;
}

EARLY int is_traced(char **argv, char **envp) {
    for (char **word = argv + 1; *word != NULL; word++) {
        if (equal(*word, "--trace") || begins(*word, "--trace=")) return 1;
    }
    for (char **variable = envp; *variable != NULL; variable++) {
        if (begins(*variable, "APUS_TRACE=")) return 1;
    }
    return 0;
}

// The program's own file, open through a mount that ends with the last process that executes it; or negative.
//
// The mount is of the directory: whoever finds the file through /proc/PID/exe must not hold the root of a mount, which is
// what calls about whole file systems ask for.
EARLY long open_sealed(void) {
    char path[MAXIMUM_PATH];
    long length = call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)path, sizeof path - 1, 0);
    if (length <= 0 || length >= (long)sizeof path - 1) return -1;
    path[length] = '\0';
    long slash = length - 1;
    while (slash >= 0 && path[slash] != '/') slash--;
    if (slash < 0) return -1;
    path[slash] = '\0';
    const char *directory = slash == 0 ? "/" : path;
    long mount = call(SYS_open_tree, AT_FDCWD, (long)directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0, 0);
    if (mount < 0) return mount;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    long sealed = call(SYS_mount_setattr, mount, (long)"", AT_EMPTY_PATH, (long)&attributes, sizeof attributes);
    if (sealed >= 0) {
        sealed = call(SYS_openat, mount, (long)(path + slash + 1), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0, 0);
    }
    // Until here whoever holds it could make it writable. The kernel now takes it out of its namespace of one.
    call(SYS_close, mount, 0, 0, 0, 0);
    return sealed;
}

// Whether the descriptor is of the file that this process executes. The path may lead to another one: where a file is
// mounted over it, or in another root than the one that the program was started from.
EARLY int is_own(const struct statx *found) {
    struct statx own;
    if (call(SYS_statx, AT_FDCWD, (long)"/proc/self/exe", 0, STATX_INO, (long)&own) != 0) return 0;
    return own.stx_ino == found->stx_ino && own.stx_dev_major == found->stx_dev_major
        && own.stx_dev_minor == found->stx_dev_minor;
}

EARLY char *write_number(char *text, unsigned long long number) {
    char digits[20];
    size_t count = 0;
    do digits[count++] = (char)('0' + number % 10); while ((number /= 10) != 0);
    while (count > 0) *text++ = digits[--count];
    *text = '\0';
    return text;
}

EARLY char *write_text(char *text, const char *other) {
    while (*other != '\0') *text++ = *other++;
    return text;
}

// "NAME=" and the number, which is how the second start recognises the mount that it runs from.
EARLY void write_marker(char *marker, unsigned long long number) {
    write_number(write_text(marker, CLINUX_SEAL_MARKER "="), number);
}

// What the first start hands over to the second, and how that reads it: "NAME=begin,end".
EARLY void write_times(char *variable) {
    char *end = write_number(write_text(variable, CLINUX_SEAL_TIMES "="), (unsigned long long)start_times[0]);
    write_number(write_text(end, ","), (unsigned long long)wall_clock());
}

EARLY void read_times(const char *text) {
    start_times[2] = start_times[0];
    for (int i = 0; i < 2; i++) {
        start_times[i] = 0;
        for (; *text >= '0' && *text <= '9'; text++) {
            start_times[i] = (long long)((unsigned long long)start_times[i] * 10 + (unsigned long long)(*text - '0'));
        }
        if (*text == ',') text++;
    }
}

/// `stack` is what the kernel left: argc, the arguments, NULL, the environment, NULL. Returns unless it starts again.
__attribute__((no_builtin, no_stack_protector, used)) void clinux_start_sealed(long *stack) {
    long argc = *stack;
    char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
    if (argc < 2) return;
    if (is_traced(argv, envp)) start_times[0] = wall_clock();
    if (!makes_processes(argv)) return;
    size_t count = 0;
    const char *times_of_first = NULL;
    int is_second = 0;
    for (; envp[count] != NULL; count++) {
        if (begins(envp[count], CLINUX_SEAL_MARKER "=")) is_second = 1;
        if (begins(envp[count], CLINUX_SEAL_TIMES "=")) times_of_first = envp[count] + sizeof CLINUX_SEAL_TIMES;
    }
    if (is_second) {
        if (times_of_first != NULL && start_times[0] != 0) read_times(times_of_first);
        return;
    }
    long sealed = open_sealed();
    if (sealed < 0) return;
    struct statx facts;
    if (call(SYS_statx, sealed, (long)"", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, (long)&facts) == 0 && is_own(&facts)) {
        char marker[sizeof CLINUX_SEAL_MARKER + 24];
        char times[sizeof CLINUX_SEAL_TIMES + 2 * 24];
        char *environment[count + 3];
        write_marker(marker, facts.stx_mnt_id);
        for (size_t i = 0; i < count; i++) environment[i] = envp[i];
        environment[count] = marker;
        environment[count + 1] = environment[count + 2] = NULL;
        if (start_times[0] != 0) {
            write_times(times);
            environment[count + 1] = times;
        }
        call(SYS_execveat, sealed, (long)"", (long)argv, (long)environment, AT_EMPTY_PATH);
    }
    call(SYS_close, sealed, 0, 0, 0, 0);
}
