/* text_check.c -- see text_check.h. */
#include "src/text_check.h"

#include "base/error.h"

enum tercet_status text_check_length(const char *field, size_t value, size_t min, size_t max,
                                     struct tercet_error *error_out)
{
    if (value < min || value > max) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: %zu bytes, must be %zu to %zu",
                         field, value, min, max);
    }
    return TERCET_OK;
}

enum tercet_status text_check_characters(const char *field, const char *text, unsigned char low,
                                         unsigned char high, struct tercet_error *error_out)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        const unsigned char byte = (unsigned char)text[i];
        if (byte < low || byte > high) {
            return error_set(error_out, TERCET_INVALID_ARGUMENT,
                             "%s: byte %zu is 0x%02x, must be 0x%02x to 0x%02x", field, i, byte,
                             low, high);
        }
    }
    return TERCET_OK;
}

static bool is_name_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

enum tercet_status text_check_name(const char *field, const char *name,
                                   struct tercet_error *error_out)
{
    if (name == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: required", field);
    }
    const size_t size = strlen(name);
    const enum tercet_status status =
        text_check_length(field, size, 1, TERCET_NAME_BYTES_MAX, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    for (size_t i = 0; i < size; i++) {
        if (!is_name_character(name[i])) {
            return error_set(error_out, TERCET_INVALID_ARGUMENT,
                             "%s: byte %zu is 0x%02x, must be one of A-Z a-z 0-9 _ . -", field, i,
                             (unsigned)(unsigned char)name[i]);
        }
    }
    return TERCET_OK;
}

enum tercet_status text_check_gid(const char *field, const char *gid,
                                  struct tercet_error *error_out)
{
    if (gid == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: required", field);
    }
    const enum tercet_status status =
        text_check_length(field, strlen(gid), 1, TERCET_GID_BYTES_MAX, error_out);
    return status != TERCET_OK ? status : text_check_characters(field, gid, 0x21, 0x7e, error_out);
}

bool text_is_code(const char *code)
{
    const size_t size = strlen(code);
    if (size > TERCET_REASON_CODE_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        const char c = code[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) {
            return false;
        }
    }
    return true;
}
