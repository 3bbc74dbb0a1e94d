/* reason.c -- see reason.h. */
#include "engine/reason.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

static_assert(TERCET_REASON_CODE_BYTES_MAX + 1 <= UINT8_MAX, "text_at");

void reason_set(struct reason *reason, const char *code, const char *text)
{
    text_copy(reason->code, sizeof reason->code, code);
    text_copy(reason->text, sizeof reason->text, text);
}

struct said *said_create(const char *code, const char *text)
{
    struct reason cut;
    if (code[0] == '\0' && text[0] == '\0') {
        return NULL;
    }
    reason_set(&cut, code, text);
    const size_t code_size = strlen(cut.code) + 1;
    const size_t text_size = strlen(cut.text) + 1;
    struct said *said = xcalloc(1, sizeof *said + code_size + text_size);
    said->refs = 1;
    said->text_at = (uint8_t)code_size;
    memcpy(said->code, cut.code, code_size);
    memcpy(said->code + code_size, cut.text, text_size);
    return said;
}

struct said *said_ref(struct said *said)
{
    tercet_assert(said->refs > 0 && said->refs < UINT32_MAX);
    said->refs++;
    return said;
}

void said_unref(struct said *said)
{
    if (said == NULL) {
        return;
    }
    tercet_assert(said->refs > 0);
    said->refs--;
    if (said->refs == 0) {
        free(said);
    }
}

const char *said_code(const struct said *said)
{
    return said == NULL ? "" : said->code;
}

const char *said_text(const struct said *said)
{
    return said == NULL ? "" : said->code + said->text_at;
}

void said_share(struct said **said_io, struct said **newest_io)
{
    struct said *said = *said_io;
    struct said *newest = *newest_io;
    if (said == NULL || said == newest) {
        return;
    }
    if (newest != NULL && strcmp(said_code(said), said_code(newest)) == 0 &&
        strcmp(said_text(said), said_text(newest)) == 0) {
        said_unref(said);
        *said_io = said_ref(newest);
    } else {
        said_unref(newest);
        *newest_io = said_ref(said);
    }
}
