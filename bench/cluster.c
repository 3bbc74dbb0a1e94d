/* cluster.c -- see cluster.h. */
#include "cluster.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "participant.h"

enum { START_TIMEOUT_MS = 30000, STOP_GRACE_MS = 20000, NFTW_DESCRIPTORS = 16 };
enum { LOG_TAIL_BYTES = 2000 };

/* A million open transactions take it two seconds of a processor to free, and it may not have one alone. */
enum { COORDINATOR_GRACE_MS = 120000 };

/* tercetd's defaults, which are the load's; what stays open is added. */
enum { OPEN_TRANSACTIONS_MAX = 100000, OPEN_PAYLOAD_BYTES_MAX = 1 << 30 };

const char *cluster_participant_name(uint32_t index)
{
    static char names[CLUSTER_PARTICIPANT_COUNT_MAX][8];
    (void)snprintf(names[index], sizeof names[index], "p%u", (unsigned)(index + 1) % 1000);
    return names[index];
}

static bool complain(const char *what)
{
    (void)fprintf(stderr, "tercet-bench: %s: %s\n", what, strerror(errno));
    return false;
}

/* False: it does not fit. */
static bool format(char *text_out, size_t size, const char *pattern, ...)
    __attribute__((__format__(__printf__, 3, 4)));

static bool format(char *text_out, size_t size, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    const int needed = vsnprintf(text_out, size, pattern, arguments);
    va_end(arguments);
    return needed >= 0 && (size_t)needed < size;
}

/* ---- Start ------------------------------------------------------------------------------------- */

bool cluster_make_directory(struct cluster *cluster, const char *parent)
{
    memset(cluster, 0, sizeof *cluster);
    char path[CLUSTER_PATH_SIZE];
    /* A unix socket's path has at most 107 bytes, and names are added to it below. */
    if (!format(path, sizeof path - 24, "%s/tercet-bench-XXXXXX", parent)) {
        errno = ENAMETOOLONG;
        return complain(parent);
    }
    if (mkdtemp(path) == NULL) {
        return complain(path);
    }
    memcpy(cluster->directory, path, sizeof path);
    return format(cluster->target, sizeof cluster->target, "unix:%s/tercetd", path) &&
           format(cluster->log, sizeof cluster->log, "%s/log", path);
}

/* And says to the coordinator where it is; `settings` are the other keys of its entry. */
static bool start_participant(struct cluster *cluster, struct process *process, const char *name,
                              const char *self, const struct cluster_participants *participants,
                              const char *settings, FILE *config)
{
    char listen[CLUSTER_PATH_SIZE];
    if (!format(listen, sizeof listen, "unix:%s/%s", cluster->directory, name)) {
        errno = ENAMETOOLONG;
        return complain(cluster->directory);
    }
    const struct participant_command command = {
        .self = self,
        .program = participants->program,
        .name = name,
        .listen = listen,
        .store = participants->store,
        .place = participants->database != NULL ? participants->database : cluster->directory,
        .batch_max = participants->batch_max};
    if (!participant_start(process, &command, cluster->log)) {
        return false;
    }
    return fprintf(config, "  - {name: %s, target: \"%s\"%s}\n", name, listen, settings) > 0 ||
           complain("its configuration");
}

/* One call to it is under way and is not answered; what waits behind it costs nobody anything.  It has no
 * database, whatever the others have. */
static bool start_silent(struct cluster *cluster, const char *self,
                         const struct cluster_participants *participants, FILE *config)
{
    const struct cluster_participants own = {.store = "memory"};
    char settings[96];
    (void)snprintf(settings, sizeof settings,
                   ", window: 1, call_timeout_ms: 600000, open_transactions_max: %u",
                   (unsigned)participants->open_branches);
    return start_participant(cluster, &cluster->silent, CLUSTER_SILENT, self, &own, settings,
                             config);
}

/* Starts them all, and writes the coordinator's configuration. */
static bool start_participants(struct cluster *cluster, const char *self,
                               const struct cluster_participants *participants, FILE *config)
{
    const uint32_t open = participants->open_transactions;
    /* One is the default, and older coordinators know no other. */
    char settings[32] = "";
    if (participants->connections > 1) {
        (void)snprintf(settings, sizeof settings, ", connections: %u",
                       (unsigned)participants->connections);
    }
    if (open > 0) {
        (void)fprintf(config,
                      "open_transactions_max: %" PRIu32 "\nopen_payload_bytes_max: %" PRIu64 "\n",
                      OPEN_TRANSACTIONS_MAX + open,
                      OPEN_PAYLOAD_BYTES_MAX + participants->open_payload_bytes);
    }
    if (participants->unary_only) {
        (void)fputs("participant_stream: false\n", config);
    }
    bool ok = fputs("participants:\n", config) >= 0;
    for (uint32_t i = 0; ok && i < participants->count; i++) {
        ok = start_participant(cluster, &cluster->participants[i], cluster_participant_name(i),
                               self, participants, settings, config);
    }
    return ok && (open == 0 || start_silent(cluster, self, participants, config));
}

static bool start_coordinator(struct cluster *cluster, const char *daemon, const char *config)
{
    char journal[CLUSTER_PATH_SIZE];
    struct process init;
    if (!format(journal, sizeof journal, "%s/journal", cluster->directory)) {
        errno = ENAMETOOLONG;
        return complain(cluster->directory);
    }
    const char *const make[] = {daemon, "init", journal, NULL};
    if (!process_start(&init, make, cluster->log)) {
        return complain(daemon);
    }
    const int code = process_wait(&init, START_TIMEOUT_MS);
    if (code != 0) {
        (void)process_stop(&init, 0);
        (void)fprintf(stderr, "tercet-bench: %s init ended with %d\n", daemon, code);
        return false;
    }
    const char *const serve[] = {daemon,     "--listen", cluster->target, "--journal", journal,
                                 "--config", config,     "--log-level",   "warning",   NULL};
    return process_start(&cluster->coordinator, serve, cluster->log) || complain(daemon);
}

bool cluster_start(struct cluster *cluster, const char *daemon, const char *self,
                   const struct cluster_participants *participants)
{
    char path[CLUSTER_PATH_SIZE];
    if (!format(path, sizeof path, "%s/tercetd.yaml", cluster->directory)) {
        errno = ENAMETOOLONG;
        return complain(cluster->directory);
    }
    FILE *config = fopen(path, "we");
    if (config == NULL) {
        return complain(path);
    }
    cluster->participant_count = participants->count;
    bool ok = start_participants(cluster, self, participants, config);
    ok = fclose(config) == 0 && ok;
    for (uint32_t i = 0; ok && i < participants->count; i++) {
        ok = participant_wait(&cluster->participants[i], cluster_participant_name(i));
    }
    if (ok && cluster_has_silent(cluster)) {
        ok = participant_wait(&cluster->silent, CLUSTER_SILENT);
    }
    return ok && start_coordinator(cluster, daemon, path);
}

bool cluster_has_silent(const struct cluster *cluster)
{
    return cluster->silent.id != 0;
}

/* ---- Stop -------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void show_log(const struct cluster *cluster)
{
    char text[LOG_TAIL_BYTES];
    FILE *file = fopen(cluster->log, "re");
    if (file == NULL) {
        return;
    }
    if (fseek(file, -(long)sizeof text, SEEK_END) != 0) {
        rewind(file);
    }
    const size_t size = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    (void)fprintf(stderr, "---- end of the log\n%.*s", (int)size, text);
}

/* Its input closes; SIGTERM, which it does not expect, comes only if that is not enough. */
static bool stop_participant(struct cluster *cluster, struct process *process, const char *name)
{
    char said[128];
    if (process->id == 0) {
        return true;
    }
    (void)close(process->input);
    process->input = -1;
    process_read_all(process, said, sizeof said);
    const char *told = strstr(said, PARTICIPANT_TRANSACTIONS " ");
    if (told != NULL) {
        cluster->local_transactions += strtoull(told + sizeof PARTICIPANT_TRANSACTIONS, NULL, 10);
    }
    if (process_wait(process, STOP_GRACE_MS) == 0) {
        return true;
    }
    (void)process_stop(process, STOP_GRACE_MS);
    (void)fprintf(stderr, "tercet-bench: participant %s did not end well\n", name);
    return false;
}

bool cluster_stop(struct cluster *cluster)
{
    /* The silent one first: the coordinator would wait for its answer. */
    bool ok = stop_participant(cluster, &cluster->silent, CLUSTER_SILENT);
    const bool began = cluster->coordinator.id != 0;
    const int code = process_stop(&cluster->coordinator, COORDINATOR_GRACE_MS);
    if (began && code != 0) {
        (void)fprintf(stderr, "tercet-bench: tercetd ended with %d\n", code);
        ok = false;
    }
    for (uint32_t i = 0; i < cluster->participant_count; i++) {
        ok =
            stop_participant(cluster, &cluster->participants[i], cluster_participant_name(i)) && ok;
    }
    if (!ok || !began) {
        show_log(cluster);
    }
    return ok && began;
}

bool cluster_read_open(const struct cluster *cluster, const char *daemon, int64_t *open_out)
{
    char journal[CLUSTER_PATH_SIZE];
    char text[4096];
    struct process verify;
    json_error_t error;

    if (!format(journal, sizeof journal, "%s/journal", cluster->directory)) {
        return false;
    }
    const char *const arguments[] = {daemon, "verify", journal, "--json", NULL};
    if (!process_start(&verify, arguments, cluster->log)) {
        return complain(daemon);
    }
    process_read_all(&verify, text, sizeof text);
    const int code = process_wait(&verify, START_TIMEOUT_MS);
    json_t *told = json_loads(text, 0, &error);
    json_int_t open = -1;
    if (told != NULL) {
        (void)json_unpack(told, "{s:I}", "open_transactions", &open);
    }
    json_decref(told);
    if (code != 0 || open < 0) {
        (void)process_stop(&verify, 0);
        (void)fprintf(stderr, "tercet-bench: %s verify ended with %d: %s\n", daemon, code, text);
        return false;
    }
    *open_out = open;
    return true;
}

void cluster_remove(struct cluster *cluster)
{
    if (cluster->directory[0] != '\0') {
        (void)nftw(cluster->directory, remove_one, NFTW_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
        cluster->directory[0] = '\0';
    }
}

/* ---- Usage ------------------------------------------------------------------------------------- */

/* The number of the newest batch, as the journal's witness tells it (docs/journal-format.md); 0 when it
 * cannot be read. */
static uint64_t read_newest_batch(const struct cluster *cluster)
{
    enum { SLOT_SIZE = 4096, NUMBER_AT = 44, NUMBER_SIZE = 8 };
    uint8_t slots[2 * SLOT_SIZE] = {0};
    char path[CLUSTER_PATH_SIZE];
    uint64_t newest = 0;
    FILE *file = format(path, sizeof path, "%s/journal/witness", cluster->directory)
                     ? fopen(path, "re")
                     : NULL;
    if (file == NULL) {
        return 0;
    }
    (void)!fread(slots, 1, sizeof slots, file);
    (void)fclose(file);
    for (size_t i = 0; i < 2; i++) {
        uint64_t number = 0;
        for (size_t at = 0; at < NUMBER_SIZE; at++) {
            number = number << 8 | slots[i * SLOT_SIZE + NUMBER_AT + at];
        }
        newest = number > newest ? number : newest;
    }
    return newest;
}

void cluster_read_usage(const struct cluster *cluster, struct cluster_usage *usage_out)
{
    memset(usage_out, 0, sizeof *usage_out);
    usage_out->generator_cpu_us = process_cpu_us(getpid());
    usage_out->coordinator_cpu_us = process_cpu_us(cluster->coordinator.id);
    usage_out->coordinator_written_bytes = process_written_bytes(cluster->coordinator.id);
    usage_out->batches = read_newest_batch(cluster);
    usage_out->machine = process_read_machine();
    for (uint32_t i = 0; i < cluster->participant_count; i++) {
        const pid_t id = cluster->participants[i].id;
        usage_out->participants_cpu_us[i] = process_cpu_us(id);
        usage_out->participants_written_bytes += process_written_bytes(id);
    }
}

void cluster_usage_subtract(struct cluster_usage *from, const struct cluster_usage *begun,
                            uint32_t participant_count)
{
    from->generator_cpu_us -= begun->generator_cpu_us;
    from->coordinator_cpu_us -= begun->coordinator_cpu_us;
    from->coordinator_written_bytes -= begun->coordinator_written_bytes;
    from->participants_written_bytes -= begun->participants_written_bytes;
    from->batches -= begun->batches;
    from->machine.busy_us -= begun->machine.busy_us;
    from->machine.idle_us -= begun->machine.idle_us;
    for (uint32_t i = 0; i < participant_count; i++) {
        from->participants_cpu_us[i] -= begun->participants_cpu_us[i];
    }
}
