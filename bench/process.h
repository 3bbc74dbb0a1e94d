/* process.h -- child processes: start, listen to, measure, end.
 *
 * A child dies with this process, however that ends: the kernel is asked to kill it, and its standard
 * input, which we hold, closes.
 *
 * Thread: one. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_READY "ready" /* what a child of ours says when it serves */

struct process {
    pid_t id;   /* 0: none */
    int input;  /* its standard input; closing it is a request to end.  -1: none */
    int output; /* what it says on standard output; -1: none */
};

/* A moment on the clock that does not jump. */
uint64_t process_now_us(void);
void process_sleep_until(uint64_t moment_us);

/* Starts `arguments` (NULL at the end).  Its standard error goes to `log_path`, or to ours when that
 * is NULL.  False: errno tells why, also when there is no such program. */
bool process_start(struct process *process, const char *const *arguments, const char *log_path);

/* In a child: says that it is ready, as process_wait_for(..., PROCESS_READY) hears it, and waits until
 * its parent closes its input, or has died. */
void process_serve_parent(void);

/* Waits until it has said a line that begins with `word`. */
bool process_wait_for(struct process *process, const char *word, uint32_t timeout_ms);

/* Whether it still runs; collects it when it has ended. */
bool process_is_alive(struct process *process);

/* Waits until it ends by itself.  -1: not within the time, or by a signal. */
int process_wait(struct process *process, uint32_t timeout_ms);

/* Closes its input, sends SIGTERM, waits, kills.  Its exit code; -1: it had to be killed.  A process
 * that was never started, or was stopped before, is 0. */
int process_stop(struct process *process, uint32_t grace_ms);

/* CPU time so far, user and system, of all its threads.  0 when it cannot be read. */
uint64_t process_cpu_us(pid_t id);

/* Bytes that it made dirty for a disk so far; what is in memory alone (sockets, tmpfs) does not count.
 * 0 when it cannot be read. */
uint64_t process_written_bytes(pid_t id);

/* What it has in memory now.  0 when it cannot be read. */
uint64_t process_resident_bytes(pid_t id);

/* What it has said on standard output until it closed that, up to size - 1 bytes and a NUL. */
void process_read_all(struct process *process, char *text_out, size_t size);

/* What all processors together have done since the machine started. */
struct process_machine {
    uint64_t busy_us;
    uint64_t idle_us; /* waiting for the disk included */
};

/* All zero when it cannot be read. */
struct process_machine process_read_machine(void);

#endif
