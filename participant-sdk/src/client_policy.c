/* client_policy.c -- see client_policy.h. */
#include "src/client_policy.h"

#include <string.h>

/* UNAVAILABLE with the trailer speaks of the coordinator (starting, stopping), which passes, or of
 * a participant that does not answer or has its full share: then the caller is told at once,
 * because repeating would only add to the load. */
static bool refusal_passes(const struct client_attempt *attempt)
{
    return attempt->status == TERCET_UNAVAILABLE &&
           (attempt->code[0] == '\0' || strcmp(attempt->code, "TERCET_STARTING") == 0 ||
            strcmp(attempt->code, "TERCET_STOPPING") == 0);
}

static bool repeat_may_help(const struct client_attempt *attempt)
{
    if (attempt->refused) {
        return refusal_passes(attempt);
    }
    switch (attempt->status) {
    case TERCET_UNAVAILABLE:
    case TERCET_CALL_CANCELLED:
    case TERCET_UNKNOWN:
    case TERCET_INTERNAL:
    case TERCET_DEADLINE_EXCEEDED:
    case TERCET_ABORTED:
        return true;
    case TERCET_OK:
    case TERCET_INVALID_ARGUMENT:
    case TERCET_NOT_FOUND:
    case TERCET_ALREADY_EXISTS:
    case TERCET_PERMISSION_DENIED:
    case TERCET_RESOURCE_EXHAUSTED:
    case TERCET_FAILED_PRECONDITION:
    case TERCET_OUT_OF_RANGE:
    case TERCET_UNIMPLEMENTED:
    case TERCET_DATA_LOSS:
    case TERCET_UNAUTHENTICATED:
        return false;
    }
    return false;
}

static struct client_judgement judge_answer(const struct client_attempt *attempt, bool wait_over)
{
    struct client_judgement judgement = {.next = CLIENT_FINISH, .status = TERCET_INTERNAL};

    switch (attempt->answer) {
    case CLIENT_ANSWER_REACHED:
        judgement.status = TERCET_OK;
        return judgement;
    case CLIENT_ANSWER_NOT_YET:
        judgement.next = wait_over ? CLIENT_FINISH : CLIENT_REPEAT;
        judgement.status = TERCET_DEADLINE_EXCEEDED;
        return judgement;
    case CLIENT_ANSWER_NONE:
    case CLIENT_ANSWER_SENSELESS:
        return judgement;
    }
    return judgement;
}

struct client_judgement client_policy_judge(struct client_history *history,
                                            const struct client_attempt *attempt, bool wait_over)
{
    struct client_judgement judgement = {.next = CLIENT_FINISH, .status = attempt->status};

    history->attempt_count++;
    if (attempt->status == TERCET_OK) {
        history->may_have_started = true;
        return judge_answer(attempt, wait_over);
    }
    if (attempt->left && !attempt->refused) {
        history->may_have_started = true;
    }
    judgement.not_started = !history->may_have_started;
    if (!repeat_may_help(attempt)) {
        return judgement;
    }
    if (!wait_over) {
        judgement.next = CLIENT_REPEAT;
    } else if (history->may_have_started) {
        judgement.status = TERCET_DEADLINE_EXCEEDED;
    }
    return judgement;
}
