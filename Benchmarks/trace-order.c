// Which instructions of a program are executed, in the order of their first execution: steps through the program and
// its children, one instruction at a time. Slow (minutes for one container); used by Benchmarks/link-order alone.
// Usage: trace-order FIRST LAST OUTPUT PROGRAM ARGUMENT...   (addresses in hexadecimal)

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 5) {
        fprintf(stderr, "usage: trace-order FIRST LAST OUTPUT PROGRAM ARGUMENT...\n");
        return 2;
    }
    unsigned long first = strtoul(argv[1], NULL, 16), last = strtoul(argv[2], NULL, 16);
    unsigned char *seen = calloc(last - first, 1);
    FILE *output = fopen(argv[3], "w");
    if (seen == NULL || output == NULL) {
        perror(argv[3]);
        return 1;
    }
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execv(argv[4], argv + 4);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, NULL,
           PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL);
    ptrace(PTRACE_SINGLESTEP, child, NULL, NULL);
    pid_t stopped;
    while ((stopped = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) continue;
        int received = WSTOPSIG(status);
        struct user_regs_struct registers;
        if (received == SIGTRAP && ptrace(PTRACE_GETREGS, stopped, NULL, &registers) == 0 && registers.rip >= first
            && registers.rip < last && !seen[registers.rip - first]) {
            seen[registers.rip - first] = 1;
            fprintf(output, "%llx\n", registers.rip);
        }
        int passed = received == SIGTRAP || received == SIGSTOP ? 0 : received;
        ptrace(PTRACE_SINGLESTEP, stopped, NULL, (void *)(long)passed);
    }
    return fclose(output) == 0 ? 0 : 1;
}
