/* call.h -- one phase of one branch, with its payload read and its statements bound.
 *
 * A payload is a flat JSON object such as {"user": 7, "amount": 2500}.  A service tells which fields
 * it wants; a payload that lacks one, has another or holds a wrong type never reaches its functions:
 * the try is refused with BAD_PAYLOAD and a sentence.
 *
 * Statements name what they need: ":user" is the payload's field user, ":gid" the transaction.  The
 * same parameters therefore mean the same in every statement. */
#ifndef SAMPLES_PAYMENT_COMMON_CALL_H
#define SAMPLES_PAYMENT_COMMON_CALL_H

#include "common/books.h"

enum payload_type {
    PAYLOAD_NUMBER, /* a whole number from 1 to 10^12: ids and amounts in fen */
    PAYLOAD_CODE    /* 1 to 32 of A-Z a-z 0-9 _ - */
};

struct payload_field {
    const char *name;
    enum payload_type type;
};

/* The SDK's request and what its payload says.  Valid until the function returns. */
struct call {
    struct tercet_request *request;
    json_t *values; /* the payload's fields, and gid */
    const struct books *books;
    void *connection;
    char error[BOOKS_ERROR_SIZE]; /* of the statement that failed; empty: none has */
};

typedef enum tercet_verdict (*call_fn)(struct call *call);

/* An action's functions and the fields of its payload. */
struct call_table {
    const struct payload_field *fields;
    size_t field_count;
    call_fn on_try;
    call_fn on_confirm;
    call_fn on_cancel;
};

/* Which table serves on which books: the context of an action. */
struct call_context {
    const struct call_table *table;
    const struct books *books;
};

/* The handler for all three phases; the action's context is a struct call_context. */
enum tercet_verdict call_handle(struct tercet_request *request);

/* The payload's field `name`, a number or a code. */
int64_t call_number(const struct call *call, const char *name);
const char *call_code(const struct call *call, const char *name);

/* From now on ":name" in a statement is `number`. */
void call_set(struct call *call, const char *name, int64_t number);

/* Carries out a statement that changes rows.  Returns how many, or -1 when it failed. */
int call_change(struct call *call, const char *sql);

/* Carries out a query.  Returns 1 and its first row, 0 when there is none, -1 when it failed. */
int call_select(struct call *call, const char *sql, struct books_row *row_out);

/* A statement failed, or changed no row where try had made sure that there is one. */
enum tercet_verdict call_failed(struct call *call);

#endif
