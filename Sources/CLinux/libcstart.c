// The C library's start, without its questions to the processor. glibc asks `cpuid` 43 times at the start of a program, for
// what its fastest memcpy wants to know; in a virtual machine the host answers each in 1 to 6 us, a third of the time of a
// short command. It also gets ready to load libraries, which a static program does not do, and to be tuned from outside.
//
// As in startup.c, what is defined here has the name of something in a library's object file (libc-start.o), which the
// linker then leaves out. What is called are the insides of the versions of glibc that the Makefile looks for; with any
// other the program starts as every program does. Measured, and how it breaks: docs/decisions/0023.

#define _GNU_SOURCE
#include "CLinux.h"

#ifdef CLINUX_GLIBC_START

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// No builtin and no stack protector, until memcpy can be called and the canary is set.
#define EARLY __attribute__((no_builtin, no_stack_protector))

// ---- What the string functions of libc-start.o would have been told. Without a known processor they are those that every
// x86-64 has; these sizes, in bytes, are what the C library takes where it cannot find out.

long __x86_data_cache_size = 32 << 10, __x86_data_cache_size_half = 16 << 10;
long __x86_shared_cache_size = 1 << 20, __x86_shared_cache_size_half = 1 << 19;
long __x86_shared_non_temporal_threshold = 3 << 18;
long __x86_rep_movsb_threshold = 2048, __x86_rep_stosb_threshold = 2048, __x86_rep_movsb_stop_threshold = 3 << 18;
int __x86_string_control;
// Since 2.40 and 2.41; an older one has no use for them.
long __x86_memset_non_temporal_threshold = 3 << 18;
unsigned long _dl_x86_features_tlsdesc_state_size;

// ---- The insides.

extern void _dl_aux_init(ElfW(auxv_t) *vector);
extern void __libc_setup_tls(void);
extern void __libc_early_init(_Bool initial);
extern void __init_misc(int argc, char **argv, char **envp);
extern void __libc_check_standard_fds(void);
extern void *__libc_stack_end, *_dl_random;
extern int __libc_enable_secure;

// ---- From the linker.

extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));
extern const ElfW(Rela) __rela_iplt_start[] __attribute__((weak, visibility("hidden")));
extern const ElfW(Rela) __rela_iplt_end[] __attribute__((weak, visibility("hidden")));
typedef void initializer(int, char **, char **);
extern initializer *__preinit_array_start[] __attribute__((visibility("hidden")));
extern initializer *__preinit_array_end[] __attribute__((visibility("hidden")));
extern initializer *__init_array_start[] __attribute__((visibility("hidden")));
extern initializer *__init_array_end[] __attribute__((visibility("hidden")));
typedef void finalizer(void);
extern finalizer *__fini_array_start[] __attribute__((visibility("hidden")));
extern finalizer *__fini_array_end[] __attribute__((visibility("hidden")));
extern void _init(void), _fini(void);

static void finish(void) {
    for (finalizer **each = __fini_array_end; each != __fini_array_start;) (*--each)();
    _fini();
}

// The functions that are chosen when the program starts, such as memcpy.
EARLY static void choose_functions(void) {
    for (const ElfW(Rela) *each = __rela_iplt_start; each < __rela_iplt_end; each++) {
        ElfW(Addr) (*choose)(void) = (ElfW(Addr) (*)(void))each->r_addend;
        *(ElfW(Addr) *)each->r_offset = choose();
    }
}

// Sixteen random bytes from the kernel: the canary of the stack, without the byte that ends a string, and what saved code
// addresses are mixed with. They stand where the compiler and setjmp look for them.
EARLY static void set_guards(void) {
    const unsigned long *random = _dl_random;
    __asm__ volatile("mov %0, %%fs:0x28\n\tmov %1, %%fs:0x30" : : "r"(random[0] & ~0xffUL), "r"(random[1]) : "memory");
}

// What is written only by the linker and above is read-only from now on.
static void protect_constants(void) {
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
    unsigned long page = (unsigned long)getpagesize();
    for (int i = 0; i < __ehdr_start.e_phnum; i++) {
        unsigned long begin = segments[i].p_vaddr / page * page;
        unsigned long end = (segments[i].p_vaddr + segments[i].p_memsz) / page * page;
        if (segments[i].p_type != PT_GNU_RELRO || begin >= end) continue;
        if (mprotect((void *)begin, end - begin, PROT_READ) != 0) abort();
    }
}

static void run_initializers(int argc, char **argv, char **envp) {
    for (initializer **each = __preinit_array_start; each < __preinit_array_end; each++) (*each)(argc, argv, envp);
    _init();
    for (initializer **each = __init_array_start; each < __init_array_end; each++) (*each)(argc, argv, envp);
}

/// What `_start` calls, with the arguments that it passes.
EARLY _Noreturn int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
                                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end) {
    (void)init, (void)fini, (void)rtld_fini;  // of dynamic and of older programs
    char **envp = argv + argc + 1, **last = envp;
    environ = envp;
    __libc_stack_end = stack_end;
    while (*last != NULL) last++;
    _dl_aux_init((ElfW(auxv_t) *)(last + 1));
    choose_functions();
    __libc_setup_tls();
    set_guards();
    __libc_early_init(1);
    __init_misc(argc, argv, envp);
    protect_constants();
    atexit(finish);
    if (__libc_enable_secure) __libc_check_standard_fds();
    run_initializers(argc, argv, envp);
    exit(main(argc, argv, envp));
}

#endif
