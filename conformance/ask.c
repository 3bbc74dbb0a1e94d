/* ask.c -- see ask.h. */
#include "ask.h"

#include "base/clock.h"

enum { TIMEOUT_MS = 5000, PAUSE_MIN_MS = 5, PAUSE_MAX_MS = 1000, IMPATIENT_MS = 500 };

static struct rpc_call *start(struct run *run, enum tercet_phase method,
                              const Tercet__V1__BranchRequest *message)
{
    const struct rpc_call_options options = {.path = request_method(method),
                                             .request = &message->base,
                                             .reply = &tercet__v1__branch_reply__descriptor,
                                             .timeout_ms = TIMEOUT_MS,
                                             .wait_for_ready = true};
    return rpc_call_start(run->channels[run->request_count++ % RUN_CHANNEL_COUNT], &options);
}

static void finish(struct run *run, struct rpc_call *call, enum tercet_phase phase,
                   struct answer *answer_out)
{
    answer_read(answer_out, rpc_call_wait(call));
    rpc_call_unref(call);
    conduct_note(&run->conduct, phase, answer_out);
}

void ask_message(struct run *run, enum tercet_phase method,
                 const Tercet__V1__BranchRequest *message, struct answer *answer_out)
{
    finish(run, start(run, method, message), method, answer_out);
}

/* Asks again while that may change something.  Who was silent for so long once is not waited for so long
 * again. */
static void insist(struct run *run, const struct question *question, struct answer *answer)
{
    const int64_t until_ms = clock_read().boot_ms + run->patience_ms;
    uint32_t pause_ms = PAUSE_MIN_MS;
    while (answer_is_to_repeat(answer)) {
        if (clock_read().boot_ms >= until_ms) {
            run->patience_ms = IMPATIENT_MS;
            return;
        }
        const uint32_t unknown = answer->unknown_before + (answer_is_unknown(answer) ? 1 : 0);
        const uint32_t wanted_ms = answer->after_ms > pause_ms ? answer->after_ms : pause_ms;
        run_pause(wanted_ms < PAUSE_MAX_MS ? wanted_ms : PAUSE_MAX_MS);
        pause_ms = pause_ms < PAUSE_MAX_MS ? 2 * pause_ms : PAUSE_MAX_MS;
        struct request request;
        request_fill(&request, question->branch, question->phase);
        ask_message(run, question->phase, &request.message, answer);
        answer->unknown_before = unknown;
    }
}

static void ask_all(struct run *run, const struct question *questions, size_t count,
                    uint32_t spread_ms, struct answer *answers_out)
{
    struct rpc_call **calls = arena_alloc(&run->arena, count * sizeof(struct rpc_call *));
    for (size_t i = 0; i < count; i++) {
        struct request request;
        request_fill(&request, questions[i].branch, questions[i].phase);
        calls[i] = start(run, questions[i].phase, &request.message);
        if (spread_ms > 0) {
            run_pause(spread_ms);
        }
    }
    for (size_t i = 0; i < count; i++) {
        finish(run, calls[i], questions[i].phase, &answers_out[i]);
    }
    for (size_t i = 0; i < count; i++) {
        insist(run, &questions[i], &answers_out[i]);
    }
}

void ask_at_once(struct run *run, const struct question *questions, size_t count,
                 struct answer *answers_out)
{
    ask_all(run, questions, count, 0, answers_out);
}

void ask_spread(struct run *run, const struct question *questions, size_t count,
                struct answer *answers_out)
{
    ask_all(run, questions, count, 1, answers_out);
}

void ask(struct run *run, const struct branch *branch, enum tercet_phase phase,
         struct answer *answer_out)
{
    const struct question question = {.branch = branch, .phase = phase};
    ask_at_once(run, &question, 1, answer_out);
}
