/* record_participant.c -- see record_participant.h. */
#include "journal/record_participant.h"

#include <string.h>

#include "base/error.h"
#include "engine/directory.h"
#include "journal/record_message.h"
#include "tercet/v1/record.pb-c.h"

enum { PREFIX_BYTES = 2 };

static void encode_store(const struct store_seen *store, Tercet__V1__Record__KnownStore *out)
{
    tercet__v1__record__known_store__init(out);
    out->store_id = record_message_bytes(tercet_bytes_of(store->id, sizeof store->id));
    out->mark_incarnation = store->mark.incarnation;
    out->mark_lsn = store->mark.number;
    out->reach_incarnation = store->reach.incarnation;
    out->reach_number = store->reach.number;
}

void record_participant_write(const char *name, struct acquaintance *known,
                              struct journal_batch *batch)
{
    Tercet__V1__Record__KnownStore stores[STORE_COUNT_MAX];
    Tercet__V1__Record__KnownStore *pointers[STORE_COUNT_MAX];
    Tercet__V1__Record__KnownParticipant message;
    tercet__v1__record__known_participant__init(&message);
    message.whole = true;
    message.participant = record_message_text(name);
    for (uint32_t i = 0; i < known->told.store_count; i++) {
        encode_store(&known->told.stores[i], &stores[i]);
        pointers[i] = &stores[i];
    }
    message.stores = pointers;
    message.n_stores = known->told.store_count;
    message.mark_incarnation = known->replied.mark.incarnation;
    message.mark_lsn = known->replied.mark.number;
    message.branch_incarnation = known->replied.branch.incarnation;
    message.branch_number = known->replied.branch.number;
    message.held = known->held;
    message.released = known->released;
    message.asked_incarnation = known->asked_incarnation;

    struct buffer key;
    struct buffer value;
    buffer_init(&key);
    buffer_init(&value);
    buffer_append(&key, "p/", PREFIX_BYTES);
    buffer_append(&key, name, strlen(name));
    record_message_pack(&message.base, &value);
    journal_batch_put(batch, buffer_bytes(&key), buffer_bytes(&value), &known->record);
    buffer_deinit(&key);
    buffer_deinit(&value);
}

bool record_participant_is(struct tercet_bytes key)
{
    return key.size > PREFIX_BYTES && memcmp(key.data, "p/", PREFIX_BYTES) == 0;
}

/* Zero, or a place: never half of one. */
static bool take_place(int64_t incarnation, int64_t number, struct branch_number *out)
{
    *out = (struct branch_number){incarnation, number};
    return (incarnation == 0 && number == 0) || (incarnation > 0 && number > 0);
}

static bool take_store(const Tercet__V1__Record__KnownStore *message, struct store_seen *out)
{
    return record_message_take16(message->store_id, out->id) &&
           take_place(message->mark_incarnation, message->mark_lsn, &out->mark) &&
           take_place(message->reach_incarnation, message->reach_number, &out->reach);
}

static bool take_all(const Tercet__V1__Record__KnownParticipant *message, struct acquaintance *out)
{
    *out = (struct acquaintance){0};
    if (message->n_stores > STORE_COUNT_MAX || strlen(message->held) >= sizeof out->held ||
        strlen(message->released) >= sizeof out->released || message->asked_incarnation < 0 ||
        !take_place(message->mark_incarnation, message->mark_lsn, &out->replied.mark) ||
        !take_place(message->branch_incarnation, message->branch_number, &out->replied.branch)) {
        return false;
    }
    for (size_t i = 0; i < message->n_stores; i++) {
        if (!take_store(message->stores[i], &out->told.stores[i])) {
            return false;
        }
    }
    out->told.store_count = (uint32_t)message->n_stores;
    out->asked_incarnation = message->asked_incarnation;
    memcpy(out->held, message->held, strlen(message->held) + 1);
    memcpy(out->released, message->released, strlen(message->released) + 1);
    return true;
}

enum tercet_status record_participant_read(struct tercet_bytes key, struct tercet_bytes value,
                                           char name_out[TERCET_NAME_BYTES_MAX + 1],
                                           struct acquaintance *known_out,
                                           struct tercet_error *error_out)
{
    const char *name = (const char *)key.data + PREFIX_BYTES;
    const size_t name_bytes = key.size - PREFIX_BYTES;
    ProtobufCMessage *base =
        record_message_unpack(&tercet__v1__record__known_participant__descriptor, value,
                              "what is known of a participant", error_out);
    if (base == NULL) {
        return TERCET_DATA_LOSS;
    }
    const Tercet__V1__Record__KnownParticipant *message =
        (const Tercet__V1__Record__KnownParticipant *)(const void *)base;
    enum tercet_status status = TERCET_OK;
    if (!directory_is_name(name, name_bytes) || strlen(message->participant) != name_bytes ||
        memcmp(message->participant, name, name_bytes) != 0 || !take_all(message, known_out)) {
        status =
            error_set(error_out, TERCET_DATA_LOSS, "what is known of a participant makes no sense");
    } else {
        memcpy(name_out, name, name_bytes);
        name_out[name_bytes] = '\0';
    }
    protobuf_c_message_free_unpacked(base, NULL);
    return status;
}

enum tercet_status record_participant_tell(struct tercet_bytes key, struct tercet_bytes value,
                                           struct digest128 hash,
                                           const struct record_listener *listener,
                                           struct tercet_error *error_out)
{
    struct acquaintance known;
    char name[TERCET_NAME_BYTES_MAX + 1];
    const enum tercet_status status = record_participant_read(key, value, name, &known, error_out);
    if (status == TERCET_OK && listener->told != NULL) {
        known.record = hash;
        listener->told(name, &known, listener->context);
    }
    return status;
}
