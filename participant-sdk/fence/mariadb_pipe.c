/* mariadb_pipe.c -- statements that travel together: the queue of mariadb_connection.h. */
#include <errmsg.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/error.h"
#include "fence/mariadb_connection.h"

/* ---- Errors ----------------------------------------------------------------------------------- */

struct meaning {
    unsigned code;
    enum tercet_status status;
};

static const struct meaning meanings[] = {
    {1213, TERCET_ABORTED}, /* deadlock */
    {1205, TERCET_ABORTED}, /* lock wait timeout */
    {1020, TERCET_ABORTED}, /* changed since the snapshot */
    {1317, TERCET_RESOURCE_EXHAUSTED},
    {1969, TERCET_RESOURCE_EXHAUSTED}, /* statement timeout */
    {1021, TERCET_RESOURCE_EXHAUSTED}, /* disk full */
    {1114, TERCET_RESOURCE_EXHAUSTED}, /* table full */
    {1037, TERCET_RESOURCE_EXHAUSTED}, /* out of memory */
    {1041, TERCET_RESOURCE_EXHAUSTED},
    {1206, TERCET_RESOURCE_EXHAUSTED}, /* too many locks */
    {1040, TERCET_UNAVAILABLE},        /* too many connections */
    {1053, TERCET_UNAVAILABLE},        /* shutdown */
    {1290, TERCET_UNAVAILABLE},        /* read only */
    {1792, TERCET_UNAVAILABLE},
    {1836, TERCET_UNAVAILABLE},
    {1927, TERCET_UNAVAILABLE}, /* killed */
    {1034, TERCET_DATA_LOSS},
    {1712, TERCET_DATA_LOSS},
};

enum tercet_status mariadb_status_of(unsigned code)
{
    if (code >= CR_MIN_ERROR && code <= CR_MAX_ERROR) {
        return TERCET_UNAVAILABLE; /* the library's own: the connection is not to be used again */
    }
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].code == code) {
            return meanings[i].status;
        }
    }
    return TERCET_INTERNAL;
}

enum tercet_status mariadb_explain(struct mariadb_connection *connection, const char *what,
                                   struct tercet_error *error_out)
{
    const unsigned code = mysql_errno(&connection->link);
    const enum tercet_status status = mariadb_status_of(code);

    connection->suspect = connection->suspect || status == TERCET_UNAVAILABLE;
    return error_set(error_out, status, "MariaDB: %s: %s (%u)", what,
                     mysql_error(&connection->link), code);
}

/* ---- The queue -------------------------------------------------------------------------------- */

static void forget_answers(struct mariadb_connection *connection)
{
    for (unsigned i = 0; i < connection->queued; i++) {
        mysql_free_result(connection->answers[i].rows);
    }
    connection->queued = 0;
    connection->flushed = false;
    buffer_clear(&connection->text);
}

void mariadb_add(struct mariadb_connection *connection, const char *words)
{
    buffer_append(&connection->text, words, strlen(words));
}

void mariadb_queue(struct mariadb_connection *connection, enum mariadb_query query,
                   const char *words)
{
    if (connection->flushed || connection->queued == 0) {
        forget_answers(connection);
    } else {
        mariadb_add(connection, ";");
    }
    tercet_assert(connection->queued < MARIADB_QUEUE_MAX);
    connection->answers[connection->queued++] = (struct mariadb_answer){.query = query};
    mariadb_add(connection, words);
}

void mariadb_add_number(struct mariadb_connection *connection, int64_t number)
{
    char digits[24];
    (void)snprintf(digits, sizeof digits, "%" PRId64, number);
    mariadb_add(connection, digits);
}

void mariadb_add_bytes(struct mariadb_connection *connection, const void *data, size_t size)
{
    mariadb_add(connection, "x'");
    /* One byte more, for the NUL, which the quote takes the place of. */
    char *digits = (char *)buffer_extend(&connection->text, 2 * size + 1);
    hex_encode(data, size, digits);
    digits[2 * size] = '\'';
}

void mariadb_add_name(struct mariadb_connection *connection, const char *name)
{
    mariadb_add_bytes(connection, name, strlen(name));
}

/* Takes one statement's answer.  False: it has failed. */
static bool take_answer(struct mariadb_connection *connection, struct mariadb_answer *answer)
{
    answer->rows = mysql_store_result(&connection->link);
    if (answer->rows == NULL && mysql_errno(&connection->link) != 0) {
        return false;
    }
    answer->affected = mysql_affected_rows(&connection->link);
    return true;
}

enum tercet_status mariadb_flush(struct mariadb_connection *connection,
                                 struct tercet_error *error_out)
{
    unsigned at = 0;

    tercet_assert(connection->queued > 0 && !connection->flushed);
    connection->flushed = true;
    if (connection->suspect) {
        return error_set(error_out, TERCET_UNAVAILABLE, "MariaDB: the connection is lost");
    }
    bool good = mysql_real_query(&connection->link, (const char *)connection->text.data,
                                 connection->text.size) == 0;
    for (; good && at < connection->queued; at++) {
        good = at == 0 || mysql_next_result(&connection->link) == 0;
        good = good && take_answer(connection, &connection->answers[at]);
        if (!good) {
            break;
        }
    }
    if (good) {
        return TERCET_OK;
    }
    connection->failed = connection->answers[at].query;
    return mariadb_explain(connection, "the fence's statement", error_out);
}

const struct mariadb_answer *mariadb_answer_of(const struct mariadb_connection *connection,
                                               enum mariadb_query query)
{
    tercet_assert(connection->flushed);
    for (unsigned i = connection->queued; i > 0; i--) {
        if (connection->answers[i - 1].query == query) {
            return &connection->answers[i - 1];
        }
    }
    return NULL;
}
