// A writer is killed at a random moment: all that it acknowledged is there, and it goes on.
#include "unit/journal/journal_fixture.h"

#include <random>

namespace tercet
{
namespace
{

uint64_t Seed()
{
    const char *text = getenv("TERCET_SEED");
    return text == nullptr ? 20261121 : strtoull(text, nullptr, 0);
}

std::string KeyOf(int64_t lsn)
{
    char key[32];
    snprintf(key, sizeof key, "t/%016llx", static_cast<unsigned long long>(lsn));
    return key;
}

TEST(JournalKill, EverythingAcknowledgedSurvivesKill9)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    std::mt19937_64 random(Seed());
    std::vector<int64_t> acknowledged;
    for (int cycle = 0; cycle < 30; cycle++) {
        Child child = StartChild("write", temp / "j");
        ASSERT_EQ(child.ReadLine(), "open") << "cycle " << cycle;
        const uint64_t count = random() % 200;
        for (uint64_t i = 0; i < count; i++) {
            acknowledged.push_back(std::stoll(child.ReadLine()));
        }
        usleep(static_cast<useconds_t>(random() % 3000)); // anywhere between two writes
        kill(child.pid, SIGKILL);
        for (std::string line = child.ReadLine(); !line.empty(); line = child.ReadLine()) {
            acknowledged.push_back(std::stoll(line));
        }
        ASSERT_EQ(child.Wait(), -SIGKILL);

        Opened opened = Open(temp / "j");
        ASSERT_EQ(opened.status, TERCET_OK) << "cycle " << cycle << ": " << opened.text;
        EXPECT_EQ(Head(opened.journal).epoch, 2 * (cycle + 1));
        const std::map<std::string, std::string> pairs = Load(opened.journal);
        for (int64_t lsn : acknowledged) {
            ASSERT_EQ(pairs.count(KeyOf(lsn)), 1U) << "cycle " << cycle << ", LSN " << lsn;
        }
        EXPECT_LE(pairs.size(), acknowledged.size() + static_cast<size_t>(cycle + 1));
        journal_close(opened.journal);
    }
    EXPECT_GT(acknowledged.size(), 500U);
}

TEST(JournalKill, OutcomesSurviveKill9WhileTheyAreMoved)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    std::mt19937_64 random(Seed());
    std::vector<std::string> acknowledged;
    for (int cycle = 0; cycle < 15; cycle++) {
        Child child = StartChild("move", temp / "j");
        ASSERT_EQ(child.ReadLine(), "open") << "cycle " << cycle;
        const uint64_t count = 20 + random() % 200;
        for (uint64_t i = 0; i < count; i++) {
            acknowledged.push_back("gid" + child.ReadLine());
        }
        usleep(static_cast<useconds_t>(random() % 3000));
        kill(child.pid, SIGKILL);
        for (std::string line = child.ReadLine(); !line.empty(); line = child.ReadLine()) {
            acknowledged.push_back("gid" + line);
        }
        ASSERT_EQ(child.Wait(), -SIGKILL);
        Opened opened = Open(temp / "j");
        ASSERT_EQ(opened.status, TERCET_OK) << "cycle " << cycle << ": " << opened.text;
        for (const std::string &gid : acknowledged) {
            ASSERT_EQ(FindOutcome(opened.journal, gid), gid) << "cycle " << cycle;
        }
        journal_close(opened.journal);
    }
}

TEST(JournalKill, AWriteThatFailsEndsTheProcessWith74AndLosesNothing)
{
    TempDirectory temp;
    ASSERT_EQ(Init(temp / "j"), TERCET_OK);
    Child child = StartChild("limit", temp / "j");
    ASSERT_EQ(child.ReadLine(), "open");
    std::vector<int64_t> acknowledged;
    for (std::string line = child.ReadLine(); !line.empty(); line = child.ReadLine()) {
        acknowledged.push_back(std::stoll(line));
    }
    EXPECT_EQ(child.Wait(), 74);
    EXPECT_GT(acknowledged.size(), 10U);
    Opened opened = Open(temp / "j");
    if (opened.status == TERCET_OK) {
        const std::map<std::string, std::string> pairs = Load(opened.journal);
        for (int64_t lsn : acknowledged) {
            EXPECT_EQ(pairs.count(KeyOf(lsn)), 1U) << lsn;
        }
        EXPECT_LE(pairs.size(), acknowledged.size() + 1);
        journal_close(opened.journal);
    } else {
        ADD_FAILURE() << opened.text;
    }
}

} // namespace
} // namespace tercet
