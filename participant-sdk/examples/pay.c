/* pay.c -- pay an order over four participants: all of them, or none.
 *
 *   pay PAYMENT USER ORDER FEN COUPON        pay 20261120-0042 7 42 2500 C9
 *
 * Run it twice with the same arguments, or again after a crash: the payment's number makes the gid,
 * so the second run joins the first and is told the same outcome.  A payment that was cancelled
 * stays cancelled; paying the order after all takes a new number.
 * Exit code: 0 paid, 1 not paid, 2 not known yet, 64 wrong use. */
#include <stdio.h>
#include <string.h>
#include <tercet/client.h>

enum { TEXT_SIZE = 96 };

/* Says what became of the payment.  Only CONFIRMED is a payment; only CANCELLED and NOT_STARTED are
 * a clear no. */
static int report(enum tercet_outcome outcome, const struct tercet_result *result)
{
    switch (outcome) {
    case TERCET_OUTCOME_CONFIRMED:
        printf("%s: paid, receipt %s\n", result->gid,
               (const char *)tercet_result_branch(result, 1)->result.data);
        return 0;
    case TERCET_OUTCOME_CANCELLED:
        printf("%s: not paid, nothing is kept", result->gid);
        if (result->refused_branch != 0) {
            printf("; %s said no",
                   tercet_result_branch(result, result->refused_branch)->participant);
        }
        printf(": %s\n", result->reason.text);
        if (strcmp(result->reason.code, "BALANCE_TOO_LOW") == 0) {
            puts("Top up your balance and pay again with a new payment number.");
        }
        return 1;
    case TERCET_OUTCOME_NOT_STARTED:
        printf("%s: nothing was started: %s\n", result->gid, result->status_text);
        return 1;
    case TERCET_OUTCOME_UNKNOWN:
        break;
    }
    printf("%s: not known yet, run the same payment again: %s\n", result->gid, result->status_text);
    return 2;
}

int main(int argc, char **argv)
{
    bool fits = argc == 6;
    for (int i = 1; i < argc; i++) {
        fits = fits && strlen(argv[i]) <= 32;
    }
    if (!fits) {
        fputs("usage: pay PAYMENT USER ORDER FEN COUPON, as in: pay 20261120-0042 7 42 2500 C9\n",
              stderr);
        return 64;
    }
    char gid[TEXT_SIZE], order[TEXT_SIZE], debit[TEXT_SIZE], coupon[TEXT_SIZE], points[TEXT_SIZE];
    snprintf(gid, sizeof gid, "pay-%s", argv[1]);
    snprintf(order, sizeof order, "%s %s", argv[3], argv[4]);
    snprintf(debit, sizeof debit, "%s %s", argv[2], argv[4]);
    snprintf(coupon, sizeof coupon, "%s %s", argv[2], argv[5]);
    snprintf(points, sizeof points, "%s %s", argv[2], argv[4]);

    const struct tercet_branch branches[] = {
        {.participant = "order", .action = "pay", .payload = tercet_bytes_of_text(order)},
        {.participant = "account", .action = "debit", .payload = tercet_bytes_of_text(debit)},
        {.participant = "coupons", .action = "use", .payload = tercet_bytes_of_text(coupon)},
        {.participant = "points",
         .action = "add",
         .payload = tercet_bytes_of_text(points),
         .confirm_only = true},
    };
    const struct tercet_transaction payment = {.size = sizeof payment,
                                               .gid = gid,
                                               .branches = branches,
                                               .branch_count = 4,
                                               .try_timeout_ms = 10000};
    const struct tercet_client_options options = {.size = sizeof options,
                                                  .target = "127.0.0.1:7100"};
    struct tercet_client *client = NULL;
    struct tercet_error error = {0};
    if (tercet_client_create(&options, &client, &error) != TERCET_OK) {
        fprintf(stderr, "pay: %s\n", error.text);
        return 64;
    }

    struct tercet_result *result = NULL;
    enum tercet_outcome outcome = tercet_client_execute(client, &payment, &result);
    if (outcome == TERCET_OUTCOME_UNKNOWN) {
        /* The coordinator went away while we waited.  It has not forgotten: ask until it is back.
         */
        tercet_result_destroy(result);
        outcome = tercet_client_query(client, gid, TERCET_WAIT_DECISION, 60000, &result);
    }
    int exit_code = report(outcome, result);

    tercet_result_destroy(result);
    tercet_client_destroy(client);
    return exit_code;
}
