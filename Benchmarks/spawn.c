// Runs a plan of commands N times and prints what each one cost.
//
//     spawn ROUNDS < plan
//
// The plan is read from standard input, one step a line, words separated by tabs:
//     LABEL  /absolute/command  argument...     run it; it must exit with 0
//     @idle  MILLISECONDS                       sleep, so that the next command starts from a quiet machine
//     @reap                                     wait until every process the commands left behind has ended
// Each command prints one line: LABEL, wall nanoseconds from vfork to wait, peak RSS in KiB, page faults that needed no
// disk, and instructions of user space (`-` where the machine cannot count them), separated by tabs. Processes that the
// command waited for are counted with it; instructions also of those that it left behind, as far as they have ended.
// The first failure ends the run with the command's standard error on ours and exit status 1.
//
// It is static and small on purpose: a child's ru_maxrss starts at the peak of the process that spawned it.
// It is a child subreaper, as an engine's monitor is: a container's init becomes its child, and `@reap` can see it end.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_STEPS = 2048, MAX_WORDS = 64, MAX_PLAN = 1024 * 1024, TIME_LIMIT_SECONDS = 30 };

struct step {
    char *words[MAX_WORDS + 1];
};

static struct step steps[MAX_STEPS];
static size_t step_count;
static char plan[MAX_PLAN];
static int null_fd, error_fd;
static volatile sig_atomic_t running, timed_out;
extern char **environ;

static void die(const char *label, const char *what) {
    fprintf(stderr, "spawn: %s: %s\n", label, what);
    exit(1);
}

static void time_is_up(int signal) {
    (void)signal;
    timed_out = 1;
    if (running > 0) kill(running, SIGKILL);
}

static void read_plan(void) {
    size_t length = fread(plan, 1, sizeof plan - 1, stdin);
    if (!feof(stdin)) die("plan", "longer than the buffer, or unreadable");
    plan[length] = '\0';
    char *line_end, *word_end;
    for (char *line = strtok_r(plan, "\n", &line_end); line; line = strtok_r(NULL, "\n", &line_end)) {
        if (step_count == MAX_STEPS) die("plan", "too many steps");
        size_t count = 0;
        for (char *word = strtok_r(line, "\t", &word_end); word; word = strtok_r(NULL, "\t", &word_end)) {
            if (count == MAX_WORDS) die(line, "too many words");
            steps[step_count].words[count++] = word;
        }
        if (count == 1 && strcmp(line, "@reap") != 0) die(line, "a step needs a command");
        step_count++;
    }
}

/// Ends the run with the exit status and what the command wrote to its standard error.
static void fail(const struct step *step, int status) {
    fprintf(stderr, "spawn: %s:", step->words[0]);
    for (char *const *word = step->words + 1; *word; word++) fprintf(stderr, " %s", *word);
    if (timed_out) fprintf(stderr, ": not finished after %d s\n", TIME_LIMIT_SECONDS);
    else if (WIFSIGNALED(status)) fprintf(stderr, ": ended by signal %d\n", WTERMSIG(status));
    else fprintf(stderr, ": exit status %d\n", WEXITSTATUS(status));
    char text[4096];
    ssize_t length;
    for (off_t offset = 0; (length = pread(error_fd, text, sizeof text, offset)) > 0; offset += length)
        fwrite(text, 1, (size_t)length, stderr);
    exit(1);
}

static long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/// A counter that starts with the next execution in a child of ours, and goes on in its children; -1 without hardware.
static int count_instructions(void) {
    struct perf_event_attr event = {.type = PERF_TYPE_HARDWARE, .size = sizeof event, .config = PERF_COUNT_HW_INSTRUCTIONS,
                                    .disabled = 1, .inherit = 1, .enable_on_exec = 1, .exclude_kernel = 1, .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void run(const struct step *step) {
    if (ftruncate(error_fd, 0) != 0 || lseek(error_fd, 0, SEEK_SET) != 0) die("memfd", strerror(errno));
    int status = 0;
    struct rusage usage;
    int counter = count_instructions();
    alarm(TIME_LIMIT_SECONDS);
    long long start = now();
    pid_t pid = vfork();
    if (pid < 0) die("vfork", strerror(errno));
    if (pid == 0) {
        if (dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0 || dup2(error_fd, 2) < 0) _exit(126);
        execve(step->words[1], step->words + 1, environ);
        _exit(127);
    }
    running = pid;
    while (wait4(pid, &status, 0, &usage) < 0)
        if (errno != EINTR) die("wait4", strerror(errno));
    long long end = now();
    running = 0;
    alarm(0);
    if (timed_out || status != 0) fail(step, status);
    printf("%s\t%lld\t%ld\t%ld\t", step->words[0], end - start, usage.ru_maxrss, usage.ru_minflt);
    long long instructions;
    if (counter >= 0 && read(counter, &instructions, sizeof instructions) == sizeof instructions) printf("%lld\n", instructions);
    else printf("-\n");
    if (counter >= 0) close(counter);
}

static void reap(void) {
    alarm(TIME_LIMIT_SECONDS);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        if (timed_out) die("@reap", "a process that the commands left behind did not end");
    alarm(0);
}

static void idle(const char *milliseconds) {
    long amount = strtol(milliseconds, NULL, 10);
    struct timespec time = {amount / 1000, amount % 1000 * 1000000};
    nanosleep(&time, NULL);
}

int main(int argc, char **argv) {
    long rounds = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
    if (rounds < 1) die("usage", "spawn ROUNDS < plan");
    read_plan();
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    error_fd = memfd_create("stderr", MFD_CLOEXEC);
    if (null_fd < 0 || error_fd < 0) die("open", strerror(errno));
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) die("prctl", strerror(errno));
    struct sigaction action = {.sa_handler = time_is_up};
    if (sigaction(SIGALRM, &action, NULL) != 0) die("sigaction", strerror(errno));

    for (long round = 0; round < rounds; round++) {
        for (size_t i = 0; i < step_count; i++) {
            const char *label = steps[i].words[0];
            if (strcmp(label, "@idle") == 0) idle(steps[i].words[1]);
            else if (strcmp(label, "@reap") == 0) reap();
            else run(&steps[i]);
        }
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
