// journal_check.cc -- see journal_check.h.
#include "integrity/journal_check.h"

#include <set>
#include <vector>

extern "C" {
#include "journal/journal_leveldb.h"
}

namespace tercet
{
namespace
{

constexpr int64_t kNowAtCheck = kScriptNow + 200 * 1000; // no new outcome is young any more
constexpr int64_t kKeepAll = 300 * kScriptDay;

// An open journal, and the first thing that is wrong with it.
class Checker
{
  public:
    Checker(const std::string &directory, const Expected &expected)
        : directory_(directory), expected_(expected)
    {
    }

    Result Run()
    {
        tercet_status status = Open();
        if (status != TERCET_OK) {
            return Refusal(status);
        }
        Read("at first");
        Settle();
        Read("when all is counted");
        journal_close(journal_);
        if (wrong_.empty()) {
            status = Open();
            if (status != TERCET_OK) {
                return MakeResult(Class::kSilent, "opened, and then not again: " + text_);
            }
            Read("opened again");
            journal_close(journal_);
        }
        return wrong_.empty() ? MakeResult(Class::kComplete, "")
                              : MakeResult(Class::kSilent, wrong_);
    }

  private:
    tercet_status Open()
    {
        tercet_error error = {};
        journal_leveldb_options options = {};
        options.directory = directory_.c_str();
        options.outcome_keep_ms = kKeepAll;
        options.write_buffer_bytes = 256 * 1024;
        tercet_status status = journal_leveldb_open(&options, kNowAtCheck, &journal_, &error);
        text_ = error.text;
        return status;
    }

    Result Refusal(tercet_status status)
    {
        const bool damage = status == TERCET_DATA_LOSS;
        const bool worded = damage ? text_.find("Refusals") != std::string::npos
                                   : text_.size() > 20 && text_.find(' ') != std::string::npos;
        const std::string text = std::string(tercet_status_name(status)) + ": " + text_;
        if (status == TERCET_NOT_FOUND) {
            return MakeResult(expected_.least.made ? Class::kSilent : Class::kNoJournal, text);
        }
        return MakeResult(worded ? Class::kRefused : Class::kWordless, text);
    }

    void Settle()
    {
        journal_batch batch;
        journal_batch_init(&batch);
        for (int i = 0; i < 300; i++) {
            const bool more = journal_maintain(journal_, kNowAtCheck);
            journal_head head;
            journal_read_head(journal_, &head);
            if (head.upkeep_waits || !more) {
                batch.lsn = head.lsn + 1;
                batch.next_number = head.next_number + 1;
                journal_write(journal_, &batch);
            }
            if (!more) {
                break;
            }
        }
        journal_batch_deinit(&batch);
    }

    void Wrong(const std::string &what)
    {
        if (wrong_.empty()) {
            wrong_ = when_ + ": " + what;
        }
    }

    void Read(const std::string &when)
    {
        when_ = when;
        ReadPairs();
        ReadOutcomes();
        ListOutcomes();
    }

    void ReadPairs()
    {
        std::map<std::string, std::string> pairs;
        tercet_error error = {};
        const tercet_status status = journal_load(
            journal_,
            [](tercet_bytes key, tercet_bytes value, digest128, void *context) {
                auto *to = static_cast<std::map<std::string, std::string> *>(context);
                to->emplace(std::string(static_cast<const char *>(key.data), key.size),
                            std::string(static_cast<const char *>(value.data), value.size));
                return TERCET_OK;
            },
            &pairs, &error);
        if (status != TERCET_OK) {
            Wrong(std::string("load fails: ") + error.text);
        } else if (pairs != expected_.least.pairs && pairs != expected_.most.pairs) {
            Wrong("open transactions differ: " + std::to_string(pairs.size()) + " pairs, not " +
                  std::to_string(expected_.least.pairs.size()));
        }
    }

    // What they do not hold is known then; damage ends the process.
    void CountDays()
    {
        while (journal_count_some(journal_)) {
        }
    }

    void ReadOutcomes()
    {
        buffer value;
        buffer_init(&value);
        for (const auto &outcome : expected_.least.outcomes) {
            buffer_clear(&value);
            tercet_status status = journal_find_outcome(journal_, outcome.first.c_str(), &value);
            if (status == TERCET_UNAVAILABLE) {
                CountDays();
                status = journal_find_outcome(journal_, outcome.first.c_str(), &value);
            }
            const std::string found(reinterpret_cast<const char *>(value.data), value.size);
            const bool may_be_gone = outcome.second < expected_.least.may_be_gone_before;
            if (status != TERCET_OK && !may_be_gone) {
                Wrong("the outcome of " + outcome.first + " is not found");
            } else if (status == TERCET_OK && found != ValueOf(outcome)) {
                Wrong("the outcome of " + outcome.first + " is another");
            }
        }
        buffer_deinit(&value);
    }

    const std::string &ValueOf(const std::pair<const std::string, int64_t> &outcome)
    {
        std::string &value = values_[outcome.first];
        if (value.empty()) {
            value = OutcomeValue(outcome.first, outcome.second);
        }
        return value;
    }

    // Every one is told once, and none that was never written.
    void ListOutcomes()
    {
        std::set<std::string> told;
        CountDays();
        journal_list_outcomes(
            journal_, "",
            [](tercet_bytes, const char *cursor, void *context) {
                const std::string place = cursor;
                const bool fresh = static_cast<std::set<std::string> *>(context)
                                       ->insert(place.substr(place.find('/') + 1))
                                       .second;
                return fresh; // told twice: stops, and so is too short
            },
            &told);
        for (const auto &outcome : expected_.least.outcomes) {
            const bool may_be_gone = outcome.second < expected_.least.may_be_gone_before;
            if (told.count(outcome.first) == 0 && !may_be_gone) {
                Wrong("the outcome of " + outcome.first + " is not listed");
            }
        }
        for (const std::string &gid : told) {
            if (expected_.most.outcomes.count(gid) == 0) {
                Wrong("an outcome of nobody is listed: " + gid);
            }
        }
    }

    std::string directory_;
    const Expected &expected_;
    struct journal *journal_ = nullptr;
    std::string text_;
    std::string when_;
    std::string wrong_;
    std::map<std::string, std::string> values_;
};

} // namespace

Result CheckJournal(const std::string &directory, const Expected &expected)
{
    return Checker(directory, expected).Run();
}

bool IsKept(const Image &before, const std::string &directory)
{
    for (const auto &file : before.files) {
        const std::string prefix = "live/";
        if (file.first.rfind(prefix, 0) != 0) {
            continue;
        }
        const std::string name = file.first.substr(prefix.size());
        if (name == "LOCK" || name == "LOG" || name == "LOG.old") {
            continue;
        }
        if (ReadFile(directory + "/live/" + name) != *file.second &&
            ReadFile(directory + "/safety/live.pending/" + name) != *file.second) {
            return false;
        }
    }
    return true;
}

} // namespace tercet
