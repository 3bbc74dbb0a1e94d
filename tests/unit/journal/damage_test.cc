// Damage to any file: refused, or complete.  Never open with less than was acknowledged.
#include "unit/journal/journal_fixture.h"

#include <fstream>
#include <random>

extern "C" {
#include "journal/journal_store.h"
}

namespace tercet
{
namespace
{

namespace fs = std::filesystem;

std::string ReadFile(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFile(const std::string &path, const std::string &bytes)
{
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

uint64_t Seed()
{
    const char *text = getenv("TERCET_SEED");
    return text == nullptr ? 20261121 : strtoull(text, nullptr, 0);
}

// A journal as kill -9 leaves it: tables, a log, an outcome in its day; and what it has promised.
class Damage : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_EQ(Init(temp_ / "j"), TERCET_OK);
        Fill("first", 40);
        Opened opened = Open(temp_ / "j");
        ASSERT_EQ(opened.status, TERCET_OK);
        Batch batch;
        for (int i = 0; i < 40; i++) {
            const std::string key = "t/second" + std::to_string(i);
            batch.Put(key, std::string(200, 's'));
            expected_[key] = std::string(200, 's');
            batch.Write(opened.journal);
        }
        fs::copy(temp_ / "j", temp_ / "pristine", fs::copy_options::recursive);
        journal_close(opened.journal);
        fs::remove_all(temp_ / "j");
    }

    void Fill(const std::string &name, int count)
    {
        Opened opened = Open(temp_ / "j");
        ASSERT_EQ(opened.status, TERCET_OK);
        Batch batch;
        for (int i = 0; i < count; i++) {
            const std::string key = "t/" + name + std::to_string(i);
            batch.Put(key, std::string(200, 'f'));
            expected_[key] = std::string(200, 'f');
            batch.Write(opened.journal);
        }
        PutOutcome(&batch, "gid", kNow - kDay);
        batch.Write(opened.journal);
        journal_maintain(opened.journal, kNow);
        batch.Write(opened.journal);
        journal_close(opened.journal);
    }

    void Restore()
    {
        fs::remove_all(temp_ / "j");
        fs::copy(temp_ / "pristine", temp_ / "j", fs::copy_options::recursive);
    }

    // Opens what stands there now: refused with a sentence, or complete.
    void ExpectRefusedOrComplete(const std::string &what)
    {
        Opened opened = Open(temp_ / "j");
        if (opened.status == TERCET_OK) {
            complete_++;
            EXPECT_EQ(Load(opened.journal), expected_) << what;
            EXPECT_EQ(FindOutcome(opened.journal, "gid"), "gid") << what;
            journal_close(opened.journal);
        } else {
            refused_++;
            if (what.rfind("FORMAT", 0) == 0 && opened.status == TERCET_FAILED_PRECONDITION) {
                return; // its digit may become a higher one
            }
            EXPECT_EQ(opened.status, TERCET_DATA_LOSS) << what << ": " << opened.text;
            EXPECT_NE(opened.text.find("Refusals"), std::string::npos) << opened.text;
        }
    }

    std::vector<std::string> Files() // that matter, below the journal
    {
        std::vector<std::string> files = {"FORMAT", "witness"};
        for (const auto &entry : fs::directory_iterator(temp_ / "pristine/live")) {
            const std::string name = entry.path().filename();
            if (name != "LOG" && name != "LOG.old" && name != "LOCK") {
                files.push_back("live/" + name);
            }
        }
        std::sort(files.begin(), files.end());
        return files;
    }

    TempDirectory temp_;
    std::map<std::string, std::string> expected_;
    int refused_ = 0;
    int complete_ = 0;
};

TEST_F(Damage, ThereAreTablesALogAManifestAndAnUndamagedOneOpens)
{
    std::string all;
    for (const std::string &file : Files()) {
        all += file + " ";
    }
    for (const char *part : {".ldb", ".log", "MANIFEST", "CURRENT", "witness", "FORMAT"}) {
        EXPECT_NE(all.find(part), std::string::npos) << all;
    }
    Restore();
    ExpectRefusedOrComplete("nothing");
    EXPECT_EQ(complete_, 1);
}

TEST_F(Damage, AFlippedBitAnywhereIsRefusedOrComplete)
{
    std::mt19937_64 random(Seed());
    for (const std::string &file : Files()) {
        const std::string bytes = ReadFile(temp_ / "pristine/" + file);
        const int cases = bytes.empty() ? 0 : 30;
        for (int i = 0; i < cases; i++) {
            const size_t at = random() % bytes.size();
            const int bit = static_cast<int>(random() % 8);
            std::string damaged = bytes;
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
            Restore();
            WriteFile(temp_ / "j/" + file, damaged);
            ExpectRefusedOrComplete(file + " byte " + std::to_string(at) + " bit " +
                                    std::to_string(bit));
        }
    }
    EXPECT_GT(refused_, 50);
}

TEST_F(Damage, EveryLengthByteOfTheLogIsRefusedOrComplete)
{
    for (const std::string &file : Files()) {
        if (file.find(".log") == std::string::npos) {
            continue;
        }
        const std::string bytes = ReadFile(temp_ / "pristine/" + file);
        size_t at = 0;
        for (int i = 0; i < 40 && at + 7 < bytes.size(); i++) {
            const size_t length = static_cast<uint8_t>(bytes[at + 4]) |
                                  static_cast<size_t>(static_cast<uint8_t>(bytes[at + 5])) << 8;
            std::string damaged = bytes;
            damaged[at + 5] = static_cast<char>(damaged[at + 5] ^ 0x80);
            Restore();
            WriteFile(temp_ / "j/" + file, damaged);
            ExpectRefusedOrComplete("length at " + std::to_string(at));
            at += 7 + length;
        }
    }
    EXPECT_GE(refused_, 20);
}

TEST_F(Damage, ACutAnywhereIsRefusedOrComplete)
{
    std::mt19937_64 random(Seed());
    for (const std::string &file : Files()) {
        const std::string bytes = ReadFile(temp_ / "pristine/" + file);
        for (int i = 0; i < 15 && !bytes.empty(); i++) {
            const size_t size = i == 0 ? 0 : random() % bytes.size();
            Restore();
            WriteFile(temp_ / "j/" + file, bytes.substr(0, size));
            ExpectRefusedOrComplete(file + " cut to " + std::to_string(size));
        }
    }
    EXPECT_GT(refused_, 30);
}

TEST_F(Damage, AMissingFileIsRefusedOrComplete)
{
    std::vector<std::string> files = Files();
    for (const char *part : {"live", "outcomes", "safety", "outcomes/2027-01-14"}) {
        files.push_back(part);
    }
    for (const std::string &file : files) {
        Restore();
        fs::remove_all(temp_ / "j/" + file);
        ExpectRefusedOrComplete(file + " removed");
    }
    EXPECT_EQ(complete_, 0);
}

// Changes behind our back that LevelDB's own checksums cannot find.
TEST_F(Damage, ARecordThatVanishedChangedOrCameFromNowhereDoesNotAddUp)
{
    for (int change = 0; change < 3; change++) {
        Restore();
        const std::string live = temp_ / "j/live";
        store_options options = {};
        options.path = live.c_str();
        options.write_buffer_bytes = 1 << 20;
        options.file_bytes = 1 << 20;
        options.cache_bytes = 1 << 20;
        options.open_file_count_max = 100;
        store *opened = nullptr;
        tercet_error error = {};
        ASSERT_EQ(store_open(&options, &opened, &error), TERCET_OK) << error.text;
        leveldb_writebatch_t *writes = leveldb_writebatch_create();
        if (change == 0) {
            leveldb_writebatch_delete(writes, "t/first7", 8);
        } else {
            store_batch_put(writes, Bytes(change == 1 ? "t/first7" : "t/nowhere"), Bytes("other"));
        }
        ASSERT_EQ(store_write(opened, writes, &error), TERCET_OK) << error.text;
        leveldb_writebatch_destroy(writes);
        store_close(opened);
        Opened refused = Open(temp_ / "j");
        EXPECT_EQ(refused.status, TERCET_DATA_LOSS);
        EXPECT_NE(refused.text.find("does not add up"), std::string::npos) << refused.text;
    }
}

TEST_F(Damage, AnOlderLiveStoreUnderANewerWitnessIsRefused)
{
    Restore();
    Opened opened = Open(temp_ / "j");
    ASSERT_EQ(opened.status, TERCET_OK);
    Batch batch;
    batch.Put("t/later", "value");
    batch.Write(opened.journal);
    journal_close(opened.journal);
    fs::remove_all(temp_ / "j/live");
    fs::copy(temp_ / "pristine/live", temp_ / "j/live");
    opened = Open(temp_ / "j");
    EXPECT_EQ(opened.status, TERCET_DATA_LOSS);
    EXPECT_NE(opened.text.find("newest writes are gone"), std::string::npos) << opened.text;
}

TEST_F(Damage, AWitnessOfAnotherJournalIsRefused)
{
    Restore();
    ASSERT_EQ(Init(temp_ / "other"), TERCET_OK);
    fs::copy_file(temp_ / "other/witness", temp_ / "j/witness",
                  fs::copy_options::overwrite_existing);
    Opened opened = Open(temp_ / "j");
    EXPECT_EQ(opened.status, TERCET_DATA_LOSS);
    EXPECT_NE(opened.text.find("another journal"), std::string::npos) << opened.text;
}

TEST_F(Damage, AnOlderWitnessIsNoReasonToRefuse)
{
    Restore();
    const std::string older = ReadFile(temp_ / "j/witness");
    Opened opened = Open(temp_ / "j");
    ASSERT_EQ(opened.status, TERCET_OK);
    Batch batch;
    batch.Put("t/later", "value");
    expected_["t/later"] = "value";
    batch.Write(opened.journal);
    journal_close(opened.journal);
    WriteFile(temp_ / "j/witness", older);
    ExpectRefusedOrComplete("older witness");
    EXPECT_EQ(complete_, 1);
}

TEST_F(Damage, ATornSlotOfTheWitnessLeavesTheOther)
{
    for (size_t slot = 0; slot < 2; slot++) {
        Restore();
        std::string bytes = ReadFile(temp_ / "j/witness");
        bytes[slot * 4096 + 60] = static_cast<char>(bytes[slot * 4096 + 60] ^ 1);
        WriteFile(temp_ / "j/witness", bytes);
        ExpectRefusedOrComplete("slot " + std::to_string(slot));
    }
    EXPECT_EQ(complete_, 2);
}

// LevelDB would end the process with an assertion.
TEST_F(Damage, ALogInWhichAStretchStandsTwiceIsRefusedInWords)
{
    Restore();
    for (const auto &entry : fs::directory_iterator(temp_ / "j/live")) {
        if (entry.path().extension() == ".log") {
            const std::string log = ReadFile(entry.path());
            ASSERT_GT(log.size(), 1000U);
            ASSERT_LT(2 * log.size(), 32768U) << "no record may end up across a block";
            WriteFile(entry.path(), log + log);
        }
    }
    const Opened opened = Open(temp_ / "j");
    EXPECT_EQ(opened.status, TERCET_DATA_LOSS);
    EXPECT_NE(opened.text.find("stands there twice"), std::string::npos) << opened.text;
}

} // namespace
} // namespace tercet
