// Several connections to a participant: which one a branch leaves by, and what one that is gone costs.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "unit/dispatch/dispatch_world.h"

namespace
{

constexpr auto kTry = TERCET_PHASE_TRY;
constexpr auto kConfirm = TERCET_PHASE_CONFIRM;
constexpr auto kCancel = TERCET_PHASE_CANCEL;
using Branches = std::vector<struct branch *>;
using Seats = std::vector<uint32_t>;

// A participant with `seats` instances that have described themselves.
class Seated : public World
{
  public:
    explicit Seated(uint32_t seats, uint32_t window = 16) : World({{"a", window, true, seats}})
    {
        Step();
        for (uint32_t seat = 0; seat < seats; seat++) {
            Probed(PROBE_DESCRIBED, 0, seat);
        }
        Step();
    }

    // By which seats the last step sent.
    Seats SentBy() const
    {
        Seats seats;
        for (const struct order &order : Sends()) {
            seats.push_back(order.seat);
        }
        return seats;
    }
    // Which seats the last step probed.
    Seats ProbedSeats() const
    {
        Seats seats;
        for (const struct order &order : orders) {
            if (order.kind == ORDER_PROBE) {
                seats.push_back(order.seat);
            }
        }
        return seats;
    }
    // One call of each seat finds nobody.
    void Lose(const Seats &lost)
    {
        Branches gone;
        for (int i = 0; i < 64 && gone.size() < lost.size(); i++) {
            struct branch *branch = Call(kTry);
            Step();
            ASSERT_EQ(Sent(), Branches{branch});
            const uint32_t by = SentBy()[0];
            if (std::find(lost.begin(), lost.end(), by) != lost.end()) {
                gone.push_back(branch);
                Answer(branch, kTry, ANSWER_UNREACHABLE);
            } else {
                Answer(branch, kTry, ANSWER_REPLY);
            }
        }
        ASSERT_EQ(gone.size(), lost.size());
    }
    // Runs the clock until this seat is probed.
    void RunToProbeOf(uint32_t seat)
    {
        for (int i = 0; i < 1000; i++) {
            Step();
            for (const uint32_t probed : ProbedSeats()) {
                if (probed == seat) {
                    return;
                }
                Probed(PROBE_UNANSWERED, 0, probed);
            }
            Advance(1);
        }
        FAIL() << "seat " << seat << " is never probed";
    }
};

TEST(DispatchSeat, EachSeatIsProbedAtTheStart)
{
    World world({{"a", 16, true, 2, 2}});
    world.Step();
    EXPECT_EQ(world.Count(ORDER_PROBE), 4U);
    EXPECT_EQ(world.Stats().seats, 4U);
    EXPECT_EQ(world.Stats().seats_open, 0U);
    EXPECT_EQ(world.Stats().window, 16U) << "the participant's, however many seats there are";
}

TEST(DispatchSeat, TheSeatWithTheFewestCallsInFlightIsChosen)
{
    Seated world(3);
    Branches first;
    for (int i = 0; i < 6; i++) {
        first.push_back(world.Call(kTry));
    }
    world.Step();
    EXPECT_EQ(world.SentBy(), (Seats{0, 1, 2, 0, 1, 2}));
    world.Answer(first[1], kTry, ANSWER_REPLY);
    world.Answer(first[4], kTry, ANSWER_REPLY);
    world.Answer(first[5], kTry, ANSWER_REPLY);
    // In flight: two, none, one.
    for (int i = 0; i < 3; i++) {
        world.Call(kTry);
    }
    world.Step();
    EXPECT_EQ(world.SentBy(), (Seats{1, 2, 1})) << "of equals the one behind the last chosen";
}

TEST(DispatchSeat, CallsOfAnIdleParticipantGoRound)
{
    Seated world(3);
    Seats by;
    for (int i = 0; i < 6; i++) {
        world.Call(kTry);
        world.Step();
        ASSERT_EQ(world.SentBy().size(), 1U);
        by.push_back(world.SentBy()[0]);
        world.AnswerAll(ANSWER_REPLY);
    }
    EXPECT_EQ(by, (Seats{0, 1, 2, 0, 1, 2}));
}

TEST(DispatchSeat, OneThatHasDescribedItselfGoesBeforeOneThatHasNot)
{
    World world({{"a", 4, true, 3}});
    world.Step();
    world.Probed(PROBE_DESCRIBED, 0, 1);
    for (int i = 0; i < 4; i++) {
        world.Call(kTry);
    }
    world.Step();
    for (const struct order &order : world.Sends()) {
        EXPECT_EQ(order.seat, 1U);
    }
    world.AnswerAll(ANSWER_REPLY);
    world.Probed(PROBE_DESCRIBED, 0, 0);
    world.Probed(PROBE_ALIVE, 0, 2);
    world.Call(kTry);
    world.Call(kTry);
    world.Step();
    ASSERT_EQ(world.Sends().size(), 2U);
    EXPECT_EQ(world.Sends()[0].seat, 0U);
    EXPECT_EQ(world.Sends()[1].seat, 1U);
}

TEST(DispatchSeat, WhereNobodyHasDescribedHimselfBranchesLeaveByAnySeat)
{
    World world({{"a", 4, true, 2}});
    world.Call(kTry);
    world.Call(kTry);
    world.Step();
    ASSERT_EQ(world.Sends().size(), 2U);
    EXPECT_EQ(world.Sends()[0].seat, 0U);
    EXPECT_EQ(world.Sends()[1].seat, 1U);
}

TEST(DispatchSeat, ABranchThatFindsNobodyLeavesByAnotherSeatAtOnce)
{
    Seated world(2);
    struct branch *branch = world.Call(kTry);
    world.Step();
    ASSERT_EQ(world.SentBy(), Seats{0});
    world.Answer(branch, kTry, ANSWER_UNREACHABLE);
    world.CallAgain(branch);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
    EXPECT_EQ(world.SentBy(), Seats{1});
    EXPECT_EQ(world.Count(ORDER_UNREACHABLE), 0U) << "it can be reached by the other";
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_CLOSED);
    EXPECT_EQ(world.Stats().seats_open, 1U);
    EXPECT_EQ(world.Stats().openings, 1U);
}

TEST(DispatchSeat, NothingLeavesByASeatThatIsGone)
{
    Seated world(2);
    world.Lose({0});
    for (int i = 0; i < 8; i++) {
        world.Call(kConfirm);
    }
    world.Step();
    EXPECT_EQ(world.SentBy(), Seats(8, 1));
}

TEST(DispatchSeat, OnlyWithTheLastSeatIsItUnreachableAndWithTheFirstItIsBack)
{
    Seated world(2);
    world.Lose({0});
    world.Step();
    EXPECT_EQ(world.Count(ORDER_UNREACHABLE), 0U);
    world.Lose({1});
    struct branch *branch = world.Call(kConfirm);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_UNREACHABLE), 1U);
    EXPECT_TRUE(world.Sent().empty());
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_OPEN);
    EXPECT_EQ(world.Stats().window, 0U);
    world.RunToProbeOf(1);
    world.Probed(PROBE_DESCRIBED, 0, 1);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_REACHABLE), 1U);
    EXPECT_EQ(world.Sent(), Branches{branch});
    EXPECT_EQ(world.SentBy(), Seats{1});
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_HALF_OPEN);
    world.RunToProbeOf(0);
    world.Probed(PROBE_DESCRIBED, 0, 0);
    world.Step();
    EXPECT_EQ(world.Count(ORDER_REACHABLE), 0U) << "it was told already";
    EXPECT_EQ(world.Stats().seats_open, 0U);
}

TEST(DispatchSeat, OnlyTheSeatThatIsGoneIsProbed)
{
    Seated world(3);
    world.Lose({1});
    for (int i = 0; i < 5; i++) {
        ASSERT_GE(world.RunToProbe(), 0);
        EXPECT_EQ(world.ProbedSeats(), Seats{1});
        world.Probed(PROBE_UNANSWERED, 0, 1);
    }
}

TEST(DispatchSeat, ASeatThatIsBackStartsWithASmallWindowBesideTheOthersWhole)
{
    Seated world(2, 64);
    world.Lose({0});
    world.RunToProbeOf(0);
    world.Probed(PROBE_DESCRIBED, 0, 0);
    for (int i = 0; i < 100; i++) {
        world.Call(kTry);
    }
    world.Step();
    std::map<uint32_t, size_t> by;
    for (const uint32_t seat : world.SentBy()) {
        by[seat]++;
    }
    EXPECT_EQ(by[0], 8U);
    EXPECT_EQ(by[1], 56U) << "the participant's window is theirs together";
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_CLOSED) << "the best of the two";
    EXPECT_EQ(world.Stats().window, 64U);
}

TEST(DispatchSeat, TheWindowIsTheParticipantsHoweverManySeats)
{
    Seated world(4, 6);
    for (int i = 0; i < 20; i++) {
        world.Call(kTry);
    }
    world.Step();
    EXPECT_EQ(world.SentBy(), (Seats{0, 1, 2, 3, 0, 1}));
    EXPECT_EQ(world.Stats().in_flight, 6U);
    world.Answer(world.Sent()[0], kTry, ANSWER_REPLY);
    world.Step();
    EXPECT_EQ(world.SentBy(), Seats{2}) << "of three that have one call in flight";
}

TEST(DispatchSeat, OneSeatThatIsLeftMayUseTheWholeWindow)
{
    Seated world(2, 16);
    world.Lose({1});
    for (int i = 0; i < 20; i++) {
        world.Call(kTry);
    }
    world.Step();
    EXPECT_EQ(world.SentBy(), Seats(16, 0));
}

TEST(DispatchSeat, WhatIsFetchedCountsAgainstTheRoomOfAllSeats)
{
    Seated world(2, 64);
    world.Lose({0, 1});
    world.RunToProbeOf(0);
    world.Probed(PROBE_DESCRIBED, 0, 0);
    world.RunToProbeOf(1);
    world.Probed(PROBE_DESCRIBED, 0, 1);
    for (int i = 0; i < 40; i++) {
        world.CallAgain(world.Parked(kConfirm));
    }
    world.Step();
    const Branches fetches = world.Fetches();
    EXPECT_EQ(fetches.size(), 16U) << "two small windows";
    for (struct branch *branch : fetches) {
        world.Fetched(branch);
    }
    world.Step();
    EXPECT_EQ(world.Sends().size(), 16U);
}

TEST(DispatchSeat, OfOneBranchAndPhaseOneCallIsInFlightWhateverTheSeats)
{
    Seated world(2);
    struct branch *branch = world.Call(kTry);
    world.Step();
    world.CallAgain(branch);
    world.Step();
    EXPECT_TRUE(world.Sent().empty()) << "its try is out, by the other seat";
    World::Ask(branch, kCancel);
    world.CallAgain(branch);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
    EXPECT_EQ(world.SentBy(), Seats{1}) << "a cancel leaves while its try has not come back";
}

// The two calls of one branch are out by different seats, and each end counts where it belongs.
TEST(DispatchSeat, AnAnswerCountsForTheSeatItsCallLeftBy)
{
    Seated world(2);
    struct branch *branch = world.Call(kTry);
    world.Step();
    World::Ask(branch, kCancel);
    world.CallAgain(branch);
    world.Step();
    ASSERT_EQ(world.SentBy(), Seats{1});
    world.Answer(branch, kTry, ANSWER_UNREACHABLE);
    world.Answer(branch, kCancel, ANSWER_REPLY);
    world.Call(kTry);
    world.Call(kTry);
    world.Step();
    EXPECT_EQ(world.SentBy(), (Seats{1, 1})) << "seat 0 is the one that is gone";
}

TEST(DispatchSeat, SilenceOfOneSeatIsNotForgivenForAnswersOfAnother)
{
    Seated world(2, 64);
    for (int i = 0; i < 8; i++) {
        world.Call(kTry);
        world.Call(kTry);
        world.Step();
        for (const struct order &order : world.Sends()) {
            world.Answer(order.branch, kTry, order.seat == 0 ? ANSWER_UNKNOWN : ANSWER_REPLY);
        }
    }
    EXPECT_EQ(world.Stats().seats_open, 1U);
    world.Call(kTry);
    world.Call(kTry);
    world.Step();
    EXPECT_EQ(world.SentBy(), (Seats{1, 1}));
}

TEST(DispatchSeat, AParticipantThatIsReleasedIsMetAnewByEverySeat)
{
    Seated world(2);
    dispatch_hold(world.dispatch, 0, true, world.now);
    struct branch *branch = world.Call(kConfirm);
    world.Step();
    EXPECT_TRUE(world.Sent().empty());
    dispatch_hold(world.dispatch, 0, false, world.now);
    EXPECT_EQ(world.Stats().seats_open, 2U);
    world.RunToProbeOf(0);
    world.Probed(PROBE_DESCRIBED, 0, 0);
    world.Step();
    EXPECT_EQ(world.Sent(), Branches{branch});
    EXPECT_EQ(world.SentBy(), Seats{0});
    world.RunToProbeOf(1);
}

TEST(DispatchSeat, ItWakesForTheSeatThatIsDueFirst)
{
    Seated world(2);
    world.Lose({0, 1});
    world.Step();
    int64_t last = 0;
    for (int i = 0; i < 20; i++) {
        const int64_t in = world.WakeIn();
        ASSERT_LE(in, 500);
        world.Advance(in - 1);
        world.Step();
        EXPECT_TRUE(world.orders.empty()) << "nothing is due before";
        world.Advance(1);
        world.Step();
        ASSERT_GE(world.ProbedSeats().size(), 1U) << "and somebody is then";
        for (const uint32_t seat : world.ProbedSeats()) {
            world.Probed(PROBE_UNANSWERED, 0, seat);
        }
        world.Step();
        last = world.now.boot_ms;
    }
    EXPECT_GT(last, 0);
}

TEST(DispatchSeat, OneThatIsNotConfiguredHasNoSeats)
{
    World world({{"a", 16, false}});
    world.Call(kConfirm);
    world.Step();
    EXPECT_TRUE(world.orders.empty());
    EXPECT_EQ(world.Stats().seats, 0U);
    EXPECT_EQ(world.Stats().window, 0U);
    EXPECT_EQ(world.Stats().circuit, CIRCUIT_OPEN);
}

} // namespace
