// fuzz_recovery.cc -- a coordinator that starts on a journal in which anything may stand.
//
// The input's first bytes make a history of the engine, which leaves a valid journal; the next ones change
// it: records and their fields are lost, doubled, exchanged, put in the place of others, invented.  The
// pairs' digest would tell nearly all of this; here it is as if whoever spoiled them had seen to that, so
// that only what is read decides.  The rest of the bytes decides how it goes on.  Oracle:
//   1. The journal is refused in one line, or all that its keys tell of is open again.
//   2. What is open can be brought to its end, by answers, requests and an operator's word, whatever was
//      changed: as it was decided, on one side, and each record that goes was there.
//   3. Whenever the coordinator dies on the way, and at the end, what it has written is accepted again.
// A journal that was not changed is never refused.
#include <gtest/gtest.h>

#include "recovery_drive.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GTEST_FLAG_SET(throw_on_failure, true); // prints what differs, then aborts: nobody catches
    tercet::Dice dice(tercet_bytes_of(data, size));
    recovery::Journal journal = recovery::MakeJournal(dice);
    const std::map<std::string, std::string> made = journal.pairs;
    const int64_t next_number = journal.next_number;
    recovery::Spoil(journal, dice);
    const bool is_whole = journal.pairs == made && journal.next_number == next_number;
    recovery::Coordinator coordinator(std::move(journal), dice);
    const bool is_accepted = coordinator.Open();
    EXPECT_TRUE(is_accepted || !is_whole) << "what a coordinator has written is refused";
    if (is_accepted) {
        coordinator.RunToEnd();
    }
    return 0;
}
