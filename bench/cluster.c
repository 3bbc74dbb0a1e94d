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

/* And says to the coordinator where it is. */
static bool start_participant(struct cluster *cluster, uint32_t index, const char *self,
                              const struct cluster_participants *participants, FILE *config)
{
    char listen[CLUSTER_PATH_SIZE];
    char batch_max[16];
    const char *place =
        participants->database != NULL ? participants->database : cluster->directory;
    const char *name = cluster_participant_name(index);
    if (!format(listen, sizeof listen, "unix:%s/%s", cluster->directory, name)) {
        errno = ENAMETOOLONG;
        return complain(cluster->directory);
    }
    (void)snprintf(batch_max, sizeof batch_max, "%u", (unsigned)participants->batch_max);
    const char *const arguments[] = {self,  "participant", name, listen, participants->store,
                                     place, batch_max,     NULL};
    if (!process_start(&cluster->participants[index], arguments, cluster->log)) {
        return complain(self);
    }
    /* One is the default, and older coordinators know no other. */
    char connections[32] = "";
    if (participants->connections > 1) {
        (void)snprintf(connections, sizeof connections, ", connections: %u",
                       (unsigned)participants->connections);
    }
    return fprintf(config, "  - {name: %s, target: \"%s\"%s}\n", name, listen, connections) > 0 ||
           complain("its configuration");
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
    bool ok = fputs("participants:\n", config) >= 0;
    cluster->participant_count = participants->count;
    for (uint32_t i = 0; ok && i < participants->count; i++) {
        ok = start_participant(cluster, i, self, participants, config);
    }
    if (fclose(config) != 0 || !ok) {
        return false;
    }
    for (uint32_t i = 0; i < participants->count; i++) {
        if (!process_wait_for(&cluster->participants[i], PROCESS_READY, START_TIMEOUT_MS)) {
            (void)fprintf(stderr, "tercet-bench: participant %s did not become ready\n",
                          cluster_participant_name(i));
            return false;
        }
    }
    return start_coordinator(cluster, daemon, path);
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
static bool stop_participant(struct cluster *cluster, struct process *process)
{
    char said[128];
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
    return false;
}

bool cluster_stop(struct cluster *cluster)
{
    bool ok = true;
    const bool began = cluster->coordinator.id != 0;
    const int code = process_stop(&cluster->coordinator, STOP_GRACE_MS);
    if (began && code != 0) {
        (void)fprintf(stderr, "tercet-bench: tercetd ended with %d\n", code);
        ok = false;
    }
    for (uint32_t i = 0; i < cluster->participant_count; i++) {
        struct process *process = &cluster->participants[i];
        if (process->id != 0 && !stop_participant(cluster, process)) {
            (void)fprintf(stderr, "tercet-bench: participant %s did not end well\n",
                          cluster_participant_name(i));
            ok = false;
        }
    }
    if (!ok || !began) {
        show_log(cluster);
    }
    return ok && began;
}

bool cluster_read_journal(const struct cluster *cluster, const char *daemon,
                          struct cluster_journal *journal_out)
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
    json_int_t batches = -1;
    json_int_t open = -1;
    if (told != NULL) {
        (void)json_unpack(told, "{s:I, s:I}", "lsn", &batches, "open_transactions", &open);
    }
    json_decref(told);
    if (code != 0 || batches < 0 || open < 0) {
        (void)process_stop(&verify, 0);
        (void)fprintf(stderr, "tercet-bench: %s verify ended with %d: %s\n", daemon, code, text);
        return false;
    }
    *journal_out = (struct cluster_journal){.batches = batches, .open_transactions = open};
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

void cluster_read_usage(const struct cluster *cluster, struct cluster_usage *usage_out)
{
    memset(usage_out, 0, sizeof *usage_out);
    usage_out->generator_cpu_us = process_cpu_us(getpid());
    usage_out->coordinator_cpu_us = process_cpu_us(cluster->coordinator.id);
    usage_out->coordinator_written_bytes = process_written_bytes(cluster->coordinator.id);
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
    from->machine.busy_us -= begun->machine.busy_us;
    from->machine.idle_us -= begun->machine.idle_us;
    for (uint32_t i = 0; i < participant_count; i++) {
        from->participants_cpu_us[i] -= begun->participants_cpu_us[i];
    }
}
