/* stranger.c -- a program that links libtercet.a and has names of its own that the library uses
 * inside: they must not meet. */
#include <stdio.h>
#include <tercet/client.h>
#include <tercet/participant.h>
#include <tercet/store_memory.h>

/* Each of these is a function inside the library too. */
int heap_insert(void);
int buffer_append(void);
int rpc_call_start(void);
int group_run(void);

int heap_insert(void)
{
    return 1;
}

int buffer_append(void)
{
    return 2;
}

int rpc_call_start(void)
{
    return 3;
}

int group_run(void)
{
    return 4;
}

static enum tercet_verdict debit(struct tercet_request *request)
{
    (void)request;
    return TERCET_VERDICT_DONE;
}

int main(void)
{
    const struct tercet_action action = {
        .name = "debit", .on_try = debit, .on_confirm = debit, .on_cancel = debit};
    const struct tercet_participant_options options = {
        .size = sizeof options, .name = "account", .listen = "127.0.0.1:0"};
    const struct tercet_memory_options memory = {.size = sizeof memory};
    struct tercet_store *store = NULL;
    struct tercet_participant *account = NULL;
    struct tercet_error error = {0};

    const bool ok = tercet_memory_open(&memory, &store, &error) == TERCET_OK &&
                    tercet_participant_create(&options, &account, &error) == TERCET_OK &&
                    tercet_participant_register(account, store, &action, 1, &error) == TERCET_OK &&
                    tercet_participant_start(account, &error) == TERCET_OK &&
                    tercet_participant_stop(account, 1000) == TERCET_OK;
    if (!ok) {
        fprintf(stderr, "stranger: %s\n", error.text);
    }
    tercet_participant_destroy(account);
    tercet_store_close(store);
    const bool own =
        heap_insert() == 1 && buffer_append() == 2 && rpc_call_start() == 3 && group_run() == 4;
    return ok && own ? 0 : 1;
}
