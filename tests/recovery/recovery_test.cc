// How long a coordinator with many open transactions takes from its start to the first call that it
// repeats, and what it needs in memory: a real journal, the real daemon, real participants.
//
//   TERCET_RECOVERY_ENDED    outcomes in each of three days, among which every open gid is looked for;
//                            default 100
//   TERCET_RECOVERY_OPEN     open transactions, all decided, none confirmed yet; default 1000
//   TERCET_RECOVERY_BOUND_MS how long it may take; default 30000 (sanitizers on a busy machine)
//   TERCET_RECOVERY_RSS_MIB  the daemon's peak until then; default 0: not bounded
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cinttypes>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

extern "C" {
#include "bench/process.h"
#include "journal/journal_leveldb.h"
#include "journal/record.h"
}
#include "tercet/participant.h"
#include "tercet/store_memory.h"

namespace
{

using Clock = std::chrono::steady_clock;

enum { BRANCHES = 4, PAYLOAD_BYTES = 200, BATCH = 1000 };
constexpr int64_t DAY_MS = 24 * 3600 * 1000LL;

int64_t FromEnvironment(const char *name, int64_t fallback)
{
    const char *text = getenv(name);
    return text != nullptr ? atoll(text) : fallback;
}

std::string Participant(int i)
{
    return "p" + std::to_string(i);
}

// Fills a journal with transactions that are decided and have not been confirmed anywhere.
class Filled
{
  public:
    explicit Filled(const std::string &path)
    {
        directory_init(&names_);
        for (int i = 0; i < BRANCHES; i++) {
            (void)directory_intern(&names_, Participant(i).c_str());
        }
        tercet_error error{};
        EXPECT_EQ(TERCET_OK, journal_leveldb_init(path.c_str(), now_.unix_ms, &error))
            << error.text;
        journal_leveldb_options options{};
        options.directory = path.c_str();
        EXPECT_EQ(TERCET_OK, journal_leveldb_open(&options, now_.unix_ms, &journal_, &error))
            << error.text;
        journal_read_head(journal_, &head_);
        journal_batch_init(&batch_);
    }

    ~Filled()
    {
        journal_batch_deinit(&batch_);
        journal_close(journal_);
        directory_deinit(&names_);
    }

    void Add(int64_t count)
    {
        for (int64_t i = 0; i < count; i++) {
            AddOne(i);
            if ((i + 1) % BATCH == 0 || i + 1 == count) {
                WriteBatch();
            }
        }
    }

    // So many of gids of their own, in each of three days.
    void AddEnded(int64_t count)
    {
        for (int64_t i = 0; i < 3 * count; i++) {
            Bury("ended-" + std::to_string(i), now_.unix_ms - (1 + i % 3) * DAY_MS);
            if ((i + 1) % BATCH == 0 || i + 1 == 3 * count) {
                WriteBatch();
            }
        }
        while (journal_maintain(journal_, now_.unix_ms)) {
            WriteBatch();
        }
        WriteBatch();
    }

    // An outcome of a transaction that stays open.
    void End(int64_t i)
    {
        Bury("recovery-" + std::to_string(i), now_.unix_ms);
        WriteBatch();
    }

  private:
    void WriteBatch()
    {
        batch_.lsn = ++head_.lsn;
        batch_.next_number = head_.next_number;
        journal_write(journal_, &batch_);
        journal_batch_clear(&batch_);
    }

    void Bury(const std::string &gid, int64_t ended_unix_ms)
    {
        txn *made = txn_create(gid.c_str(), "", "");
        made->mode = TXN_MODE_TOMBSTONE;
        made->sequence = 1;
        made->begun_unix_ms = ended_unix_ms;
        txn_move(made, TXN_CANCELLED, clock_now{0, ended_unix_ms});
        Write(RECORD_TOMBSTONE, made);
        txn_destroy(made);
    }

    void AddOne(int64_t i)
    {
        txn *made = txn_create(("recovery-" + std::to_string(i)).c_str(), "another-boot", "");
        made->sequence = head_.next_number++;
        made->mode = TXN_MODE_EXECUTE;
        made->begun_unix_ms = now_.unix_ms;
        made->deadline = {1, now_.unix_ms + 30000};
        made->timeout_ms = 30000;
        txn_move(made, TXN_TRYING, now_);
        for (uint32_t index = 1; index <= BRANCHES; index++) {
            AddBranch(made, index);
        }
        Write(RECORD_BEGIN, made);
        txn_move(made, TXN_CONFIRMING, now_);
        for (uint32_t index = 0; index < BRANCHES; index++) {
            branch_move(made->branches[index], BRANCH_CONFIRMING);
        }
        Write(RECORD_DECIDE, made);
        txn_destroy(made);
    }

    void AddBranch(txn *made, uint32_t index)
    {
        branch_spec spec{};
        spec.index = index;
        spec.participant = index - 1;
        spec.action = "agree";
        spec.confirm_only = true; // its fence has no row of a try
        spec.payload = tercet_bytes_of(payload_.data(), payload_.size());
        branch *added = branch_create(&spec);
        added->number = {head_.incarnation, head_.next_number++};
        txn_add_branch_take(made, added);
        branch_move(added, BRANCH_WAITING);
    }

    void Write(record_kind kind, txn *made)
    {
        const effect_record record{kind, made, nullptr, 0, nullptr};
        record_write(&record, &names_, &batch_);
    }

    const std::string payload_ = std::string(PAYLOAD_BYTES, 'x');
    const clock_now now_{1, std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::system_clock::now().time_since_epoch())
                                .count()};
    directory names_{};
    journal *journal_ = nullptr;
    journal_head head_{};
    journal_batch batch_{};
};

// All four participants, in this process; each confirm is counted.
class Participants
{
  public:
    explicit Participants(const std::string &directory)
    {
        for (int i = 0; i < BRANCHES; i++) {
            Serve(i, "unix:" + directory + "/" + Participant(i));
        }
    }

    ~Participants()
    {
        for (int i = 0; i < BRANCHES; i++) {
            tercet_participant_destroy(made_[i]);
            tercet_store_close(stores_[i]);
        }
    }

    // When the first confirm came, however many were to come.
    bool WaitFor(int64_t count, std::chrono::seconds longest)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        return more_.wait_for(lock, longest, [&] { return confirms_ >= count; });
    }

    Clock::time_point first() const
    {
        return first_;
    }

    std::function<void()> on_first; // called within the first confirm; set before it can come

  private:
    static tercet_verdict OnConfirm(tercet_request *request)
    {
        auto *self = static_cast<Participants *>(request->context);
        std::lock_guard<std::mutex> lock(self->mutex_);
        if (self->confirms_ == 0) {
            self->first_ = Clock::now();
            self->on_first();
        }
        self->confirms_++;
        self->more_.notify_one();
        return TERCET_VERDICT_DONE;
    }

    void Serve(int i, const std::string &listen)
    {
        const std::string name = Participant(i);
        tercet_action action{};
        action.name = "agree";
        action.on_confirm = OnConfirm;
        action.context = this;
        tercet_memory_options memory{};
        memory.size = sizeof memory;
        tercet_participant_options options{};
        options.size = sizeof options;
        options.name = name.c_str();
        options.listen = listen.c_str();
        tercet_error error{};
        ASSERT_EQ(TERCET_OK, tercet_memory_open(&memory, &stores_[i], &error)) << error.text;
        ASSERT_EQ(TERCET_OK, tercet_participant_create(&options, &made_[i], &error)) << error.text;
        ASSERT_EQ(TERCET_OK, tercet_participant_register(made_[i], stores_[i], &action, 1, &error))
            << error.text;
        ASSERT_EQ(TERCET_OK, tercet_participant_start(made_[i], &error)) << error.text;
    }

    tercet_participant *made_[BRANCHES] = {};
    tercet_store *stores_[BRANCHES] = {};
    std::mutex mutex_;
    std::condition_variable more_;
    int64_t confirms_ = 0;
    Clock::time_point first_;
};

// The daemon's peak so far, in MiB.
int64_t PeakRss(pid_t id)
{
    std::ifstream status("/proc/" + std::to_string(id) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmHWM:", 0) == 0) {
            return atoll(line.c_str() + 6) / 1024;
        }
    }
    return -1;
}

TEST(Recovery, TheFirstRepeatedCallComesSoon)
{
    const int64_t open = FromEnvironment("TERCET_RECOVERY_OPEN", 1000);
    const int64_t ended = FromEnvironment("TERCET_RECOVERY_ENDED", 100);
    const int64_t bound_ms = FromEnvironment("TERCET_RECOVERY_BOUND_MS", 30000);
    const int64_t rss_mib = FromEnvironment("TERCET_RECOVERY_RSS_MIB", 0);
    char path[] = "/tmp/tercet-recovery-XXXXXX";
    ASSERT_NE(nullptr, mkdtemp(path));
    const std::string directory = path, journal = directory + "/journal";
    {
        Filled filled(journal);
        filled.AddEnded(ended);
        filled.Add(open);
    }
    Participants participants(directory);
    std::string targets;
    for (int i = 0; i < BRANCHES; i++) {
        targets +=
            (i > 0 ? "," : "") + Participant(i) + "=unix:" + directory + "/" + Participant(i);
    }
    const std::string listen = "unix:" + directory + "/tercetd", log = directory + "/log";
    const char *const arguments[] = {TERCETD,        "--journal",      journal.c_str(), "--listen",
                                     listen.c_str(), "--participants", targets.c_str(), nullptr};
    process coordinator{};
    std::atomic<pid_t> id{0};
    int64_t peak = -1;
    participants.on_first = [&] { peak = PeakRss(id); }; // later, it also holds what it sends
    const auto start = Clock::now();
    ASSERT_TRUE(process_start(&coordinator, arguments, log.c_str()));
    id = coordinator.id;
    ASSERT_TRUE(participants.WaitFor(1, std::chrono::seconds(120)));
    const int64_t first_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(participants.first() - start).count();
    // All of them, as often as there are branches: what was found is carried out.
    const int64_t wanted = std::min<int64_t>(open, 20000) * BRANCHES;
    EXPECT_TRUE(participants.WaitFor(wanted, std::chrono::seconds(300)));
    EXPECT_EQ(0, process_stop(&coordinator, 60000));
    printf("open %" PRId64 ", %d branches of %d bytes each, %" PRId64
           " outcomes: first call after %" PRId64 " ms, peak %" PRId64 " MiB\n",
           open, BRANCHES, PAYLOAD_BYTES, 3 * ended, first_ms, peak);
    EXPECT_LE(first_ms, bound_ms);
    EXPECT_GT(peak, 0);
    if (rss_mib > 0) {
        EXPECT_LE(peak, rss_mib);
    }
    if (!HasFailure()) {
        EXPECT_EQ(0, system(("rm -r " + directory).c_str()));
    }
}

// To go on would write its outcome a second time.
TEST(Recovery, AnOpenTransactionThatHasEndedIsRefusedInWordsAndNothingIsAsked)
{
    char path[] = "/tmp/tercet-recovery-XXXXXX";
    ASSERT_NE(nullptr, mkdtemp(path));
    const std::string directory = path, journal = directory + "/journal";
    {
        Filled filled(journal);
        filled.Add(20);
        filled.End(7);
    }
    Participants participants(directory);
    const std::string listen = "unix:" + directory + "/tercetd", log = directory + "/log";
    const std::string targets = Participant(0) + "=unix:" + directory + "/" + Participant(0);
    const char *const arguments[] = {TERCETD,        "--journal",      journal.c_str(), "--listen",
                                     listen.c_str(), "--participants", targets.c_str(), nullptr};
    process coordinator{};
    ASSERT_TRUE(process_start(&coordinator, arguments, log.c_str()));
    EXPECT_EQ(65, process_wait(&coordinator, 60000)) << "damage: its supervisor lets it be";
    std::ifstream file(log);
    const std::string told(std::istreambuf_iterator<char>(file), {});
    EXPECT_NE(std::string::npos, told.find("its gid recovery-7 is there as well")) << told;
    EXPECT_FALSE(participants.WaitFor(1, std::chrono::seconds(0)));
    EXPECT_EQ(0, system(("rm -r " + directory).c_str()));
}

} // namespace
