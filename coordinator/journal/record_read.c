/* record_read.c -- outcomes back to views, and the payload of one branch (record.h). */
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "journal/record.h"
#include "journal/record_fits.h"
#include "journal/record_key.h"
#include "journal/record_message.h"
#include "tercet/v1/record.pb-c.h"

/* Wire format: field 1, eight bytes little-endian. */
enum { TAG_OF_ENDED = 0x09, PEEK_BYTES = 2 + 8 };

bool record_peek_ended(struct tercet_bytes value, int64_t *ended_unix_ms_out)
{
    const uint8_t *data = value.data;
    if (value.size < PEEK_BYTES || data[0] != RECORD_FORMAT_VERSION || data[1] != TAG_OF_ENDED) {
        return false;
    }
    uint64_t ended = 0;
    for (int i = 0; i < 8; i++) {
        ended |= (uint64_t)data[2 + i] << (8 * i);
    }
    *ended_unix_ms_out = (int64_t)ended;
    return *ended_unix_ms_out > 0 && record_moment_fits(*ended_unix_ms_out);
}

static bool read_branch(const Tercet__V1__Record__EndedBranch *ended, struct view_branch *out)
{
    *out = (struct view_branch){
        .index = ended->index,
        .state = (enum branch_state)ended->state,
        .participant = ended->participant,
        .action = ended->action,
        .stage = ended->stage,
        .confirm_only = ended->confirm_only,
        .optional = ended->optional,
        .result = tercet_bytes_of(ended->result.data, ended->result.len),
        .reason_code = ended->reason_code,
        .reason_text = ended->reason_text,
        .attempts = ended->attempts,
        .conflict = ended->conflict,
        .resolved = ended->resolved,
    };
    return ended->index >= 1 && ended->index <= TERCET_BRANCH_COUNT_MAX &&
           branch_state_is_ended(out->state) && ended->result.len <= TERCET_RESULT_BYTES_MAX &&
           record_message_take16(ended->digest, out->digest.bytes);
}

static enum tercet_status read_view(const Tercet__V1__Record__Ended *ended, struct view **view_out)
{
    struct view_branch branches[TERCET_BRANCH_COUNT_MAX];
    struct view view = {
        .gid = ended->gid,
        .sequence = ended->sequence,
        .state = (enum txn_state)ended->state,
        .mode = (enum txn_mode)ended->mode,
        .cause = (enum txn_cause)ended->cause,
        .refused_branch = ended->refused_branch,
        .reason_code = ended->reason_code,
        .reason_text = ended->reason_text,
        .attention = "",
        .begun_unix_ms = ended->begun_unix_ms,
        .decided_unix_ms = ended->decided_unix_ms,
        .ended_unix_ms = ended->ended_unix_ms,
        .deadline_unix_ms = ended->deadline_unix_ms,
        .branch_count = (uint32_t)ended->n_branches,
    };
    const size_t gid_bytes = strlen(ended->gid);
    if (gid_bytes < 1 || gid_bytes > TERCET_GID_BYTES_MAX || !txn_state_is_ended(view.state) ||
        ended->mode == TERCET__V1__RECORD__MODE__MODE_UNSPECIFIED || ended->ended_unix_ms <= 0 ||
        !record_moment_fits(ended->ended_unix_ms) || ended->n_branches > TERCET_BRANCH_COUNT_MAX ||
        !record_message_take16(ended->content, view.content.bytes)) {
        return TERCET_DATA_LOSS;
    }
    for (size_t i = 0; i < ended->n_branches; i++) {
        if (!read_branch(ended->branches[i], &branches[i])) {
            return TERCET_DATA_LOSS;
        }
    }
    *view_out = view_copy(&view, branches);
    return TERCET_OK;
}

enum tercet_status record_read_outcome(struct tercet_bytes value, struct view **view_out)
{
    ProtobufCMessage *message =
        record_message_unpack(&tercet__v1__record__ended__descriptor, value, "an outcome", NULL);
    if (message == NULL) {
        return TERCET_DATA_LOSS;
    }
    enum tercet_status status =
        read_view((const Tercet__V1__Record__Ended *)(const void *)message, view_out);
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}

enum tercet_status record_read_outcome_of(struct tercet_bytes gid, struct tercet_bytes value,
                                          struct view **view_out)
{
    struct view *view = NULL;
    enum tercet_status status = record_read_outcome(value, &view);
    if (status != TERCET_OK || !bytes_equal(tercet_bytes_of_text(view->gid), gid)) {
        view_destroy(view);
        return TERCET_DATA_LOSS;
    }
    *view_out = view;
    return TERCET_OK;
}

/* ---- A payload ------------------------------------------------------------------------------- */

static enum tercet_status take_payload(Tercet__V1__Record__BeginBranch **branches, size_t count,
                                       uint32_t index, struct tercet_bytes *payload_out)
{
    for (size_t i = 0; i < count; i++) {
        const ProtobufCBinaryData *payload = &branches[i]->payload;
        if (branches[i]->index == index && payload->len > 0) {
            *payload_out = tercet_bytes_of(xmemdup(payload->data, payload->len), payload->len);
            return TERCET_OK;
        }
    }
    return TERCET_DATA_LOSS;
}

enum tercet_status record_read_payload(struct tercet_bytes key, struct tercet_bytes value,
                                       uint32_t index, struct tercet_bytes *payload_out)
{
    struct record_key parsed;
    enum tercet_status status = TERCET_DATA_LOSS;
    if (!record_key_parse(key, &parsed)) {
        return status;
    }
    const bool begins = parsed.kind == RECORD_KEY_BEGIN;
    ProtobufCMessage *message =
        record_message_unpack(begins ? &tercet__v1__record__begin__descriptor
                                     : &tercet__v1__record__add_branch__descriptor,
                              value, "a record", NULL);
    if (message == NULL) {
        return status;
    }
    if (begins) {
        const Tercet__V1__Record__Begin *begin = (const void *)message;
        status = take_payload(begin->branches, begin->n_branches, index, payload_out);
    } else {
        const Tercet__V1__Record__AddBranch *add = (const void *)message;
        status = take_payload(add->branches, add->n_branches, index, payload_out);
    }
    protobuf_c_message_free_unpacked(message, NULL);
    return status;
}
