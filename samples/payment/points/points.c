/* points.c -- the points service: one point for each yuan paid.
 *
 *     try      adds to pending, makes the user's row when it is the first time
 *     confirm  pending -> available
 *     cancel   takes the pending ones away
 *
 * 100 fen are 1 yuan; what is left over brings nothing.  Try never says no to a good payload.  A
 * cancelled first payment leaves a row with zero points, which is what a user without points has. */
#include "common/service.h"

#include "points_sql.h"

#include <inttypes.h>
#include <stdio.h>

enum { RESULT_SIZE = 64, FEN_PER_POINT = 100 };

static const char add_sql[] =
    "INSERT INTO points (user, available, pending) VALUES (:user, 0, :amount / 100)"
    " ON CONFLICT (user) DO UPDATE SET pending = pending + excluded.pending";
static const char confirm_sql[] = "UPDATE points SET available = available + :amount / 100,"
                                  " pending = pending - :amount / 100 WHERE user = :user";
static const char cancel_sql[] =
    "UPDATE points SET pending = pending - :amount / 100 WHERE user = :user";

#define ENTRY_SQL(kind)                                                                            \
    "INSERT INTO entry (gid, user, kind, points) VALUES (:gid, :user, '" kind "', :amount / 100)"

static enum tercet_verdict add(const struct call *call)
{
    int64_t amount = json_integer_value(json_object_get(call->payload, "amount"));
    char result[RESULT_SIZE];

    if (call_change(call, add_sql) != 1 || call_change(call, ENTRY_SQL("ADD")) != 1) {
        return call_failed(call);
    }
    snprintf(result, sizeof result, "{\"points\": %" PRId64 "}", amount / FEN_PER_POINT);
    return tercet_answer_done(call->request, tercet_bytes_of_text(result));
}

static enum tercet_verdict confirm(const struct call *call)
{
    bool done = call_change(call, confirm_sql) == 1 && call_change(call, ENTRY_SQL("CONFIRM")) == 1;

    return done ? TERCET_VERDICT_DONE : call_failed(call);
}

static enum tercet_verdict cancel(const struct call *call)
{
    bool done = call_change(call, cancel_sql) == 1 && call_change(call, ENTRY_SQL("CANCEL")) == 1;

    return done ? TERCET_VERDICT_DONE : call_failed(call);
}

int main(int argc, char **argv)
{
    static const struct payload_field fields[] = {{"user", PAYLOAD_NUMBER},
                                                  {"amount", PAYLOAD_NUMBER}};
    static const struct service service = {
        .name = "points",
        .listen = "127.0.0.1:7103",
        .about = "The points service: available and pending points, one for each yuan.",
        .schema_sql = points_schema_sql,
        .seed_sql = points_seed_sql,
        .action = "add",
        .table = {fields, sizeof fields / sizeof fields[0], add, confirm, cancel}};

    return service_main(&service, argc, argv);
}
