/* error.c -- see error.h. */
#include "base/error.h"

#include <stdio.h>

#undef error_set /* the analyzer's, see error.h */

size_t text_cut(const char *text, size_t size, size_t limit)
{
    if (size <= limit) {
        return size;
    }
    size_t end = limit;
    while (end > 0 && ((unsigned char)text[end] & 0xc0U) == 0x80U) { /* inside a character */
        end--;
    }
    return end;
}

/* Are these `size` bytes, which begin with a character's first byte, all of that character? */
static bool is_whole(const char *text, size_t size)
{
    const unsigned char first = (unsigned char)text[0];
    const size_t wanted = first < 0xe0U ? 2 : first < 0xf0U ? 3 : 4;
    return size >= wanted;
}

void text_format_list(char *text_out, size_t size, const char *format, va_list arguments)
{
    const int wanted = vsnprintf(text_out, size, format, arguments);
    if (wanted >= 0 && (size_t)wanted >= size) {
        /* vsnprintf has cut anywhere; a character's first byte tells where it began. */
        size_t end = size - 1;
        size_t first = end;
        while (first > 0 && ((unsigned char)text_out[first - 1] & 0xc0U) == 0x80U) {
            first--;
        }
        if (first > 0 && ((unsigned char)text_out[first - 1] & 0x80U) != 0) {
            end = is_whole(text_out + first - 1, end - first + 1) ? end : first - 1;
        }
        text_out[end] = '\0';
    }
}

void text_format(char *text_out, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_format_list(text_out, size, format, arguments);
    va_end(arguments);
}

void text_copy(char *text_out, size_t size, const char *text)
{
    const size_t bytes = strlen(text) + 1;
    if (bytes <= size) {
        memcpy(text_out, text, bytes);
    } else {
        text_format(text_out, size, "%s", text);
    }
}

enum tercet_status error_set(struct tercet_error *error, enum tercet_status status,
                             const char *format, ...)
{
    if (error == NULL) {
        return status;
    }
    char text[2 * sizeof error->text];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    const size_t size = text_cut(text, strlen(text), sizeof error->text - 1);
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)text[i];
        error->text[i] = c < 0x20 || c == 0x7f ? ' ' : text[i];
    }
    error->text[size] = '\0';
    error->status = status;
    return status;
}
