/* What the reader does first when much is asked of it. */
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

extern "C" {
#include "base/inbox.h"
#include "engine/event.h"
#include "engine/txn.h"
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
    std::atomic<bool> uncounted{false}; /* and no slice of counting is the last */
    std::atomic<int> upkeeps{0};
    std::atomic<int64_t> horizon{1000};
    std::mutex mutex;
    std::vector<std::string> notes;

    Noting()
    {
        ops.find_outcome = [](journal *self, const char *gid, buffer *) {
            if (Of(self)->uncounted) {
                return TERCET_UNAVAILABLE;
            }
            Of(self)->Note(std::string("look up ") + gid);
            return TERCET_NOT_FOUND;
        };
        ops.find_pair = [](journal *self, tercet_bytes, buffer *) {
            Of(self)->Note("fetch");
            return TERCET_NOT_FOUND;
        };
        ops.count_some = [](journal *self) { return Of(self)->uncounted.load(); };
        ops.list_outcomes = [](journal *self, const char *cursor, journal_outcome_fn, void *) {
            if (Of(self)->uncounted) {
                return TERCET_UNAVAILABLE;
            }
            Of(self)->List(cursor);
            return TERCET_OK;
        };
        ops.maintain = [](journal *self, int64_t) {
            Of(self)->upkeeps++;
            return false;
        };
        ops.head = [](journal *self, journal_head *head_out) {
            *head_out = {};
            head_out->horizon_unix_ms = Of(self)->horizon;
        };
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
    bool Has(const std::string &what)
    {
        const std::lock_guard<std::mutex> lock(mutex);
        return std::find(notes.begin(), notes.end(), what) != notes.end();
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

/* `token`: where the status goes, or NULL. */
void TakePage(void *, void *token, view **, uint32_t, const char *, tercet_status status)
{
    if (token != nullptr) {
        *static_cast<std::atomic<int> *>(token) = status;
    }
}

/* The kinds of the next `count` events, in their order, without horizons. */
std::vector<event_kind> Take(inbox *loop, size_t count)
{
    std::vector<event_kind> kinds;
    list_node events;
    list_init(&events);
    while (kinds.size() < count) {
        inbox_take_all(loop, 20000, &events);
        if (list_is_empty(&events)) {
            return kinds;
        }
        while (!list_is_empty(&events)) {
            event *one = container_of(list_pop_front(&events), event, link);
            kinds.push_back(one->kind);
            event_destroy(one);
        }
    }
    return kinds;
}

/* A reader over a journal whose days are not counted, and an open branch. */
class Uncounted : public ::testing::Test
{
  protected:
    Uncounted()
    {
        inbox_init(&loop_, 0);
        reader_options options = {};
        options.journal = &journal_.base;
        options.inbox = &loop_;
        options.page = TakePage;
        journal_.uncounted = true;
        reader_ = reader_start(&options);
        branch_spec spec{};
        spec.index = 1;
        spec.action = "act";
        spec.payload = tercet_bytes_of("payload", 7);
        txn_ = txn_create("g", "boot", "");
        txn_add_branch_take(txn_, branch_create(&spec));
    }
    ~Uncounted() override
    {
        reader_stop(reader_);
        txn_destroy(txn_);
        inbox_deinit(&loop_);
    }
    void Fetch()
    {
        reader_fetch(reader_, branch_ref(txn_->branches[0]));
        reader_flush(reader_);
    }

    Noting journal_;
    inbox loop_{};
    reader *reader_ = nullptr;
    txn *txn_ = nullptr;
};

/* One Get of a gid that nobody knows held up every confirm that was parked, for as long as days were
 * counted. */
TEST_F(Uncounted, PayloadsAreFetchedWhileALookUpWaits)
{
    std::atomic<int> page{-1};
    reader_look_up(reader_, "unknown");
    reader_flush(reader_);
    reader_list(reader_, &page, "", 10);
    Fetch();
    EXPECT_EQ(Take(&loop_, 1), std::vector<event_kind>{EVENT_FETCHED});
    const int before = journal_.upkeeps;
    while (journal_.upkeeps == before) {
        Fetch();
        EXPECT_EQ(Take(&loop_, 1), std::vector<event_kind>{EVENT_FETCHED});
    }
    EXPECT_EQ(page, -1);
    journal_.uncounted = false;
    EXPECT_EQ(Take(&loop_, 1), std::vector<event_kind>{EVENT_FOUND});
    while (page == -1) {
        Fetch();
        EXPECT_EQ(Take(&loop_, 1), std::vector<event_kind>{EVENT_FETCHED});
    }
    EXPECT_EQ(page, TERCET_OK);
}

TEST_F(Uncounted, AReaderThatStopsWaitsForNoCount)
{
    std::atomic<int> page{-1};
    reader_look_up(reader_, "unknown");
    reader_flush(reader_);
    reader_list(reader_, &page, "", 10);
    Fetch();
    EXPECT_EQ(Take(&loop_, 1), std::vector<event_kind>{EVENT_FETCHED});
    reader_stop(reader_);
    reader_ = nullptr;
    EXPECT_EQ(page, TERCET_UNAVAILABLE);
    list_node events;
    list_init(&events);
    inbox_take_all(&loop_, 0, &events);
    EXPECT_TRUE(list_is_empty(&events));
}

/* Whenever it was written: between two upkeeps, too. */
TEST(Reader, ARaisedHorizonIsToldOnce)
{
    Noting journal;
    inbox loop;
    inbox_init(&loop, 0);
    reader_options options = {};
    options.journal = &journal.base;
    options.inbox = &loop;
    options.page = TakePage;
    reader *told = reader_start(&options);
    while (journal.upkeeps < 1) {
        std::this_thread::yield();
    }
    journal.horizon = 2000;
    EXPECT_EQ(Take(&loop, 1), std::vector<event_kind>{EVENT_HORIZON});
    const int before = journal.upkeeps;
    while (journal.upkeeps < before + 2) {
        std::this_thread::yield();
    }
    reader_stop(told);
    list_node events;
    list_init(&events);
    inbox_take_all(&loop, 0, &events);
    EXPECT_TRUE(list_is_empty(&events));
    inbox_deinit(&loop);
}

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
