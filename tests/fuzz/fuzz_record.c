/* fuzz_record.c -- the journal's records, from arbitrary bytes.
 *
 * Whatever stands in the store is read as OK or DATA_LOSS, and what is read can be written again and
 * reads the same.  The first byte selects
 *   0  an outcome   1  the head   2  a day's count
 *   3  the pairs of open transactions, in the order of their keys as a store tells them; the
 *      transactions that come out are written by record_write() and read again, then ended, and
 *      their outcomes are read; and a coordinator is started on them: whatever the loader accepts,
 *      the engine adopts, resumes and lets run out of time without an assertion
 * and whether values are the input itself or are built by it (build_message.h) and then brought into
 * the form in which they are written, without which nearly all would be refused at once. */
#include "base/assert.h"
#include "build_message.h"
#include "journal/journal_day_open.h"
#include "journal/journal_head.h"
#include "journal/record.h"
#include "journal/record_message.h"
#include "judge_txn.h"
#include "record_open.h"
#include "record_value.h"
#include "tercet/v1/record.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char date[] = "2026-11-21";
static const uint8_t origin[20] = "0123456789abcdef";

/* ---- Outcome, head, day ------------------------------------------------------------------------ */

static void run_outcome(struct tercet_bytes value)
{
    struct view *view = NULL;
    struct view *again = NULL;
    int64_t ended = 0;
    const bool peeked = record_peek_ended(value, &ended);
    const enum tercet_status status = record_read_outcome(value, &view);
    tercet_assert(status == TERCET_OK || status == TERCET_DATA_LOSS);
    if (status != TERCET_OK) {
        return;
    }
    /* Upkeep sorts by what it peeks. */
    tercet_assert(!peeked || ended == view->ended_unix_ms);
    tercet_assert(view->ended_unix_ms > 0 && txn_state_is_ended(view->state));
    tercet_assert(view->gid[0] != '\0' && strlen(view->gid) <= 128 && view->branch_count <= 64);
    for (uint32_t i = 0; i < view->branch_count; i++) {
        const struct view_branch *branch = &view->branches[i];
        tercet_assert(branch->index >= 1 && branch->index <= 64 && branch->result.size <= 1024);
        tercet_assert(branch_state_is_ended(branch->state));
    }

    ProtobufCMessage *message =
        record_message_unpack(&tercet__v1__record__ended__descriptor, value, "it", NULL);
    tercet_assert(message != NULL);
    struct buffer written = {0};
    record_message_pack(message, &written);
    tercet_assert(record_read_outcome(buffer_bytes(&written), &again) == TERCET_OK);
    judge_same_view(view, again);
    buffer_deinit(&written);
    protobuf_c_message_free_unpacked(message, NULL);
    view_destroy(again);
    view_destroy(view);
}

static void run_head(struct tercet_bytes value)
{
    struct journal_head head = {0};
    struct journal_head again = {0};
    struct tercet_error error = {0};
    const enum tercet_status status = journal_head_decode(value, &head, &error);
    record_value_judge_refusal(status, &error);
    if (status != TERCET_OK) {
        return;
    }
    struct buffer written = {0};
    journal_head_encode(&head, &written);
    tercet_assert(journal_head_decode(buffer_bytes(&written), &again, &error) == TERCET_OK);
    tercet_assert(memcmp(head.origin, again.origin, sizeof head.origin) == 0);
    tercet_assert(head.incarnation == again.incarnation && head.epoch == again.epoch);
    tercet_assert(head.lsn == again.lsn && head.next_number == again.next_number);
    tercet_assert(digest128_equal(head.live_digest, again.live_digest));
    tercet_assert(head.live_count == again.live_count);
    tercet_assert(head.horizon_unix_ms == again.horizon_unix_ms);
    buffer_deinit(&written);
}

static void run_day(struct tercet_bytes value)
{
    struct day_totals totals = {0};
    struct day_totals again = {0};
    struct tercet_error error = {0};
    const enum tercet_status status = day_totals_decode(value, date, origin, &totals, &error);
    record_value_judge_refusal(status, &error);
    if (status != TERCET_OK) {
        return;
    }
    struct buffer written = {0};
    day_totals_encode(&totals, date, origin, &written);
    tercet_assert(day_totals_decode(buffer_bytes(&written), date, origin, &again, &error) ==
                  TERCET_OK);
    tercet_assert(totals.count == again.count && digest128_equal(totals.digest, again.digest));
    buffer_deinit(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        const ProtobufCMessageDescriptor *descriptor;
        void (*run)(struct tercet_bytes value);
    } kinds[] = {{&tercet__v1__record__ended__descriptor, run_outcome},
                 {&tercet__v1__record__head__descriptor, run_head},
                 {&tercet__v1__record__day__descriptor, run_day}};
    struct tercet_bytes source = tercet_bytes_of(data, size);
    const uint8_t which = build_take(&source);
    const bool build = (which & 0x80U) != 0;
    if ((which & 3U) == 3) {
        record_open_run(source, build);
        return 0;
    }
    struct buffer value = {0};
    if (build) {
        record_value_take(&source, kinds[which & 3U].descriptor, true, &value);
        source = buffer_bytes(&value);
    }
    kinds[which & 3U].run(source);
    buffer_deinit(&value);
    return 0;
}
