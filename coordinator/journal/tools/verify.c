/* verify.c -- tercetd verify (tools.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "journal/journal_files.h"
#include "journal/journal_leveldb_internal.h"
#include "journal/tools/copy.h"
#include "journal/tools/hold.h"
#include "journal/tools/inspect.h"
#include "journal/tools/scratch.h"
#include "journal/tools/tools.h"

static void print_origin(const struct journal_head *head, FILE *to)
{
    for (size_t i = 0; i < sizeof head->origin; i++) {
        (void)fprintf(to, "%02x", head->origin[i]);
    }
}

static void print_sound(const char *directory, const struct inspection *inspection, FILE *to)
{
    const struct journal_head *head = &inspection->head;
    (void)fprintf(to, "%s is sound\n  origin             ", directory);
    print_origin(head, to);
    (void)fprintf(to,
                  "\n  incarnation        %" PRId64 "\n  epoch              %" PRId64
                  "\n  writes (LSN)       %" PRId64 "\n  next number        %" PRId64
                  "\n  live records       %" PRId64 ", their digest adds up\n"
                  "  open transactions  %" PRId64 ", %" PRId64 " of them undecided\n"
                  "  outcomes           %" PRId64 ", in the live store and %" PRId64 " days\n",
                  head->incarnation, head->epoch, head->lsn, head->next_number, head->live_count,
                  inspection->open_count, inspection->undecided_count, inspection->outcome_count,
                  inspection->day_count);
    (void)fputs("checked: lock, format, every record's checksum and meaning, count and digest of "
                "the live\nstore, the witness, count and digest of every day\n",
                to);
}

/* Our own sentences and paths; control bytes of a path become '?'. */
static void print_json_text(const char *text, FILE *to)
{
    (void)fputc('"', to);
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\') {
            (void)fputc('\\', to);
        }
        (void)fputc((unsigned char)*at < 0x20 ? '?' : *at, to);
    }
    (void)fputc('"', to);
}

static void print_json_sound(const struct inspection *inspection, FILE *to)
{
    const struct journal_head *head = &inspection->head;
    (void)fputs(", \"origin\": \"", to);
    print_origin(head, to);
    (void)fprintf(to,
                  "\", \"incarnation\": %" PRId64 ", \"epoch\": %" PRId64 ", \"lsn\": %" PRId64
                  ", \"next_number\": %" PRId64 ", \"live_records\": %" PRId64
                  ", \"open_transactions\": %" PRId64 ", \"undecided_transactions\": %" PRId64
                  ", \"outcomes\": %" PRId64 ", \"days\": %" PRId64
                  ", \"horizon_unix_ms\": %" PRId64,
                  head->incarnation, head->epoch, head->lsn, head->next_number, head->live_count,
                  inspection->open_count, inspection->undecided_count, inspection->outcome_count,
                  inspection->day_count, head->horizon_unix_ms);
}

static void print(const char *directory, const struct inspection *inspection,
                  enum tercet_status status, const struct tercet_error *error, bool json, FILE *to)
{
    if (!json && status == TERCET_OK) {
        print_sound(directory, inspection, to);
    } else if (!json) {
        (void)fprintf(to,
                      "%s is damaged: %s\n"
                      "what it means and what to do: \"Refusals\" in docs/journal-format.md\n"
                      "what could be saved: tercetd recover %s NEW_DIRECTORY\n",
                      directory, error->text, directory);
    } else {
        (void)fputs("{\"directory\": ", to);
        print_json_text(directory, to);
        (void)fprintf(to, ", \"sound\": %s", status == TERCET_OK ? "true" : "false");
        if (status == TERCET_OK) {
            print_json_sound(inspection, to);
        } else {
            (void)fputs(", \"damage\": ", to);
            print_json_text(error->text, to);
        }
        (void)fputs("}\n", to);
    }
}

enum tercet_status tools_verify(const char *directory, bool json, FILE *to,
                                struct tercet_error *error_out)
{
    struct inspection inspection = {0};
    char *scratch = NULL;
    int fd = -1;
    enum tercet_status status = hold_journal(directory, &fd, error_out);
    if (status == TERCET_OK) {
        status = scratch_make(directory, &scratch, error_out);
    }
    if (status == TERCET_OK) {
        status = copy_journal(directory, scratch, COPY_LINKS_IF_CAN, error_out);
    }
    if (status == TERCET_OK) {
        status = inspect(scratch, NULL, NULL, &inspection, NULL, error_out);
    }
    if (status == TERCET_OK) {
        status = inspection_judge(directory, &inspection, error_out);
    }
    if (status == TERCET_OK || status == TERCET_DATA_LOSS) {
        print(directory, &inspection, status, error_out, json, to);
    }
    inspection_deinit(&inspection);
    TERCET_FAILPOINT("verify.before_remove");
    scratch_remove(scratch);
    if (fd >= 0) {
        close(fd);
    }
    return status;
}
