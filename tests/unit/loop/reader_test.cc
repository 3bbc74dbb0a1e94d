/* What the reader does first when much is asked of it. */
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

extern "C" {
#include "base/inbox.h"
#include "engine/event.h"
#include "journal/journal.h"
#include "reader.h"
}

namespace
{

/* A journal without outcomes that notes what it is asked; on the first page it asks the reader for
 * more, as a client's call might just then. */
struct Noting {
    journal base{};
    journal_ops ops{};
    reader *asked = nullptr;
    std::mutex mutex;
    std::vector<std::string> notes;

    Noting()
    {
        ops.find_outcome = [](journal *self, const char *gid, buffer *) {
            Of(self)->Note(std::string("look up ") + gid);
            return TERCET_NOT_FOUND;
        };
        ops.list_outcomes = [](journal *self, const char *cursor, journal_outcome_fn, void *) {
            Of(self)->List(cursor);
            return TERCET_OK;
        };
        ops.maintain = [](journal *, int64_t) { return false; };
        ops.head = [](journal *, journal_head *head_out) { *head_out = {}; };
        base.ops = &ops;
    }
    static Noting *Of(journal *self)
    {
        return reinterpret_cast<Noting *>(self); /* base is its first member */
    }
    void Note(const std::string &what)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        notes.push_back(what);
    }
    void List(const char *cursor)
    {
        Note(std::string("page ") + cursor);
        if (std::string(cursor) == "1") {
            reader_look_up(asked, "late");
            reader_flush(asked);
        }
    }
};

void TakePage(void *, void *, view **, uint32_t, const char *, tercet_status) {}

/* With all pages before the next look-up, thousands of List calls held up every new transaction
 * that needs one. */
TEST(Reader, ALookUpWaitsForOnePageAtMost)
{
    Noting journal;
    inbox loop;
    inbox_init(&loop, 0);
    reader_options options = {};
    options.journal = &journal.base;
    options.inbox = &loop;
    options.page = TakePage;
    journal.asked = reader_start(&options);
    reader_look_up(journal.asked, "early");
    reader_flush(journal.asked); /* from now on that list is the pages' */
    for (const char *page : {"1", "2", "3"}) {
        reader_list(journal.asked, nullptr, page, 10);
    }
    list_node events;
    list_init(&events);
    for (size_t found = 0; found < 2;) {
        inbox_take_all(&loop, 20000, &events);
        ASSERT_FALSE(list_is_empty(&events)) << found << " look-ups answered";
        while (!list_is_empty(&events)) {
            event *one = container_of(list_pop_front(&events), event, link);
            found += one->kind == EVENT_FOUND ? 1 : 0;
            event_destroy(one);
        }
    }
    reader_stop(journal.asked);
    inbox_deinit(&loop);
    const auto place = [&](const char *what) {
        return std::find(journal.notes.begin(), journal.notes.end(), what) - journal.notes.begin();
    };
    ASSERT_EQ(journal.notes.size(), 5u);
    EXPECT_EQ(place("look up late"), place("page 1") + 1);
    EXPECT_LT(place("page 2"), place("page 3"));
}

} // namespace
