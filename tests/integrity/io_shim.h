/* io_shim.h -- stands between the journal (LevelDB included) and the system's file calls: counts
 * them, makes the n-th of them fail, and writes all of them down.
 *
 * The calls are defined in the program itself and exported; the dynamic linker then gives them to
 * libleveldb.so as well, so that nothing has to be preloaded.  Only paths below `root` are looked
 * at.  The state is in shared memory: a child process is watched, its parent reads. */
#ifndef TESTS_INTEGRITY_IO_SHIM_H
#define TESTS_INTEGRITY_IO_SHIM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum shim_op {
    SHIM_OPEN,
    SHIM_WRITE,
    SHIM_PWRITE,
    SHIM_SYNC,
    SHIM_RENAME,
    SHIM_UNLINK,
    SHIM_TRUNCATE,
    SHIM_CLOSE,
    SHIM_MKDIR,
    SHIM_RMDIR,
    SHIM_LINK,
    SHIM_READ, /* read, pread; not written down */
    SHIM_LOOK, /* stat, access, opendir; not written down */
    SHIM_ACK,  /* not a call: the program was told that something is durable */
};

enum shim_fault {
    SHIM_NO_FAULT,
    SHIM_EIO,
    SHIM_ENOSPC,
    SHIM_EDQUOT,
    SHIM_EACCES, /* calls that take a name */
    SHIM_EMFILE, /* opens only */
    SHIM_EINTR,  /* opens, reads, writes, syncs */
    SHIM_SHORT,  /* half of a write is written, and said so */
    SHIM_TORN,   /* the same; the next write to that file fails with ENOSPC, later ones do not */
    SHIM_FULL,   /* ENOSPC from the n-th on, for ever */
    SHIM_GATE,   /* a sync fails with EIO, what was not synced is gone, the next sync succeeds */
    SHIM_FAULT_COUNT,
};

/* One call, as it was made; then the paths and the data, each padded to 8 bytes. */
struct shim_record {
    uint32_t op;
    int32_t fd;
    int64_t offset; /* pwrite, truncate, ack */
    int32_t flags;  /* of open */
    uint32_t path_bytes;
    uint32_t second_bytes;
    uint32_t data_bytes;
};

struct shim {
    char root[256];
    int32_t fault;
    int64_t at;      /* which call fails, from 1 */
    int64_t count;   /* calls that could have */
    int64_t hits;    /* how often one was made to fail */
    char hit[320];   /* the first of them, for people */
    int64_t log_max; /* 0: nothing is written down */
    int64_t log_size;
    int64_t log_lost; /* records for which there was no room */
    uint8_t log[];
};

/* From now on this process is watched; NULL: no longer. */
void shim_watch(struct shim *to);
void shim_ack(int64_t number);
const char *shim_fault_name(int fault);
const char *shim_op_name(int op);

#ifdef __cplusplus
}
#endif
#endif
