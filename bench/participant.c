/* participant.c -- see participant.h.
 *
 * The memory store keeps a fence row for each branch and forgets it by mark, so what is measured has
 * the SDK's whole path in it but the database. */
#include "participant.h"

#include <stdio.h>
#include <unistd.h>

#include "tercet/participant.h"
#include "tercet/store_memory.h"

enum { STOP_GRACE_MS = 5000 };

static enum tercet_verdict agree(struct tercet_request *request)
{
    (void)request;
    return TERCET_VERDICT_DONE;
}

static void wait_until_input_closes(void)
{
    char ignored[64];
    ssize_t size = 1;
    while (size > 0) {
        size = read(STDIN_FILENO, ignored, sizeof ignored);
    }
}

int participant_main(const char *name, const char *listen)
{
    const struct tercet_action action = {
        .name = PARTICIPANT_ACTION, .on_try = agree, .on_confirm = agree, .on_cancel = agree};
    const struct tercet_memory_options memory = {.size = sizeof memory};
    const struct tercet_participant_options options = {
        .size = sizeof options, .name = name, .listen = listen, .log = tercet_log_to_stderr};
    struct tercet_store *store = NULL;
    struct tercet_participant *participant = NULL;
    struct tercet_error error = {0};

    const bool ok =
        tercet_memory_open(&memory, &store, &error) == TERCET_OK &&
        tercet_participant_create(&options, &participant, &error) == TERCET_OK &&
        tercet_participant_register(participant, store, &action, 1, &error) == TERCET_OK &&
        tercet_participant_start(participant, &error) == TERCET_OK;
    if (ok) {
        puts(PARTICIPANT_READY);
        (void)fflush(stdout);
        wait_until_input_closes();
        (void)!tercet_participant_stop(participant, STOP_GRACE_MS);
    } else {
        (void)fprintf(stderr, "participant %s: %s\n", name, error.text);
    }
    tercet_participant_destroy(participant);
    tercet_store_close(store);
    return ok ? 0 : 1;
}
