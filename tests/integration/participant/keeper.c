/* keeper.c -- a participant for tests, which counts its effects and dies when it is told to.
 *
 *   keeper serve NAME LISTEN STORE...     for each store an action of its name, and NAME.once, which is
 *                                         confirm-only; see keeper_store.h
 *   keeper print DIRECTORY                the counts of a LevelDB store that nobody serves
 *
 * A request's payload says what its try answers: "refuse" says no, everything else is done.  With
 * KEEPER_DIES=PHASE:FILE in the environment it kills itself in that phase's handler, after the effect
 * and before the commit, if it can remove FILE: so it dies once for each time that FILE is made.  With
 * KEEPER_WAITS=FILE a handler makes FILE.waiting and then waits until FILE is there. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keeper_store.h"

enum {
    STORE_COUNT_MAX = 3,
    WAIT_LOOK_EVERY_MS = 5,
    WAIT_LOOKS_MAX = 12000,
    NS_PER_MS = 1000000,
    PATH_SIZE = 512,
    NAME_SIZE = 32
};

static void die_if_told(enum tercet_phase phase)
{
    const char *told = getenv("KEEPER_DIES");
    const char *file = told == NULL ? NULL : strchr(told, ':');
    const char *name = tercet_phase_name(phase);
    if (file == NULL || strlen(name) != (size_t)(file - told) ||
        strncmp(told, name, strlen(name)) != 0) {
        return;
    }
    if (unlink(file + 1) == 0) {
        (void)kill(getpid(), SIGKILL);
    }
}

static void wait_if_told(void)
{
    const char *file = getenv("KEEPER_WAITS");
    const struct timespec moment = {.tv_nsec = WAIT_LOOK_EVERY_MS * NS_PER_MS};
    if (file == NULL) {
        return;
    }
    char waiting[PATH_SIZE];
    (void)snprintf(waiting, sizeof waiting, "%s.waiting", file);
    FILE *mark = fopen(waiting, "w");
    if (mark != NULL) {
        (void)fclose(mark);
    }
    for (int looks = 0; access(file, F_OK) != 0 && looks < WAIT_LOOKS_MAX; looks++) {
        (void)nanosleep(&moment, NULL);
    }
}

static enum tercet_verdict keep(struct tercet_request *request)
{
    const char *action = request->context;

    if (!keeper_store_count(request, action)) {
        return tercet_answer_failed(request, "the count cannot be written");
    }
    wait_if_told();
    die_if_told(request->phase);
    if (request->phase == TERCET_PHASE_TRY && request->payload.size == strlen("refuse") &&
        memcmp(request->payload.data, "refuse", request->payload.size) == 0) {
        return tercet_answer_refused(request, "TOLD_TO", "the payload says so");
    }
    return TERCET_VERDICT_DONE;
}

struct keeper {
    struct tercet_participant *participant;
    struct tercet_store *stores[STORE_COUNT_MAX];
    size_t store_count;
    char once_names[STORE_COUNT_MAX][NAME_SIZE];
};

static enum tercet_status add_store(struct keeper *keeper, const char *place,
                                    struct tercet_error *error_out)
{
    const char *name = NULL;
    struct tercet_store **store = &keeper->stores[keeper->store_count];
    const enum tercet_status status = keeper_store_open(place, store, &name, error_out);
    if (status != TERCET_OK) {
        return status;
    }
    keeper->store_count++;
    void *context = (void *)(uintptr_t)name;
    char *once = keeper->once_names[keeper->store_count - 1];
    (void)snprintf(once, NAME_SIZE, "%s.once", name);
    const struct tercet_action actions[] = {
        {.name = name, .on_try = keep, .on_confirm = keep, .on_cancel = keep, .context = context},
        {.name = once, .on_confirm = keep, .context = context}};
    return tercet_participant_register(keeper->participant, *store, actions, 2, error_out);
}

static int serve(const char *name, const char *listen, char **places, int place_count)
{
    const struct tercet_participant_options options = {
        .size = sizeof options, .name = name, .listen = listen, .log = tercet_log_to_stderr};
    struct keeper keeper = {.store_count = 0};
    struct tercet_error error = {0};

    enum tercet_status status = tercet_participant_create(&options, &keeper.participant, &error);
    for (int i = 0; status == TERCET_OK && i < place_count; i++) {
        status = add_store(&keeper, places[i], &error);
    }
    if (status == TERCET_OK) {
        status = tercet_participant_serve(keeper.participant, &error);
    }
    if (status != TERCET_OK) {
        (void)fprintf(stderr, "keeper: %s\n", error.text);
    }
    tercet_participant_destroy(keeper.participant);
    for (size_t i = 0; i < keeper.store_count; i++) {
        tercet_store_close(keeper.stores[i]);
    }
    return status == TERCET_OK ? 0 : 1;
}

static int print(const char *directory)
{
    char place[PATH_SIZE];
    const char *action = NULL;
    struct tercet_store *store = NULL;
    struct tercet_error error = {0};

    (void)snprintf(place, sizeof place, "leveldb:%s", directory);
    if (keeper_store_open(place, &store, &action, &error) != TERCET_OK) {
        (void)fprintf(stderr, "keeper: %s\n", error.text);
        return 1;
    }
    keeper_store_print(store);
    tercet_store_close(store);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 5 && argc <= 4 + STORE_COUNT_MAX && strcmp(argv[1], "serve") == 0) {
        return serve(argv[2], argv[3], argv + 4, argc - 4);
    }
    if (argc == 3 && strcmp(argv[1], "print") == 0) {
        return print(argv[2]);
    }
    (void)fprintf(stderr, "usage: keeper serve NAME LISTEN STORE... | keeper print DIRECTORY\n");
    return 64;
}
