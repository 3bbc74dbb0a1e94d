/* async.c -- a million payments from one thread, ten thousand of them in flight at any time.
 *
 * The client gathers what is waiting into few messages by itself; the caller only keeps enough in
 * flight. Completions run on the client's own threads, several at once, so what they touch is
 * atomic. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <tercet/client.h>

enum { IN_FLIGHT_MAX = 10000, PAYMENTS = 1000000, PATIENCE_MS = 60000 };

struct tally {
    atomic_uint_fast64_t confirmed;
    atomic_uint_fast64_t cancelled;
    atomic_uint_fast64_t not_started;
    atomic_uint_fast64_t unknown; /* each of these must be asked for again, by its gid */
};

static void on_done(const struct tercet_result *result, void *context)
{
    struct tally *tally = context;
    switch (result->outcome) {
    case TERCET_OUTCOME_CONFIRMED:
        tally->confirmed++;
        return;
    case TERCET_OUTCOME_CANCELLED:
        tally->cancelled++;
        return;
    case TERCET_OUTCOME_NOT_STARTED:
        tally->not_started++;
        return;
    case TERCET_OUTCOME_UNKNOWN:
        break;
    }
    tally->unknown++;
    fprintf(stderr, "%s: %s\n", result->gid, result->status_text);
}

int main(void)
{
    const struct tercet_client_options options = {
        .size = sizeof options, .target = "127.0.0.1:7100", .in_flight_max = IN_FLIGHT_MAX};
    struct tercet_client *client = NULL;
    struct tercet_error error = {0};
    struct tally tally = {0};
    enum tercet_status status = tercet_client_create(&options, &client, &error);

    for (int i = 0; status == TERCET_OK && i < PAYMENTS; i++) {
        char gid[32];
        snprintf(gid, sizeof gid, "load-%d", i);
        const struct tercet_branch branches[] = {
            {.participant = "account", .action = "debit", .payload = tercet_bytes_of_text("7 1")},
            {.participant = "merchant",
             .action = "credit",
             .payload = tercet_bytes_of_text("12 1")},
        };
        const struct tercet_transaction payment = {
            .size = sizeof payment, .gid = gid, .branches = branches, .branch_count = 2};

        status = tercet_client_wait(client, IN_FLIGHT_MAX - 1, PATIENCE_MS,
                                    &error); /* room for one more */
        if (status == TERCET_OK) {
            status = tercet_client_execute_async(client, &payment, on_done, &tally, &error);
        }
    }
    if (status == TERCET_OK) {
        status =
            tercet_client_wait(client, 0, PATIENCE_MS, &error); /* until the last one is done */
    }
    if (status != TERCET_OK) {
        fprintf(stderr, "async: %s\n", error.text);
    }
    tercet_client_destroy(
        client); /* what is still in flight is completed as UNKNOWN before this returns */
    printf("confirmed %" PRIuFAST64 ", cancelled %" PRIuFAST64 ", not started %" PRIuFAST64
           ", unknown %" PRIuFAST64 "\n",
           tally.confirmed, tally.cancelled, tally.not_started, tally.unknown);
    return status == TERCET_OK ? 0 : 1;
}
