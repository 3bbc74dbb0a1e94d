/* writer.c -- see writer.h. */
#include "writer.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/memory.h"
#include "base/thread.h"
#include "engine/event.h"

struct writer {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    const struct journal_batch *batch; /* to be written, or NULL */
    bool stopping;
    struct journal *journal;
    struct inbox *inbox;
};

static void write_batch(struct writer *writer, const struct journal_batch *batch)
{
    const int64_t lsn = batch->lsn;
    const int64_t next_number = batch->next_number;
    TERCET_FAILPOINT("writer.before_write");
    journal_write(writer->journal, batch);
    TERCET_FAILPOINT("writer.after_write");
    struct event *event = event_create(EVENT_DURABLE);
    event->u.durable.lsn = lsn;
    event->u.durable.next_number = next_number;
    tercet_assert(inbox_push_always(writer->inbox, &event->link));
    TERCET_FAILPOINT("writer.after_told");
}

static void *run(void *context)
{
    struct writer *writer = context;
    tercet_assert(pthread_mutex_lock(&writer->mutex) == 0);
    for (;;) {
        while (writer->batch == NULL && !writer->stopping) {
            tercet_assert(pthread_cond_wait(&writer->wake, &writer->mutex) == 0);
        }
        const struct journal_batch *batch = writer->batch;
        if (batch == NULL) {
            break;
        }
        writer->batch = NULL;
        tercet_assert(pthread_mutex_unlock(&writer->mutex) == 0);
        write_batch(writer, batch);
        tercet_assert(pthread_mutex_lock(&writer->mutex) == 0);
    }
    tercet_assert(pthread_mutex_unlock(&writer->mutex) == 0);
    return NULL;
}

struct writer *writer_start(struct journal *journal, struct inbox *inbox)
{
    struct writer *writer = xcalloc(1, sizeof *writer);
    writer->journal = journal;
    writer->inbox = inbox;
    tercet_assert(pthread_mutex_init(&writer->mutex, NULL) == 0);
    tercet_assert(pthread_cond_init(&writer->wake, NULL) == 0);
    thread_start(&writer->thread, "writer", run, writer);
    return writer;
}

void writer_submit(struct writer *writer, const struct journal_batch *batch)
{
    tercet_assert(pthread_mutex_lock(&writer->mutex) == 0);
    tercet_assert(writer->batch == NULL && !writer->stopping);
    writer->batch = batch;
    tercet_assert(pthread_cond_signal(&writer->wake) == 0);
    tercet_assert(pthread_mutex_unlock(&writer->mutex) == 0);
}

void writer_stop(struct writer *writer)
{
    if (writer == NULL) {
        return;
    }
    tercet_assert(pthread_mutex_lock(&writer->mutex) == 0);
    writer->stopping = true;
    tercet_assert(pthread_cond_signal(&writer->wake) == 0);
    tercet_assert(pthread_mutex_unlock(&writer->mutex) == 0);
    tercet_assert(pthread_join(writer->thread, NULL) == 0);
    tercet_assert(pthread_cond_destroy(&writer->wake) == 0);
    tercet_assert(pthread_mutex_destroy(&writer->mutex) == 0);
    free(writer);
}
