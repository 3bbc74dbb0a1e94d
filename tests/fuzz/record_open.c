/* record_open.c -- see record_open.h. */
#include "record_open.h"

#include "base/assert.h"
#include "build_message.h"
#include "engine/engine.h"
#include "journal/batch_read.h"
#include "journal/record.h"
#include "journal/record_key.h"
#include "judge_txn.h"
#include "record_value.h"
#include "tercet/v1/record.pb-c.h"

enum { TXNS_MAX = 1024 };

static const struct journal_head limits = {.incarnation = 3, .next_number = 200};

struct recovery {
    struct directory directory;
    struct txn *txns[TXNS_MAX];
    size_t count;
    struct record_loader *loader;
};

static void keep_txn(struct txn *txn, void *context)
{
    struct recovery *recovery = context;
    tercet_assert(recovery->count < TXNS_MAX);
    recovery->txns[recovery->count] = txn;
    recovery->count++;
}

static void recovery_init(struct recovery *recovery)
{
    *recovery = (struct recovery){0};
    directory_init(&recovery->directory);
    recovery->loader = record_loader_create(&limits, &recovery->directory, keep_txn, recovery);
}

static void recovery_deinit(struct recovery *recovery)
{
    record_loader_destroy(recovery->loader);
    for (size_t i = 0; i < recovery->count; i++) {
        txn_destroy(recovery->txns[i]);
    }
    directory_deinit(&recovery->directory);
}

struct pair_key {
    uint8_t bytes[12];
    size_t size;
};

static const struct {
    enum record_key_kind kind;
    const ProtobufCMessageDescriptor *descriptor;
} pair_kinds[] = {{RECORD_KEY_BEGIN, &tercet__v1__record__begin__descriptor},
                  {RECORD_KEY_ADD_BRANCH, &tercet__v1__record__add_branch__descriptor},
                  {RECORD_KEY_DECIDE, &tercet__v1__record__decide__descriptor},
                  {RECORD_KEY_PROGRESS, &tercet__v1__record__progress__descriptor}};

/* The next key: two bits its kind, three its sequence; from 0xe0 on it is as it stands. */
static struct pair_key take_key(struct tercet_bytes *source, size_t *kind_out)
{
    struct pair_key key = {.bytes = {'t', '/'}, .size = 11};
    const uint8_t byte = build_take(source);
    *kind_out = byte & 3U;
    if (byte >= 0xe0) {
        key.size = 2 + (byte & 0xfU) % 11U;
        for (size_t i = 2; i < key.size; i++) {
            key.bytes[i] = build_take(source);
        }
        return key;
    }
    store_be64(key.bytes + 2, byte >> 2U & 7U);
    key.bytes[10] = (uint8_t)pair_kinds[*kind_out].kind;
    if (pair_kinds[*kind_out].kind == RECORD_KEY_ADD_BRANCH) {
        key.bytes[11] = build_take(source);
        key.size++;
    }
    return key;
}

/* Reads pairs until one is refused.  A store has every key once and tells them in order: what comes
 * out of order is left out. */
static enum tercet_status load_all(struct recovery *recovery, struct tercet_bytes source,
                                   bool build)
{
    struct pair_key last = {.size = 0};
    enum tercet_status status = TERCET_OK;
    while (status == TERCET_OK && source.size > 0) {
        size_t kind = 0;
        struct buffer value = {0};
        struct tercet_error error = {0};
        const struct pair_key next = take_key(&source, &kind);
        const struct tercet_bytes key = tercet_bytes_of(next.bytes, next.size);
        record_value_take(&source, pair_kinds[kind].descriptor, build, &value);
        if (bytes_compare(tercet_bytes_of(last.bytes, last.size), key) < 0) {
            status = record_loader_pair(recovery->loader, key, buffer_bytes(&value),
                                        digest128_of_pair(key, buffer_bytes(&value)), &error);
            record_value_judge_refusal(status, &error);
            last = next;
        }
        buffer_deinit(&value);
    }
    return status;
}

/* All that is needed to have this transaction again. */
static void write_txn(struct txn *txn, const struct directory *directory,
                      struct journal_batch *batch)
{
    struct effect_record record = {.kind = RECORD_BEGIN, .txn = txn};
    record_write(&record, directory, batch);
    for (uint32_t i = 0; txn->mode == TXN_MODE_STEPS && i < txn->branch_count; i++) {
        record = (struct effect_record){
            .kind = RECORD_ADD_BRANCH, .txn = txn, .branch = txn->branches[i]};
        record_write(&record, directory, batch);
    }
    if (txn_state_is_decided(txn->state)) {
        record = (struct effect_record){.kind = RECORD_DECIDE, .txn = txn};
        record_write(&record, directory, batch);
    }
    record = (struct effect_record){.kind = RECORD_PROGRESS, .txn = txn};
    record_write(&record, directory, batch);
}

/* A coordinator that starts on these records, and whose participants never answer. */
static void judge_adopted(struct recovery *found)
{
    struct effects effects;
    const struct clock_now now = {.boot_ms = 5000, .unix_ms = 1790000000000};
    const struct clock_now late = {.boot_ms = INT64_MAX / 2, .unix_ms = 1790000000000};
    const struct engine_options options = {
        .limits = {1000, 1 << 20, 1000, 30000, 1, 1},
        .directory = &found->directory,
        .incarnation = limits.incarnation,
        .next_number = limits.next_number,
    };
    struct engine *engine = engine_create(&options);
    effects_init(&effects);
    for (size_t i = 0; i < found->count; i++) {
        engine_adopt_take(engine, found->txns[i]);
    }
    found->count = 0;
    engine_resume(engine, now, 7, &effects);
    engine_durable(engine, 8, limits.next_number);
    for (uint32_t i = 0; i < found->directory.count; i++) {
        (void)engine_mark(engine, i);
    }
    engine_tick(engine, 9, late, &effects);
    tercet_assert(engine_wake_at_boot_ms(engine) == INT64_MAX); /* all are decided */
    effects_deinit(&effects);
    engine_destroy(engine);
}

static void judge_written(const struct recovery *found, const struct journal_batch *batch)
{
    static struct recovery again;
    struct batch_reader reader = {.batch = batch};
    struct batch_operation operation;
    struct tercet_error error = {0};
    recovery_init(&again);
    while (batch_reader_next(&reader, &operation)) {
        if (operation.kind == BATCH_PUT) {
            tercet_assert(record_loader_pair(again.loader, operation.key, operation.value,
                                             digest128_of_pair(operation.key, operation.value),
                                             &error) == TERCET_OK);
        }
    }
    tercet_assert(record_loader_finish(again.loader, &error) == TERCET_OK);
    tercet_assert(again.count == found->count);
    for (size_t i = 0; i < found->count; i++) {
        judge_same_txn(found->txns[i], &found->directory, again.txns[i], &again.directory);
    }
    judge_adopted(&again);
    recovery_deinit(&again);
}

/* As the engine would, if everybody answered DONE now; not by its way there. */
static void end_txn(struct txn *txn)
{
    if (!txn_state_is_decided(txn->state)) {
        return;
    }
    for (uint32_t i = 0; i < txn->branch_count; i++) {
        struct branch *branch = txn->branches[i];
        branch->state = branch->state == BRANCH_CONFIRMING   ? BRANCH_CONFIRMED
                        : branch->state == BRANCH_CANCELLING ? BRANCH_CANCELLED
                                                             : branch->state;
        branch->asked = 0;
    }
    txn_move(txn, txn->state == TXN_CONFIRMING ? TXN_CONFIRMED : TXN_CANCELLED,
             (struct clock_now){.unix_ms = 77});
}

static void judge_ended(struct txn *txn, const struct directory *directory)
{
    struct journal_batch batch;
    struct batch_operation operation;
    journal_batch_init(&batch);
    const struct effect_record record = {.kind = RECORD_END, .txn = txn};
    record_write(&record, directory, &batch);

    struct batch_reader reader = {.batch = &batch};
    tercet_assert(batch_reader_next(&reader, &operation) && operation.kind == BATCH_PUT);
    struct view *read = NULL;
    tercet_assert(record_read_outcome(operation.value, &read) == TERCET_OK);
    const struct clock_now now = {.boot_ms = INT64_MAX, .unix_ms = 77};
    struct view *told = view_of_txn(txn, directory, now);
    judge_same_view(told, read);
    view_destroy(told);
    view_destroy(read);
    journal_batch_deinit(&batch);
}

void record_open_run(struct tercet_bytes source, bool build)
{
    static struct recovery found;
    recovery_init(&found);
    struct tercet_error error = {0};
    if (load_all(&found, source, build) == TERCET_OK &&
        record_loader_finish(found.loader, &error) == TERCET_OK) {
        struct journal_batch batch;
        journal_batch_init(&batch);
        for (size_t i = 0; i < found.count; i++) {
            write_txn(found.txns[i], &found.directory, &batch);
        }
        judge_written(&found, &batch);
        journal_batch_deinit(&batch);
        for (size_t i = 0; i < found.count; i++) {
            end_txn(found.txns[i]);
            if (txn_state_is_ended(found.txns[i]->state)) {
                judge_ended(found.txns[i], &found.directory);
            }
        }
    }
    recovery_deinit(&found);
}
