/* failpoint.c -- see failpoint.h.  An empty file unless TERCET_FAILPOINTS is defined. */
#include "base/failpoint.h"

#ifdef TERCET_FAILPOINTS

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    POINTS_MAX = 64,
    NAMES_MAX = 512,
    TERMS_MAX = 8,
    TEXT_MAX = 128,
    EXIT_CODE_MAX = 255,
    IDLE_BITS = 10,
    COUNT_MAX = 1000000
};

enum action { ACTION_OFF, ACTION_KILL, ACTION_EXIT, ACTION_FAIL, ACTION_PAUSE };

struct term {
    enum action action;
    long left; /* how often it still applies; -1: for ever */
    int exit_code;
    char file[TEXT_MAX];
};

struct point {
    char name[TEXT_MAX];
    struct term terms[TERMS_MAX];
    size_t term_count;
    size_t at;
};

static struct point points[POINTS_MAX];
static size_t point_count;
static const char *seen[NAMES_MAX]; /* names that were reached; string literals of the product */
static size_t seen_count;
static bool parsed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of all the above */

/* Names for which nothing is left to do: noted, and no point has them.  Found by their address without
 * the mutex, because the simulator comes by a hundred times for each transaction, on every thread. */
static const char *_Atomic idle[1U << IDLE_BITS];

__attribute__((__noreturn__)) static void malformed(const char *where)
{
    fprintf(stderr, "TERCET_FAILPOINTS: cannot read \"%s\"; want NAME=[COUNT*]ACTION[->...]\n",
            where);
    _exit(64);
}

/* Digits only, up to `end_text`; what is no number from 0 to `most` ends the process. */
static long parse_number(const char *text, const char *end_text, long most)
{
    char *end = NULL;
    const bool digits = *text >= '0' && *text <= '9'; /* strtol would take spaces and signs */
    const long number = strtol(text, &end, 10);
    if (!digits || end != end_text || number > most) {
        malformed(text);
    }
    return number;
}

static void parse_action(const char *text, struct term *term)
{
    if (strcmp(text, "off") == 0) {
        term->action = ACTION_OFF;
    } else if (strcmp(text, "kill") == 0) {
        term->action = ACTION_KILL;
    } else if (strcmp(text, "fail") == 0) {
        term->action = ACTION_FAIL;
    } else if (strncmp(text, "exit:", 5) == 0) {
        term->action = ACTION_EXIT;
        term->exit_code = (int)parse_number(text + 5, text + strlen(text), EXIT_CODE_MAX);
    } else if (strncmp(text, "pause:", 6) == 0 && text[6] != '\0' &&
               strlen(text + 6) < sizeof term->file) {
        term->action = ACTION_PAUSE;
        snprintf(term->file, sizeof term->file, "%s", text + 6);
    } else {
        malformed(text);
    }
}

static void parse_term(char *text, struct point *point)
{
    if (point->term_count == TERMS_MAX) {
        malformed(text);
    }
    struct term *term = &point->terms[point->term_count];
    point->term_count++;
    term->left = -1;
    char *star = strchr(text, '*');
    if (star != NULL) {
        term->left = parse_number(text, star, COUNT_MAX);
        text = star + 1;
    }
    parse_action(text, term);
}

static void parse_point(char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || point_count == POINTS_MAX ||
        (size_t)(equals - text) >= TEXT_MAX) {
        malformed(text);
    }
    struct point *point = &points[point_count];
    point_count++;
    memcpy(point->name, text, (size_t)(equals - text));
    char *term = equals + 1;
    for (char *arrow = strstr(term, "->"); arrow != NULL; arrow = strstr(term, "->")) {
        *arrow = '\0';
        parse_term(term, point);
        term = arrow + 2;
    }
    parse_term(term, point);
}

static void parse(void)
{
    const char *value = getenv("TERCET_FAILPOINTS");
    if (value == NULL || *value == '\0') {
        return;
    }
    char *copy = strdup(value);
    char *rest = copy;
    while (copy != NULL && rest != NULL) {
        char *semicolon = strchr(rest, ';');
        if (semicolon != NULL) {
            *semicolon = '\0';
        }
        parse_point(rest);
        rest = semicolon == NULL ? NULL : semicolon + 1;
    }
    free(copy);
}

/* A line in the file that TERCET_FAILPOINT_HITS names when `name` is reached for the first time.
 * One write to a file open for appending, so that the lines of several processes do not mix. */
static void note_hit(const char *name)
{
    for (size_t i = 0; i < seen_count; i++) {
        if (strcmp(seen[i], name) == 0) {
            return;
        }
    }
    if (seen_count == NAMES_MAX) {
        return;
    }
    seen[seen_count] = name;
    seen_count++;
    const char *path = getenv("TERCET_FAILPOINT_HITS");
    if (path == NULL || *path == '\0') {
        return;
    }
    char line[TEXT_MAX + 2];
    const int size = snprintf(line, sizeof line, "%.*s\n", TEXT_MAX, name);
    const int file = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0 || write(file, line, (size_t)size) != size) {
        fprintf(stderr, "TERCET_FAILPOINT_HITS: cannot write \"%s\"\n", path);
        _exit(64);
    }
    (void)close(file);
}

static const char *_Atomic *idle_slot(const char *name)
{
    const uint64_t mixed = (uint64_t)(uintptr_t)name * UINT64_C(0x9e3779b97f4a7c15);
    return &idle[mixed >> (64 - IDLE_BITS)];
}

/* The term that applies to this hit; counts it. */
static struct term next_term(const char *name)
{
    struct term result = {.action = ACTION_OFF};
    pthread_mutex_lock(&mutex);
    if (!parsed) {
        parse();
        parsed = true;
    }
    note_hit(name);
    bool is_idle = true;
    for (size_t i = 0; i < point_count; i++) {
        struct point *point = &points[i];
        if (strcmp(point->name, name) != 0) {
            continue;
        }
        is_idle = false;
        while (point->at < point->term_count && point->terms[point->at].left == 0) {
            point->at++;
        }
        if (point->at < point->term_count) {
            struct term *term = &point->terms[point->at];
            term->left -= term->left > 0 ? 1 : 0;
            result = *term;
        }
        break;
    }
    if (is_idle) {
        atomic_store_explicit(idle_slot(name), name, memory_order_relaxed);
    }
    pthread_mutex_unlock(&mutex);
    return result;
}

bool failpoint_hit(const char *name)
{
    if (atomic_load_explicit(idle_slot(name), memory_order_relaxed) == name) {
        return false;
    }
    const struct term term = next_term(name);
    switch (term.action) {
    case ACTION_OFF:
        return false;
    case ACTION_KILL:
        raise(SIGKILL);
        return false;
    case ACTION_EXIT:
        _exit(term.exit_code);
    case ACTION_FAIL:
        return true;
    case ACTION_PAUSE:
        while (access(term.file, F_OK) != 0) {
            const struct timespec moment = {.tv_nsec = 1000000};
            nanosleep(&moment, NULL);
        }
        return false;
    }
    return false;
}

#else

typedef int failpoint_is_empty; /* ISO C wants something in every file */

#endif
