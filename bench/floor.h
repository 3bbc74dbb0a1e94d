/* floor.h -- what the parts alone can do, measured in the same run: the line that no coordinator gets
 * below on this machine.
 *
 *   disk      512 bytes appended, fdatasync, again and again
 *   journal   the records of a transaction, as large as ours, in synced batches of bare LevelDB
 *   pace      the same records at the load's own rate, each batch with what waits: how long each takes
 *   stream    branch requests in batches over one bare stream of gRPC, encoded and decoded, and answers
 *   unary     branch requests each by a unary call of bare gRPC core, neither encoded nor decoded
 *   latency   one request there and back; one to each participant at once, until the last answer */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

struct floor_disk {
    double syncs_per_s;
    uint64_t pair_us; /* two in a row, median */
};

struct floor_journal {
    double transactions_per_s;
    double cpu_us; /* of one transaction */
};

/* A transaction's time is from when it was due until its decision is durable. */
struct floor_pace {
    uint64_t transactions; /* due within the window */
    uint64_t p50_us;
    uint64_t p99_us;
    uint64_t max_us;
    double batches; /* of one transaction, each with one sync */
};

struct floor_stream {
    double requests_per_s;
    double cpu_us;          /* of one request and its answer, where it is sent from */
    double server_cpu_us;   /* and where it is answered */
    uint64_t round_trip_us; /* median, nothing else under way */
    uint64_t fan_out_us;
};

struct floor_unary {
    double calls_per_s;
    double cpu_us;        /* of one call, where it is made */
    double server_cpu_us; /* and where it is answered */
    uint32_t threads;     /* that made them: of the numbers tried the fastest */
};

struct floors {
    struct floor_disk disk;
    struct floor_journal journal;
    struct floor_stream stream;
    struct floor_pace pace; /* all zero: not measured; the next, too */
    struct floor_unary unary;
};

/* Each makes its files in `directory`, takes some `duration_ms` and says what went wrong, if it was
 * that.  Nothing else should run. */
bool floor_measure_disk(const char *directory, uint32_t duration_ms, struct floor_disk *disk_out);
bool floor_measure_journal(const char *directory, uint32_t branches, uint32_t payload_bytes,
                           uint32_t duration_ms, struct floor_journal *journal_out);

struct floor_pace_options {
    const char *directory;
    uint32_t branches;
    uint32_t payload_bytes;
    uint32_t rate; /* transactions a second */
    uint32_t warmup_s;
    uint32_t seconds;
};

bool floor_measure_pace(const struct floor_pace_options *options, struct floor_pace *pace_out);

bool floor_measure_stream(const char *directory, const char *self, uint32_t branches,
                          uint32_t payload_bytes, uint32_t duration_ms,
                          struct floor_stream *stream_out);

struct floor_unary_options {
    const char *directory;
    const char *self;
    const char *program; /* of the servers; NULL: `self`, bare */
    const char *log;     /* their standard error */
    uint32_t servers;
    uint32_t in_flight; /* calls to each of them */
    uint32_t payload_bytes;
    uint32_t warmup_ms;
    uint32_t duration_ms; /* with each number of threads */
};

bool floor_measure_unary(const struct floor_unary_options *options, struct floor_unary *unary_out);

/* `tercet-bench echo ADDRESS`: answers every request DONE, with nothing behind it, until standard input
 * closes.  The exit code. */
int floor_echo_main(const char *listen);

/* "ext4", "tmpfs", ... of the file system that `directory` is on; "?" for one not known here. */
const char *floor_file_system(const char *directory);

#endif
