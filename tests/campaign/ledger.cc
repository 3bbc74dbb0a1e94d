// See ledger.h.
#include "campaign/ledger.h"

#include <cstdio>
#include <cstring>
#include <sstream>

#include "campaign/ledger_leveldb.h"
#include "campaign/ledger_sqlite.h"

namespace campaign
{

int LedgerMain(const char *name, const char *listen, const char *database)
{
    const size_t size = strlen(database);
    const bool leveldb = size > 4 && strcmp(database + size - 4, ".ldb") == 0;
    tercet_action action{};
    action.name = ACTION;
    action.on_try = action.on_confirm = action.on_cancel = leveldb ? MoveInLeveldb : MoveInSqlite;
    tercet_participant_options options{};
    options.size = sizeof options;
    options.name = name;
    options.listen = listen;
    options.log = tercet_log_to_stderr;
    tercet_store *store = nullptr;
    tercet_participant *participant = nullptr;
    tercet_error error{};
    const bool opened =
        leveldb ? OpenLeveldb(database, &store, &error) : OpenSqlite(database, &store, &error);
    if (!opened || tercet_participant_create(&options, &participant, &error) != TERCET_OK ||
        tercet_participant_register(participant, store, &action, 1, &error) != TERCET_OK ||
        tercet_participant_start(participant, &error) != TERCET_OK) {
        fprintf(stderr, "%s: %s\n", name, error.text);
        return 1;
    }
    char line[160];
    while (fgets(line, sizeof line, stdin) != nullptr) {
        line[strcspn(line, "\n")] = '\0';
        PrintLeveldb(store, line);
    }
    (void)!tercet_participant_stop(participant, 5000);
    tercet_participant_destroy(participant);
    tercet_store_close(store);
    return 0;
}

bool ReadPrinted(const std::string &printed, Books *books_out)
{
    std::istringstream lines(printed);
    std::string word;
    *books_out = Books();
    while (lines >> word) {
        if (word == "end") {
            return true;
        }
        if (word == "account") {
            int64_t balance = 0, frozen = 0, pending = 0;
            lines >> balance >> frozen >> pending;
            books_out->balance += balance;
            books_out->frozen += frozen;
            books_out->pending += pending;
        } else {
            std::string gid;
            int branch = 0, phase = 0, count = 0;
            lines >> gid >> branch >> phase >> count;
            Effects &effects = books_out->effects[{gid, branch}];
            (phase == TERCET_PHASE_TRY       ? effects.tries
             : phase == TERCET_PHASE_CONFIRM ? effects.confirms
                                             : effects.cancels) = count;
        }
    }
    return false;
}

} // namespace campaign
