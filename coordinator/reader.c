/* reader.c -- see reader.h. */
#include "reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/logger.h"
#include "base/memory.h"
#include "base/thread.h"
#include "engine/event.h"
#include "journal/journal_leveldb.h"
#include "journal/record.h"
#include "runtime.h"

enum { UPKEEP_EVERY_MS = 250, EVENTS_TOGETHER_MAX = 64 };

enum job_kind { JOB_LOOK_UP, JOB_FETCH, JOB_LIST, JOB_BACKUP };

struct job {
    struct list_node link;
    enum job_kind kind;
    char gid[TERCET_GID_BYTES_MAX + 1]; /* LOOK_UP */
    struct branch *branch;              /* FETCH: owned, for the event; never looked into here */
    struct buffer key;                  /* FETCH: of the pair with its payload */
    uint32_t branch_index;              /* FETCH */
    void *token;                        /* LIST, as are the next two */
    char *cursor;                       /* LIST; BACKUP: the directory */
    uint32_t page_size;
};

struct reader {
    pthread_t thread;
    struct inbox jobs;
    struct reader_options options;
    struct list_node asked;   /* the loop's: jobs of this turn */
    struct list_node answers; /* the reader's: events that leave together */
    uint32_t answer_count;
    /* the reader's, too: */
    struct list_node uncounted; /* look-ups and pages that wait for days to be counted */
    int64_t told_horizon_unix_ms;
};

/* The loop is woken once for many, and no answer waits long for the others. */
static void push_answers(struct reader *reader)
{
    if (reader->answer_count > 0) {
        tercet_assert(inbox_push_all_always(reader->options.inbox, &reader->answers));
        reader->answer_count = 0;
    }
}

static void answer(struct reader *reader, struct event *event)
{
    list_push_back(&reader->answers, &event->link);
    reader->answer_count++;
    if (reader->answer_count == EVENTS_TOGETHER_MAX) {
        push_answers(reader);
    }
}

/* What cannot be read must not be taken for nothing: a gid would be begun again, a branch confirmed
 * without its payload. */
static _Noreturn void die_unreadable(const char *what)
{
    LOGGER(LOGGER_ERROR, "journal.unreadable", logger_text("record", what),
           logger_text("advice", "run tercetd again: it verifies the journal when it opens it"));
    _exit(RUNTIME_EXIT_JOURNAL);
}

/* False: it waits for days to be counted.  So with pages. */
static bool look_up(struct reader *reader, const struct job *job)
{
    struct buffer value;
    buffer_init(&value);
    TERCET_FAILPOINT("reader.before_look_up");
    enum tercet_status status = journal_find_outcome(reader->options.journal, job->gid, &value);
    if (status == TERCET_UNAVAILABLE) {
        return false;
    }
    struct event *event = event_create(EVENT_FOUND);
    memcpy(event->u.found.gid, job->gid, sizeof event->u.found.gid);
    tercet_assert(status == TERCET_OK || status == TERCET_NOT_FOUND);
    if (status == TERCET_OK &&
        record_read_outcome_of(tercet_bytes_of_text(job->gid), buffer_bytes(&value),
                               &event->u.found.view) != TERCET_OK) {
        die_unreadable("an outcome");
    }
    buffer_deinit(&value);
    TERCET_FAILPOINT("reader.after_look_up");
    answer(reader, event);
    return true;
}

/* None is there when the branch has ended meanwhile, by an operator. */
static void fetch(struct reader *reader, struct job *job)
{
    struct buffer value;
    buffer_init(&value);
    struct event *event = event_create(EVENT_FETCHED);
    event->u.fetched.branch = job->branch;
    const struct tercet_bytes key = buffer_bytes(&job->key);
    if (journal_find_pair(reader->options.journal, key, &value) == TERCET_OK &&
        record_read_payload(key, buffer_bytes(&value), job->branch_index,
                            &event->u.fetched.payload) != TERCET_OK) {
        die_unreadable("the payload of an open branch");
    }
    buffer_deinit(&value);
    buffer_deinit(&job->key);
    answer(reader, event);
}

/* A page that is being filled. */
struct page {
    struct view **views;
    uint32_t count;
    uint32_t size;
    char *next_cursor; /* "": that was all so far */
};

static bool add_to_page(struct tercet_bytes value, const char *cursor, void *context)
{
    struct page *page = context;
    if (record_read_outcome(value, &page->views[page->count]) != TERCET_OK) {
        die_unreadable("an outcome");
    }
    page->count++;
    if (page->count < page->size) {
        return true;
    }
    page->next_cursor = xstrdup(cursor);
    return false;
}

static void tell_page(struct reader *reader, const struct job *job, const struct page *page,
                      enum tercet_status status)
{
    reader->options.page(reader->options.context, job->token, page->views, page->count,
                         page->next_cursor == NULL ? "" : page->next_cursor, status);
}

static bool list(struct reader *reader, const struct job *job)
{
    struct page page = {.views = xcalloc(job->page_size, sizeof *page.views),
                        .size = job->page_size};
    enum tercet_status status =
        journal_list_outcomes(reader->options.journal, job->cursor, add_to_page, &page);
    if (status != TERCET_UNAVAILABLE) {
        tell_page(reader, job, &page, status);
    }
    free(page.next_cursor);
    free(page.views);
    return status != TERCET_UNAVAILABLE;
}

static void back_up(struct reader *reader, const struct job *job)
{
    struct tercet_error error;
    if (journal_leveldb_backup(reader->options.journal, job->cursor, &error) != TERCET_OK) {
        LOGGER(LOGGER_ERROR, "journal.backup_failed", logger_text("directory", job->cursor),
               logger_text("text", error.text));
    }
}

static bool run_job(struct reader *reader, struct job *job)
{
    switch (job->kind) {
    case JOB_LOOK_UP:
        return look_up(reader, job);
    case JOB_FETCH:
        fetch(reader, job);
        return true;
    case JOB_LIST:
        return list(reader, job);
    case JOB_BACKUP:
        back_up(reader, job);
        return true;
    }
    tercet_unreachable();
}

static void destroy_job(struct job *job)
{
    free(job->cursor);
    free(job);
}

/* Carries out those of one kind, at most so many, and leaves the others. */
static void run_kind(struct reader *reader, struct list_node *jobs, enum job_kind kind, size_t most)
{
    struct list_node *node = jobs->next;
    while (node != jobs && most > 0) {
        struct job *job = container_of(node, struct job, link);
        node = node->next;
        if (job->kind == kind) {
            list_remove(&job->link);
            if (run_job(reader, job)) {
                destroy_job(job);
            } else {
                list_push_back(&reader->uncounted, &job->link);
            }
            most--;
        }
    }
    push_answers(reader);
}

/* Leaves all pages but one: however many are asked for, a look-up waits for one at most. */
static void run_jobs(struct reader *reader, struct list_node *jobs)
{
    run_kind(reader, jobs, JOB_LOOK_UP, SIZE_MAX); /* every new transaction may wait for one */
    run_kind(reader, jobs, JOB_FETCH, SIZE_MAX);
    run_kind(reader, jobs, JOB_LIST, 1);
    run_kind(reader, jobs, JOB_BACKUP, SIZE_MAX);
}

/* Between other jobs, however long it takes: what is open goes on meanwhile. */
static void count_some(struct reader *reader, struct list_node *jobs)
{
    if (!list_is_empty(&reader->uncounted) && !journal_count_some(reader->options.journal)) {
        list_append_all(jobs, &reader->uncounted);
    }
}

/* Nobody waits for them any more, but for a page's call. */
static void drop_uncounted(struct reader *reader)
{
    while (!list_is_empty(&reader->uncounted)) {
        struct job *job = container_of(list_pop_front(&reader->uncounted), struct job, link);
        if (job->kind == JOB_LIST) {
            tell_page(reader, job, &(const struct page){0}, TERCET_UNAVAILABLE);
        }
        destroy_job(job);
    }
}

static bool upkeep(struct reader *reader)
{
    struct journal_head after;
    TERCET_FAILPOINT("reader.before_upkeep");
    const bool more = journal_maintain(reader->options.journal, clock_read().unix_ms);
    TERCET_FAILPOINT("reader.after_upkeep");
    journal_read_head(reader->options.journal, &after);
    if (after.upkeep_waits || after.horizon_unix_ms > reader->told_horizon_unix_ms) {
        struct event *event = event_create(EVENT_HORIZON);
        reader->told_horizon_unix_ms = after.horizon_unix_ms;
        event->u.horizon.unix_ms = after.horizon_unix_ms;
        if (!inbox_push_always(reader->options.inbox, &event->link)) {
            event_destroy(event);
        }
    }
    return more;
}

static void *run(void *context)
{
    struct reader *reader = context;
    int64_t next_upkeep_ms = clock_boot_ms() + UPKEEP_EVERY_MS;
    struct list_node jobs;
    list_init(&jobs);
    for (;;) {
        const bool idle = list_is_empty(&jobs) && list_is_empty(&reader->uncounted);
        const int64_t wait_ms = idle ? next_upkeep_ms - clock_boot_ms() : 0;
        inbox_take_all(&reader->jobs, wait_ms < 0 ? 0 : wait_ms, &jobs);
        if (!list_is_empty(&jobs)) {
            run_jobs(reader, &jobs);
        } else if (inbox_is_closed(&reader->jobs)) {
            drop_uncounted(reader);
            return NULL;
        }
        count_some(reader, &jobs);
        if (clock_boot_ms() >= next_upkeep_ms) {
            const bool more = upkeep(reader);
            next_upkeep_ms = clock_boot_ms() + (more ? 0 : UPKEEP_EVERY_MS);
        }
    }
}

struct reader *reader_start(const struct reader_options *options)
{
    struct reader *reader = xcalloc(1, sizeof *reader);
    reader->options = *options;
    inbox_init(&reader->jobs, 0);
    list_init(&reader->asked);
    list_init(&reader->answers);
    list_init(&reader->uncounted);
    struct journal_head head;
    journal_read_head(options->journal, &head);
    reader->told_horizon_unix_ms = head.horizon_unix_ms; /* as the engine was opened with */
    thread_start(&reader->thread, "reader", run, reader);
    return reader;
}

void reader_look_up(struct reader *reader, const char *gid)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->kind = JOB_LOOK_UP;
    tercet_assert(strlen(gid) < sizeof job->gid);
    memcpy(job->gid, gid, strlen(gid) + 1);
    list_push_back(&reader->asked, &job->link);
}

void reader_fetch(struct reader *reader, struct branch *branch_take)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->kind = JOB_FETCH;
    job->branch = branch_take;
    job->branch_index = branch_take->spec.index;
    buffer_init(&job->key);
    record_payload_key(branch_take, &job->key);
    list_push_back(&reader->asked, &job->link);
}

void reader_flush(struct reader *reader)
{
    if (!list_is_empty(&reader->asked)) {
        tercet_assert(inbox_push_all_always(&reader->jobs, &reader->asked));
    }
}

void reader_list(struct reader *reader, void *token, const char *cursor, uint32_t page_size)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->kind = JOB_LIST;
    job->token = token;
    job->cursor = xstrdup(cursor);
    job->page_size = page_size;
    tercet_assert(inbox_push_always(&reader->jobs, &job->link));
}

void reader_backup(struct reader *reader, const char *directory)
{
    struct job *job = xcalloc(1, sizeof *job);
    job->kind = JOB_BACKUP;
    job->cursor = xstrdup(directory);
    tercet_assert(inbox_push_always(&reader->jobs, &job->link));
}

void reader_stop(struct reader *reader)
{
    if (reader == NULL) {
        return;
    }
    inbox_close(&reader->jobs);
    tercet_assert(pthread_join(reader->thread, NULL) == 0);
    inbox_deinit(&reader->jobs);
    tercet_assert(list_is_empty(&reader->asked) && list_is_empty(&reader->answers));
    free(reader);
}
