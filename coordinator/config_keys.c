/* config_keys.c -- see config_keys.h.  Add a setting here and a field in struct config: the file, the
 * environment, the flags, the help and the bounds follow; docs/configuration.md is compared by a
 * test. */
#include "config_keys.h"

#include <stddef.h>
#include <string.h>

#include "base/assert.h"

/* clang-format off */
#define KEY(kind, name, min, max, fallback, unit, meaning) \
    {#name, (kind), offsetof(struct config, name), (min), (max), (fallback), (unit), (meaning)}

static const struct config_key keys[] = {
    KEY(CONFIG_TEXTS, listen, 1, CONFIG_LISTEN_COUNT_MAX, "127.0.0.1:7100", "",
        "Addresses to serve on: host:port, [ipv6]:port or unix:/path. Plaintext, so only loopback "
        "and unix sockets are accepted."),
    KEY(CONFIG_TEXT, journal, 1, CONFIG_TEXT_BYTES_MAX, NULL, "",
        "Directory of the journal, made by tercetd init. Required."),
    KEY(CONFIG_PARTICIPANTS, participants, 0, DIRECTORY_PARTICIPANT_COUNT_MAX, "", "",
        "Who may be named in a transaction: a list of maps, see below. By flag or variable: "
        "name=target,name=target."),
    KEY(CONFIG_U32, try_timeout_ms, 1, TERCET_TRY_TIMEOUT_MS_MAX, "30000", "ms",
        "How long a transaction may stay undecided when the request does not say; then it is "
        "cancelled."),
    KEY(CONFIG_U32, call_timeout_ms, TERCET_CALL_TIMEOUT_MS_MIN, TERCET_CALL_TIMEOUT_MS_MAX, "5000",
        "ms", "How long one call to a participant may take, unless participant or branch say."),
    KEY(CONFIG_U32, open_transactions_max, 1, 10000000, "100000", "transactions",
        "Begun and not ended; above it new ones are refused."),
    KEY(CONFIG_U32, participant_share, 1, 100, "25", "percent",
        "Of open_transactions_max: how many branches of one participant may be open."),
    KEY(CONFIG_U64, open_payload_bytes_max, TERCET_PAYLOADS_BYTES_MAX, UINT64_C(1) << 40,
        "1073741824", "bytes", "Payloads of all open transactions, and of what waits for a look-up, together."),
    KEY(CONFIG_U32, waiting_calls_max, 1, 1000000, "4000", "calls",
        "Calls that wait for their answer, half of them at most for a look-up of their gid; above it they "
        "are refused."),
    KEY(CONFIG_U32, inbox_max, 16, 1000000, "20000", "requests",
        "Requests that have arrived and are not looked at yet; above it they are refused."),
    KEY(CONFIG_U32, window, 1, 100000, "256", "calls",
        "Calls in flight to one participant at a time."),
    KEY(CONFIG_BOOL, participant_stream, 0, 0, "true", "",
        "Many requests to a participant in one message, where it serves Work. false: unary calls only."),
    KEY(CONFIG_U32, retry_base_ms, 1, 60000, "100", "ms",
        "First wait before a branch is asked again; doubles, with jitter."),
    KEY(CONFIG_U32, retry_cap_ms, 1, 3600000, "60000", "ms",
        "Longest wait before a branch is asked again. At least retry_base_ms."),
    KEY(CONFIG_U32, outcome_keep_days, 1, 36500, "7", "days",
        "How long the outcome of an ended transaction can be asked for."),
    KEY(CONFIG_U64, outcome_keep_bytes, UINT64_C(1) << 20, UINT64_C(1) << 50, "21474836480", "bytes",
        "And at most so much of outcomes; the oldest go first."),
    KEY(CONFIG_U64, ballast_bytes, 0, UINT64_C(1) << 40, "16777216", "bytes",
        "Space kept beside the journal, so that it can be opened on a full disk. 0: none."),
    KEY(CONFIG_TEXT, backup_directory, 1, CONFIG_TEXT_BYTES_MAX, NULL, "",
        "Where a backup goes at SIGUSR1, into a directory of its own. Not set: no backups."),
    KEY(CONFIG_U32, message_bytes_max, 2097152, 4194304, "4194304", "bytes",
        "Largest request that is accepted; any transaction within the limits fits into the least."),
    KEY(CONFIG_U32, streams_max, 1, 100000, "256", "calls",
        "Calls at a time on one connection of a client."),
    KEY(CONFIG_U32, connections_max, 1, 60000, "8000", "connections",
        "Connections of clients at a time; above it they are closed at once. Less when the process "
        "may not have so many descriptors."),
    KEY(CONFIG_U32, connections_per_second, 1, 100000, "1000", "connections",
        "New connections of one address, one second's worth at once; above it they are closed at "
        "once."),
    KEY(CONFIG_U32, resets_per_second, 1, 100000, "200", "frames",
        "Cancelled calls, pings, settings and header blocks above 8 KiB of one address, ten "
        "seconds' worth at once; above it the connection is cut."),
    KEY(CONFIG_U64, rpc_memory_bytes, UINT64_C(1) << 24, UINT64_C(1) << 40, "268435456", "bytes",
        "What gRPC may use for requests that are arriving."),
    KEY(CONFIG_U32, stop_grace_ms, 0, 3600000, "10000", "ms",
        "How long open calls may go on after SIGTERM."),
    KEY(CONFIG_LEVEL, log_level, 0, 0, "info", "", "debug, info, warning or error."),
};
#undef KEY

#define KEY(kind, name, min, max, fallback, unit, meaning) \
    {#name, (kind), offsetof(struct config_participant, name), (min), (max), (fallback), (unit), \
     (meaning)}

static const struct config_key participant_keys[] = {
    KEY(CONFIG_TEXT, name, 1, TERCET_NAME_BYTES_MAX, NULL, "",
        "What branches call it: A-Z a-z 0-9 _ . -. Required."),
    KEY(CONFIG_TEXT, target, 1, 255, NULL, "",
        "Where it is: host:port, [ipv6]:port or unix:/path. This or targets is required."),
    KEY(CONFIG_TEXTS, targets, 1, DIRECTORY_SEAT_COUNT_MAX, NULL, "",
        "Where its instances are, a list: the same service over the same databases at each address. "
        "In the file only."),
    KEY(CONFIG_U32, connections, 1, DIRECTORY_CONNECTION_COUNT_MAX, NULL, "connections",
        "To each target. Default: 1. At most 16 to all targets of a participant together."),
    KEY(CONFIG_U32, call_timeout_ms, TERCET_CALL_TIMEOUT_MS_MIN, TERCET_CALL_TIMEOUT_MS_MAX, NULL,
        "ms", "Its own call_timeout_ms. Default: what holds for all."),
    KEY(CONFIG_U32, window, 1, 100000, NULL, "calls", "Its own window. Default: what holds for all."),
    KEY(CONFIG_U32, open_transactions_max, 1, 10000000, NULL, "branches",
        "Its own bound. Default: participant_share of open_transactions_max."),
};
#undef KEY
/* clang-format on */

static_assert(sizeof keys / sizeof keys[0] == CONFIG_KEY_COUNT, "config.h counts the keys");
static_assert(sizeof participant_keys / sizeof participant_keys[0] == CONFIG_PARTICIPANT_KEY_COUNT,
              "config_keys.h counts the keys");

const struct config_key *config_key_at(size_t index)
{
    tercet_assert(index < CONFIG_KEY_COUNT);
    return &keys[index];
}

size_t config_key_find(const char *name)
{
    size_t index = 0;
    while (index < CONFIG_KEY_COUNT && strcmp(keys[index].name, name) != 0) {
        index++;
    }
    return index;
}

const struct config_key *config_participant_key_at(size_t index)
{
    tercet_assert(index < CONFIG_PARTICIPANT_KEY_COUNT);
    return &participant_keys[index];
}

size_t config_participant_key_find(const char *name)
{
    size_t index = 0;
    while (index < CONFIG_PARTICIPANT_KEY_COUNT &&
           strcmp(participant_keys[index].name, name) != 0) {
        index++;
    }
    return index;
}
