/* participant_core.h -- the inside of struct tercet_participant.
 *
 *     rpc pollers ──► service.c: check, find the action ─┬─► lane of its store ──► workers ──► answer
 *                                                        └─► unfenced pool ──────► workers ──► answer
 *
 * Pollers never run handlers nor touch a database.  Actions, lanes and options do not change after
 * start; what does is atomic, or belongs to a lane.  Nothing here matters after a crash: all that
 * must be remembered lies in the stores. */
#ifndef TERCET_SRC_PARTICIPANT_CORE_H
#define TERCET_SRC_PARTICIPANT_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "rpc/rpc_health.h"
#include "rpc/rpc_server.h"
#include "src/epochs.h"
#include "src/log.h"
#include "tercet/participant.h"

TERCET_BEGIN_DECLS

struct lane;
struct unfenced;

enum {
    PARTICIPANT_STORE_COUNT_MAX = 16, /* a coordinator reads no more of a description */
    PARTICIPANT_ACTION_COUNT_MAX = 4096,
    /* Payloads held at a time, all requests together; above it LATER, as above in_flight_max. */
    PARTICIPANT_PAYLOAD_BYTES_MAX = 64 * 1024 * 1024
};

/* A registered action: the caller's struct with a name of our own. */
struct action {
    struct tercet_action base; /* first */
    char name[TERCET_NAME_BYTES_MAX + 1];
    struct lane *lane; /* NULL: unfenced */
};

struct participant_counters {
    atomic_uint_fast64_t requests;
    atomic_uint_fast64_t handler_runs;
    atomic_uint_fast64_t done;
    atomic_uint_fast64_t refused;
    atomic_uint_fast64_t later;
    atomic_uint_fast64_t conflicts;
    atomic_uint_fast64_t from_fence;
    atomic_uint_fast64_t failures;
    atomic_uint_fast64_t transactions;
    atomic_uint_fast64_t transactions_retried;
    atomic_uint_fast64_t running;
    atomic_uint_fast64_t marks;
    atomic_uint_fast64_t rows_forgotten;
    atomic_uint_fast64_t rows_kept;
};

enum participant_state {
    PARTICIPANT_MADE,
    PARTICIPANT_SERVING,
    PARTICIPANT_STOPPING,
    PARTICIPANT_CLOSING, /* its server is being stopped, by one thread */
    PARTICIPANT_STOPPED
};

struct tercet_participant {
    char name[TERCET_NAME_BYTES_MAX + 1];
    char *listen;
    char *address; /* NULL before start */
    uint32_t in_flight_max;
    uint32_t unfenced_workers;
    uint32_t stop_grace_ms;
    struct log log;

    struct action **actions; /* sorted by name */
    size_t action_count;
    struct lane *lanes[PARTICIPANT_STORE_COUNT_MAX];
    size_t lane_count;
    struct unfenced *unfenced; /* NULL: no such action */
    struct epochs epochs;      /* for unfenced actions */

    struct rpc_runtime *runtime;
    struct rpc_health *health;
    struct rpc_server *server;
    bool answering; /* the server was started */

    pthread_mutex_t mutex;  /* of state and the condition */
    pthread_cond_t drained; /* nothing is in flight, or the state goes beyond STOPPING */
    int drained_fd; /* becomes readable when nothing is in flight and it is stopping; -1: none */
    enum participant_state state;
    bool cut_off;                   /* CLOSING and STOPPED: something was in flight */
    atomic_bool stopping;           /* the same as state >= STOPPING, for the pollers */
    atomic_uint_fast32_t in_flight; /* requests that were taken in and are not answered */
    atomic_size_t payload_bytes;    /* of these */
    atomic_uint streams;            /* of Work */
    struct participant_counters counters;
};

/* NULL: not served here. */
const struct action *participant_action(const struct tercet_participant *participant,
                                        const char *name);

/* A request is taken in, or there is no room.  What was taken in is let go when it is answered. */
bool participant_admit(struct tercet_participant *participant, size_t payload_bytes);
void participant_let_go(struct tercet_participant *participant, size_t payload_bytes);

/* Counts as one in flight what must not be cut off, whatever the limits; let go as above. */
void participant_hold(struct tercet_participant *participant);

/* Begins to stop: new requests are put off, queued ones too, running ones go on. */
void participant_begin_stop(struct tercet_participant *participant);

/* Ends it: cuts off what is left when `grace_ms` has passed. */
enum tercet_status participant_finish_stop(struct tercet_participant *participant,
                                           uint32_t grace_ms);

TERCET_END_DECLS

#endif
