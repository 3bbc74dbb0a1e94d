/* coupons.c -- the coupon service: a coupon that is used once, by its owner.
 *
 *     FREE ── try ──► LOCKED ── confirm ──► USED
 *      ▲                 │
 *      └──── cancel ─────┘
 *
 * A locked coupon knows the payment that holds it; only that one can use it or set it free. */
#include "common/service.h"

#include "coupons_sql.h"

#include <string.h>

static const char lock_sql[] = "UPDATE coupon SET state = 'LOCKED', payment = :gid"
                               " WHERE code = :coupon AND owner = :user AND state = 'FREE'";
static const char use_sql[] = "UPDATE coupon SET state = 'USED'"
                              " WHERE code = :coupon AND state = 'LOCKED' AND payment = :gid";
static const char release_sql[] = "UPDATE coupon SET state = 'FREE', payment = NULL"
                                  " WHERE code = :coupon AND state = 'LOCKED' AND payment = :gid";
static const char look_sql[] = "SELECT owner, state FROM coupon WHERE code = :coupon";

/* Why lock_sql changed nothing. */
static enum tercet_verdict refuse(struct call *call)
{
    const char *coupon = call_code(call, "coupon");
    struct books_row row;
    int found = call_select(call, look_sql, &row);

    if (found < 0) {
        return call_failed(call);
    }
    if (found == 0) {
        return tercet_answer_refused(call->request, "COUPON_UNKNOWN", "there is no coupon %s",
                                     coupon);
    }
    if (books_number(&row, 0) != call_number(call, "user")) {
        return tercet_answer_refused(call->request, "COUPON_NOT_YOURS",
                                     "coupon %s belongs to another user", coupon);
    }
    if (strcmp(row.text[1], "USED") == 0) {
        return tercet_answer_refused(call->request, "COUPON_USED", "coupon %s is used already",
                                     coupon);
    }
    return tercet_answer_refused(call->request, "COUPON_LOCKED",
                                 "coupon %s is locked by another payment", coupon);
}

static enum tercet_verdict lock(struct call *call)
{
    int changed = call_change(call, lock_sql);

    if (changed == 0) {
        return refuse(call);
    }
    return changed == 1 ? TERCET_VERDICT_DONE : call_failed(call);
}

static enum tercet_verdict use(struct call *call)
{
    return call_change(call, use_sql) == 1 ? TERCET_VERDICT_DONE : call_failed(call);
}

static enum tercet_verdict release(struct call *call)
{
    return call_change(call, release_sql) == 1 ? TERCET_VERDICT_DONE : call_failed(call);
}

int main(int argc, char **argv)
{
    static const struct payload_field fields[] = {{"user", PAYLOAD_NUMBER},
                                                  {"coupon", PAYLOAD_CODE}};
    static const struct service service = {
        .name = "coupons",
        .listen = "127.0.0.1:7104",
        .about = "The coupon service: FREE, LOCKED, USED.",
        .schema_sql = coupons_schema_sql,
        .seed_sql = coupons_seed_sql,
        .action = "use",
        .table = {fields, sizeof fields / sizeof fields[0], lock, use, release}};

    return service_main(&service, argc, argv);
}
