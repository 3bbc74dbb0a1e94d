/* participant.c -- see participant.h.
 *
 * What is measured, but for a bare one, has the SDK's whole path in it: fence row, marks, groups.  With memory there is no
 * database behind, with LevelDB a synced batch of fence rows, with the others a synced local transaction
 * of fence rows and business rows, one for each branch and phase. */
#include "participant.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bare.h"

enum { START_TIMEOUT_MS = 30000, STOP_GRACE_MS = 5000 };

/* ---- For the parent ---------------------------------------------------------------------------- */

bool participant_start(struct process *process, const struct participant_command *command,
                       const char *log)
{
    char batch_max[16];
    (void)snprintf(batch_max, sizeof batch_max, "%u", (unsigned)command->batch_max);
    const char *const ours[] = {command->self,  "participant",  command->name, command->listen,
                                command->store, command->place, batch_max,     NULL};
    const char *const other[] = {command->program, "--name",        command->name,
                                 "--listen",       command->listen, NULL};
    const char *const *arguments = command->program != NULL ? other : ours;
    const bool ok = process_start(process, arguments, log);
    if (!ok) {
        (void)fprintf(stderr, "tercet-bench: %s: %s\n", arguments[0], strerror(errno));
    }
    return ok;
}

bool participant_wait(struct process *process, const char *name)
{
    const bool ready = process_wait_for(process, PROCESS_READY, START_TIMEOUT_MS);
    if (!ready) {
        (void)fprintf(stderr, "tercet-bench: participant %s did not become ready\n", name);
    }
    return ready;
}

/* ---- In the child ------------------------------------------------------------------------------ */

static enum tercet_verdict refuse(struct tercet_request *request)
{
    return tercet_answer_refused(request, "REFUSED", "this action refuses, to be measured");
}

static enum tercet_verdict agree(struct tercet_request *request)
{
    (void)request;
    return TERCET_VERDICT_DONE;
}

/* Until the parent closes our input, or has died. */
static enum tercet_verdict stall(struct tercet_request *request)
{
    struct pollfd parent = {.fd = STDIN_FILENO};
    while (poll(&parent, 1, -1) < 0 && errno == EINTR) {
    }
    return tercet_answer_later(request, 0, "it has stalled until now");
}

/* For the parent, which divides it by what it has counted. */
static void tell_transactions(const struct tercet_participant *participant)
{
    struct tercet_participant_stats stats = {.size = sizeof stats};
    tercet_participant_read_stats(participant, &stats);
    (void)printf("%s %" PRIu64 "\n", PARTICIPANT_TRANSACTIONS, stats.transactions);
    (void)fflush(stdout);
}

int participant_main(const struct store_kind *kind, const struct store_place *place,
                     const char *listen)
{
    const tercet_handler_fn yes = kind->handler;
    const struct tercet_action actions[] = {
        {.name = PARTICIPANT_AGREE, .on_try = yes, .on_confirm = yes, .on_cancel = yes},
        {.name = PARTICIPANT_REFUSE, .on_try = refuse, .on_confirm = agree, .on_cancel = agree},
        {.name = PARTICIPANT_STALL, .on_try = stall, .on_confirm = agree, .on_cancel = agree}};
    const struct tercet_participant_options options = {
        .size = sizeof options, .name = place->name, .listen = listen, .log = tercet_log_to_stderr};
    struct tercet_store *store = NULL;
    struct tercet_participant *participant = NULL;
    struct tercet_error error = {0};

    if (kind->open == NULL) {
        return bare_serve(listen);
    }
    const bool ok =
        kind->open(place, &store, &error) == TERCET_OK &&
        tercet_participant_create(&options, &participant, &error) == TERCET_OK &&
        tercet_participant_register(participant, store, actions, sizeof actions / sizeof actions[0],
                                    &error) == TERCET_OK &&
        tercet_participant_start(participant, &error) == TERCET_OK;
    if (ok) {
        process_serve_parent();
        (void)!tercet_participant_stop(participant, STOP_GRACE_MS);
        tell_transactions(participant);
    } else {
        (void)fprintf(stderr, "participant %s: %s\n", place->name, error.text);
    }
    tercet_participant_destroy(participant);
    tercet_store_close(store);
    return ok ? 0 : 1;
}
