// What the system cannot tell at the moment is not damage: tercetd ends with the code behind which its
// supervisor starts it again.  A link to itself stands for a name that cannot be looked at.
#include "unit/journal/outcomes_fixture.h"

namespace tercet
{
namespace
{

namespace fs = std::filesystem;

class Passing : public Outcomes
{
  protected:
    void SetUp() override
    {
        Outcomes::SetUp();
        Batch batch;
        OpenIt();
        PutOutcome(&batch, "ended", kNow - kDay);
        batch.Write(journal_);
        Settle(journal_, kNow);
        Close();
    }

    // As long as `name` cannot be looked at the journal does not open, and says so in the system's
    // words; then it opens and is complete.
    void ExpectPasses(const std::string &name)
    {
        const std::string path = Path() + "/" + name, aside = temp_ / "aside";
        fs::rename(path, aside);
        fs::create_symlink(path, path);
        const Opened refused = Open(Path());
        EXPECT_EQ(refused.status, TERCET_UNAVAILABLE) << name << ": " << refused.text;
        EXPECT_NE(refused.text.find("ymbolic link"), std::string::npos) << refused.text;
        fs::remove(path);
        fs::rename(aside, path);
        OpenIt();
        EXPECT_EQ(FindOutcome(journal_, "ended"), "ended") << name;
        Close();
    }
};

TEST_F(Passing, ADirectoryThatCannotBeLookedAtIsNotMissing)
{
    for (const char *name : {"live", "outcomes", "safety"}) {
        ExpectPasses(name);
    }
}

TEST_F(Passing, ADayThatCannotBeLookedAtIsNotMissing)
{
    ExpectPasses("outcomes/2027-01-14");
}

TEST_F(Passing, AWitnessThatCannotBeOpenedIsNotMissing)
{
    ExpectPasses("witness");
}

TEST_F(Passing, AWitnessThatIsNotThereIs)
{
    fs::remove(Path() + "/witness");
    EXPECT_EQ(Open(Path()).status, TERCET_DATA_LOSS);
}

// Whether somebody has found damage is not known, and he must be believed first.
TEST_F(Passing, ANoteOfDamageThatCannotBeLookedAtIsNotNone)
{
    fs::create_symlink("damaged", Path() + "/damaged");
    EXPECT_EQ(Open(Path()).status, TERCET_UNAVAILABLE);
    fs::remove(Path() + "/damaged");
    OpenIt();
}

} // namespace
} // namespace tercet
