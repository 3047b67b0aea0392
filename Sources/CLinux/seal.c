// The one piece of C that runs before main: a runtime that is about to make processes of a container starts itself
// again from a copy that nobody can write to (CVE-2019-5736), before anything else of the program runs, so that the
// first start costs next to nothing. The copy is a read-only overlay of two lower layers: it has no upper layer that a
// write could go to, and nobody can remount it. When anything fails it returns: Launch/SealedSelf.swift, which checks
// every start, then makes a copy in memory or says why it cannot.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAXIMUM_ENVIRONMENT = 4096, MAXIMUM_PATH = 4096 };

// A false alarm (a container called "run") costs one more start and nothing else.
static int makes_processes(char **argv) {
    static const char *const verbs[] = {"create", "run", "exec", "restore"};
    for (char **word = argv + 1; *word != NULL; word++) {
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
            if (strcmp(*word, verbs[i]) == 0) return 1;
        }
    }
    return 0;
}

// Layers are separated by colons; the second one is only there because an overlay without an upper layer needs two.
static int write_layers(char *layers, size_t size, const char *directory) {
    size_t used = 0;
    for (const char *at = directory; *at != '\0'; at++) {
        if (used + 8 >= size) return -1;
        if (*at == ':' || *at == '\\' || *at == ',') layers[used++] = '\\';
        layers[used++] = *at;
    }
    memcpy(layers + used, ":/dev", sizeof ":/dev");
    return 0;
}

static int open_sealed(void) {
    char path[MAXIMUM_PATH], layers[2 * MAXIMUM_PATH];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0) return -1;
    path[length] = '\0';
    char *name = strrchr(path, '/');
    if (name == NULL) return -1;
    *name++ = '\0';
    if (write_layers(layers, sizeof layers, *path == '\0' ? "/" : path) < 0) return -1;
    long context = clinux_fsopen("overlay", 1);
    if (context < 0) return -1;
    long sealed = clinux_fsconfig((int)context, 1, "lowerdir", layers, 0);
    if (sealed >= 0) sealed = clinux_fsconfig((int)context, 1, "xino", "off", 0);
    if (sealed >= 0) sealed = clinux_fsconfig((int)context, 6, NULL, NULL, 0);
    long mount = sealed < 0 ? sealed : clinux_fsmount((int)context, 1, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    if (mount >= 0) {
        sealed = clinux_openat((int)mount, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
        close((int)mount);
    } else {
        sealed = mount;
    }
    close((int)context);
    return (int)sealed;
}

static void start_sealed(int argc, char **argv, char **envp) {
    static char marker[48];
    static char *environment[MAXIMUM_ENVIRONMENT + 3];
    if (argc < 2 || !makes_processes(argv)) return;
    size_t count = 0;
    for (; envp[count] != NULL; count++) {
        if (strncmp(envp[count], CLINUX_SEAL_MARKER "=", sizeof CLINUX_SEAL_MARKER) == 0) return;
        if (count == MAXIMUM_ENVIRONMENT) return;
        environment[count] = envp[count];
    }
    int sealed = open_sealed();
    if (sealed < 0) return;
    struct clinux_file_facts facts;
    if (clinux_file_facts(sealed, "", AT_EMPTY_PATH, &facts) == 0) {
        snprintf(marker, sizeof marker, CLINUX_SEAL_MARKER "=%llu", (unsigned long long)facts.mount_id);
        environment[count++] = marker;
        // A crash of init must not look for a helper program in the container's root.
        environment[count++] = CLINUX_SEAL_NO_CRASH_HELPER;
        environment[count] = NULL;
        syscall(SYS_execveat, sealed, "", argv, environment, AT_EMPTY_PATH);
    }
    close(sealed);
}

__attribute__((section(".preinit_array"), used)) static void (*const start_sealed_first)(int, char **, char **) = start_sealed;
