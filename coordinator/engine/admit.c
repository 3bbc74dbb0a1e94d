/* admit.c -- may this begin, or this branch be added?
 *
 * Every bound stands here, before anything is recorded; whoever is refused is told which bound, and
 * that nothing was begun. */
#include <inttypes.h>
#include <string.h>

#include "engine/engine_internal.h"

enum { CREATED_AHEAD_MAX_MS = 24 * 3600 * 1000 };

/* How many branches before this one name the same participant. */
static uint32_t named_before(const struct request *request, uint32_t index)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < index; i++) {
        bool same =
            request->branches[i]->spec.participant == request->branches[index]->spec.participant;
        count += same ? 1 : 0;
    }
    return count;
}

const struct action_kind *peer_action(const struct peer *peer, const char *action)
{
    for (uint32_t i = 0; i < peer->action_count; i++) {
        if (strcmp(peer->actions[i].name, action) == 0) {
            return &peer->actions[i];
        }
    }
    return NULL;
}

/* An action that reserves must be tried, and one that only confirms must not: mixed up, one branch
 * would be confirmed that was never tried.  An action that is not known is its participant's to
 * refuse. */
static bool admit_kind(struct step *step, const struct request *request,
                       const struct branch *branch)
{
    const struct peer *peer = &step->engine->peers[branch->spec.participant];
    const struct action_kind *action = peer_action(peer, branch->action);
    if (action == NULL || action->confirm_only == branch->spec.confirm_only) {
        return true;
    }
    reply_refused(
        step, request, TERCET_FAILED_PRECONDITION, "TERCET_WRONG_KIND",
        "action \"%s\" of participant \"%s\" is registered there as %s; nothing was begun, "
        "set the branch's kind",
        branch->action, step->engine->options.directory->entries[branch->spec.participant].name,
        action->confirm_only ? "CONFIRM_ONLY" : "TCC");
    return false;
}

bool admit_branches(struct step *step, const struct request *request)
{
    struct engine *engine = step->engine;
    for (uint32_t i = 0; i < request->branch_count; i++) {
        uint32_t participant = request->branches[i]->spec.participant;
        const struct peer *peer = &engine->peers[participant];
        const struct directory_entry *entry = &engine->options.directory->entries[participant];
        if (!admit_kind(step, request, request->branches[i])) {
            return false;
        }
        if (hold_is_on(peer)) {
            reply_refused(step, request, TERCET_UNAVAILABLE, "TERCET_PARTICIPANT_HELD",
                          "participant \"%s\" is held until an operator looks (%.150s); nothing "
                          "was begun",
                          entry->name, peer->known.held);
            return false;
        }
        if (!peer->reachable) {
            reply_refused(step, request, TERCET_UNAVAILABLE, "TERCET_PARTICIPANT_UNREACHABLE",
                          "participant \"%s\" does not answer; nothing was begun, try again later",
                          entry->name);
            return false;
        }
        if (peer->open_count + named_before(request, i) >= entry->open_transaction_max) {
            reply_refused(step, request, TERCET_UNAVAILABLE, "TERCET_PARTICIPANT_BUSY",
                          "participant \"%s\" has its full share of %" PRIu32
                          " open branches; nothing was begun, try again later",
                          entry->name, entry->open_transaction_max);
            return false;
        }
    }
    return true;
}

uint64_t admit_bytes_of(const struct request *request)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < request->branch_count; i++) {
        bytes += request->branches[i]->payload_size;
    }
    return bytes;
}

bool admit_bytes(struct step *step, const struct request *request)
{
    struct engine *engine = step->engine;
    const uint64_t taken = engine->stats.open_payload_bytes + engine->inquiry_bytes;
    if (taken + admit_bytes_of(request) > engine->options.limits.open_payload_bytes_max) {
        reply_refused(step, request, TERCET_RESOURCE_EXHAUSTED, "TERCET_OPEN_BYTES",
                      "payloads of open transactions are at their limit of %" PRIu64
                      " bytes; nothing was begun, try again later",
                      engine->options.limits.open_payload_bytes_max);
        return false;
    }
    return true;
}

/* Could this gid have had an outcome that is no longer kept? */
bool admit_age(struct step *step, const struct request *request)
{
    int64_t horizon = step->engine->horizon_unix_ms;
    int64_t created = request->created_at_unix_ms;
    if (created > step->now.unix_ms + CREATED_AHEAD_MAX_MS) {
        reply_refused(step, request, TERCET_INVALID_ARGUMENT, "TERCET_CREATED_AHEAD",
                      "created_at_unix_ms is %" PRId64
                      ", more than a day ahead of the coordinator's clock, which says %" PRId64
                      "; it is in milliseconds since 1970",
                      created, step->now.unix_ms);
        return false;
    }
    if (created == 0 || created >= horizon) {
        return true;
    }
    reply_refused(step, request, TERCET_FAILED_PRECONDITION, "TERCET_TOO_OLD",
                  "created_at is %" PRId64 " and outcomes before %" PRId64
                  " are forgotten: this gid may have been used; begin with a new one",
                  created, horizon);
    return false;
}

/* May a transaction begin now?  If not, the request is answered. */
bool admit(struct step *step, const struct request *request)
{
    struct engine *engine = step->engine;
    const struct engine_limits *limits = &engine->options.limits;
    if (engine->stats.open_transactions >= limits->open_transactions_max) {
        reply_refused(step, request, TERCET_RESOURCE_EXHAUSTED, "TERCET_OPEN_TRANSACTIONS",
                      "open transactions are at their limit of %" PRIu32
                      "; nothing was begun, try again later",
                      limits->open_transactions_max);
        return false;
    }
    if (table_count(&engine->waiters) >= limits->waiting_calls_max) {
        reply_refused(step, request, TERCET_RESOURCE_EXHAUSTED, "TERCET_WAITING_CALLS",
                      "waiting calls are at their limit of %" PRIu32
                      "; nothing was begun, try again later",
                      limits->waiting_calls_max);
        return false;
    }
    return admit_age(step, request) && admit_bytes(step, request) && admit_branches(step, request);
}
