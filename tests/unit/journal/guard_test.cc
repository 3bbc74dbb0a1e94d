// What keeps a journal from being opened twice, from a loop over damage, and from a full disk.
#include "unit/journal/journal_fixture.h"

#include <fstream>
#include <sys/stat.h>

extern "C" {
#include "journal/journal_safety.h"
#include "journal/journal_store.h"
#include "journal/store_share.h"
}

namespace tercet
{
namespace
{

namespace fs = std::filesystem;

class Guard : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_EQ(Init(journal_), TERCET_OK);
    }

    Opened OpenWithBallast(int64_t bytes)
    {
        journal_leveldb_options options = {};
        options.directory = journal_.c_str();
        options.ballast_bytes = bytes;
        tercet_error error = {};
        Opened opened;
        opened.status = journal_leveldb_open(&options, kNow, &opened.journal, &error);
        opened.text = error.text;
        return opened;
    }

    TempDirectory temp_;
    std::string journal_ = temp_ / "j";
};

TEST_F(Guard, ASecondOpenIsRefusedAlsoWithoutTheLockFileAndUnderAnotherName)
{
    Opened first = Open(journal_);
    ASSERT_EQ(first.status, TERCET_OK);
    EXPECT_EQ(Open(journal_).status, TERCET_FAILED_PRECONDITION);
    fs::remove(journal_ + "/live/LOCK");
    EXPECT_EQ(Open(journal_).status, TERCET_FAILED_PRECONDITION);
    fs::rename(journal_, temp_ / "moved");
    EXPECT_EQ(Open(temp_ / "moved").status, TERCET_FAILED_PRECONDITION);
    fs::create_directory_symlink(temp_ / "moved", temp_ / "link");
    EXPECT_EQ(Open(temp_ / "link").status, TERCET_FAILED_PRECONDITION);
    journal_close(first.journal);
}

TEST_F(Guard, AWriteAfterTheDirectoryWasReplacedOrTheLockRemovedEndsTheProcess)
{
    Opened first = Open(journal_);
    Batch batch;
    batch.Write(first.journal);
    fs::copy(journal_, temp_ / "copy", fs::copy_options::recursive);
    fs::rename(journal_, temp_ / "old");
    fs::rename(temp_ / "copy", journal_);
    EXPECT_EXIT(batch.Write(first.journal), ::testing::ExitedWithCode(74), "journal.fenced");
    fs::remove_all(journal_);
    fs::rename(temp_ / "old", journal_);
    fs::remove(journal_ + "/live/LOCK");
    EXPECT_EXIT(batch.Write(first.journal), ::testing::ExitedWithCode(74), "journal.fenced");
    journal_close(first.journal);
}

TEST_F(Guard, TheBallastIsReallyAllocatedAndFollowsTheSetting)
{
    const std::string ballast = journal_ + "/ballast";
    journal_close(OpenWithBallast(1 << 20).journal);
    struct stat info = {};
    ASSERT_EQ(stat(ballast.c_str(), &info), 0);
    EXPECT_EQ(info.st_size, 1 << 20);
    EXPECT_GE(info.st_blocks * 512, 1 << 20);
    journal_close(OpenWithBallast(2 << 20).journal);
    EXPECT_EQ(fs::file_size(ballast), 2U << 20);
    fs::remove(ballast); // by hand, or by an open that was short of space
    journal_close(OpenWithBallast(1 << 20).journal);
    EXPECT_EQ(fs::file_size(ballast), 1U << 20);
    journal_close(OpenWithBallast(0).journal);
    EXPECT_FALSE(fs::exists(ballast));
}

TEST_F(Guard, MoreBallastThanThereIsSpaceIsNoReasonNotToOpen)
{
    Opened opened = OpenWithBallast(int64_t{1} << 50);
    EXPECT_EQ(opened.status, TERCET_OK) << opened.text;
    EXPECT_FALSE(fs::exists(journal_ + "/ballast"));
    journal_close(opened.journal);
}

// A day that LevelDB opens with less in it than was written, found by the count in the background.
class DamagedDay : public Guard
{
  protected:
    void SetUp() override
    {
        Guard::SetUp();
        Opened opened = Open(journal_);
        Batch batch;
        for (int i = 0; i < 50; i++) {
            PutOutcome(&batch, "gid-" + std::to_string(i), kNow - kDay);
        }
        batch.Write(opened.journal);
        while (journal_maintain(opened.journal, kNow)) {
            batch.Write(opened.journal);
        }
        batch.Write(opened.journal);
        journal_close(opened.journal);
        fs::copy(day_, temp_ / "good", fs::copy_options::recursive);
        for (const auto &entry : fs::directory_iterator(day_)) {
            if (entry.path().extension() == ".log") {
                fs::resize_file(entry.path(), fs::file_size(entry.path()) / 2);
            }
        }
    }
    const std::string day_ = journal_ + "/outcomes/2027-01-14";
};

TEST_F(DamagedDay, IsRefusedByTheNextOpenAndNotFoundAgainAndAgain)
{
    Opened opened = Open(journal_);
    ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
    EXPECT_EXIT(
        {
            while (journal_maintain(opened.journal, kNow)) {
            }
        },
        ::testing::ExitedWithCode(74), "2027-01-14");
    journal_close(opened.journal);
    EXPECT_TRUE(fs::exists(journal_ + "/damaged"));
    for (int i = 0; i < 2; i++) {
        Opened again = Open(journal_);
        EXPECT_EQ(again.status, TERCET_DATA_LOSS);
        EXPECT_NE(again.text.find("2027-01-14"), std::string::npos) << again.text;
        EXPECT_NE(again.text.find("tercetd verify"), std::string::npos) << again.text;
    }
}

TEST_F(DamagedDay, ThatWasPutBackIsOpenedAndForgotten)
{
    std::ofstream(journal_ + "/damaged") << "outcomes of 2027-01-14 are missing\n";
    EXPECT_EQ(Open(journal_).status, TERCET_DATA_LOSS);
    fs::remove_all(day_);
    fs::copy(temp_ / "good", day_, fs::copy_options::recursive);
    Opened opened = Open(journal_);
    EXPECT_EQ(opened.status, TERCET_OK) << opened.text;
    EXPECT_FALSE(fs::exists(journal_ + "/damaged"));
    EXPECT_EQ(FindOutcome(opened.journal, "gid-7"), "gid-7");
    journal_close(opened.journal);
}

// A store whose manifest says that the next file has this number.
void MakeStore(const std::string &store, const std::string &edit)
{
    fs::create_directories(store);
    store_options options = {};
    options.path = store.c_str();
    options.create = true;
    options.open_file_count_max = 74;
    struct store *made = nullptr;
    tercet_error error = {};
    ASSERT_EQ(store_open(&options, &made, &error), TERCET_OK) << error.text;
    store_close(made);
    for (const std::string &name : {edit + "1.ldb", edit + "9.ldb"}) {
        std::ofstream(store + "/" + name) << "good";
    }
}

// A manifest that is damaged makes LevelDB give out a table's number again and open that file anew.
TEST_F(Guard, ATableThatAnOpenMayWriteOverSharesNoBytesWithItsSafetyCopy)
{
    const std::string store = temp_ / "store";
    const std::string safety = temp_ / "safety";
    fs::create_directories(safety);
    MakeStore(store, "00000"); // its manifest's next number is between 1 and 9
    std::ofstream(store + "/000009.ldb.unshared") << "half a copy of a process that died";
    tercet_error error = {};
    ASSERT_EQ(safety_take(safety.c_str(), "day", store.c_str(), nullptr, &error), TERCET_OK);
    ASSERT_EQ(store_share_end(store.c_str(), &error), TERCET_OK) << error.text;
    EXPECT_EQ(fs::hard_link_count(store + "/000001.ldb"), 2U) << "an old table costs nothing";
    EXPECT_EQ(fs::hard_link_count(store + "/000009.ldb"), 1U);
    EXPECT_EQ(fs::file_size(store + "/000009.ldb"), 4U);
    EXPECT_FALSE(fs::exists(store + "/000009.ldb.unshared"));
    std::ofstream(store + "/000009.ldb", std::ios::trunc) << "written over";
    EXPECT_EQ(fs::file_size(safety + "/day.pending/000009.ldb"), 4U);
}

TEST_F(Guard, NothingIsSharedWhenTheManifestCannotBeRead)
{
    const std::string store = temp_ / "store";
    MakeStore(store, "00000");
    fs::create_hard_link(store + "/000001.ldb", temp_ / "second name");
    for (const auto &entry : fs::directory_iterator(store)) {
        const std::string name = entry.path().filename();
        if (name.rfind("MANIFEST", 0) == 0) {
            std::ofstream(entry.path(), std::ios::app) << "no record of any log";
        }
    }
    tercet_error error = {};
    ASSERT_EQ(store_share_end(store.c_str(), &error), TERCET_OK) << error.text;
    EXPECT_EQ(fs::hard_link_count(store + "/000001.ldb"), 1U);
}

void WriteKey(struct store *store, const std::string &value)
{
    tercet_error error = {};
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    store_batch_put(batch, Bytes("key"), Bytes(value));
    EXPECT_EQ(store_write(store, batch, &error), TERCET_OK) << error.text;
    leveldb_writebatch_destroy(batch);
}

TEST_F(Guard, ANameIsSyncedWithTheFirstWriteIntoANewLogAndWithNoOther)
{
    const std::string store = temp_ / "store";
    MakeStore(store, "00000");
    store_options options = {};
    options.path = store.c_str();
    options.write_buffer_bytes = 64 * 1024; // LevelDB's least
    options.open_file_count_max = 74;
    struct store *made = nullptr;
    tercet_error error = {};
    ASSERT_EQ(store_open(&options, &made, &error), TERCET_OK) << error.text;
    std::string log;
    int logs = 0;
    for (int i = 0; i < 40; i++) {
        const int64_t known = made->names.log_bytes;
        WriteKey(made, std::string(9000, 'x'));
        EXPECT_EQ(made->names.log_bytes, static_cast<int64_t>(fs::file_size(made->names.log_path)));
        if (made->names.log_path != log) {
            log = made->names.log_path;
            logs++;
        } else {
            EXPECT_GT(made->names.log_bytes, known);
        }
        for (const auto &entry : fs::directory_iterator(store)) {
            if (entry.path().extension() == ".log") {
                EXPECT_LE(entry.path().string(), log) << "written to, and its name not synced";
            }
        }
    }
    EXPECT_GT(logs, 3);
    EXPECT_LT(logs, 20) << "a sync with every write";
    store_close(made);
}

TEST_F(Guard, AWriteIsNotSaidToBeDurableWhenTheNamesAreNot)
{
    const std::string store = temp_ / "store";
    MakeStore(store, "00000");
    store_options options = {};
    options.path = store.c_str();
    options.open_file_count_max = 74;
    struct store *made = nullptr;
    tercet_error error = {};
    ASSERT_EQ(store_open(&options, &made, &error), TERCET_OK) << error.text;
    fs::rename(store, temp_ / "moved"); // no directory of this name can be synced
    leveldb_writebatch_t *batch = leveldb_writebatch_create();
    store_batch_put(batch, Bytes("key"), Bytes("value"));
    EXPECT_EQ(store_write(made, batch, &error), TERCET_UNAVAILABLE);
    leveldb_writebatch_destroy(batch);
    fs::rename(temp_ / "moved", store);
    store_close(made);
}

TEST_F(Guard, TablesInSafetySurviveAnOpenWithACutManifest)
{
    Opened opened = Open(journal_);
    Batch batch;
    for (int i = 0; i < 30; i++) { // more than the write buffer: a table is made while it runs
        batch.Put("t/" + std::to_string(i), std::string(20000, 'x'));
        batch.Write(opened.journal);
    }
    const std::string killed = temp_ / "killed";
    fs::copy(journal_, killed, fs::copy_options::recursive);
    journal_close(opened.journal);
    std::map<std::string, uintmax_t> tables;
    std::string manifest;
    for (const auto &entry : fs::directory_iterator(killed + "/live")) {
        const std::string name = entry.path().filename();
        if (entry.path().extension() == ".ldb") {
            tables[name] = entry.file_size();
        } else if (name.rfind("MANIFEST", 0) == 0) {
            manifest = name;
        }
    }
    ASSERT_FALSE(tables.empty());
    const uintmax_t size = fs::file_size(killed + "/live/" + manifest);
    for (uintmax_t cut = 0; cut < size; cut++) {
        const std::string damaged = temp_ / "damaged";
        fs::remove_all(damaged);
        fs::copy(killed, damaged, fs::copy_options::recursive);
        fs::resize_file(damaged + "/live/" + manifest, cut);
        Opened reopened = Open(damaged);
        if (reopened.status == TERCET_OK) { // its last edit can be done without: all is there
            journal_close(reopened.journal);
            continue;
        }
        ASSERT_EQ(reopened.status, TERCET_DATA_LOSS) << cut << reopened.text;
        for (const auto &[name, bytes] : tables) {
            ASSERT_EQ(fs::file_size(damaged + "/safety/live.pending/" + name), bytes)
                << name << " at a cut to " << cut;
        }
    }
}

// Two manifests exchanged: each store's numbers are the other's.
TEST_F(Guard, TablesInSafetySurviveAnOpenWithTheManifestOfAnotherStore)
{
    Opened opened = Open(journal_);
    Batch batch;
    for (int i = 0; i < 30; i++) {
        batch.Put("t/" + std::to_string(i), std::string(20000, 'x'));
        batch.Write(opened.journal);
    }
    journal_close(opened.journal);
    opened = Open(journal_);
    ASSERT_EQ(opened.status, TERCET_OK) << opened.text;
    journal_close(opened.journal);
    const std::string small = temp_ / "small";
    MakeStore(small, "99999");
    std::map<std::string, std::string> tables;
    std::string manifest;
    for (const auto &entry : fs::directory_iterator(journal_ + "/live")) {
        const std::string name = entry.path().filename();
        if (entry.path().extension() == ".ldb") {
            std::ifstream file(entry.path(), std::ios::binary);
            tables[name] = std::string(std::istreambuf_iterator<char>(file), {});
        } else if (name.rfind("MANIFEST", 0) == 0) {
            manifest = entry.path();
        }
    }
    ASSERT_FALSE(tables.empty());
    for (const auto &entry : fs::directory_iterator(small)) {
        if (entry.path().filename().string().rfind("MANIFEST", 0) == 0) {
            fs::copy_file(entry.path(), manifest, fs::copy_options::overwrite_existing);
        }
    }
    ASSERT_EQ(Open(journal_).status, TERCET_DATA_LOSS);
    for (const auto &[name, bytes] : tables) {
        std::ifstream file(journal_ + "/safety/live.pending/" + name, std::ios::binary);
        EXPECT_TRUE(std::string(std::istreambuf_iterator<char>(file), {}) == bytes) << name;
    }
}

} // namespace
} // namespace tercet
