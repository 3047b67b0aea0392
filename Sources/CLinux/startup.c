// What three libraries do before main in a static program, and this one does without. Each function and variable here has
// the name of one in a library's object file: the linker finds it first, so that file, and its constructor, never get in.
// What a library wants to have been set up is set up when it is first needed.
// Measured, and how it breaks if a library changes (the link fails): docs/decisions/0018.

#include "CLinux.h"

#ifdef CLINUX_STATIC

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

// ---- libswiftCore, CommandLine.cpp: looks for the arguments in /proc/self/maps. The C library hands them to whoever asks.

static int argument_count;
static char **argument_list;

__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
    argument_count = argc;
    argument_list = argv;
}

char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
    *count = argument_count;
    return argument_list;
}

// ---- The C library's memory: a process of milliseconds gives none back, only to ask for it again. (A foreground run keeps
// what config.json took, as long as the container lives.)

__attribute__((constructor)) static void keep_memory(void) {
    enum { PADDING = 256 << 10, THRESHOLD = 32 << 20 };
    mallopt(M_TOP_PAD, PADDING);
    mallopt(M_TRIM_THRESHOLD, THRESHOLD);
    // Also for what is large: a document of a mebibyte is in several arrays, one after the other.
    mallopt(M_MMAP_THRESHOLD, THRESHOLD);
}

// ---- libswiftCore, Backtrace.cpp: looks for a helper program in ten places around this one, to start it after a crash.
// There is none beside a static program, and a crash inside a container must not start one of the container's.

// Its settings, of which the first says whether it is on; a fatal error of Swift asks. The real ones are smaller.
long _swift_backtraceSettings[32];

_Bool _swift_backtrace_isThunkFunction(const char *name) {
    (void)name;
    return 0;
}

// ---- libselinux, init.c: looks for the mount of selinuxfs in /proc/filesystems and /proc/mounts.

char *selinux_mnt;
int selinux_page_size;
int has_selinux_config;

void clinux_prepare_selinux(void) {
    static const char mount[] = "/sys/fs/selinux";
    enum { SELINUX_MAGIC = 0xf97cff8c, READ_ONLY = 1 };
    struct statfs facts;
    if (selinux_mnt != NULL || statfs(mount, &facts) != 0) return;
    if ((unsigned)facts.f_type != (unsigned)SELINUX_MAGIC || facts.f_flags & READ_ONLY) return;
    selinux_page_size = (int)sysconf(_SC_PAGESIZE);
    has_selinux_config = access("/etc/selinux/config", F_OK) == 0;
    selinux_mnt = strdup(mount);
}

#else

void clinux_prepare_selinux(void) {}

#endif
