/* store.c -- see store.h; memory and LevelDB, which have no rows. */
#include "store.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "tercet/store_leveldb.h"
#include "tercet/store_memory.h"

static enum tercet_verdict agree(struct tercet_request *request)
{
    (void)request;
    return TERCET_VERDICT_DONE;
}

static enum tercet_status open_memory(const struct store_place *place,
                                      struct tercet_store **store_out,
                                      struct tercet_error *error_out)
{
    const struct tercet_memory_options options = {.size = sizeof options,
                                                  .batch_max = place->batch_max};
    return tercet_memory_open(&options, store_out, error_out);
}

static enum tercet_status open_leveldb(const struct store_place *place,
                                       struct tercet_store **store_out,
                                       struct tercet_error *error_out)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s.leveldb", place->place, place->name);
    const struct tercet_leveldb_options options = {.size = sizeof options,
                                                   .path = path,
                                                   .create_if_missing = true,
                                                   .batch_max = place->batch_max};
    return tercet_leveldb_open(&options, store_out, error_out);
}

static const struct store_kind memory = {.name = "memory", .open = open_memory, .handler = agree};
static const struct store_kind leveldb = {
    .name = "leveldb", .open = open_leveldb, .handler = agree};

static const struct store_kind bare = {.name = STORE_BARE};

const struct store_kind store_program = {.name = "program"};

static const struct store_kind *const kinds[] = {
    &memory,         &leveldb, &bare, &store_sqlite,
#ifdef BENCH_POSTGRES
    &store_postgres,
#endif
#ifdef BENCH_MARIADB
    &store_mariadb,
#endif
};

const struct store_kind *store_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

const char *store_names(void)
{
    static char names[128];
    names[0] = '\0';
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const size_t at = strlen(names);
        (void)snprintf(names + at, sizeof names - at, "%s%s", i == 0 ? "" : ", ", kinds[i]->name);
    }
    return names;
}

unsigned store_account(const struct tercet_request *request)
{
    unsigned hash = 5381;
    for (const char *at = request->gid; *at != '\0'; at++) {
        hash = hash * 33 + (unsigned char)*at;
    }
    return hash % STORE_ACCOUNT_COUNT;
}
