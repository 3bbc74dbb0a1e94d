/* bytes.h -- runs of bytes: comparing, big-endian numbers, hexadecimal, a buffer that grows. */
#ifndef COMMON_BASE_BYTES_H
#define COMMON_BASE_BYTES_H

#include "tercet/tercet.h"

#ifdef __cplusplus
extern "C" {
#endif

bool bytes_equal(struct tercet_bytes a, struct tercet_bytes b);
int bytes_compare(struct tercet_bytes a, struct tercet_bytes b); /* as memcmp, then the shorter */

void store_be32(uint8_t *to, uint32_t value);
void store_be64(uint8_t *to, uint64_t value);
uint32_t load_be32(const uint8_t *from);
uint64_t load_be64(const uint8_t *from);

/* Writes 2 * size digits (0-9 a-f) and a NUL. */
void hex_encode(const void *data, size_t size, char *text_out);

/* Reads exactly 2 * size digits; false, and nothing is written, when `text` is anything else. */
bool hex_decode(const char *text, void *data_out, size_t size);

/* Bytes that grow.  All zero is an empty one. */
struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

void buffer_init(struct buffer *buffer);
void buffer_deinit(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps its memory */
void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_append_u8(struct buffer *buffer, uint8_t value);
void buffer_append_be32(struct buffer *buffer, uint32_t value);
void buffer_append_be64(struct buffer *buffer, uint64_t value);
/* Room for `size` more bytes, which the caller fills and which count as appended. */
uint8_t *buffer_extend(struct buffer *buffer, size_t size);
struct tercet_bytes buffer_bytes(const struct buffer *buffer); /* valid until the next change */

#ifdef __cplusplus
}
#endif

#endif
