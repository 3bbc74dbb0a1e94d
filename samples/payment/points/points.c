/* points.c -- the points service: one point for each yuan paid.
 *
 *     try      adds to pending, makes the user's row when it is the first time
 *     confirm  pending -> available
 *     cancel   takes the pending ones away
 *
 * 100 fen are 1 yuan; what is left over brings nothing.  Try never says no to a good payload.  A
 * cancelled first payment leaves a row with zero points, which is what a user without points has.  When
 * two first payments of a user meet, the second one's INSERT may fail; then its try is asked for again. */
#include "common/service.h"

#include "points_sql.h"

#include <inttypes.h>
#include <stdio.h>

enum { RESULT_SIZE = 64, FEN_PER_POINT = 100 };

static const char add_sql[] = "UPDATE points SET pending = pending + :points WHERE owner = :user";
static const char first_sql[] =
    "INSERT INTO points (owner, available, pending) VALUES (:user, 0, :points)";
static const char confirm_sql[] = "UPDATE points SET available = available + :points,"
                                  " pending = pending - :points WHERE owner = :user";
static const char cancel_sql[] =
    "UPDATE points SET pending = pending - :points WHERE owner = :user";

#define ENTRY_SQL(kind)                                                                            \
    "INSERT INTO entry (gid, owner, kind, points) VALUES (:gid, :user, '" kind "', :points)"

/* From now on ":points" is what the payment brings. */
static int64_t set_points(struct call *call)
{
    int64_t points = call_number(call, "amount") / FEN_PER_POINT;

    call_set(call, "points", points);
    return points;
}

static enum tercet_verdict add(struct call *call)
{
    int64_t points = set_points(call);
    char result[RESULT_SIZE];
    int changed = call_change(call, add_sql);

    if (changed == 0) {
        changed = call_change(call, first_sql);
    }
    if (changed != 1 || call_change(call, ENTRY_SQL("ADD")) != 1) {
        return call_failed(call);
    }
    snprintf(result, sizeof result, "{\"points\": %" PRId64 "}", points);
    return tercet_answer_done(call->request, tercet_bytes_of_text(result));
}

static enum tercet_verdict confirm(struct call *call)
{
    set_points(call);
    bool done = call_change(call, confirm_sql) == 1 && call_change(call, ENTRY_SQL("CONFIRM")) == 1;

    return done ? TERCET_VERDICT_DONE : call_failed(call);
}

static enum tercet_verdict cancel(struct call *call)
{
    set_points(call);
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
