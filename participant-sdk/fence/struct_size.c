/* struct_size.c -- see struct_size.h. */
#include "fence/struct_size.h"

#include "base/error.h"

/* No struct of this library will ever be as large; a size above it is a forgotten initialiser. */
enum { STRUCT_BYTES_MAX = 4096 };

enum tercet_status struct_size_read(const void *given, void *known, size_t known_size,
                                    const char *what, struct tercet_error *error_out)
{
    size_t size = 0;

    if (given == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT, "%s: must not be NULL", what);
    }
    memcpy(&size, given, sizeof size);
    if (size < sizeof size || size > STRUCT_BYTES_MAX) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s.size: %zu is not a size of that struct; set it to its sizeof", what,
                         size);
    }
    const unsigned char *bytes = given;
    for (size_t i = known_size; i < size; i++) {
        if (bytes[i] != 0) {
            return error_set(
                error_out, TERCET_INVALID_ARGUMENT,
                "%s: byte %zu is set, and this library knows only %zu; link a newer one", what, i,
                known_size);
        }
    }
    memset(known, 0, known_size);
    memcpy(known, given, size < known_size ? size : known_size);
    return TERCET_OK;
}
