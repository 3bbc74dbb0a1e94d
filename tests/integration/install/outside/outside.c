/* outside.c -- a stranger's program: a participant and an initiator, made, started and stopped. */
#include <stdio.h>
#include <string.h>
#include <tercet/client.h>
#include <tercet/participant.h>
#include <tercet/store_memory.h>

static enum tercet_verdict agree(struct tercet_request *request)
{
    return tercet_answer_done(request, tercet_bytes_of_text("yes"));
}

int main(void)
{
    const struct tercet_action action = {
        .name = "agree", .on_try = agree, .on_confirm = agree, .on_cancel = agree};
    const struct tercet_memory_options memory = {.size = sizeof memory};
    const struct tercet_participant_options serve = {
        .size = sizeof serve, .name = "outside", .listen = "127.0.0.1:0"};
    const struct tercet_client_options call = {.size = sizeof call, .target = "unix:/nobody/here"};
    const struct tercet_branch branch = {.participant = "outside", .action = "agree"};
    const struct tercet_transaction act = {.size = sizeof act,
                                           .gid = "outside-1",
                                           .branches = &branch,
                                           .branch_count = 1,
                                           .wait_timeout_ms = 200};
    struct tercet_store *store = NULL;
    struct tercet_participant *participant = NULL;
    struct tercet_client *client = NULL;
    struct tercet_error error = {0};

    bool ok = strncmp(tercet_version(), "0.1.", 4) == 0 &&
              tercet_memory_open(&memory, &store, &error) == TERCET_OK &&
              tercet_participant_create(&serve, &participant, &error) == TERCET_OK &&
              tercet_participant_register(participant, store, &action, 1, &error) == TERCET_OK &&
              tercet_participant_start(participant, &error) == TERCET_OK &&
              tercet_client_create(&call, &client, &error) == TERCET_OK &&
              tercet_client_execute(client, &act, NULL) == TERCET_OUTCOME_NOT_STARTED &&
              tercet_participant_stop(participant, 1000) == TERCET_OK;
    printf("%s %s %s\n", ok ? "ok" : "failed", tercet_participant_address(participant), error.text);
    tercet_client_destroy(client);
    tercet_participant_destroy(participant);
    tercet_store_close(store);
    return ok ? 0 : 1;
}
