// recovery_journal.cc -- the history that makes a journal; see recovery_journal.h.
#include "recovery_journal.h"

#include <gtest/gtest.h>

#include <set>

extern "C" {
#include "journal/batch_read.h"
#include "journal/record.h"
}

namespace recovery
{
namespace
{

constexpr int STEPS_MAX = 48;
constexpr uint32_t PARTICIPANTS = 4;

std::string TextOf(tercet_bytes bytes)
{
    return {static_cast<const char *>(bytes.data), bytes.size};
}

class History
{
  public:
    History(tercet::Dice &dice, Journal &journal) : dice_(dice), journal_(journal)
    {
        world_.on_record = [this](const effect_record &made) {
            Write(made, world_.names, journal_);
        };
    }

    void Run()
    {
        for (int step = 0; step < STEPS_MAX && Step(); step++) {
            journal_.next_number = engine_next_number(world_.engine);
        }
    }

  private:
    // False: it is over.
    bool Step()
    {
        const uint32_t drawn = dice_.Below(16);
        if (drawn == 0) {
            return false;
        }
        if (drawn < 4) {
            Execute();
        } else if (drawn < 7) {
            TakeStep();
        } else if (drawn < 13) {
            Answer();
        } else if (drawn == 13) {
            world_.Advance(int64_t{dice_.Below(256)} * 200);
        } else if (drawn == 14) {
            const uint32_t told = dice_.Below(64);
            world_.Describe(told % PARTICIPANTS,
                            tercet::EngineWorld::Store(static_cast<char>('a' + told / 32),
                                                       1 + told / 4 % 4, 1 + told / 4 % 8));
        } else if (world_.lsn - 1 > durable_lsn_) {
            durable_lsn_ = world_.lsn - 1;
            world_.Sync();
        }
        return true;
    }

    tercet::BranchPlan Plan()
    {
        const uint32_t drawn = dice_.Below(64);
        tercet::BranchPlan plan;
        plan.participant = drawn % PARTICIPANTS;
        plan.stage = drawn / 4 % 2;
        plan.confirm_only = drawn / 8 == 7;
        plan.optional = drawn / 8 == 6;
        plan.payload = drawn / 8 == 5 ? "" : "payload";
        return plan;
    }

    void Execute()
    {
        std::vector<tercet::BranchPlan> plans(1 + dice_.Below(4));
        for (tercet::BranchPlan &plan : plans) {
            plan = Plan();
        }
        world_.Execute("x" + std::to_string(++count_), plans);
    }

    // Of a transaction that its initiator drives.
    void TakeStep()
    {
        const uint32_t drawn = dice_.Below(16);
        if (steps_.empty() || drawn < 3) {
            steps_.push_back("s" + std::to_string(++count_));
            world_.Begin(steps_.back());
            return;
        }
        const std::string gid = steps_[drawn % steps_.size()];
        if (drawn < 12) {
            world_.Try(gid, 1 + dice_.Below(4), Plan());
        } else {
            world_.Ask(drawn < 14 ? REQUEST_CONFIRM : REQUEST_CANCEL, gid);
        }
    }

    // Some branch that was asked says something, or nothing is heard of it.
    void Answer()
    {
        std::vector<std::pair<std::string, branch *>> asked;
        world_.HandAll();
        for (const auto &[name, kept] : world_.kept) {
            if (kept->txn != nullptr && kept->asked != 0) {
                asked.emplace_back(kept->txn->gid, kept);
            }
        }
        if (asked.empty()) {
            return;
        }
        const auto &[gid, of] = asked[dice_.Below(256) % asked.size()];
        const tercet_phase phase = of->asked;
        const uint32_t said = dice_.Below(16);
        if (said < 9) {
            world_.Answer(gid, of->spec.index, phase, TERCET_VERDICT_DONE, 1, "result");
        } else if (said < 11) {
            world_.Answer(gid, of->spec.index, phase, TERCET_VERDICT_REFUSED);
        } else if (said < 13) {
            world_.Answer(gid, of->spec.index, phase, TERCET_VERDICT_LATER);
        } else if (said < 15) {
            world_.Answer(gid, of->spec.index, phase, TERCET_VERDICT_CONFLICT, 0, "",
                          1 + dice_.Below(5));
        } else {
            world_.Fail(gid, of->spec.index, phase,
                        dice_.Below(2) == 0 ? ANSWER_UNKNOWN : ANSWER_NOT_SERVED);
        }
    }

    tercet::Dice &dice_;
    Journal &journal_;
    tercet::EngineWorld world_{PARTICIPANTS};
    int64_t durable_lsn_ = 0;
    std::vector<std::string> steps_;
    int count_ = 0;
};

} // namespace

void Write(const effect_record &made, const directory &names, Journal &journal)
{
    journal_batch batch;
    journal_batch_init(&batch);
    record_write(&made, &names, &batch);
    batch_reader reader{&batch, 0};
    batch_operation operation;
    while (batch_reader_next(&reader, &operation)) {
        const std::string key = TextOf(operation.key);
        if (operation.kind == BATCH_PUT) {
            journal.pairs[key] = TextOf(operation.value);
        } else {
            EXPECT_EQ(1U, journal.pairs.erase(key)) << "removes what is not there";
        }
    }
    journal_batch_deinit(&batch);
}

Journal MakeJournal(tercet::Dice &dice)
{
    Journal journal;
    History(dice, journal).Run();
    return journal;
}

} // namespace recovery
