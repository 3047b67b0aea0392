// Which functions of a program are executed, in the order of their first execution: a breakpoint at the entry of each, taken
// away when it is hit, in the program and in its children. At each of these stops also which variables are no longer what
// they were at the start. Used by Benchmarks/link-order alone. x86-64.
// Usage: trace-order FUNCTIONS VARIABLES OUTPUT PROGRAM ARGUMENT...
// FUNCTIONS: a file of entries in hexadecimal, ascending; VARIABLES: of addresses and sizes, ascending.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BREAKPOINT = 0xCC };

static unsigned long *entries, first, size;
static size_t count;
static unsigned char *text, *trapped, *seen;

static struct variable { unsigned long address, size; int is_set; } *variables;
static size_t variable_count, variables_size;
static unsigned char *values, *first_values;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void read_entries(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) die(path);
    unsigned long address;
    while (fscanf(file, "%lx", &address) == 1) {
        if (count % 4096 == 0) entries = realloc(entries, (count + 4096) * sizeof *entries);
        entries[count++] = address;
    }
    fclose(file);
    if (count == 0) die("no addresses");
    first = entries[0];
    size = entries[count - 1] + 1 - first;
}

static void read_variables(const char *path) {
    FILE *file = fopen(path, "r");
    if (file == NULL) die(path);
    struct variable one = {0, 0, 0};
    while (fscanf(file, "%lx %lx", &one.address, &one.size) == 2) {
        if (variable_count % 4096 == 0) variables = realloc(variables, (variable_count + 4096) * sizeof *variables);
        variables[variable_count++] = one;
    }
    fclose(file);
    if (variable_count == 0) die("no variables");
    variables_size = variables[variable_count - 1].address + variables[variable_count - 1].size - variables[0].address;
    values = malloc(variables_size);
    first_values = malloc(variables_size);
    if (values == NULL || first_values == NULL) die("memory");
}

static int read_values(int memory, unsigned char *into) {
    return pread(memory, into, variables_size, (off_t)variables[0].address) == (ssize_t)variables_size;
}

/// Notes the variables that the program has set since the last time.
static void look_at_variables(int memory, FILE *output) {
    unsigned long base = variables[0].address;
    if (!read_values(memory, values)) return;
    for (struct variable *one = variables; one < variables + variable_count; one++) {
        for (size_t i = 0; i < one->size && !one->is_set; i++) {
            if (values[one->address - base + i] == first_values[one->address - base + i]) continue;
            one->is_set = 1;
            fprintf(output, "%lx\n", one->address);
        }
    }
}

static int memory_of(pid_t process) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", process);
    return open(path, O_RDWR | O_CLOEXEC);
}

/// Sets all breakpoints, if it is the program without them and not something that a container runs. To be called after an
/// execve, and once more when the C library starts: before, the program maps itself anew (CLinux/seal.c).
static void plant(pid_t process) {
    int memory = memory_of(process);
    unsigned char *present = malloc(size);
    if (memory < 0 || present == NULL) die("memory");
    if (pread(memory, present, size, (off_t)first) == (ssize_t)size) {
        if (text == NULL) {
            text = present;
            present = NULL;
            trapped = malloc(size);
            seen = calloc(size, 1);
            memcpy(trapped, text, size);
            if (!read_values(memory, first_values)) die("values");
            for (size_t i = 0; i < count; i++) trapped[entries[i] - first] = BREAKPOINT;
        }
        if (present == NULL || memcmp(present, text, size) == 0) {
            if (pwrite(memory, trapped, size, (off_t)first) != (ssize_t)size) die("breakpoints");
        }
    }
    free(present);
    close(memory);
}

/// Whether the process is at one of the C library's first calls.
static int starts_library(pid_t process) {
    struct user_regs_struct registers;
    return ptrace(PTRACE_GETREGS, process, NULL, &registers) == 0 && registers.orig_rax == SYS_set_tid_address;
}

/// Whether the process stands behind a breakpoint; then it goes on without it.
static int take_away(pid_t process, FILE *output) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, process, NULL, &registers) != 0) return 0;
    unsigned long place = registers.rip - 1 - first;
    if (place >= size || trapped[place] != BREAKPOINT || text[place] == BREAKPOINT) return 0;
    int memory = memory_of(process);
    if (memory < 0 || pwrite(memory, &text[place], 1, (off_t)(first + place)) != 1) die("breakpoint");
    look_at_variables(memory, output);
    close(memory);
    registers.rip--;
    ptrace(PTRACE_SETREGS, process, NULL, &registers);
    if (!seen[place]) fprintf(output, "%lx\n", first + place);
    seen[place] = 1;
    return 1;
}

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: trace-order FUNCTIONS VARIABLES OUTPUT PROGRAM ARGUMENT...\n");
        return 2;
    }
    read_entries(argv[1]);
    read_variables(argv[2]);
    FILE *output = fopen(argv[3], "w");
    if (output == NULL) die(argv[3]);
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execv(argv[4], argv + 4);
        _exit(127);
    }
    int status, result = 1;
    pid_t starting = 0;  // whose C library has not started yet
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, NULL,
           PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL
               | PTRACE_O_TRACESYSGOOD);
    ptrace(PTRACE_CONT, child, NULL, NULL);
    pid_t stopped;
    while ((stopped = waitpid(-1, &status, __WALL)) > 0) {
        if (WIFEXITED(status) && stopped == child) {
            // What it leaves behind, such as a container that waits for its start, ends with this process.
            result = WEXITSTATUS(status);
            break;
        }
        if (!WIFSTOPPED(status)) continue;
        int signal = WSTOPSIG(status);
        int is_call = signal == (SIGTRAP | 0x80);
        if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
            plant(stopped);
            starting = stopped;
        } else if (is_call && starts_library(stopped)) {
            plant(stopped);
            starting = 0;
        }
        int is_ours = is_call || status >> 16 != 0 || signal == SIGSTOP
            || (signal == SIGTRAP && take_away(stopped, output));
        enum __ptrace_request how = stopped == starting ? PTRACE_SYSCALL : PTRACE_CONT;
        ptrace(how, stopped, NULL, (void *)(long)(is_ours ? 0 : signal));
    }
    return fclose(output) == 0 ? result : 1;
}
