// See ledger_leveldb.h.  Keys: "a/ACCOUNT" is "BALANCE FROZEN PENDING", "e/GID/BRANCH/PHASE" a count.
#include "campaign/ledger_leveldb.h"

#include <leveldb/c.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "campaign/ledger.h"
#include "tercet/store_leveldb.h"

namespace campaign
{
namespace
{

struct Account {
    long long balance = OPENING_BALANCE, frozen = 0, pending = 0;
};

// False: it cannot be read.  What is not there is left as it is.
bool Get(tercet_request *request, const std::string &key, std::string *value)
{
    tercet_bytes found{};
    const tercet_status status =
        tercet_leveldb_get(request, tercet_bytes_of(key.data(), key.size()), &found);
    if (status == TERCET_OK) {
        value->assign(static_cast<const char *>(found.data), found.size);
    }
    return status == TERCET_OK || status == TERCET_NOT_FOUND;
}

bool Put(tercet_request *request, const std::string &key, const std::string &value)
{
    return tercet_leveldb_put(request, tercet_bytes_of(key.data(), key.size()),
                              tercet_bytes_of(value.data(), value.size())) == TERCET_OK;
}

// False: there is not enough.
bool Apply(tercet_phase phase, long long amount, Account *account)
{
    const long long size = std::llabs(amount);
    long long &held = amount < 0 ? account->frozen : account->pending;
    if (phase == TERCET_PHASE_TRY) {
        if (amount < 0 && account->balance < size) {
            return false;
        }
        account->balance -= amount < 0 ? size : 0;
        held += size;
        return true;
    }
    held -= size;
    const bool back = (phase == TERCET_PHASE_CONFIRM) == (amount > 0);
    account->balance += back ? size : 0;
    return true;
}

std::string Text(const Account &account)
{
    return std::to_string(account.balance) + " " + std::to_string(account.frozen) + " " +
           std::to_string(account.pending);
}

// Calls `pair` for each key that begins with `prefix`.
template <typename Pair> void Each(tercet_store *store, const std::string &prefix, Pair pair)
{
    leveldb_readoptions_t *options = leveldb_readoptions_create();
    leveldb_iterator_t *at = leveldb_create_iterator(tercet_leveldb_database(store), options);
    leveldb_iter_seek(at, prefix.data(), prefix.size());
    for (; leveldb_iter_valid(at); leveldb_iter_next(at)) {
        size_t key_size = 0, value_size = 0;
        const char *key = leveldb_iter_key(at, &key_size);
        const char *value = leveldb_iter_value(at, &value_size);
        if (std::string(key, key_size).rfind(prefix, 0) != 0) {
            break;
        }
        pair(std::string(key, key_size), std::string(value, value_size));
    }
    leveldb_iter_destroy(at);
    leveldb_readoptions_destroy(options);
}

} // namespace

bool OpenLeveldb(const char *database, tercet_store **store_out, tercet_error *error_out)
{
    tercet_leveldb_options options{};
    options.size = sizeof options;
    options.path = database;
    options.create_if_missing = true;
    return tercet_leveldb_open(&options, store_out, error_out) == TERCET_OK;
}

tercet_verdict MoveInLeveldb(tercet_request *request)
{
    const std::string payload(static_cast<const char *>(request->payload.data),
                              request->payload.size);
    long long number = 0, amount = 0;
    if (sscanf(payload.c_str(), "%lld %lld", &number, &amount) != 2) {
        return tercet_answer_refused(request, "BAD_PAYLOAD", "want \"ACCOUNT AMOUNT\"");
    }
    const std::string key = "a/" + std::to_string(number);
    const std::string line = "e/" + std::string(request->gid) + "/" +
                             std::to_string(request->branch) + "/" + std::to_string(request->phase);
    Account account;
    std::string text = Text(account), count = "0";
    if (!Get(request, key, &text) || !Get(request, line, &count)) {
        return tercet_answer_failed(request, "cannot read");
    }
    (void)sscanf(text.c_str(), "%lld %lld %lld", &account.balance, &account.frozen,
                 &account.pending);
    if (!Apply(request->phase, amount, &account)) {
        return tercet_answer_refused(request, "BALANCE_TOO_LOW", "not %lld to move", -amount);
    }
    if (!Put(request, key, Text(account)) ||
        !Put(request, line, std::to_string(std::stoi(count) + 1))) {
        return tercet_answer_failed(request, "cannot write");
    }
    return TERCET_VERDICT_DONE;
}

void PrintLeveldb(tercet_store *store, const char *prefix)
{
    int known = 0;
    Each(store, "a/", [&](const std::string &, const std::string &value) {
        known++;
        printf("account %s\n", value.c_str());
    });
    for (; known < ACCOUNTS; known++) { // nothing was ever moved there
        printf("account %s\n", Text(Account()).c_str());
    }
    Each(store, std::string("e/") + prefix, [](std::string key, const std::string &value) {
        std::replace(key.begin(), key.end(), '/', ' ');
        printf("effect %s %s\n", key.c_str() + 2, value.c_str());
    });
    puts("end");
    (void)fflush(stdout);
}

} // namespace campaign
