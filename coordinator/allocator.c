/* allocator.c -- how tercetd's allocator is set.
 *
 * Events, records and messages are made by one thread and freed by another.  glibc's malloc takes such
 * blocks back over locks and long lists; jemalloc, which takes malloc's place by being linked, does not:
 * a sixth less of the coordinator's CPU per transaction (docs/performance.md).  Builds with a sanitizer
 * have the sanitizer's allocator instead, and leave this out. */

/* jemalloc looks for a variable of this name; hidden, as all others here are, it would find none. */
extern __attribute__((visibility("default"))) const char *malloc_conf;

/* Few arenas and small caches a thread: as much memory as glibc took; what was freed goes back to the
 * system within a second. */
const char *malloc_conf =
    "abort_conf:true,narenas:4,lg_tcache_max:12,dirty_decay_ms:1000,muzzy_decay_ms:0";
