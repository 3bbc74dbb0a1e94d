/* order.c -- the order service: an order that is paid once.
 *
 *     WAITING ── try ──► PAYING ── confirm ──► PAID
 *        ▲                  │
 *        └──── cancel ──────┘
 *
 * Each arrow is an UPDATE that names the state it starts from and, after try, the payment that holds
 * the order.  Two payments that race on one order therefore cannot both win: the second one's try
 * changes no row and is refused. */
#include "common/service.h"
#include "order_sql.h"

#include <inttypes.h>
#include <string.h>

static const char start_sql[] = "UPDATE orders SET state = 'PAYING', payment = :gid"
                                " WHERE id = :order AND owner = :user AND amount = :amount"
                                " AND state = 'WAITING'";
static const char finish_sql[] = "UPDATE orders SET state = 'PAID'"
                                 " WHERE id = :order AND state = 'PAYING' AND payment = :gid";
static const char release_sql[] = "UPDATE orders SET state = 'WAITING', payment = NULL"
                                  " WHERE id = :order AND state = 'PAYING' AND payment = :gid";
static const char look_sql[] = "SELECT owner, amount, state FROM orders WHERE id = :order";

/* Why start_sql changed nothing. */
static enum tercet_verdict refuse(struct call *call)
{
    int64_t order = call_number(call, "order");
    struct books_row row;
    int found = call_select(call, look_sql, &row);

    if (found < 0) {
        return call_failed(call);
    }
    if (found == 0) {
        return tercet_answer_refused(call->request, "ORDER_UNKNOWN", "there is no order %" PRId64,
                                     order);
    }
    if (books_number(&row, 0) != call_number(call, "user")) {
        return tercet_answer_refused(call->request, "ORDER_NOT_YOURS",
                                     "order %" PRId64 " belongs to another user", order);
    }
    if (books_number(&row, 1) != call_number(call, "amount")) {
        return tercet_answer_refused(call->request, "AMOUNT_DIFFERS",
                                     "order %" PRId64 " costs %" PRId64
                                     " fen, not what was offered",
                                     order, books_number(&row, 1));
    }
    if (strcmp(row.text[2], "PAID") == 0) {
        return tercet_answer_refused(call->request, "ORDER_PAID",
                                     "order %" PRId64 " is paid already", order);
    }
    return tercet_answer_refused(call->request, "ORDER_PAYING",
                                 "another payment of order %" PRId64 " is under way", order);
}

static enum tercet_verdict start(struct call *call)
{
    int changed = call_change(call, start_sql);

    if (changed == 0) {
        return refuse(call);
    }
    return changed == 1 ? TERCET_VERDICT_DONE : call_failed(call);
}

static enum tercet_verdict finish(struct call *call)
{
    return call_change(call, finish_sql) == 1 ? TERCET_VERDICT_DONE : call_failed(call);
}

static enum tercet_verdict release(struct call *call)
{
    return call_change(call, release_sql) == 1 ? TERCET_VERDICT_DONE : call_failed(call);
}

int main(int argc, char **argv)
{
    static const struct payload_field fields[] = {
        {"user", PAYLOAD_NUMBER}, {"order", PAYLOAD_NUMBER}, {"amount", PAYLOAD_NUMBER}};
    static const struct service service = {
        .name = "order",
        .listen = "127.0.0.1:7101",
        .about = "The order service: WAITING, PAYING, PAID.",
        .schema_sql = order_schema_sql,
        .seed_sql = order_seed_sql,
        .action = "pay",
        .table = {fields, sizeof fields / sizeof fields[0], start, finish, release}};

    return service_main(&service, argc, argv);
}
