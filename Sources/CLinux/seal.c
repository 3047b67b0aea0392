// Where the static program begins, before the C library does: a runtime that is about to make processes of a container
// moves onto a mount of its own file that nobody can write to (CVE-2019-5736): read-only, and in no mount namespace any
// more, so that the kernel lets nobody change it, copy it or mount it elsewhere. Its pages are mapped from there anew and
// /proc/PID/exe leads there, as if it had been started there, without the 0.2 ms of a second start. When anything fails the
// program simply goes on: Launch/SealedSelf.swift, which checks every start, then makes a copy in memory or says why it
// cannot.
//
// Here nothing of the C library works yet (no thread pointer, no errno, no memcpy), and no variable has been set: what the
// file says of them is still true. Builds whose entry point is not `clinux_start` use the copy in memory.

#define _GNU_SOURCE
#include "CLinux.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/stat.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>

// No builtin: the compiler would call memcpy, strlen and the like. No stack protector: it needs the thread pointer.
#define EARLY __attribute__((no_builtin, no_stack_protector)) static

enum { MAXIMUM_PATH = 4096 };

#if defined(__x86_64__)
__asm__(".section .text.clinux_start,\"ax\"\n.globl clinux_start\n.type clinux_start, @function\nclinux_start:\n"
        "xor %ebp, %ebp\nmov %rsp, %rdi\nmov %rsp, %rbx\nand $-16, %rsp\ncall clinux_start_sealed\n"
        "mov %rbx, %rsp\nxor %edx, %edx\njmp _start\n.size clinux_start, . - clinux_start\n.text\n");

EARLY long call(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
__asm__(".section .text.clinux_start,\"ax\"\n.globl clinux_start\n.type clinux_start, %function\nclinux_start:\n"
        "mov x29, #0\nmov x0, sp\nbl clinux_start_sealed\n"
        "mov x0, #0\nb _start\n.size clinux_start, . - clinux_start\n.text\n");

EARLY long call(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                  x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
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

EARLY size_t length(const char *text) {
    size_t count = 0;
    while (text[count] != '\0') count++;
    return count;
}

// A false alarm (a container called "run") costs a tenth of a millisecond and nothing else.
EARLY int makes_processes(char **argv) {
    for (char **word = argv + 1; *word != NULL; word++) {
        if (equal(*word, "create") || equal(*word, "run") || equal(*word, "exec") || equal(*word, "restore")) return 1;
    }
    return 0;
}

// Set when this process runs sealed. Nothing outside can set it, and an execve takes it away.
static int is_sealed;

int clinux_is_sealed(void) { return is_sealed; }

// For traces only: when the process began and when it was sealed. Nanoseconds since 1970, on the clock of
// Diagnostics/Trace.swift; 0 where there was no such moment, or the command is not traced.
static long long start_times[2];

long long clinux_start_time(int which) { return which < 0 || which > 1 ? 0 : start_times[which]; }

EARLY long long wall_clock(void) {
    struct { long long seconds, nanoseconds; } time;
    // CLOCK_REALTIME. Nothing can be called in the vdso yet.
    return call(SYS_clock_gettime, 0, (long)&time, 0, 0, 0, 0) == 0 ? time.seconds * 1000000000LL + time.nanoseconds : 0;
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
    long size = call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)path, sizeof path - 1, 0, 0);
    if (size <= 0 || size >= (long)sizeof path - 1) return -1;
    path[size] = '\0';
    long slash = size - 1;
    while (slash >= 0 && path[slash] != '/') slash--;
    if (slash < 0) return -1;
    path[slash] = '\0';
    const char *directory = slash == 0 ? "/" : path;
    long mount = call(SYS_open_tree, AT_FDCWD, (long)directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0, 0, 0);
    if (mount < 0) return mount;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    long sealed = call(SYS_mount_setattr, mount, (long)"", AT_EMPTY_PATH, (long)&attributes, sizeof attributes, 0);
    if (sealed >= 0) {
        sealed = call(SYS_openat, mount, (long)(path + slash + 1), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0, 0, 0);
    }
    // Until here whoever holds it could make it writable. The kernel now takes it out of its namespace of one.
    call(SYS_close, mount, 0, 0, 0, 0, 0);
    return sealed;
}

// Whether the descriptor is of the file that this process executes. The path may lead to another one: where a file is
// mounted over it, or in another root than the one that the program was started from.
EARLY int is_own(long file) {
    struct statx found, own;
    if (call(SYS_statx, file, (long)"", AT_EMPTY_PATH, STATX_INO, (long)&found, 0) != 0) return 0;
    if (call(SYS_statx, AT_FDCWD, (long)"/proc/self/exe", 0, STATX_INO, (long)&own, 0) != 0) return 0;
    return own.stx_ino == found.stx_ino && own.stx_dev_major == found.stx_dev_major
        && own.stx_dev_minor == found.stx_dev_minor;
}

EARLY unsigned long page_size(char **envp) {
    while (*envp != NULL) envp++;
    for (const ElfW(auxv_t) *entry = (const ElfW(auxv_t) *)(envp + 1); entry->a_type != AT_NULL; entry++) {
        if (entry->a_type == AT_PAGESZ) return entry->a_un.a_val;
    }
    return 4096;
}

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));  // from the linker

// The end is that of a page.
EARLY void clear(unsigned long begin, unsigned long end) {
    for (; begin < end && begin % sizeof(long) != 0; begin++) *(char *)begin = 0;
    for (; begin < end; begin += sizeof(long)) *(long *)begin = 0;
}

// Maps every segment of the program from `file`, in the place of the same pages that the kernel mapped, and notes where
// they lie as the kernel would.
EARLY int map_anew(long file, unsigned long page, struct prctl_mm_map *map) {
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    unsigned long bias = 0;
    map->start_code = ~0UL;
    for (int i = 0; i < __ehdr_start.e_phnum; i++) {
        const ElfW(Phdr) *segment = segments + i;
        if (segment->p_type != PT_LOAD || segment->p_filesz == 0) continue;
        if (segment->p_offset == 0) bias = (unsigned long)&__ehdr_start - segment->p_vaddr;
        unsigned long begin = bias + segment->p_vaddr, end = begin + segment->p_filesz, before = begin % page;
        long protection = (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0)
            | (segment->p_flags & PF_X ? PROT_EXEC : 0);
        long place = call(SYS_mmap, (long)(begin - before), (long)(end - begin + before), protection,
                          MAP_PRIVATE | MAP_FIXED, file, (long)(segment->p_offset - before));
        if (place != (long)(begin - before)) return 0;
        // What follows in the file is not what follows in memory: variables that begin as zero.
        if (segment->p_memsz > segment->p_filesz) clear(end, (end + page - 1) / page * page);
        if (segment->p_flags & PF_X) {
            if (begin < map->start_code) map->start_code = begin;
            if (end > map->end_code) map->end_code = end;
        }
        if (begin > map->start_data) map->start_data = begin;
        if (end > map->end_data) map->end_data = end;
    }
    return 1;
}

// Makes `file` what /proc/PID/exe leads to. The kernel refuses while anything is mapped from the file that it was.
//
// PR_SET_MM_MAP asks for CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, and for all the places of the process beside the file.
EARLY int execute_from(long file, struct prctl_mm_map *map, long *stack, char **argv, char **envp) {
    char **last = envp;
    while (*last != NULL) last++;
    char *end = last[-1];  // the last variable; without any this is the NULL behind the arguments
    if (end == NULL) end = last[-2];
    map->start_brk = map->brk = (unsigned long)call(SYS_brk, 0, 0, 0, 0, 0, 0);
    map->start_stack = (unsigned long)stack;
    map->arg_start = (unsigned long)argv[0];
    map->env_end = (unsigned long)(end + length(end) + 1);
    map->arg_end = map->env_start = envp[0] == NULL ? map->env_end : (unsigned long)envp[0];
    map->exe_fd = (unsigned)file;
    return call(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, (long)map, sizeof *map, 0, 0) == 0;
}

/// `stack` is what the kernel left: argc, the arguments, NULL, the environment, NULL.
__attribute__((no_builtin, no_stack_protector, used)) void clinux_start_sealed(long *stack) {
    long argc = *stack;
    char **argv = (char **)(stack + 1), **envp = argv + argc + 1;
    if (argc < 2) return;
    long long begin = is_traced(argv, envp) ? wall_clock() : 0;
    int done = 0;
    long sealed = makes_processes(argv) ? open_sealed() : -1;
    if (sealed >= 0) {
        struct prctl_mm_map map = {0};
        done = is_own(sealed) && map_anew(sealed, page_size(envp), &map)
            && execute_from(sealed, &map, stack, argv, envp);
        call(SYS_close, sealed, 0, 0, 0, 0, 0);
    }
    // Only now: what was set before is gone with the old pages.
    is_sealed = done;
    start_times[0] = begin;
    start_times[1] = done && begin != 0 ? wall_clock() : 0;
}
