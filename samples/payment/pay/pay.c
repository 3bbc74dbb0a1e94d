/* pay.c -- pays an order over four services: all of them, or none.
 *
 *   pay --user 7 --order 42 --amount 2500 --coupon C9
 *
 * The payment's id makes the gid, so the same payment asked again, at the same time or after a
 * crash, is one payment.  The id is noted in the book before anything is asked for.  See --help. */
#include "pay/arguments.h"
#include "pay/book.h"
#include "pay/report.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PAYLOAD_SIZE = 160,
    BRANCH_COUNT_MAX = 4,
    ANSWER_GRACE_MS = 5000, /* for the decision's way back, and for the end */
    REACH_TIMEOUT_MS =
        2000, /* somebody waits: long enough for a restart, short enough to be told */
    STATUS_TIMEOUT_MS = 5000
};

/* The payloads stand here as long as the branches that borrow them. */
struct basket {
    char order[PAYLOAD_SIZE];
    char account[PAYLOAD_SIZE];
    char points[PAYLOAD_SIZE];
    char coupons[PAYLOAD_SIZE];
    struct tercet_branch branches[BRANCH_COUNT_MAX];
    size_t branch_count;
};

static void add_branch(struct basket *basket, const char *participant, const char *action,
                       const char *payload)
{
    basket->branches[basket->branch_count] = (struct tercet_branch){
        .participant = participant, .action = action, .payload = tercet_bytes_of_text(payload)};
    basket->branch_count++;
}

/* Numbers and checked codes only, so nothing needs escaping.  The order of the branches and each
 * byte are content: the same payment must make the same basket. */
static void fill_basket(struct basket *basket, const struct arguments *arguments)
{
    snprintf(basket->order, PAYLOAD_SIZE,
             "{\"user\": %" PRId64 ", \"order\": %" PRId64 ", \"amount\": %" PRId64 "}",
             arguments->user, arguments->order, arguments->amount_fen);
    snprintf(basket->account, PAYLOAD_SIZE, "{\"user\": %" PRId64 ", \"amount\": %" PRId64 "}",
             arguments->user, arguments->amount_fen);
    snprintf(basket->points, PAYLOAD_SIZE, "{\"user\": %" PRId64 ", \"amount\": %" PRId64 "}",
             arguments->user, arguments->amount_fen);
    add_branch(basket, "order", "pay", basket->order);
    add_branch(basket, "account", "debit", basket->account);
    add_branch(basket, "points", "add", basket->points);
    if (arguments->coupon != NULL) {
        snprintf(basket->coupons, PAYLOAD_SIZE, "{\"user\": %" PRId64 ", \"coupon\": \"%s\"}",
                 arguments->user, arguments->coupon);
        add_branch(basket, "coupons", "use", basket->coupons);
    }
}

static enum tercet_outcome pay(struct tercet_client *client, const struct arguments *arguments,
                               int64_t created_at_unix_ms, struct tercet_result **result_out)
{
    struct basket basket = {.branch_count = 0};

    fill_basket(&basket, arguments);
    const struct tercet_transaction payment = {.size = sizeof payment,
                                               .gid = arguments->gid,
                                               .branches = basket.branches,
                                               .branch_count = basket.branch_count,
                                               .try_timeout_ms = arguments->timeout_ms,
                                               .wait = arguments->wait,
                                               .wait_timeout_ms =
                                                   arguments->timeout_ms + ANSWER_GRACE_MS,
                                               .created_at_unix_ms = created_at_unix_ms};
    return tercet_client_execute(client, &payment, result_out);
}

static enum tercet_outcome ask(struct tercet_client *client, const struct arguments *arguments,
                               struct tercet_result **result_out)
{
    bool now = arguments->wait == TERCET_WAIT_DEFAULT;

    return tercet_client_query(client, arguments->gid, now ? TERCET_WAIT_BEGIN : arguments->wait,
                               now ? STATUS_TIMEOUT_MS : arguments->timeout_ms, result_out);
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    int64_t created_at_unix_ms = 0;
    char sentence[BOOK_SENTENCE_SIZE];
    struct tercet_client *client = NULL;
    struct tercet_result *result = NULL;
    struct tercet_error error = {0};

    arguments_read(&arguments, argc, argv);
    if (!arguments.status_only &&
        !book_note(arguments.book, arguments.payment, &created_at_unix_ms, sentence)) {
        fprintf(stderr, "pay: the book %s cannot be written: %s; nothing was started\n",
                arguments.book, sentence);
        return EXIT_BOOK;
    }
    const struct tercet_client_options options = {.size = sizeof options,
                                                  .target = arguments.coordinator,
                                                  .reach_timeout_ms = REACH_TIMEOUT_MS};
    if (tercet_client_create(&options, &client, &error) != TERCET_OK) {
        fprintf(stderr, "pay: --coordinator %s: %s; nothing was started\n", arguments.coordinator,
                error.text);
        return EXIT_NOT_STARTED;
    }

    enum tercet_outcome outcome = arguments.status_only
                                      ? ask(client, &arguments, &result)
                                      : pay(client, &arguments, created_at_unix_ms, &result);
    int exit_code = report(&arguments, outcome, result);

    tercet_result_destroy(result);
    tercet_client_destroy(client);
    return exit_code;
}
