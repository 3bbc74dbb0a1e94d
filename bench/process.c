/* process.c -- see process.h. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_NO_EXEC = 127 };

uint64_t process_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void process_sleep_until(uint64_t moment_us)
{
    const struct timespec moment = {.tv_sec = (time_t)(moment_us / 1000000),
                                    .tv_nsec = (long)(moment_us % 1000000) * 1000};
    int result = EINTR;
    while (result == EINTR) {
        result = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL);
    }
}

/* ---- Start ------------------------------------------------------------------------------------- */

/* In the child; only async-signal-safe functions. */
static _Noreturn void become(const char *const *arguments, int input, int output, int log,
                             int failed)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        (log < 0 || dup2(log, STDERR_FILENO) >= 0)) {
        /* execv() does not write through it. */
        (void)execv(arguments[0], (char *const *)(uintptr_t)arguments);
    }
    const int reason = errno;
    (void)!write(failed, &reason, sizeof reason);
    _exit(EXIT_NO_EXEC);
}

/* Until the child has become another program, which closes the pipe, or could not: why, else 0. */
static int read_failure(int failed)
{
    int reason = 0;
    ssize_t size = -1;
    do {
        size = read(failed, &reason, sizeof reason);
    } while (size < 0 && errno == EINTR);
    return size == (ssize_t)sizeof reason ? reason : 0;
}

static void close_pair(const int pair[2])
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0) {
            (void)close(pair[i]);
        }
    }
}

bool process_start(struct process *process, const char *const *arguments, const char *log_path)
{
    int input[2] = {-1, -1};
    int output[2] = {-1, -1};
    int failed[2] = {-1, -1};
    int log = -1;
    bool ok = false;

    *process = (struct process){.id = 0, .input = -1, .output = -1};
    if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0 ||
        pipe2(failed, O_CLOEXEC) != 0) {
        goto out;
    }
    if (log_path != NULL) {
        log = open(log_path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
        if (log < 0) {
            goto out;
        }
    }
    const pid_t id = fork();
    if (id < 0) {
        goto out;
    }
    if (id == 0) {
        become(arguments, input[0], output[1], log, failed[1]);
    }
    (void)close(failed[1]);
    failed[1] = -1;
    const int reason = read_failure(failed[0]);
    if (reason != 0) {
        (void)waitpid(id, NULL, 0);
        errno = reason;
        goto out;
    }
    *process = (struct process){.id = id, .input = input[1], .output = output[0]};
    input[1] = -1; /* handed over */
    output[0] = -1;
    ok = true;
out:
    close_pair(input);
    close_pair(output);
    close_pair(failed);
    if (log >= 0) {
        (void)close(log);
    }
    return ok;
}

void process_serve_parent(void)
{
    char ignored[64];
    ssize_t size = 1;
    (void)puts(PROCESS_READY);
    (void)fflush(stdout);
    while (size > 0) {
        size = read(STDIN_FILENO, ignored, sizeof ignored);
    }
}

/* ---- Listen ------------------------------------------------------------------------------------ */

bool process_wait_for(struct process *process, const char *word, uint32_t timeout_ms)
{
    const uint64_t until_us = process_now_us() + (uint64_t)timeout_ms * 1000;
    char line[256];
    size_t size = 0;
    uint64_t now_us = process_now_us();

    while (now_us < until_us) {
        struct pollfd waited = {.fd = process->output, .events = POLLIN};
        const int left_ms = (int)((until_us - now_us + 999) / 1000);
        if (poll(&waited, 1, left_ms) > 0) {
            char byte;
            if (read(process->output, &byte, 1) != 1) {
                return false; /* it has ended */
            }
            if (byte == '\n') {
                if (size >= strlen(word) && memcmp(line, word, strlen(word)) == 0) {
                    return true;
                }
                size = 0;
            } else if (size < sizeof line) {
                line[size] = byte;
                size++;
            }
        }
        now_us = process_now_us();
    }
    return false;
}

void process_read_all(struct process *process, char *text_out, size_t size)
{
    size_t filled = 0;
    ssize_t got = 1;
    while (got > 0 && filled + 1 < size) {
        got = read(process->output, text_out + filled, size - 1 - filled);
        filled += got > 0 ? (size_t)got : 0;
    }
    text_out[filled] = '\0';
}

/* ---- End --------------------------------------------------------------------------------------- */

static void forget(struct process *process)
{
    if (process->input >= 0) {
        (void)close(process->input);
    }
    if (process->output >= 0) {
        (void)close(process->output);
    }
    *process = (struct process){.id = 0, .input = -1, .output = -1};
}

static int code_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool process_is_alive(struct process *process)
{
    int status = 0;
    if (process->id == 0) {
        return false;
    }
    if (waitpid(process->id, &status, WNOHANG) == 0) {
        return true;
    }
    forget(process);
    return false;
}

/* Whether it ends within the time; it is not collected. */
static bool ends_within(pid_t id, uint32_t timeout_ms)
{
    /* glibc of Debian 12 has pidfd_open(); the system call is as good and older. */
    const int watched = (int)syscall(SYS_pidfd_open, id, 0);
    if (watched < 0) {
        return false;
    }
    struct pollfd waited = {.fd = watched, .events = POLLIN};
    const int count = poll(&waited, 1, (int)timeout_ms);
    (void)close(watched);
    return count > 0;
}

int process_wait(struct process *process, uint32_t timeout_ms)
{
    int status = 0;
    if (process->id == 0 || !ends_within(process->id, timeout_ms) ||
        waitpid(process->id, &status, 0) != process->id) {
        return -1;
    }
    forget(process);
    return code_of(status);
}

int process_stop(struct process *process, uint32_t grace_ms)
{
    if (process->id == 0) {
        return 0;
    }
    if (process->input >= 0) {
        (void)close(process->input);
        process->input = -1;
    }
    (void)kill(process->id, SIGTERM);
    const int code = process_wait(process, grace_ms);
    if (process->id != 0) {
        (void)kill(process->id, SIGKILL);
        (void)waitpid(process->id, NULL, 0);
        forget(process);
    }
    return code;
}

/* ---- Measure ----------------------------------------------------------------------------------- */

static uint64_t us_of_ticks(unsigned long long ticks)
{
    return ticks * 1000000 / (unsigned long long)sysconf(_SC_CLK_TCK);
}

/* What the kernel tells of a process in its file `name`; "" when it cannot be read. */
static void read_of_process(pid_t id, const char *name, char *text_out, size_t size)
{
    char path[64];
    size_t filled = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/%s", (long)id, name);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        filled = fread(text_out, 1, size - 1, file);
        (void)fclose(file);
    }
    text_out[filled] = '\0';
}

uint64_t process_cpu_us(pid_t id)
{
    char text[1024];
    read_of_process(id, "stat", text, sizeof text);

    /* The second field is the name in parentheses and may hold anything; fields 14 and 15 are ticks
     * of user and system time. */
    const char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 14; field++) {
        at = strchr(at + 1, ' ');
    }
    if (at == NULL) {
        return 0;
    }
    char *end = NULL;
    const unsigned long long user = strtoull(at, &end, 10);
    const unsigned long long kernel = strtoull(end, NULL, 10);
    return us_of_ticks(user + kernel);
}

uint64_t process_written_bytes(pid_t id)
{
    static const char key[] = "\nwrite_bytes: ";
    char text[512];
    read_of_process(id, "io", text, sizeof text);
    const char *at = strstr(text, key);
    return at == NULL ? 0 : strtoull(at + sizeof key - 1, NULL, 10);
}

uint64_t process_resident_bytes(pid_t id)
{
    char text[128];
    read_of_process(id, "statm", text, sizeof text);

    /* The second number is what is in memory, in pages; the first is all that is mapped. */
    const char *at = strchr(text, ' ');
    return at == NULL ? 0 : strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

struct process_machine process_read_machine(void)
{
    /* cpu user nice system idle iowait irq softirq steal; guest time is within user. */
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELD_COUNT };
    unsigned long long ticks[FIELD_COUNT] = {0};
    struct process_machine machine = {0};
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL) {
        return machine;
    }
    /* NOLINTNEXTLINE(cert-err34-c): the kernel wrote these numbers. */
    const int count = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &ticks[USER],
                             &ticks[NICE], &ticks[SYSTEM], &ticks[IDLE], &ticks[IOWAIT],
                             &ticks[IRQ], &ticks[SOFTIRQ], &ticks[STEAL]);
    (void)fclose(file);
    if (count == FIELD_COUNT) {
        machine.idle_us = us_of_ticks(ticks[IDLE] + ticks[IOWAIT]);
        machine.busy_us = us_of_ticks(ticks[USER] + ticks[NICE] + ticks[SYSTEM] + ticks[IRQ] +
                                      ticks[SOFTIRQ] + ticks[STEAL]);
    }
    return machine;
}
