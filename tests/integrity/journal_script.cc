// journal_script.cc -- see journal_script.h.
#include "integrity/journal_script.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "integrity/io_shim.h"
#include "integrity/random.h"

extern "C" {
#include "base/digest.h"
#include "engine/effect.h"
#include "journal/batch_read.h"
#include "journal/journal_leveldb.h"
#include "journal/record.h"
}

namespace tercet
{
namespace
{

tercet_bytes BytesOf(const std::string &text)
{
    return tercet_bytes_of(text.data(), text.size());
}

std::string KeyOf(int64_t sequence)
{
    std::string key = "t/";
    for (int shift = 56; shift >= 0; shift -= 8) {
        key.push_back(static_cast<char>(sequence >> shift));
    }
    key.push_back('\x10');
    return key;
}

// Buries `gid`: the smallest outcome that there is.
void PutOutcome(journal_batch *batch, const std::string &gid, int64_t ended)
{
    txn *made = txn_create(gid.c_str(), "", "");
    directory empty;
    directory_init(&empty);
    made->mode = TXN_MODE_TOMBSTONE;
    made->sequence = 1;
    made->begun_unix_ms = ended;
    txn_move(made, TXN_CANCELLED, clock_now{0, ended});
    effect_record record = {RECORD_TOMBSTONE, made, nullptr, 0, nullptr};
    record_write(&record, &empty, batch);
    txn_destroy(made);
    directory_deinit(&empty);
}

// The process that a script describes.
class Runner
{
  public:
    Runner(const std::string &directory, Progress *progress)
        : directory_(directory), progress_(progress)
    {
        journal_batch_init(&batch_);
    }
    ~Runner()
    {
        journal_batch_deinit(&batch_);
    }

    // Somebody else has done it.
    void Skip(const Step &step)
    {
        for (const auto &put : step.puts) {
            pairs_[put.first] = put.second;
        }
        for (const std::string &key : step.deletes) {
            pairs_.erase(key);
        }
    }

    void Run(const Step &step)
    {
        switch (step.kind) {
        case Step::kInit:
            Init();
            break;
        case Step::kOpen:
            Open(step);
            break;
        case Step::kWrite:
            Write(step);
            break;
        case Step::kSettle:
            Settle(step.now);
            break;
        case Step::kLook:
            Look();
            break;
        case Step::kClose:
            journal_close(journal_);
            journal_ = nullptr;
            break;
        case Step::kSnapshot:
            Snapshot();
            break;
        case Step::kKill:
            kill(getpid(), SIGKILL);
            break;
        }
    }

  private:
    void Begin()
    {
        progress_->begun++;
    }
    void Acknowledge()
    {
        progress_->acknowledged++;
        shim_ack(progress_->acknowledged);
    }
    static void Leave(const tercet_error &error)
    {
        fprintf(stderr, "refused: %s\n", error.text);
        _exit(error.status == TERCET_DATA_LOSS ? kDamageCode : kRefusalCode);
    }
    void Init()
    {
        tercet_error error = {};
        Begin();
        if (journal_leveldb_init(directory_.c_str(), kScriptNow, &error) != TERCET_OK) {
            Leave(error);
        }
        Acknowledge();
    }
    void Open(const Step &step)
    {
        tercet_error error = {};
        journal_leveldb_options options = {};
        options.directory = directory_.c_str();
        options.outcome_keep_ms = step.keep_ms;
        options.write_buffer_bytes = 64 * 1024; // LevelDB's least: many logs and tables
        if (journal_leveldb_open(&options, step.now, &journal_, &error) != TERCET_OK) {
            Leave(error);
        }
    }
    void WriteBatch()
    {
        journal_head head;
        journal_read_head(journal_, &head);
        batch_.lsn = head.lsn + 1;
        batch_.next_number = head.next_number + 1;
        journal_write(journal_, &batch_);
        journal_batch_clear(&batch_);
    }
    void Write(const Step &step)
    {
        for (const auto &put : step.puts) {
            digest128 hash = {0, 0};
            journal_batch_put(&batch_, BytesOf(put.first), BytesOf(put.second), &hash);
            pairs_[put.first] = put.second;
        }
        for (const std::string &key : step.deletes) {
            digest128 hash = digest128_of_pair(BytesOf(key), BytesOf(pairs_[key]));
            journal_batch_delete(&batch_, BytesOf(key), &hash);
            pairs_.erase(key);
        }
        for (const auto &outcome : step.outcomes) {
            PutOutcome(&batch_, outcome.first, outcome.second);
        }
        Begin();
        WriteBatch();
        Acknowledge();
    }
    void Settle(int64_t now)
    {
        for (int i = 0; i < 300 && journal_maintain(journal_, now); i++) {
            WriteBatch(); // nothing of its own; carries what upkeep has found
        }
        WriteBatch();
    }
    void Look()
    {
        buffer value;
        buffer_init(&value);
        journal_find_outcome(journal_, "never used", &value); // opens every day
        buffer_deinit(&value);
    }
    void Snapshot()
    {
        const std::string to = directory_ + "." + std::to_string(progress_->state_count);
        for (int i = 0; i < 100; i++) { // LevelDB's thread may remove a file meanwhile
            std::error_code failed;
            std::filesystem::remove_all(to);
            std::filesystem::copy(directory_, to, std::filesystem::copy_options::recursive, failed);
            if (!failed) {
                break;
            }
        }
        progress_->state_count++;
    }

    std::string directory_;
    Progress *progress_;
    struct journal *journal_ = nullptr;
    journal_batch batch_;
    std::map<std::string, std::string> pairs_;
};

} // namespace

std::string OutcomeValue(const std::string &gid, int64_t ended)
{
    journal_batch batch;
    journal_batch_init(&batch);
    PutOutcome(&batch, gid, ended);
    batch_reader reader = {&batch, 0};
    batch_operation operation = {};
    std::string value;
    while (batch_reader_next(&reader, &operation)) {
        value.assign(static_cast<const char *>(operation.value.data), operation.value.size);
    }
    journal_batch_deinit(&batch);
    return value;
}

void RunScript(const Script &script, const std::string &directory, Progress *progress)
{
    Runner runner(directory, progress);
    const auto first = static_cast<size_t>(progress->next_step);
    for (size_t i = 0; i < script.steps.size(); i++) {
        progress->next_step = i < first ? progress->next_step : static_cast<int64_t>(i) + 1;
        i < first ? runner.Skip(script.steps[i]) : runner.Run(script.steps[i]);
    }
    progress->ended = true;
}

Script::Script(std::string name, uint64_t seed, int64_t sequence)
    : name_(std::move(name)), random_(seed), sequence_(sequence)
{
}

uint64_t Script::Below(uint64_t bound)
{
    return NextRandom(&random_) % bound;
}

Truth Script::After(int64_t acknowledged, Truth truth) const
{
    int64_t keep_ms = 7 * kScriptDay;
    for (const Step &step : steps) {
        if (step.kind == Step::kOpen) {
            keep_ms = step.keep_ms;
        }
        if (step.kind == Step::kSettle) { // days go as wholes, when all of them is too old
            truth.may_be_gone_before = std::max(truth.may_be_gone_before, step.now - keep_ms);
        }
        if (step.kind != Step::kInit && step.kind != Step::kWrite) {
            continue;
        }
        if (acknowledged == 0) {
            break;
        }
        acknowledged--;
        truth.made = truth.made || step.kind == Step::kInit;
        for (const auto &put : step.puts) {
            truth.pairs[put.first] = put.second;
        }
        for (const std::string &key : step.deletes) {
            truth.pairs.erase(key);
        }
        truth.outcomes.insert(step.outcomes.begin(), step.outcomes.end());
    }
    return truth;
}

int64_t Script::AcknowledgeableCount() const
{
    return std::count_if(steps.begin(), steps.end(), [](const Step &step) {
        return step.kind == Step::kInit || step.kind == Step::kWrite;
    });
}

Script &Script::Init()
{
    return Do(Step::kInit);
}

Script &Script::Open(int64_t keep_ms)
{
    keep_ms_ = keep_ms;
    return Do(Step::kOpen);
}

Script &Script::Do(Step::Kind kind, int64_t now)
{
    Step step;
    step.kind = kind;
    step.now = now;
    step.keep_ms = keep_ms_;
    steps.push_back(step);
    return *this;
}

Script &Script::Write(int count, size_t bytes_max)
{
    for (int i = 0; i < count; i++) {
        Step step;
        const uint64_t puts = 1 + Below(3);
        for (uint64_t put = 0; put < puts; put++) {
            sequence_++;
            std::string value(1 + Below(bytes_max), '\0');
            for (char &c : value) {
                c = static_cast<char>(Below(256));
            }
            step.puts.emplace_back(KeyOf(sequence_), value);
        }
        if (live_.size() > 4 && Below(3) == 0) {
            const size_t at = Below(live_.size());
            step.deletes.push_back(live_[at]);
            live_.erase(live_.begin() + static_cast<int64_t>(at));
        }
        for (const auto &put : step.puts) {
            live_.push_back(put.first);
        }
        steps.push_back(step);
    }
    return *this;
}

Script &Script::Outcomes(int count, int64_t ended)
{
    Step step;
    for (int i = 0; i < count; i++) {
        sequence_++;
        step.outcomes.emplace_back("gid-" + std::to_string(sequence_), ended);
    }
    steps.push_back(step);
    return *this;
}

} // namespace tercet
