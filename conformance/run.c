/* run.c -- see run.h. */
#include "run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"
#include "survey.h"

enum {
    PATIENCE_MS = 10000,
    REPLY_BYTES_MAX = 4 * 1024 * 1024,
    GONE_MS = 2000,
    LOOK_EVERY_MS = 20,
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
    JOURNAL_ID_BYTES = 16 /* the rest of an origin is its partition */
};

void run_pause(uint32_t ms)
{
    const struct timespec moment = {.tv_sec = ms / MS_PER_S,
                                    .tv_nsec = (long)(ms % MS_PER_S) * NS_PER_MS};
    (void)nanosleep(&moment, NULL);
}

/* ---- Names ------------------------------------------------------------------------------------- */

struct persona run_persona(struct run *run)
{
    struct persona persona = run->persona;
    run->persona_count++;
    store_be32(persona.origin + JOURNAL_ID_BYTES, run->persona_count);
    persona.next_number = 1;
    return persona;
}

struct branch run_branch_with(struct run *run, struct persona *persona, const char *action,
                              const struct payload *payload)
{
    const uint64_t ordinal = run->branch_count++;
    struct branch branch = {
        .persona = persona,
        .index = 1 + (uint32_t)random_below(&run->random, TERCET_BRANCH_COUNT_MAX),
        .action = action,
        .payload = payload_for(payload, run->arguments->first + ordinal, &run->arena),
        .number = {persona->epoch.incarnation, persona->next_number}};
    persona->next_number++;
    text_format(branch.gid, sizeof branch.gid, "conformance-%s-%" PRIu64, run->stamp, ordinal);
    for (size_t i = 0; i < sizeof branch.digest; i++) {
        branch.digest[i] = (uint8_t)random_u64(&run->random);
    }
    return branch;
}

struct branch run_branch(struct run *run, struct persona *persona)
{
    return run_branch_with(run, persona, run->arguments->action, &run->arguments->payload);
}

/* ---- Connections ------------------------------------------------------------------------------- */

enum tercet_status run_connect(struct run *run, struct rpc_channel **channel_out,
                               struct tercet_error *error_out)
{
    const struct rpc_channel_options options = {.runtime = run->runtime,
                                                .target = run->arguments->address,
                                                .receive_bytes_max = REPLY_BYTES_MAX,
                                                .user_agent = "tercet-conformance"};
    return rpc_channel_open(&options, channel_out, error_out);
}

bool run_is_there(struct run *run)
{
    const struct persona persona = run_persona(run);
    for (uint32_t waited_ms = 0; waited_ms < GONE_MS; waited_ms += LOOK_EVERY_MS) {
        if (survey_is_alive(run->channels[0], &persona)) {
            return true;
        }
        rpc_channel_hurry(run->channels[0]);
        run_pause(LOOK_EVERY_MS);
    }
    return false;
}

/* Somebody is there, and it is the one that is meant: what can be found out is found out before
 * everything fails for one reason. */
static enum tercet_status greet(struct run *run, struct tercet_error *error_out)
{
    struct persona persona = run_persona(run);
    enum tercet_status status = TERCET_OK;
    for (size_t i = 0; i < RUN_CHANNEL_COUNT && status == TERCET_OK; i++) {
        struct survey survey;
        survey_describe(&survey, run->channels[i], &persona);
        if (survey.status == TERCET_UNAVAILABLE || survey.status == TERCET_DEADLINE_EXCEEDED) {
            status = error_set(error_out, TERCET_UNAVAILABLE, "%s cannot be reached: %s",
                               run->arguments->address, survey.text);
        } else if (survey.describe != NULL &&
                   strcmp(survey.describe->participant, run->arguments->participant) != 0) {
            status = error_set(error_out, TERCET_INVALID_ARGUMENT,
                               "the participant at %s calls itself \"%s\"", run->arguments->address,
                               survey.describe->participant);
        } else if (survey.describe != NULL) {
            text_copy(run->software, sizeof run->software, survey.describe->software);
            answer_clean(run->software);
        }
        survey_close(&survey);
    }
    return status;
}

enum tercet_status run_open(struct run *run, const struct arguments *arguments,
                            struct tercet_error *error_out)
{
    const int64_t now_ms = clock_read().unix_ms;
    *run = (struct run){.arguments = arguments,
                        .persona = {.participant = arguments->participant,
                                    .epoch = {.incarnation = now_ms, .epoch = 1},
                                    .next_number = 1},
                        .patience_ms = PATIENCE_MS};
    random_init(&run->random, arguments->seed);
    random_entropy(run->persona.origin, JOURNAL_ID_BYTES);
    text_format(run->stamp, sizeof run->stamp, "%" PRIx64 "-%" PRIx64, arguments->seed,
                (uint64_t)now_ms);
    arena_init(&run->arena, 0);
    run->runtime = rpc_runtime_create(NULL);
    enum tercet_status status = TERCET_OK;
    for (size_t i = 0; i < RUN_CHANNEL_COUNT && status == TERCET_OK; i++) {
        status = run_connect(run, &run->channels[i], error_out);
    }
    if (status == TERCET_OK && !run_is_there(run)) {
        status =
            error_set(error_out, TERCET_UNAVAILABLE, "%s cannot be reached", arguments->address);
    }
    return status == TERCET_OK ? greet(run, error_out) : status;
}

void run_close(struct run *run)
{
    for (size_t i = 0; i < RUN_CHANNEL_COUNT; i++) {
        rpc_channel_close(run->channels[i]);
    }
    rpc_runtime_destroy(run->runtime);
    arena_deinit(&run->arena);
}
