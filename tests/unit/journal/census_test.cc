// What no coordinator can have written is refused with a sentence, before the engine adopts it: an
// engine that is told nonsense stops at an assertion, and with it a daemon at every start.
#include <functional>

#include "unit/journal/record_fixture.h"

extern "C" {
#include "engine/engine.h"
#include "journal/journal_head.h"
}

namespace tercet
{
namespace
{

constexpr int64_t kNextNumber = 100;

// Transactions as their records tell them, whatever that is; then a coordinator that is started on them.
class Written
{
  public:
    Written()
    {
        directory_init(&directory_);
    }
    ~Written()
    {
        for (txn *made : made_) {
            txn_destroy(made);
        }
        directory_deinit(&directory_);
    }

    // Undecided, with two branches; their numbers follow its own.
    txn *Begin(const std::string &gid, int64_t sequence, txn_mode mode = TXN_MODE_EXECUTE)
    {
        txn *made = txn_create(gid.c_str(), "boot-1", "a-b");
        made_.push_back(made);
        made->sequence = sequence;
        made->mode = mode;
        made->begun_unix_ms = kNow;
        made->deadline = {1000, kNow + 30000};
        made->timeout_ms = 30000;
        txn_move(made, TXN_TRYING, clock_now{0, kNow});
        for (uint32_t index = 1; index <= 2; index++) {
            branch_spec spec{};
            spec.index = index;
            spec.participant = directory_intern(&directory_, "p");
            spec.action = "act";
            branch *added = branch_create(&spec);
            added->number = {kNow, sequence + index};
            branch_move(added, BRANCH_WAITING);
            txn_add_branch_take(made, added);
        }
        return made;
    }

    void Decide(txn *made, txn_state to)
    {
        txn_move(made, to, clock_now{0, kNow});
        for (uint32_t i = 0; i < made->branch_count; i++) {
            branch_move(made->branches[i],
                        to == TXN_CONFIRMING ? BRANCH_CONFIRMING : BRANCH_CANCELLING);
        }
    }

    // Reads what was written and, if it is accepted, adopts and resumes it, and ends it.
    tercet_status Start(std::string *why)
    {
        journal_head head{};
        head.incarnation = kNow;
        head.next_number = kNextNumber;
        Engine engine;
        tercet_error error{};
        record_loader *loader = record_loader_create(
            &head, &engine.names,
            [](txn *taken, void *context) {
                engine_adopt_take(static_cast<struct engine *>(context), taken);
            },
            engine.engine);
        tercet_status status = TERCET_OK;
        for (const auto &pair : Pairs()) {
            if (status == TERCET_OK) {
                tercet_bytes key = Bytes(pair.first);
                tercet_bytes value = Bytes(pair.second);
                status =
                    record_loader_pair(loader, key, value, digest128_of_pair(key, value), &error);
            }
        }
        if (status == TERCET_OK) {
            status = record_loader_finish(loader, &error);
        }
        record_loader_destroy(loader);
        if (status == TERCET_OK) {
            engine.Run();
        }
        *why = error.text;
        return status;
    }

    // A PROGRESS behind what else is written, of transactions changed by this.
    void Later(std::function<void(txn *)> change)
    {
        later_ = std::move(change);
    }

    void ExpectRefused(const std::string &words)
    {
        std::string why;
        EXPECT_EQ(TERCET_DATA_LOSS, Start(&why));
        EXPECT_NE(std::string::npos, why.find(words)) << why;
    }

    void ExpectAdopted()
    {
        std::string why;
        EXPECT_EQ(TERCET_OK, Start(&why)) << why;
    }

  private:
    struct Engine {
        Engine()
        {
            directory_init(&names);
            engine_options options{};
            options.limits = {1000, 1 << 20, 1000, 30000, 1, 1};
            options.directory = &names;
            options.incarnation = kNow;
            options.next_number = kNextNumber;
            snprintf(options.boot_id, sizeof options.boot_id, "boot-2");
            engine = engine_create(&options);
            effects_init(&effects);
        }
        ~Engine()
        {
            effects_deinit(&effects);
            engine_destroy(engine);
            directory_deinit(&names);
        }
        void Run()
        {
            clock_now now{5000, kNow + 1000};
            engine_resume(engine, now, 7, &effects);
            engine_tick(engine, 8, {now.boot_ms + 60000, now.unix_ms + 60000}, &effects);
        }
        struct directory names;
        struct engine *engine;
        struct effects effects;
    };

    std::map<std::string, std::string> Pairs()
    {
        Batch batch;
        for (txn *made : made_) {
            Write(RECORD_BEGIN, made, nullptr, batch.get());
            for (uint32_t i = 0; made->mode == TXN_MODE_STEPS && i < made->branch_count; i++) {
                Write(RECORD_ADD_BRANCH, made, made->branches[i], batch.get());
            }
            if (txn_state_is_decided(made->state)) {
                Write(RECORD_DECIDE, made, nullptr, batch.get());
            }
            if (later_ != nullptr) {
                later_(made);
                Write(RECORD_PROGRESS, made, nullptr, batch.get());
            }
        }
        struct journal *journal = journal_memory_create(kNow, kDay);
        batch.Write(journal);
        std::map<std::string, std::string> pairs = Load(journal);
        journal_close(journal);
        return pairs;
    }

    void Write(record_kind kind, txn *made, branch *of, journal_batch *batch)
    {
        effect_record record = {kind, made, of, 0, nullptr};
        record_write(&record, &directory_, batch);
    }

    struct directory directory_;
    std::vector<txn *> made_;
    std::function<void(txn *)> later_;
};

TEST(RecordCensus, WhatTheEngineHasWrittenIsAdopted)
{
    Written written;
    written.Begin("a", 1);
    written.Begin("b", 4, TXN_MODE_STEPS);
    written.Decide(written.Begin("c", 7), TXN_CONFIRMING);
    written.Decide(written.Begin("d", 10), TXN_CANCELLING);
    written.ExpectAdopted();
}

TEST(RecordCensus, ANumberThatTheHeadHasNotGivenOutIsRefused)
{
    Written written;
    written.Begin("a", 1)->branches[1]->number.number = kNextNumber;
    written.ExpectRefused("number 100 of its branch 2 was never given out");
}

// A restored journal adopts branches that its lost life had numbered behind the backup.
TEST(RecordCensus, ANumberOfALostLifeMayBeHigherThanTheHeads)
{
    Written written;
    written.Begin("a", 1)->branches[1]->number = {kNow - 1, kNextNumber + 1};
    written.ExpectAdopted();
}

// Registered behind it, the next branch of this participant would have a lower number.
TEST(RecordCensus, ANumberOfALaterLifeIsRefused)
{
    Written written;
    written.Begin("a", 1)->branches[0]->number = {kNow + 1, 2};
    written.ExpectRefused("number 2 of its branch 1 was never given out");
}

TEST(RecordCensus, ABranchWithoutANumberIsRefused)
{
    Written written;
    written.Begin("a", 1)->branches[0]->number = {kNow, 0};
    written.ExpectRefused("was never given out");
}

TEST(RecordCensus, ANumberOfNoLifeIsRefused)
{
    Written written;
    written.Begin("a", 1)->branches[0]->number = {0, 2};
    written.ExpectRefused("was never given out");
}

TEST(RecordCensus, WhatCannotStandIsRefusedAlsoWhenAnotherFollowsIt)
{
    Written written;
    written.Begin("a", 1)->branches[1]->number.number = kNextNumber;
    written.Begin("b", 4);
    written.ExpectRefused("transaction 1 makes no sense: number 100");
}

TEST(RecordCensus, ANumberGivenToTwoTransactionsIsRefused)
{
    Written written;
    written.Begin("a", 1);
    written.Begin("b", 4)->branches[0]->number.number = 3;
    written.ExpectRefused("number 3 was given out twice");
}

TEST(RecordCensus, ANumberGivenToTwoBranchesOfOneTransactionIsRefused)
{
    Written written;
    txn *made = written.Begin("a", 1);
    made->branches[1]->number = made->branches[0]->number;
    written.ExpectRefused("number 2 was given out twice");
}

TEST(RecordCensus, OneNumberOfTwoLivesIsTwoNumbers)
{
    Written written;
    written.Begin("a", 1);
    written.Begin("b", 4)->branches[0]->number = {kNow - 1, 3};
    written.ExpectAdopted();
}

TEST(RecordCensus, TwoTransactionsOfOneGidAreRefused)
{
    Written written;
    written.Begin("a", 1);
    written.Begin("b", 4);
    written.Begin("a", 7);
    written.ExpectRefused("transaction 7 makes no sense: its gid is that of another");
}

TEST(RecordCensus, ASequenceThatTheHeadHasNotGivenOutIsRefused)
{
    Written written;
    written.Begin("a", 1);
    txn *made = written.Begin("b", kNextNumber);
    made->branches[0]->number.number = 4;
    made->branches[1]->number.number = 5;
    written.ExpectRefused("transaction 100 makes no sense: the head gives out 100 next");
}

struct Nonsense {
    const char *name;
    std::function<void(txn *)> make;
};

std::string NameOf(const ::testing::TestParamInfo<Nonsense> &one)
{
    return one.param.name;
}

class RecordFits : public ::testing::TestWithParam<Nonsense>
{
};

TEST_P(RecordFits, WhatNobodyWritesIsRefused)
{
    for (txn_state state : {TXN_TRYING, TXN_CONFIRMING}) {
        Written written;
        txn *made = written.Begin("a", 1, TXN_MODE_STEPS);
        if (state != TXN_TRYING) {
            written.Decide(made, state);
        }
        GetParam().make(made);
        written.ExpectRefused("makes no sense");
    }
}

const Nonsense kAnyTime[] = {
    {"BegunBeforeTime", [](txn *made) { made->begun_unix_ms = INT64_MIN; }},
    {"BegunAfterTime", [](txn *made) { made->begun_unix_ms = INT64_MAX; }},
    {"DeadlineBeforeTime", [](txn *made) { made->deadline.unix_ms = INT64_MIN; }},
    {"DeadlineAfterTime", [](txn *made) { made->deadline.unix_ms = INT64_MAX; }},
    {"DeadlineBeforeTheMachine", [](txn *made) { made->deadline.boot_ms = -1; }},
    {"DeadlineAfterTheMachine", [](txn *made) { made->deadline.boot_ms = INT64_MAX; }},
    {"TraceThatIsNoHeader", [](txn *made) { made->gid[made->traceparent_at + 1] = '\n'; }},
    {"GidOfTwoLines", [](txn *made) { made->gid[0] = '\n'; }},
};
INSTANTIATE_TEST_SUITE_P(AnyTime, RecordFits, ::testing::ValuesIn(kAnyTime), NameOf);

class RecordFitsDecided : public ::testing::TestWithParam<Nonsense>
{
};

TEST_P(RecordFitsDecided, WhatNobodyWritesIsRefused)
{
    Written written;
    txn *made = written.Begin("a", 1);
    written.Decide(made, TXN_CANCELLING);
    GetParam().make(made);
    written.ExpectRefused("makes no sense");
}

const Nonsense kDecided[] = {
    {"DecidedBeforeTime", [](txn *made) { made->decided_unix_ms = -1; }},
    {"RefusedByNobody", [](txn *made) { made->refused_branch = 3; }},
    {"ConfirmedThoughCancelled", [](txn *made) { made->branches[1]->state = BRANCH_CONFIRMED; }},
    {"TriedThoughDecided", [](txn *made) { made->branches[1]->state = BRANCH_TRIED; }},
    {"ResolvedByAnEssay",
     [](txn *made) { branch_set_resolved(made->branches[1], std::string(256, 'x').c_str()); }},
};
INSTANTIATE_TEST_SUITE_P(Decided, RecordFitsDecided, ::testing::ValuesIn(kDecided), NameOf);

// Of a branch that was decided, PROGRESS may tell the next state and no other.
TEST(RecordProgress, WhatUnsaysADecisionIsRefused)
{
    for (branch_state state : {BRANCH_CONFIRMING, BRANCH_CONFIRMED}) {
        Written written;
        txn *made = written.Begin("a", 1);
        made->branches[1]->spec.optional = true;
        written.Decide(made, TXN_CONFIRMING);
        written.Later([state](txn *later) { later->branches[1]->state = state; });
        written.ExpectAdopted();
    }
    for (branch_state state : {BRANCH_CANCELLING, BRANCH_CANCELLED, BRANCH_SKIPPED}) {
        Written written;
        txn *made = written.Begin("a", 1);
        made->branches[1]->spec.optional = true;
        written.Decide(made, TXN_CONFIRMING);
        written.Later([state](txn *later) { later->branches[1]->state = state; });
        written.ExpectRefused("its branches do not fit");
    }
}

TEST(RecordHead, AHeadThatIsAtItsEndIsRefused)
{
    for (int64_t journal_head::*field : {&journal_head::lsn, &journal_head::epoch,
                                         &journal_head::incarnation, &journal_head::next_number}) {
        journal_head head{};
        head.lsn = head.incarnation = head.next_number = 1;
        buffer written;
        tercet_error error{};
        buffer_init(&written);
        journal_head_encode(&head, &written);
        EXPECT_EQ(TERCET_OK, journal_head_decode(buffer_bytes(&written), &head, &error));
        buffer_deinit(&written);
        head.*field = INT64_MAX;
        buffer_init(&written);
        journal_head_encode(&head, &written);
        EXPECT_EQ(TERCET_DATA_LOSS, journal_head_decode(buffer_bytes(&written), &head, &error));
        buffer_deinit(&written);
    }
}

} // namespace
} // namespace tercet
