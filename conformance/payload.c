/* payload.c -- see payload.h. */
#include "payload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/memory.h"

static const char hole[] = "{n}";
enum { HOLE_SIZE = sizeof hole - 1, NUMBER_SIZE = 24 };

static bool begins_with(const char *word, const char *prefix)
{
    return strncmp(word, prefix, strlen(prefix)) == 0;
}

static enum tercet_status take(struct payload *payload_out, const void *data, size_t size,
                               struct tercet_error *error_out)
{
    if (size > TERCET_PAYLOAD_BYTES_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "payload: over %d bytes",
                         (int)TERCET_PAYLOAD_BYTES_MAX);
    }
    *payload_out = (struct payload){.data = xmemdup(data, size), .size = size, .given = true};
    return TERCET_OK;
}

static enum tercet_status take_file(struct payload *payload_out, const char *path,
                                    struct tercet_error *error_out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "payload: %s: %s", path,
                         strerror(errno));
    }
    uint8_t *data = xmalloc(TERCET_PAYLOAD_BYTES_MAX + 1);
    const size_t size = fread(data, 1, TERCET_PAYLOAD_BYTES_MAX + 1, file);
    const enum tercet_status status =
        ferror(file) != 0
            ? error_set(error_out, TERCET_INVALID_ARGUMENT, "payload: %s cannot be read", path)
            : take(payload_out, data, size, error_out);
    free(data);
    (void)fclose(file);
    return status;
}

static enum tercet_status take_hex(struct payload *payload_out, const char *digits,
                                   struct tercet_error *error_out)
{
    const size_t size = strlen(digits) / 2;
    uint8_t *data = xmalloc(size + 1);
    const enum tercet_status status =
        hex_decode(digits, data, size)
            ? take(payload_out, data, size, error_out)
            : error_set(error_out, TERCET_INVALID_ARGUMENT,
                        "payload: hex: wants pairs of hexadecimal digits");
    free(data);
    return status;
}

enum tercet_status payload_read(struct payload *payload_out, const char *word,
                                struct tercet_error *error_out)
{
    if (begins_with(word, "file:")) {
        return take_file(payload_out, word + strlen("file:"), error_out);
    }
    if (begins_with(word, "hex:")) {
        return take_hex(payload_out, word + strlen("hex:"), error_out);
    }
    const char *text = begins_with(word, "text:") ? word + strlen("text:") : word;
    return take(payload_out, text, strlen(text), error_out);
}

void payload_deinit(struct payload *payload)
{
    free(payload->data);
    *payload = (struct payload){.data = NULL};
}

struct tercet_bytes payload_for(const struct payload *payload, uint64_t number, struct arena *arena)
{
    struct buffer filled = {.data = NULL};
    char digits[NUMBER_SIZE];
    const int digit_count = snprintf(digits, sizeof digits, "%" PRIu64, number);
    size_t at = 0;
    while (at < payload->size) {
        if (payload->size - at >= HOLE_SIZE && memcmp(payload->data + at, hole, HOLE_SIZE) == 0) {
            buffer_append(&filled, digits, (size_t)digit_count);
            at += HOLE_SIZE;
        } else {
            buffer_append_u8(&filled, payload->data[at]);
            at++;
        }
    }
    const struct tercet_bytes copy = arena_copy(arena, buffer_bytes(&filled));
    buffer_deinit(&filled);
    return copy;
}
