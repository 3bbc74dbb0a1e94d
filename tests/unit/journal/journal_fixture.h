// journal_fixture.h -- directories, batches and records for the journal's tests.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

extern "C" {
#include "engine/effect.h"
#include "journal/journal_leveldb.h"
#include "journal/journal_memory.h"
#include "journal/record.h"
}

namespace tercet
{

constexpr int64_t kNow = 1800000000000; // 2027-01-15 08:00:00 UTC
constexpr int64_t kDay = 24 * 3600 * 1000LL;

// A directory that vanishes with the test.
class TempDirectory
{
  public:
    TempDirectory()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "journal-XXXXXX").string();
        EXPECT_NE(mkdtemp(pattern.data()), nullptr);
        path_ = pattern;
    }
    ~TempDirectory()
    {
        std::filesystem::remove_all(path_);
    }
    TempDirectory(const TempDirectory &) = delete;
    TempDirectory &operator=(const TempDirectory &) = delete;
    std::string operator/(const std::string &name) const
    {
        return (path_ / name).string();
    }

  private:
    std::filesystem::path path_;
};

inline tercet_bytes Bytes(const std::string &text)
{
    return tercet_bytes_of(text.data(), text.size());
}

inline std::string Text(tercet_bytes bytes)
{
    return std::string(static_cast<const char *>(bytes.data), bytes.size);
}

inline std::string TxnKey(uint64_t sequence)
{
    std::string key = "t/";
    for (int shift = 56; shift >= 0; shift -= 8) {
        key.push_back(static_cast<char>(sequence >> shift));
    }
    key.push_back('\x10');
    return key;
}

// A batch that goes on top of a journal's head.
class Batch
{
  public:
    Batch()
    {
        journal_batch_init(&batch_);
    }
    ~Batch()
    {
        journal_batch_deinit(&batch_);
    }
    Batch(const Batch &) = delete;
    Batch &operator=(const Batch &) = delete;

    digest128 Put(const std::string &key, const std::string &value, digest128 old = {0, 0})
    {
        journal_batch_put(&batch_, Bytes(key), Bytes(value), &old);
        return old;
    }
    void Delete(const std::string &key, digest128 hash)
    {
        journal_batch_delete(&batch_, Bytes(key), &hash);
    }
    void Write(struct journal *journal)
    {
        journal_head head;
        journal_read_head(journal, &head);
        batch_.lsn = head.lsn + 1;
        batch_.next_number = head.next_number + 1000; // numbers of what a test has put into it
        journal_write(journal, &batch_);
        journal_batch_clear(&batch_);
    }
    journal_batch *get()
    {
        return &batch_;
    }

  private:
    journal_batch batch_;
};

inline journal_head Head(struct journal *journal)
{
    journal_head head;
    journal_read_head(journal, &head);
    return head;
}

// Buries `gid` at that moment: the smallest outcome there is.
inline void PutOutcome(Batch *batch, const std::string &gid, int64_t ended_unix_ms)
{
    txn *made = txn_create(gid.c_str(), "", "");
    directory empty;
    directory_init(&empty);
    made->mode = TXN_MODE_TOMBSTONE;
    made->sequence = 1;
    made->begun_unix_ms = ended_unix_ms;
    txn_move(made, TXN_CANCELLED, clock_now{0, ended_unix_ms});
    effect_record record = {RECORD_TOMBSTONE, made, nullptr, 0, nullptr};
    record_write(&record, &empty, batch->get());
    txn_destroy(made);
    directory_deinit(&empty);
}

inline void CountDays(struct journal *journal)
{
    while (journal_count_some(journal)) {
    }
}

inline std::string FindOutcome(struct journal *journal, const std::string &gid)
{
    buffer value;
    buffer_init(&value);
    std::string found;
    tercet_status status = journal_find_outcome(journal, gid.c_str(), &value);
    if (status == TERCET_UNAVAILABLE) {
        CountDays(journal);
        status = journal_find_outcome(journal, gid.c_str(), &value);
    }
    EXPECT_TRUE(status == TERCET_OK || status == TERCET_NOT_FOUND) << status;
    if (status == TERCET_OK) {
        view *view = nullptr;
        EXPECT_EQ(record_read_outcome(buffer_bytes(&value), &view), TERCET_OK);
        found = view->gid;
        view_destroy(view);
    }
    buffer_deinit(&value);
    return found;
}

// What load() tells.
inline std::map<std::string, std::string> Load(struct journal *journal,
                                               tercet_status expected = TERCET_OK)
{
    std::map<std::string, std::string> pairs;
    tercet_error error = {};
    tercet_status status = journal_load(
        journal,
        [](tercet_bytes key, tercet_bytes value, digest128 hash, void *context) {
            EXPECT_TRUE(digest128_equal(hash, digest128_of_pair(key, value)));
            (*static_cast<std::map<std::string, std::string> *>(context))[Text(key)] = Text(value);
            return TERCET_OK;
        },
        &pairs, &error);
    EXPECT_EQ(status, expected) << error.text;
    return pairs;
}

// All outcomes' gids, `page` at a time.
inline std::vector<std::string> ListOutcomes(struct journal *journal, size_t page = 1000)
{
    struct Page {
        std::vector<std::string> gids;
        std::string cursor;
        size_t left;
    };
    std::vector<std::string> all;
    Page told;
    CountDays(journal);
    do {
        told.gids.clear();
        told.left = page;
        const std::string from = told.cursor;
        tercet_status status = journal_list_outcomes(
            journal, from.c_str(),
            [](tercet_bytes value, const char *cursor, void *context) {
                Page *to = static_cast<Page *>(context);
                view *view = nullptr;
                EXPECT_EQ(record_read_outcome(value, &view), TERCET_OK);
                to->gids.push_back(view->gid);
                view_destroy(view);
                to->cursor = cursor;
                to->left--;
                return to->left > 0;
            },
            &told);
        EXPECT_EQ(status, TERCET_OK);
        all.insert(all.end(), told.gids.begin(), told.gids.end());
    } while (told.left == 0);
    return all;
}

struct Opened {
    tercet_status status;
    std::string text;
    struct journal *journal = nullptr;
};

inline Opened Open(const std::string &directory, int64_t keep_ms = 0, int64_t keep_bytes = 0)
{
    journal_leveldb_options options = {};
    options.directory = directory.c_str();
    options.outcome_keep_ms = keep_ms;
    options.outcome_keep_bytes_max = keep_bytes;
    options.write_buffer_bytes = 256 * 1024;
    tercet_error error = {};
    Opened opened;
    opened.status = journal_leveldb_open(&options, kNow, &opened.journal, &error);
    opened.text = error.text;
    if (opened.status != TERCET_OK) {
        EXPECT_EQ(error.status, opened.status) << error.text;
        EXPECT_NE(opened.text, "");
    }
    return opened;
}

inline tercet_status Init(const std::string &directory, std::string *text = nullptr)
{
    tercet_error error = {};
    tercet_status status = journal_leveldb_init(directory.c_str(), kNow, &error);
    if (text != nullptr) {
        *text = error.text;
    }
    return status;
}

// journal_child with these arguments; its standard output is read from `out`, its input is `in`.
struct Child {
    pid_t pid = -1;
    int in = -1;
    int out = -1;

    int Wait() // the exit code, or -signal
    {
        int status = 0;
        EXPECT_EQ(waitpid(pid, &status, 0), pid);
        close(in);
        close(out);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }
    std::string ReadLine()
    {
        std::string line;
        char c = 0;
        while (read(out, &c, 1) == 1 && c != '\n') {
            line.push_back(c);
        }
        return line;
    }
};

#ifdef JOURNAL_CHILD
inline Child StartChild(const std::string &command, const std::string &directory)
{
    int in[2];
    int out[2];
    EXPECT_EQ(pipe(in), 0);
    EXPECT_EQ(pipe(out), 0);
    Child child;
    child.pid = fork();
    if (child.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        execl(JOURNAL_CHILD, JOURNAL_CHILD, command.c_str(), directory.c_str(), nullptr);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    child.in = in[1];
    child.out = out[0];
    return child;
}
#endif

} // namespace tercet
