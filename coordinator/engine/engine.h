/* engine.h -- the protocol, as a function.
 *
 * engine_step() applies one event and says what must now be done.  It reads no clock, starts no
 * thread, writes nothing and knows neither gRPC nor LevelDB; time and chance arrive as arguments.
 * So the same object runs in the daemon, in the simulator and under the fuzzer.
 *
 * What it keeps (ARCHITECTURE.md, what never breaks):
 *   I2  no CALL of a confirm (cancel) before the RECORD_DECIDE that says so, in the order of effects;
 *       a decision is taken once and never changes, because only decide() takes one.
 *   I6  a REPLY says CONFIRMED only behind that record, NOT STARTED (`refused`) only where nothing
 *       was recorded.
 *   I7  everything that grows has a bound in struct engine_limits.
 *
 * Thread: one at a time (the loop's). */
#ifndef COORDINATOR_ENGINE_ENGINE_H
#define COORDINATOR_ENGINE_ENGINE_H

#include "engine/effect.h"
#include "engine/mark.h"

struct engine;

struct engine_limits {
    uint32_t open_transactions_max; /* not ended */
    uint64_t open_payload_bytes_max;
    uint32_t waiting_calls_max; /* requests that wait for an answer */
    uint32_t try_timeout_ms;    /* when a request does not say */
    uint32_t retry_base_ms; /* LATER, REFUSED, CONFLICT, UNKNOWN: per branch, ×2, full jitter */
    uint32_t retry_cap_ms;
};

struct engine_options {
    struct engine_limits limits;
    struct directory *directory; /* borrowed; outlives the engine */
    int64_t incarnation;
    int64_t next_number; /* of branches and transactions: nothing at or above was ever given out */
    /* This life was restored from a backup that ended here: what has a number from here on, below this
     * incarnation, is not in the journal (restored.h).  Zero: it was not restored. */
    struct branch_number lost_from;
    /* Nothing behind it, by strcmp(), has an outcome (copied).  NULL: there is no outcome. */
    const char *greatest_ended_gid;
    int64_t horizon_unix_ms; /* outcomes before this moment are forgotten */
    /* When the newest outcome ended: nothing ends more than a day before it, nor before the horizon,
     * however far behind the clock is.  Zero: there is none. */
    int64_t newest_end_unix_ms;
    uint64_t seed;    /* for jitter and hashing */
    char boot_id[37]; /* of this boot of the machine */
};

struct engine *engine_create(const struct engine_options *options);
void engine_destroy(struct engine *engine);

/* ---- Recovery, before the first step ---------------------------------------------------------- */

/* Takes a transaction as its records tell it (journal/record.h builds it).  Sequences rise. */
void engine_adopt_take(struct engine *engine, struct txn *txn);

/* What was known of a participant's databases (copied). */
void engine_adopt_acquaintance(struct engine *engine, uint32_t participant,
                               const struct acquaintance *known);

/* All are adopted, up to `durable_lsn`: asks for what is undecided.  What is decided is parked. */
void engine_resume(struct engine *engine, struct clock_now now, int64_t durable_lsn,
                   struct effects *effects);

/* Asks for up to `count` parked branches of a participant, in the order of their numbers. */
void engine_resume_more(struct engine *engine, uint32_t participant, uint32_t count, int64_t lsn,
                        struct clock_now now, struct effects *effects);

/* May any participant, or this one, have parked branches still? */
bool engine_is_resuming(const struct engine *engine);
bool engine_has_parked(const struct engine *engine, uint32_t participant);

/* ---- Steps ------------------------------------------------------------------------------------ */

/* Applies one event.  Everything the world must now do is appended to `effects`; nothing is done
 * here.  Takes `event`.  `lsn` is that of the batch that a record of this step goes into. */
void engine_step(struct engine *engine, struct event *event, int64_t lsn, struct clock_now now,
                 struct effects *effects);

/* What is due by now: deadlines and waits that are over. */
void engine_tick(struct engine *engine, int64_t lsn, struct clock_now now, struct effects *effects);

/* When it next wants a tick, in boot time; INT64_MAX: never. */
int64_t engine_wake_at_boot_ms(const struct engine *engine);

/* Everything up to `lsn` is on disk, and with it `next_number` as the journal's head: ended
 * transactions leave memory, marks may rise.  (A mark never passes a number that the disk has not
 * seen given out: after a crash it would be given out again.) */
void engine_durable(struct engine *engine, int64_t lsn, int64_t next_number);

/* What a participant has told of its actions, on a new connection; replaces what it told before.  Takes
 * the array.  None: nothing is known, nothing is checked. */
void engine_learn_actions(struct engine *engine, uint32_t participant,
                          struct action_kind *actions_take, uint32_t count);

/* A probe leaves by this seat: what is known now is what its description is compared with. */
void engine_probe_leaves(struct engine *engine, uint32_t participant, uint32_t seat);

/* ---- What others may read --------------------------------------------------------------------- */

/* The participant's mark as of the newest durable LSN; as_of zero when there is nothing to tell.
 * Valid until the next call of any function here. */
const struct mark *engine_mark(struct engine *engine, uint32_t participant);

/* Does it ask what participants have seen, and decide nothing? */
bool engine_is_in_restored_mode(const struct engine *engine);

/* Does it wait for an operator?  Then nothing may be sent to it. */
bool engine_is_held(const struct engine *engine, uint32_t participant);

/* The next number to give out; goes into the journal's head with every batch. */
int64_t engine_next_number(const struct engine *engine);

/* The transaction of this gid, if it is in memory; else NULL.  For tests and the simulator; valid until
 * the next step. */
const struct txn *engine_find(const struct engine *engine, const char *gid);

struct engine_stats {
    uint64_t open_transactions;
    uint64_t open_payload_bytes; /* in memory */
    uint64_t waiting_calls;
    uint64_t looking_up; /* gids that the journal is being asked for */
    uint64_t begun, confirmed, cancelled, ended, refused; /* since start */
    uint64_t attention; /* branches in conflict or refusing what they may not */
    uint64_t looked_at; /* transactions, for pages of List; since start */
};
void engine_read_stats(const struct engine *engine, struct engine_stats *stats_out);
uint32_t engine_open_branches_of(const struct engine *engine, uint32_t participant);

#endif
