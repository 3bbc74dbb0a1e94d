/* journal_head.c -- see journal_head.h. */
#include "journal/journal_head.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/random.h"
#include "journal/record_key.h"
#include "journal/record_message.h"
#include "tercet/v1/record.pb-c.h"

void journal_head_encode(const struct journal_head *head, struct buffer *value_out)
{
    uint8_t digest[16];
    Tercet__V1__Record__Head message;
    tercet__v1__record__head__init(&message);
    message.whole = true;
    message.lsn = head->lsn;
    message.epoch = head->epoch;
    message.origin = record_message_bytes(tercet_bytes_of(head->origin, sizeof head->origin));
    message.incarnation = head->incarnation;
    message.next_number = head->next_number;
    digest128_store(head->live_digest, digest);
    message.live_digest = record_message_bytes(tercet_bytes_of(digest, sizeof digest));
    message.live_count = head->live_count;
    message.horizon_unix_ms = head->horizon_unix_ms;
    message.lost_incarnation = head->lost_incarnation;
    message.lost_number = head->lost_number;
    message.greatest_ended_gid = (char *)(uintptr_t)head->greatest_ended_gid;
    record_message_pack(&message.base, value_out);
}

/* Counts from 1 that never come near their end: what is one more is one more. */
static bool is_count(int64_t value)
{
    return value >= 1 && value <= INT64_MAX / 2;
}

static bool fill(const Tercet__V1__Record__Head *message, struct journal_head *head_out)
{
    uint8_t digest[16];
    if (message->origin.len != sizeof head_out->origin ||
        !record_message_take16(message->live_digest, digest) || !is_count(message->lsn) ||
        !is_count(message->incarnation) || !is_count(message->next_number) ||
        message->live_count < 0 || message->live_count > INT64_MAX / 2 || message->epoch < 0 ||
        message->epoch > INT64_MAX / 2 || message->lost_incarnation < 0 ||
        message->lost_incarnation >= message->incarnation ||
        strlen(message->greatest_ended_gid) > TERCET_GID_BYTES_MAX ||
        (message->lost_incarnation == 0) != (message->lost_number <= 0)) {
        return false;
    }
    memcpy(head_out->origin, message->origin.data, sizeof head_out->origin);
    head_out->lsn = message->lsn;
    head_out->epoch = message->epoch;
    head_out->incarnation = message->incarnation;
    head_out->next_number = message->next_number;
    head_out->live_digest = digest128_load(digest);
    head_out->live_count = message->live_count;
    head_out->horizon_unix_ms = message->horizon_unix_ms;
    head_out->lost_incarnation = message->lost_incarnation;
    head_out->lost_number = message->lost_number;
    snprintf(head_out->greatest_ended_gid, sizeof head_out->greatest_ended_gid, "%s",
             message->greatest_ended_gid);
    return true;
}

enum tercet_status journal_head_decode(struct tercet_bytes value, struct journal_head *head_out,
                                       struct tercet_error *error_out)
{
    ProtobufCMessage *message =
        record_message_unpack(&tercet__v1__record__head__descriptor, value, "its head", error_out);
    if (message == NULL) {
        return TERCET_DATA_LOSS;
    }
    enum tercet_status status = TERCET_OK;
    if (!fill((const Tercet__V1__Record__Head *)(const void *)message, head_out)) {
        status = error_set(error_out, TERCET_DATA_LOSS, "its head makes no sense");
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

void journal_head_begin_life(struct journal_head *head, int64_t now_unix_ms)
{
    /* A life that was given up before it had asked everybody has given no number out: what was lost
     * began where it began for that one. */
    const bool asked_nobody = head->lost_number != 0 && head->next_number == head->lost_number;
    if (!asked_nobody) {
        head->lost_incarnation = head->incarnation;
        head->lost_number = head->next_number;
    }
    head->incarnation = head->incarnation >= now_unix_ms ? head->incarnation + 1 : now_unix_ms;
    /* The lost life may have been asked in this very millisecond, too. */
    if (now_unix_ms >= head->horizon_unix_ms) {
        head->horizon_unix_ms = now_unix_ms + 1;
    }
}

void journal_head_make(int64_t now_unix_ms, struct journal_head *head_out)
{
    *head_out = (struct journal_head){
        .incarnation = now_unix_ms < 1 ? 1 : now_unix_ms,
        .lsn = 1,
        .next_number = 1,
        .horizon_unix_ms = now_unix_ms,
    };
    random_entropy(head_out->origin, 16); /* the partition behind it is 0 */
}

void journal_head_apply(struct journal_head *head, const struct journal_batch *batch)
{
    tercet_assert(batch->lsn == head->lsn + 1);
    tercet_assert(batch->next_number >= head->next_number);
    head->lsn = batch->lsn;
    head->next_number = batch->next_number;
    head->live_digest = digest128_add(head->live_digest, batch->digest_delta);
    head->live_count += batch->live_delta;
    tercet_assert(head->live_count >= 0);
    record_key_raise(head->greatest_ended_gid, batch->greatest_ended_gid);
}

enum tercet_status journal_head_knows(const struct journal_head *head, const char *gid,
                                      struct tercet_error *error_out)
{
    if (strcmp(gid, head->greatest_ended_gid) > 0) {
        return error_set(error_out, TERCET_DATA_LOSS,
                         "it holds the outcome of a gid that its head takes for unused");
    }
    return TERCET_OK;
}
