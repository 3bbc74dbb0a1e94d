/* call.c -- payloads and statements, see call.h. */
#include "common/call.h"

#include <stdio.h>
#include <string.h>

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

static enum tercet_verdict dispatch(const struct call_table *table, struct call *call)
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
    const struct call_context *context = request->context;
    char sentence[SENTENCE_SIZE] = "";
    enum tercet_verdict verdict = TERCET_VERDICT_UNSPECIFIED;

    json_t *payload =
        json_loadb(request->payload.data, request->payload.size, JSON_REJECT_DUPLICATES, NULL);
    if (payload_is_valid(context->table, payload, sentence)) {
        struct call call = {.request = request,
                            .values = payload,
                            .books = context->books,
                            .connection = context->books->of_request(request)};
        json_object_set_new(payload, "gid", json_string(request->gid));
        verdict = dispatch(context->table, &call);
    } else if (request->phase == TERCET_PHASE_TRY) {
        verdict = tercet_answer_refused(request, "BAD_PAYLOAD", "%s", sentence);
    } else {
        /* Its try was accepted with these same bytes, so an operator has to look. */
        verdict = tercet_answer_failed(request, "%s", sentence);
    }
    json_decref(payload);
    return verdict;
}

int64_t call_number(const struct call *call, const char *name)
{
    return json_integer_value(json_object_get(call->values, name));
}

const char *call_code(const struct call *call, const char *name)
{
    return json_string_value(json_object_get(call->values, name));
}

/* ---- Statements ------------------------------------------------------------------------------ */

void call_set(struct call *call, const char *name, int64_t number)
{
    json_object_set_new(call->values, name, json_integer(number));
}

int call_change(struct call *call, const char *sql)
{
    return call->books->run(call->connection, sql, call->values, NULL, call->error);
}

int call_select(struct call *call, const char *sql, struct books_row *row_out)
{
    return call->books->run(call->connection, sql, call->values, row_out, call->error);
}

enum tercet_verdict call_failed(struct call *call)
{
    return tercet_answer_failed(
        call->request, "%s %s: %s", call->request->action, tercet_phase_name(call->request->phase),
        call->error[0] != '\0' ? call->error : "the row that try had reserved is not there");
}
