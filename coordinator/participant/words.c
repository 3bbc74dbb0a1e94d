/* words.c -- see words.h. */
#include "participant/words.h"

#include <string.h>

#include "base/utf8.h"

void words_copy_code(char code_out[TERCET_REASON_CODE_BYTES_MAX + 1], const char *text)
{
    size_t size = 0;
    while (text != NULL && size < TERCET_REASON_CODE_BYTES_MAX && text[size] != '\0') {
        char c = text[size];
        if (c >= 'a' && c <= 'z') {
            c = (char)(c - 'a' + 'A');
        }
        const bool fits = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        code_out[size] = fits ? c : '_';
        size++;
    }
    code_out[size] = '\0';
}

/* Appends what fits of `text`; the new size. */
static size_t append(char *text_out, size_t size, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    while (*at != '\0') {
        const size_t count = utf8_size((const char *)at);
        if (size + (count == 0 ? 1 : count) > TERCET_REASON_TEXT_BYTES_MAX) {
            break;
        }
        if (count == 0) {
            text_out[size] = '?';
            size++;
            at++;
        } else if (*at < 0x20 || *at == 0x7f) {
            text_out[size] = ' ';
            size++;
            at++;
        } else {
            memcpy(text_out + size, at, count);
            size += count;
            at += count;
        }
    }
    return size;
}

void words_copy_text(char text_out[TERCET_REASON_TEXT_BYTES_MAX + 1], const char *prefix,
                     const char *text)
{
    size_t size = 0;
    if (prefix != NULL) {
        size = append(text_out, size, prefix);
    }
    if (size > 0 && text != NULL && text[0] != '\0') {
        size = append(text_out, size, ": ");
    }
    if (text != NULL) {
        size = append(text_out, size, text);
    }
    text_out[size] = '\0';
}
