// journal_check.h -- opens a journal and says whether it holds what was acknowledged.
#pragma once

#include <string>

#include "integrity/image.h"
#include "integrity/journal_script.h"
#include "integrity/process.h"

namespace tercet
{

struct Expected {
    Truth least; // acknowledged
    Truth most;  // with the one that was begun when it ended; else the same
};

// Opens `directory`, reads everything, looks up every outcome, counts every day again, goes on
// writing, opens once more and reads again.  Ends the process with 74 where the journal does.
Result CheckJournal(const std::string &directory, const Expected &expected);

// After a refusal: are the files that stood in live/ still somewhere, as they were?
bool IsKept(const Image &before, const std::string &directory);

} // namespace tercet
