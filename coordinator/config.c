/* config.c -- see config.h. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"
#include "config_file.h"
#include "config_value.h"

static void set_defaults(struct config *config)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        const struct config_place place = {{CONFIG_FROM_DEFAULT, 0}, NULL};
        struct tercet_error error;
        if (key->fallback != NULL) {
            tercet_assert(config_set_text(config, i, key->fallback, &place, &error) == TERCET_OK);
        }
    }
}

/* The variable's value, or NULL. */
static const char *find_variable(const char *const *environment, const char *name)
{
    const size_t size = strlen(name);
    for (size_t i = 0; environment[i] != NULL; i++) {
        if (strncmp(environment[i], name, size) == 0 && environment[i][size] == '=') {
            return environment[i] + size + 1;
        }
    }
    return NULL;
}

/* Variables of other names that begin alike are not ours to judge: Kubernetes makes some for every
 * service that it calls tercet. */
static enum tercet_status set_from_environment(struct config *config,
                                               const char *const *environment,
                                               struct tercet_error *error_out)
{
    const struct config_place place = {{CONFIG_FROM_ENVIRONMENT, 0}, NULL};
    enum tercet_status status = TERCET_OK;
    for (size_t i = 0; status == TERCET_OK && i < CONFIG_KEY_COUNT; i++) {
        char name[64];
        config_variable_name(config_key_at(i)->name, name, sizeof name);
        const char *text = find_variable(environment, name);
        if (text != NULL) {
            status = config_set_text(config, i, text, &place, error_out);
        }
    }
    return status;
}

static enum tercet_status set_from_flags(struct config *config, const struct config_flag *flags,
                                         size_t count, struct tercet_error *error_out)
{
    const struct config_place place = {{CONFIG_FROM_FLAG, 0}, NULL};
    enum tercet_status status = TERCET_OK;
    for (size_t i = 0; status == TERCET_OK && i < count; i++) {
        const size_t index = config_key_find(flags[i].key);
        tercet_assert(index < CONFIG_KEY_COUNT); /* options.c knows no other flags */
        status = config_set_text(config, index, flags[i].text, &place, error_out);
    }
    return status;
}

/* What no single value can tell. */
static enum tercet_status check_whole(const struct config *config, struct tercet_error *error_out)
{
    if (config->journal == NULL) {
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "journal: is not set; write \"journal: DIRECTORY\" in the file, or set "
                         "TERCET_JOURNAL or --journal");
    }
    if (config->retry_base_ms > config->retry_cap_ms) {
        const size_t index = config_key_find("retry_base_ms");
        const struct config_place place = {config->origins[index], config->file};
        char where[CONFIG_PLACE_SIZE];
        return error_set(error_out, TERCET_INVALID_ARGUMENT,
                         "%s: %" PRIu32 " is more than retry_cap_ms, which is %" PRIu32,
                         config_place_text(&place, "retry_base_ms", where), config->retry_base_ms,
                         config->retry_cap_ms);
    }
    return TERCET_OK;
}

enum tercet_status config_load(const struct config_sources *sources, struct config **config_out,
                               struct tercet_error *error_out)
{
    struct config *config = xcalloc(1, sizeof *config);
    enum tercet_status status = TERCET_OK;
    set_defaults(config);
    if (sources->file != NULL) {
        config->file = xstrdup(sources->file);
        status = config_file_read(config, sources->file, error_out);
    }
    if (status == TERCET_OK && sources->environment != NULL) {
        status = set_from_environment(config, sources->environment, error_out);
    }
    if (status == TERCET_OK) {
        status = set_from_flags(config, sources->flags, sources->flag_count, error_out);
    }
    if (status == TERCET_OK) {
        status = check_whole(config, error_out);
    }
    if (status == TERCET_OK) {
        *config_out = config;
        config = NULL; /* handed over */
    }
    config_destroy(config);
    return status;
}

void config_destroy(struct config *config)
{
    if (config == NULL) {
        return;
    }
    config_clear_listen(config);
    config_clear_participants(config);
    free(config->journal);
    free(config->backup_directory);
    free(config->file);
    free(config);
}

static uint32_t own_or(uint32_t own, uint32_t common)
{
    return own != 0 ? own : common;
}

enum tercet_status config_make_directory(const struct config *config, struct directory *directory,
                                         struct tercet_error *error_out)
{
    const uint64_t share =
        (uint64_t)config->open_transactions_max * config->participant_share / 100;
    const uint32_t open_max = share == 0 ? 1 : (uint32_t)share;
    for (uint32_t i = 0; i < config->participant_count; i++) {
        const struct config_participant *participant = &config->participants[i];
        struct directory_entry entry = {
            .connections = participant->connections,
            .call_timeout_ms = own_or(participant->call_timeout_ms, config->call_timeout_ms),
            .window = own_or(participant->window, config->window),
            .open_transaction_max = own_or(participant->open_transactions_max, open_max),
        };
        memcpy(entry.name, participant->name, strlen(participant->name) + 1);
        entry.target_count = participant->target != NULL ? 1 : participant->target_count;
        entry.targets[0] = participant->target; /* directory_add() copies */
        for (uint32_t j = 0; j < participant->target_count; j++) {
            entry.targets[j] = participant->targets[j];
        }
        const enum tercet_status status = directory_add(directory, &entry);
        if (status != TERCET_OK) {
            return error_set(error_out, status, "participant \"%s\": %s", participant->name,
                             tercet_status_name(status));
        }
    }
    return TERCET_OK;
}
