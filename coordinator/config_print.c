/* config_print.c -- see config_print.h. */
#include "config_print.h"

#include <inttypes.h>
#include <string.h>

#include "base/assert.h"
#include "config_value.h"

static const char *const level_names[] = {"debug", "info", "warning", "error"};

/* Text as YAML that no one can misread: in double quotes where a plain word would not do. */
static void print_text(FILE *to, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";
    if (strspn(text, plain) == strlen(text) && strspn(text, "0123456789.-") < strlen(text)) {
        (void)fputs(text, to);
        return;
    }
    (void)fputc('"', to);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            (void)fputc('\\', to);
        }
        (void)fputc(*at, to);
    }
    (void)fputc('"', to);
}

static void print_origin(FILE *to, const struct config *config, const struct config_key *key,
                         struct config_origin origin)
{
    char name[64];
    switch (origin.source) {
    case CONFIG_FROM_DEFAULT:
        (void)fputs("  # default\n", to);
        break;
    case CONFIG_FROM_FILE:
        (void)fprintf(to, "  # %s:%" PRIu32 "\n", config->file, origin.line);
        break;
    case CONFIG_FROM_ENVIRONMENT:
        config_variable_name(key->name, name, sizeof name);
        (void)fprintf(to, "  # %s\n", name);
        break;
    case CONFIG_FROM_FLAG:
        config_flag_name(key->name, name, sizeof name);
        (void)fprintf(to, "  # %s\n", name);
        break;
    }
}

static void print_texts(FILE *to, char *const *texts, uint32_t count)
{
    (void)fputc('[', to);
    for (uint32_t i = 0; i < count; i++) {
        (void)fputs(i == 0 ? "" : ", ", to);
        print_text(to, texts[i]);
    }
    (void)fputc(']', to);
}

static void print_number_if(FILE *to, const char *name, uint32_t number)
{
    if (number != 0) {
        (void)fprintf(to, ", %s: %" PRIu32, name, number);
    }
}

static void print_participants(FILE *to, const struct config *config, const struct config_key *key)
{
    for (uint32_t i = 0; i < config->participant_count; i++) {
        const struct config_participant *participant = &config->participants[i];
        (void)fputs("  - {name: ", to);
        print_text(to, participant->name);
        if (participant->target != NULL) {
            (void)fputs(", target: ", to);
            print_text(to, participant->target);
        } else {
            (void)fputs(", targets: ", to);
            print_texts(to, participant->targets, participant->target_count);
        }
        print_number_if(to, "connections", participant->connections);
        print_number_if(to, "call_timeout_ms", participant->call_timeout_ms);
        print_number_if(to, "window", participant->window);
        print_number_if(to, "open_transactions_max", participant->open_transactions_max);
        (void)fputc('}', to);
        print_origin(to, config, key, participant->origin);
    }
}

static void print_value(FILE *to, const struct config *config, const struct config_key *key)
{
    const char *field = (const char *)config + key->offset;
    uint32_t narrow = 0;
    uint64_t wide = 0;
    bool flag = false;
    const char *text = NULL;
    switch (key->kind) {
    case CONFIG_U32:
        memcpy(&narrow, field, sizeof narrow);
        (void)fprintf(to, "%" PRIu32, narrow);
        break;
    case CONFIG_U64:
        memcpy(&wide, field, sizeof wide);
        (void)fprintf(to, "%" PRIu64, wide);
        break;
    case CONFIG_BOOL:
        memcpy(&flag, field, sizeof flag);
        (void)fputs(flag ? "true" : "false", to);
        break;
    case CONFIG_LEVEL:
        (void)fputs(level_names[config->log_level], to);
        break;
    case CONFIG_TEXT:
        memcpy(&text, field, sizeof text);
        print_text(to, text);
        break;
    case CONFIG_TEXTS:
        print_texts(to, config->listen, config->listen_count);
        break;
    case CONFIG_PARTICIPANTS:
        (void)fputs(config->participant_count == 0 ? "[]" : "", to);
        break;
    }
}

/* A text that has no default and was not given. */
static bool is_unset(const struct config *config, const struct config_key *key)
{
    const char *text = NULL;
    if (key->kind == CONFIG_TEXT) {
        memcpy(&text, (const char *)config + key->offset, sizeof text);
    }
    return key->kind == CONFIG_TEXT && text == NULL;
}

void config_print(const struct config *config, FILE *to)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        if (is_unset(config, key)) {
            continue;
        }
        const bool nested = key->kind == CONFIG_PARTICIPANTS && config->participant_count > 0;
        (void)fprintf(to, "%s:%s", key->name, nested ? "" : " ");
        print_value(to, config, key);
        print_origin(to, config, key, config->origins[i]);
        if (nested) {
            print_participants(to, config, key);
        }
    }
}

void config_print_flags(FILE *to)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        char name[64];
        config_flag_name(key->name, name, sizeof name);
        (void)fprintf(to, "  %-26s %s", name, key->meaning);
        if (key->fallback != NULL && key->fallback[0] != '\0') {
            (void)fprintf(to, " Default %s%s%s.", key->fallback, key->unit[0] == '\0' ? "" : " ",
                          key->unit);
        }
        (void)fputc('\n', to);
    }
}

static void print_row(FILE *to, const struct config_key *key, const char *fallback)
{
    (void)fprintf(to, "| `%s` | %s | ", key->name, fallback);
    if (key->kind == CONFIG_U32 || key->kind == CONFIG_U64) {
        (void)fprintf(to, "%" PRIu64 " to %" PRIu64, key->min, key->max);
    }
    (void)fprintf(to, " | %s | %s |\n", key->unit, key->meaning);
}

void config_print_table(FILE *to)
{
    static const char head[] = "| key | default | bounds | unit | meaning |\n"
                               "|---|---|---|---|---|\n";
    (void)fputs(head, to);
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        const struct config_key *key = config_key_at(i);
        print_row(to, key, key->fallback == NULL ? "" : key->fallback);
    }
    (void)fputs("\nEach entry of `participants`:\n\n", to);
    (void)fputs(head, to);
    for (size_t i = 0; i < CONFIG_PARTICIPANT_KEY_COUNT; i++) {
        print_row(to, config_participant_key_at(i), "");
    }
}
