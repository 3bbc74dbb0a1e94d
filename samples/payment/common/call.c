/* call.c -- payloads and statements, see call.h. */
#include "common/call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <tercet/store_sqlite.h>

enum { CODE_BYTES_MAX = 32, SENTENCE_SIZE = 200 };

#define NUMBER_MAX INT64_C(1000000000000)

/* ---- Payload --------------------------------------------------------------------------------- */

static bool code_is_valid(const char *code)
{
    size_t length =
        strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    return length >= 1 && length <= CODE_BYTES_MAX && code[length] == '\0';
}

static bool field_is_valid(const struct payload_field *field, const json_t *value)
{
    switch (field->type) {
    case PAYLOAD_NUMBER:
        return json_is_integer(value) && json_integer_value(value) >= 1 &&
               json_integer_value(value) <= NUMBER_MAX;
    case PAYLOAD_CODE:
        return json_is_string(value) && code_is_valid(json_string_value(value));
    }
    return false;
}

static const char *field_rule(const struct payload_field *field)
{
    switch (field->type) {
    case PAYLOAD_NUMBER:
        return "a whole number from 1 to 10^12";
    case PAYLOAD_CODE:
        return "a string of 1 to 32 letters, digits, _ and -";
    }
    return "";
}

/* True when the payload is an object of exactly the fields in `table`; else says what is wrong. */
static bool payload_is_valid(const struct call_table *table, const json_t *payload,
                             char sentence_out[SENTENCE_SIZE])
{
    if (!json_is_object(payload)) {
        snprintf(sentence_out, SENTENCE_SIZE, "the payload is not a JSON object");
        return false;
    }
    for (size_t i = 0; i < table->field_count; i++) {
        const struct payload_field *field = &table->fields[i];
        if (!field_is_valid(field, json_object_get(payload, field->name))) {
            snprintf(sentence_out, SENTENCE_SIZE, "the payload's field \"%s\" must be %s",
                     field->name, field_rule(field));
            return false;
        }
    }
    if (json_object_size(payload) != table->field_count) {
        snprintf(sentence_out, SENTENCE_SIZE, "the payload has %zu fields, %zu are wanted",
                 json_object_size(payload), table->field_count);
        return false;
    }
    return true;
}

static enum tercet_verdict dispatch(const struct call_table *table, const struct call *call)
{
    switch (call->request->phase) {
    case TERCET_PHASE_TRY:
        return table->on_try(call);
    case TERCET_PHASE_CONFIRM:
        return table->on_confirm(call);
    case TERCET_PHASE_CANCEL:
        return table->on_cancel(call);
    }
    return tercet_answer_failed(call->request, "phase %d is not known", (int)call->request->phase);
}

enum tercet_verdict call_handle(struct tercet_request *request)
{
    const struct call_table *table = request->context;
    char sentence[SENTENCE_SIZE] = "";
    enum tercet_verdict verdict = TERCET_VERDICT_UNSPECIFIED;

    json_t *payload =
        json_loadb(request->payload.data, request->payload.size, JSON_REJECT_DUPLICATES, NULL);
    if (payload_is_valid(table, payload, sentence)) {
        const struct call call = {.request = request, .payload = payload};
        verdict = dispatch(table, &call);
    } else if (request->phase == TERCET_PHASE_TRY) {
        verdict = tercet_answer_refused(request, "BAD_PAYLOAD", "%s", sentence);
    } else {
        /* Its try was accepted with these same bytes, so an operator has to look. */
        verdict = tercet_answer_failed(request, "%s", sentence);
    }
    json_decref(payload);
    return verdict;
}

/* ---- Statements ------------------------------------------------------------------------------ */

/* Binds the statement's parameter `index` by its name.  False when nothing has that name. */
static bool bind_by_name(const struct call *call, sqlite3_stmt *statement, int index)
{
    const char *name = sqlite3_bind_parameter_name(statement, index);
    if (name == NULL) {
        return false;
    }
    if (strcmp(name, ":gid") == 0) {
        return sqlite3_bind_text(statement, index, call->request->gid, -1, SQLITE_TRANSIENT) ==
               SQLITE_OK;
    }
    const json_t *value = json_object_get(call->payload, name + 1);
    if (json_is_integer(value)) {
        return sqlite3_bind_int64(statement, index, json_integer_value(value)) == SQLITE_OK;
    }
    return json_is_string(value) && sqlite3_bind_text(statement, index, json_string_value(value),
                                                      -1, SQLITE_TRANSIENT) == SQLITE_OK;
}

/* The statement with all its parameters bound, or NULL. */
static sqlite3_stmt *prepare(const struct call *call, const char *sql)
{
    sqlite3_stmt *statement = tercet_sqlite_prepare(call->request, sql);
    int count = statement == NULL ? 0 : sqlite3_bind_parameter_count(statement);

    for (int i = 1; i <= count; i++) {
        if (!bind_by_name(call, statement, i)) {
            return NULL;
        }
    }
    return statement;
}

int call_change(const struct call *call, const char *sql)
{
    sqlite3_stmt *statement = prepare(call, sql);

    if (statement == NULL || sqlite3_step(statement) != SQLITE_DONE) {
        return -1;
    }
    return sqlite3_changes(tercet_sqlite_connection(call->request));
}

int call_select(const struct call *call, const char *sql, sqlite3_stmt **row_out)
{
    sqlite3_stmt *statement = prepare(call, sql);
    int code = statement == NULL ? SQLITE_ERROR : sqlite3_step(statement);

    if (code == SQLITE_ROW) {
        *row_out = statement;
        return 1;
    }
    return code == SQLITE_DONE ? 0 : -1;
}

enum tercet_verdict call_failed(const struct call *call)
{
    sqlite3 *database = tercet_sqlite_connection(call->request);
    int code = sqlite3_errcode(database);
    bool sql_failed = code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE;

    return tercet_answer_failed(
        call->request, "%s %s: %s", call->request->action, tercet_phase_name(call->request->phase),
        sql_failed ? sqlite3_errmsg(database) : "the row that try had reserved is not there");
}
