/* bytes.c -- see bytes.h. */
#include "base/bytes.h"

#include <endian.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory.h"

enum { BUFFER_FIRST_CAPACITY = 256 };

int bytes_compare(struct tercet_bytes a, struct tercet_bytes b)
{
    const size_t common = a.size < b.size ? a.size : b.size;
    const int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0) {
        return order;
    }
    return a.size < b.size ? -1 : a.size > b.size;
}

bool bytes_equal(struct tercet_bytes a, struct tercet_bytes b)
{
    return a.size == b.size && bytes_compare(a, b) == 0;
}

void store_be32(uint8_t *to, uint32_t value)
{
    const uint32_t big = htobe32(value);
    memcpy(to, &big, sizeof big);
}

void store_be64(uint8_t *to, uint64_t value)
{
    const uint64_t big = htobe64(value);
    memcpy(to, &big, sizeof big);
}

uint32_t load_be32(const uint8_t *from)
{
    uint32_t big = 0;
    memcpy(&big, from, sizeof big);
    return be32toh(big);
}

uint64_t load_be64(const uint8_t *from)
{
    uint64_t big = 0;
    memcpy(&big, from, sizeof big);
    return be64toh(big);
}

void hex_encode(const void *data, size_t size, char *text_out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        text_out[2 * i] = digits[bytes[i] >> 4];
        text_out[2 * i + 1] = digits[bytes[i] & 15U];
    }
    text_out[2 * size] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(const char *text, void *data_out, size_t size)
{
    if (strlen(text) != 2 * size) {
        return false;
    }
    for (size_t i = 0; i < 2 * size; i++) {
        if (hex_digit(text[i]) < 0) {
            return false;
        }
    }
    uint8_t *bytes = data_out;
    for (size_t i = 0; i < size; i++) {
        bytes[i] =
            (uint8_t)((unsigned)hex_digit(text[2 * i]) << 4 | (unsigned)hex_digit(text[2 * i + 1]));
    }
    return true;
}

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->data);
    buffer_init(buffer);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t size)
{
    tercet_assert(size <= SIZE_MAX / 4 && buffer->size <= SIZE_MAX / 4);
    const size_t wanted = buffer->size + size;
    if (wanted > buffer->capacity) {
        size_t capacity = buffer->capacity == 0 ? BUFFER_FIRST_CAPACITY : 2 * buffer->capacity;
        capacity = capacity < wanted ? wanted : capacity;
        buffer->data = xrealloc(buffer->data, capacity);
        buffer->capacity = capacity;
    }
    uint8_t *at = buffer->data + buffer->size;
    buffer->size = wanted;
    return at;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size > 0) {
        memcpy(buffer_extend(buffer, size), data, size);
    }
}

void buffer_append_u8(struct buffer *buffer, uint8_t value)
{
    *buffer_extend(buffer, 1) = value;
}

void buffer_append_be32(struct buffer *buffer, uint32_t value)
{
    store_be32(buffer_extend(buffer, 4), value);
}

void buffer_append_be64(struct buffer *buffer, uint64_t value)
{
    store_be64(buffer_extend(buffer, 8), value);
}

struct tercet_bytes buffer_bytes(const struct buffer *buffer)
{
    return tercet_bytes_of(buffer->data == NULL ? (const void *)"" : buffer->data, buffer->size);
}
