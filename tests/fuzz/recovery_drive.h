// recovery_drive.h -- a coordinator that starts on a journal, and brings what it finds to its end; see
// fuzz_recovery.cc.
#pragma once

#include <map>
#include <set>
#include <string>

#include "recovery_journal.h"

namespace recovery
{

class Coordinator
{
  public:
    Coordinator(Journal journal, tercet::Dice &dice) : journal_(std::move(journal)), dice_(dice)
    {
        world_.on_record = [this](const effect_record &made) { TakeRecord(made); };
    }

    // False: it was refused, with a sentence.  What is accepted is all that the keys tell of.
    bool Open();

    // Participants answer, initiators and operators say what is missing; now and then the coordinator dies
    // and opens what it has left.  All ends, and as it was decided.
    void RunToEnd();

  private:
    void Adopt(txn *taken);
    void CompareWithKeys();
    void TakeRecord(const effect_record &made);
    void CheckEnd(const txn &ended);
    void HandAndAnswer();
    void Urge();
    void Reopen();
    bool IsAllEnded();
    std::string DescribeOpen();

    Journal journal_;
    tercet::Dice &dice_;
    tercet::EngineWorld world_;
    int64_t durable_lsn_ = 0;
    std::map<int64_t, std::string> open_;        // gids, by sequence
    std::map<std::string, txn_outcome> decided_; // of these
    std::map<int64_t, uint32_t> branch_counts_;  // as recovered
};

} // namespace recovery
