/* account.c -- the account service: money that is frozen, then deducted or given back.
 *
 *     try      balance -> frozen      refused when the balance is too low
 *     confirm  frozen  -> gone        the money leaves the account
 *     cancel   frozen  -> balance
 *
 * The balance is checked in the UPDATE itself, and the schema's CHECKs stand behind it.  Try answers
 * with the balance that is left, which reaches the initiator. */
#include "common/service.h"

#include "account_sql.h"

#include <inttypes.h>
#include <stdio.h>

enum { RESULT_SIZE = 64 };

static const char freeze_sql[] =
    "UPDATE account SET balance = balance - :amount, frozen = frozen + :amount"
    " WHERE owner = :user AND balance >= :amount";
static const char deduct_sql[] = "UPDATE account SET frozen = frozen - :amount WHERE owner = :user";
static const char release_sql[] =
    "UPDATE account SET balance = balance + :amount, frozen = frozen - :amount WHERE owner = :user";
static const char look_sql[] = "SELECT balance FROM account WHERE owner = :user";

#define ENTRY_SQL(kind)                                                                            \
    "INSERT INTO entry (gid, owner, kind, amount) VALUES (:gid, :user, '" kind "', :amount)"

static enum tercet_verdict refuse(struct call *call)
{
    int64_t user = call_number(call, "user");
    struct books_row row;
    int found = call_select(call, look_sql, &row);

    if (found < 0) {
        return call_failed(call);
    }
    if (found == 0) {
        return tercet_answer_refused(call->request, "ACCOUNT_UNKNOWN",
                                     "user %" PRId64 " has no account", user);
    }
    return tercet_answer_refused(call->request, "BALANCE_TOO_LOW",
                                 "user %" PRId64 " has %" PRId64 " fen, %" PRId64 " are needed",
                                 user, books_number(&row, 0), call_number(call, "amount"));
}

static enum tercet_verdict freeze(struct call *call)
{
    struct books_row row;
    char result[RESULT_SIZE];
    int changed = call_change(call, freeze_sql);

    if (changed == 0) {
        return refuse(call);
    }
    if (changed != 1 || call_change(call, ENTRY_SQL("FREEZE")) != 1 ||
        call_select(call, look_sql, &row) != 1) {
        return call_failed(call);
    }
    snprintf(result, sizeof result, "{\"balance\": %" PRId64 "}", books_number(&row, 0));
    return tercet_answer_done(call->request, tercet_bytes_of_text(result));
}

static enum tercet_verdict deduct(struct call *call)
{
    bool done = call_change(call, deduct_sql) == 1 && call_change(call, ENTRY_SQL("DEDUCT")) == 1;

    return done ? TERCET_VERDICT_DONE : call_failed(call);
}

static enum tercet_verdict release(struct call *call)
{
    bool done = call_change(call, release_sql) == 1 && call_change(call, ENTRY_SQL("RELEASE")) == 1;

    return done ? TERCET_VERDICT_DONE : call_failed(call);
}

int main(int argc, char **argv)
{
    static const struct payload_field fields[] = {{"user", PAYLOAD_NUMBER},
                                                  {"amount", PAYLOAD_NUMBER}};
    static const struct service service = {
        .name = "account",
        .listen = "127.0.0.1:7102",
        .about = "The account service: balances in fen, and what of them is frozen.",
        .schema_sql = account_schema_sql,
        .seed_sql = account_seed_sql,
        .action = "debit",
        .table = {fields, sizeof fields / sizeof fields[0], freeze, deduct, release}};

    return service_main(&service, argc, argv);
}
