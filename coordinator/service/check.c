/* check.c -- see check.h. */
#include "service/check.h"

#include <inttypes.h>

#include "engine/directory.h"

static const char malformed[] = "TERCET_MALFORMED";

bool check_range(struct refusal *refusal, const char *field, int64_t value, int64_t min,
                 int64_t max)
{
    if (value < min || value > max) {
        return refusal_set_limit(refusal, field, value, value < min ? min : max, "");
    }
    return true;
}

bool check_bytes(struct refusal *refusal, const char *field, size_t value, size_t min, size_t max)
{
    if (value == 0 && min > 0) {
        refusal_set(refusal, TERCET_INVALID_ARGUMENT, "TERCET_REQUIRED", field, "%s is required",
                    field);
        refusal->limit = (int64_t)min;
        return false;
    }
    if (value < min || value > max) {
        return refusal_set_limit(refusal, field, (int64_t)value, (int64_t)(value < min ? min : max),
                                 " bytes");
    }
    return true;
}

/* The first byte outside low..high, or -1. */
static int first_outside(const char *text, unsigned char low, unsigned char high)
{
    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char c = (unsigned char)*at;
        if (c < low || c > high) {
            return c;
        }
    }
    return -1;
}

static bool refuse_byte(struct refusal *refusal, const char *field, int byte, const char *allowed)
{
    refusal_set(refusal, TERCET_INVALID_ARGUMENT, malformed, field,
                "%s holds the byte 0x%02x; only %s may be in it", field, (unsigned)byte, allowed);
    refusal->value = byte;
    return false;
}

bool check_gid(struct refusal *refusal, const char *field, const char *gid)
{
    if (!check_bytes(refusal, field, strlen(gid), 1, TERCET_GID_BYTES_MAX)) {
        return false;
    }
    const int byte = first_outside(gid, 0x21, 0x7e);
    return byte < 0 || refuse_byte(refusal, field, byte, "0x21 to 0x7e");
}

bool check_name(struct refusal *refusal, const char *field, const char *name)
{
    const size_t size = strlen(name);
    if (!check_bytes(refusal, field, size, 1, TERCET_NAME_BYTES_MAX)) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!directory_is_name(name + i, 1)) {
            return refuse_byte(refusal, field, (unsigned char)name[i], "A-Z a-z 0-9 _ . -");
        }
    }
    return true;
}

bool check_code(struct refusal *refusal, const char *field, const char *code)
{
    if (!check_bytes(refusal, field, strlen(code), 0, TERCET_REASON_CODE_BYTES_MAX)) {
        return false;
    }
    for (const char *at = code; *at != '\0'; at++) {
        const bool fits = (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_';
        if (!fits) {
            return refuse_byte(refusal, field, (unsigned char)*at, "A-Z 0-9 _");
        }
    }
    return true;
}

bool check_printable(struct refusal *refusal, const char *field, const char *text, size_t bytes_max)
{
    if (!check_bytes(refusal, field, strlen(text), 0, bytes_max)) {
        return false;
    }
    const int byte = first_outside(text, 0x20, 0x7e);
    return byte < 0 || refuse_byte(refusal, field, byte, "0x20 to 0x7e");
}

/* How many bytes follow `first`, and the smallest code point that needs so many; -1: none begins
 * like this. */
static int continuation_count(unsigned char first, uint32_t *least_out)
{
    if (first < 0x80) {
        *least_out = 0;
        return 0;
    }
    if (first >= 0xc2 && first < 0xe0) {
        *least_out = 0x80;
        return 1;
    }
    if (first >= 0xe0 && first < 0xf0) {
        *least_out = 0x800;
        return 2;
    }
    if (first >= 0xf0 && first < 0xf5) {
        *least_out = 0x10000;
        return 3;
    }
    return -1;
}

bool check_utf8(struct refusal *refusal, const char *field, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        const unsigned char *begin = at;
        uint32_t least = 0;
        const int count = continuation_count(*at, &least);
        uint32_t point = count <= 0 ? *at : *at & (0x3fU >> (unsigned)count);
        bool fits = count >= 0;
        at++;
        for (int i = 0; fits && i < count; i++, at++) {
            fits = (*at & 0xc0U) == 0x80U; /* also ends at the NUL */
            point = (point << 6U) | (*at & 0x3fU);
        }
        fits = fits && point >= least && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        if (!fits) {
            return refuse_byte(refusal, field, *begin, "UTF-8");
        }
    }
    return true;
}
