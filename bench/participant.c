/* participant.c -- see participant.h.
 *
 * What is measured has the SDK's whole path in it: fence row, marks, groups.  With memory there is no
 * database behind, with LevelDB a synced batch of fence rows, with SQLite a synced local transaction of
 * fence rows and business rows, one for each branch and phase. */
#include "participant.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "process.h"
#include "tercet/participant.h"
#include "tercet/store_leveldb.h"
#include "tercet/store_memory.h"
#include "tercet/store_sqlite.h"

enum { STOP_GRACE_MS = 5000, ACCOUNT_COUNT = 10000 };

static const char *const store_names[] = {
    [PARTICIPANT_MEMORY] = "memory",
    [PARTICIPANT_LEVELDB] = "leveldb",
    [PARTICIPANT_SQLITE] = "sqlite",
};

const char *participant_store_name(enum participant_store store)
{
    return store_names[store];
}

/* ---- Handlers ---------------------------------------------------------------------------------- */

static enum tercet_verdict agree(struct tercet_request *request)
{
    (void)request;
    return TERCET_VERDICT_DONE;
}

static enum tercet_verdict refuse(struct tercet_request *request)
{
    return tercet_answer_refused(request, "REFUSED", "this action refuses, to be measured");
}

/* One business row of many, as an account's would be. */
static enum tercet_verdict move(struct tercet_request *request)
{
    static const char *const sql[] = {
        [TERCET_PHASE_TRY] = "UPDATE account SET balance = balance - 1, frozen = frozen + 1"
                             " WHERE user = ?1",
        [TERCET_PHASE_CONFIRM] = "UPDATE account SET frozen = frozen - 1 WHERE user = ?1",
        [TERCET_PHASE_CANCEL] = "UPDATE account SET balance = balance + 1, frozen = frozen - 1"
                                " WHERE user = ?1",
    };
    sqlite3_stmt *update = tercet_sqlite_prepare(request, sql[request->phase]);
    unsigned user = 5381;
    for (const char *at = request->gid; *at != '\0'; at++) {
        user = user * 33 + (unsigned char)*at;
    }
    (void)sqlite3_bind_int64(update, 1, user % ACCOUNT_COUNT);
    if (sqlite3_step(update) != SQLITE_DONE) {
        return tercet_answer_failed(request, "%s",
                                    sqlite3_errmsg(tercet_sqlite_connection(request)));
    }
    return TERCET_VERDICT_DONE;
}

/* ---- Life -------------------------------------------------------------------------------------- */

static enum tercet_status open_sqlite(const char *directory, const char *name,
                                      struct tercet_store **store_out,
                                      struct tercet_error *error_out)
{
    char path[PATH_MAX];
    char setup[512];
    (void)snprintf(path, sizeof path, "%s/%s.sqlite", directory, name);
    (void)snprintf(setup, sizeof setup,
                   "CREATE TABLE IF NOT EXISTS account (user INTEGER PRIMARY KEY,"
                   " balance INTEGER NOT NULL, frozen INTEGER NOT NULL);"
                   "INSERT OR IGNORE INTO account WITH RECURSIVE n(user) AS (SELECT 0 UNION ALL"
                   " SELECT user + 1 FROM n WHERE user + 1 < %d)"
                   " SELECT user, 1000000000, 0 FROM n",
                   ACCOUNT_COUNT);
    const struct tercet_sqlite_options options = {
        .size = sizeof options, .path = path, .setup_sql = setup};
    return tercet_sqlite_open(&options, store_out, error_out);
}

static enum tercet_status open_store(const char *kind, const char *directory, const char *name,
                                     struct tercet_store **store_out,
                                     struct tercet_error *error_out)
{
    if (strcmp(kind, store_names[PARTICIPANT_SQLITE]) == 0) {
        return open_sqlite(directory, name, store_out, error_out);
    }
    if (strcmp(kind, store_names[PARTICIPANT_LEVELDB]) == 0) {
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, "%s/%s.leveldb", directory, name);
        const struct tercet_leveldb_options options = {
            .size = sizeof options, .path = path, .create_if_missing = true};
        return tercet_leveldb_open(&options, store_out, error_out);
    }
    const struct tercet_memory_options options = {.size = sizeof options};
    return tercet_memory_open(&options, store_out, error_out);
}

int participant_main(const char *name, const char *listen, const char *store_name,
                     const char *directory)
{
    const bool has_rows = strcmp(store_name, store_names[PARTICIPANT_SQLITE]) == 0;
    const tercet_handler_fn yes = has_rows ? move : agree;
    const struct tercet_action actions[] = {
        {.name = PARTICIPANT_AGREE, .on_try = yes, .on_confirm = yes, .on_cancel = yes},
        {.name = PARTICIPANT_REFUSE, .on_try = refuse, .on_confirm = agree, .on_cancel = agree}};
    const struct tercet_participant_options options = {
        .size = sizeof options, .name = name, .listen = listen, .log = tercet_log_to_stderr};
    struct tercet_store *store = NULL;
    struct tercet_participant *participant = NULL;
    struct tercet_error error = {0};

    const bool ok =
        open_store(store_name, directory, name, &store, &error) == TERCET_OK &&
        tercet_participant_create(&options, &participant, &error) == TERCET_OK &&
        tercet_participant_register(participant, store, actions, 2, &error) == TERCET_OK &&
        tercet_participant_start(participant, &error) == TERCET_OK;
    if (ok) {
        process_serve_parent();
        (void)!tercet_participant_stop(participant, STOP_GRACE_MS);
    } else {
        (void)fprintf(stderr, "participant %s: %s\n", name, error.text);
    }
    tercet_participant_destroy(participant);
    tercet_store_close(store);
    return ok ? 0 : 1;
}
