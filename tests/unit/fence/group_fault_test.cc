// The procedure of group.h over a store of which one call fails: whichever it is, and however.
#include <cstdlib>
#include <functional>

#include "store_fixture.h"

namespace fence_test
{
namespace
{

// What goes wrong: the call that stands at `at`, counted from 1 over all slots; 0: none.
struct Fault {
    int calls = 0;
    int at = 0;
    tercet_status status = TERCET_OK;
    bool commit_is_lost = false; // the next commit happens, and its outcome is not known
    std::function<void()> on_connect;
} fault;
const tercet_store_ops *real;

tercet_status Planned(tercet_error *error)
{
    if (++fault.calls != fault.at) {
        return TERCET_OK;
    }
    snprintf(error->text, sizeof error->text, "planned");
    return fault.status;
}

tercet_status Connect(void *self, void **connection, tercet_error *error)
{
    const tercet_status status = Planned(error);
    if (status != TERCET_OK) {
        return status;
    }
    EXPECT_EQ(real->connect(self, connection, error), TERCET_OK);
    if (fault.on_connect) {
        fault.on_connect();
    }
    return TERCET_OK;
}

tercet_status Begin(void *connection, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->begin(connection, error);
}

tercet_status Savepoint(void *connection, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->savepoint(connection, error);
}

tercet_status Rewind(void *connection, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->rewind(connection, error);
}

tercet_status Claim(void *connection, const tercet_fence_key *key, const tercet_fence_row *wanted,
                    tercet_fence_claim *claim, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->claim(connection, key, wanted, claim, error);
}

tercet_status RaiseEpoch(void *connection, const tercet_fence_caller *caller, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->raise_epoch(connection, caller, error);
}

tercet_status Write(void *connection, const tercet_fence_key *key, const tercet_fence_row *row,
                    tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->write(connection, key, row, error);
}

tercet_status Check(void *connection, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->check(connection, error);
}

tercet_status Commit(void *connection, tercet_error *error)
{
    if (fault.commit_is_lost) {
        fault.commit_is_lost = false;
        EXPECT_EQ(real->commit(connection, error), TERCET_OK);
        return TERCET_UNKNOWN;
    }
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->commit(connection, error);
}

tercet_status ApplyMark(void *connection, const tercet_fence_caller *caller,
                        const tercet_mark *mark, tercet_sweep *sweep, tercet_error *error)
{
    const tercet_status status = Planned(error);
    return status != TERCET_OK ? status : real->apply_mark(connection, caller, mark, sweep, error);
}

// A store in memory with one tried branch, whose group is not connected.
struct World {
    World() : harness("memory", "")
    {
        fault = Fault();
        real = harness.group.ops;
        ops = *real;
        ops.connect = Connect;
        ops.begin = Begin;
        ops.savepoint = Savepoint;
        ops.rewind = Rewind;
        ops.claim = Claim;
        ops.raise_epoch = RaiseEpoch;
        ops.write = Write;
        ops.check = Check;
        ops.commit = Commit;
        ops.apply_mark = ApplyMark;
        EXPECT_EQ(harness.Run(Try("tried", 7)).verdict, TERCET_VERDICT_DONE);
        group_disconnect(&harness.group);
        harness.group.ops = &ops;
    }

    void Break(int at, tercet_status status)
    {
        fault.calls = 0;
        fault.at = at;
        fault.status = status;
        harness.handler = [this](const group_request &request, tercet_bytes, group_answer &) {
            const tercet_verdict verdict = harness.LeaveEffect(request);
            return request.number.number == 3 ? TERCET_VERDICT_REFUSED : verdict;
        };
    }

    Harness harness;
    tercet_store_ops ops;
};

// By a coordinator that has begun anew, so that the epoch is raised too.
std::vector<Ask> AllKinds()
{
    std::vector<Ask> asks = {Try("a", 1), Try("b", 2), Try("refused", 3), Cancel("empty", 4),
                             Confirm("tried", 7)};
    for (Ask &ask : asks) {
        ask.epoch = 2;
    }
    return asks;
}

constexpr tercet_status kStatuses[] = {TERCET_ABORTED, TERCET_UNAVAILABLE,
                                       TERCET_RESOURCE_EXHAUSTED, TERCET_DATA_LOSS};

// Each call of the store fails in turn, with each status: `body` is given a world for it, and says whether it came
// to that call.
void AtEachCall(const std::function<bool(World &world, int at, tercet_status status)> &body)
{
    for (const tercet_status status : kStatuses) {
        bool reached = true;
        for (int at = 1; reached; at++) {
            SCOPED_TRACE(std::to_string(status) + " at call " + std::to_string(at));
            ASSERT_LT(at, 100);
            World world;
            reached = body(world, at, status);
        }
    }
}

TEST(GroupFault, WhicheverCallFailsABranchIsDoneOnceOrLaterAndDoneWhenAskedAgain)
{
    AtEachCall([](World &world, int at, tercet_status status) {
        world.Break(at, status);
        const std::vector<Ask> asks = AllKinds();
        bool reached = false;
        for (int round = 0; round < 2; round++) {
            const auto answers = world.harness.Run(asks);
            reached = round == 0 ? fault.calls >= at : reached;
            for (size_t i = 0; i < asks.size(); i++) {
                const bool done = answers[i].verdict == TERCET_VERDICT_DONE;
                const bool refused =
                    asks[i].gid == "refused" && answers[i].verdict == TERCET_VERDICT_REFUSED;
                const bool runs = asks[i].gid != "refused" && asks[i].gid != "empty";
                EXPECT_TRUE(done || refused || answers[i].verdict == TERCET_VERDICT_LATER);
                EXPECT_TRUE(done || refused || round == 0) << asks[i].gid;
                EXPECT_EQ(world.harness.Effects(asks[i].gid, 1, asks[i].phase),
                          runs && done ? 1 : 0)
                    << asks[i].gid;
            }
            fault.at = 0;
        }
        EXPECT_EQ(world.harness.Describe().epoch.epoch, 2);
        return reached;
    });
}

// Anomaly 10 with a second misfortune: what was committed is not known until somebody asks again.
TEST(GroupFault, ALostCommitThatCannotBeReadEitherIsLaterAndItsEffectStands)
{
    AtEachCall([](World &world, int at, tercet_status status) {
        EXPECT_EQ(world.harness.Run(Try("first", 20)).verdict, TERCET_VERDICT_DONE);
        world.harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
            fault.calls = 0; // what is to fail comes after the handler
            fault.at = at;
            fault.status = status;
            fault.commit_is_lost = true;
            return world.harness.LeaveEffect(request);
        };
        const group_answer answer = world.harness.Run(Try("a", 1));
        const bool reached = fault.calls >= at;
        EXPECT_TRUE(answer.verdict == TERCET_VERDICT_DONE ||
                    answer.verdict == TERCET_VERDICT_LATER);
        fault = Fault();
        world.harness.handler = {};
        EXPECT_EQ(world.harness.Run(Try("a", 1)).verdict, TERCET_VERDICT_DONE);
        EXPECT_EQ(world.harness.Effects("a", 1, TERCET_PHASE_TRY), 1);
        return reached;
    });
}

TEST(GroupFault, WhoHasLostACommitAndThenItsEpochIsToldThatItIsOld)
{
    World world;
    fault.commit_is_lost = true;
    int connects = 0;
    fault.on_connect = [&] {
        if (++connects < 2) {
            return;
        }
        // Between the commit and the reading a newer coordinator was here.
        tercet_fence_caller newer = {};
        newer.participant = "account";
        memset(newer.origin, 1, sizeof newer.origin);
        newer.epoch = {10, 9};
        void *connection = nullptr;
        tercet_error error = {};
        ASSERT_EQ(real->connect(world.harness.group.self, &connection, &error), TERCET_OK);
        ASSERT_EQ(real->begin(connection, &error), TERCET_OK);
        ASSERT_EQ(real->raise_epoch(connection, &newer, &error), TERCET_OK);
        ASSERT_EQ(real->commit(connection, &error), TERCET_OK);
    };
    const group_answer answer = world.harness.Run(Try("a", 1));
    EXPECT_EQ(answer.status, TERCET_FAILED_PRECONDITION);
    EXPECT_STREQ(answer.code, TERCET_CODE_OLD_EPOCH);
    EXPECT_EQ(connects, 2);
    EXPECT_EQ(world.harness.Effects("a", 1, TERCET_PHASE_TRY), 1) << "it was committed before";
}

TEST(GroupFault, WhicheverCallFailsADescriptionSaysWhyNotAndRaisesTheEpochWhenAskedAgain)
{
    AtEachCall([](World &world, int at, tercet_status status) {
        tercet_fence_caller caller = {};
        caller.participant = "account";
        memset(caller.origin, 1, sizeof caller.origin);
        caller.epoch = {10, 9};
        tercet_store_description told = {};
        tercet_error error = {};
        fault.at = at;
        fault.status = status;
        const tercet_status got = group_describe(&world.harness.group, &caller, &told, &error);
        const bool reached = fault.calls >= at;
        EXPECT_EQ(reached ? status : TERCET_OK, got);
        fault.at = 0;
        EXPECT_EQ(TERCET_OK, group_describe(&world.harness.group, &caller, &told, &error));
        EXPECT_EQ(9, told.epoch.epoch);
        return reached;
    });
}

TEST(GroupFault, AMarkWaitsForAStoreThatCannotBeReached)
{
    World world;
    fault.at = 1; // the connect
    fault.status = TERCET_UNAVAILABLE;
    EXPECT_EQ(world.harness.Apply(5, {10, 1}), TERCET_UNAVAILABLE);
    EXPECT_TRUE(world.harness.pauses.empty());
    fault.at = 0;
    EXPECT_EQ(world.harness.Apply(5, {10, 1}), TERCET_OK);
    EXPECT_EQ(world.harness.Describe().mark.as_of_lsn, 5);
}

// The first branch of a group is answered whatever time its handlers take; so it is when the others
// have to be put off after a fall.
TEST(GroupFault, AGroupThatFellAndIsOutOfTimePutsOffAllButTheFirst)
{
    World world;
    bool fell = false;
    world.harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        world.harness.clock_us += 15000;
        if (!fell && request.number.number == 2) {
            fell = true;
            fault.calls = 0;
            fault.at = 1; // the check after it
            fault.status = TERCET_ABORTED;
        }
        return world.harness.LeaveEffect(request);
    };
    const auto answers = world.harness.Run({Try("z", 3), Try("a", 1), Try("b", 2)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_FALSE(answers[0].deferred);
    EXPECT_TRUE(answers[1].deferred);
    EXPECT_TRUE(answers[2].deferred);
    EXPECT_EQ(world.harness.Effects("z", 1, TERCET_PHASE_TRY), 1);
    EXPECT_EQ(world.harness.Effects("a", 1, TERCET_PHASE_TRY), 0);
}

// The check after a handler says so, when it is called next.
void BreakNext(tercet_status status)
{
    fault.calls = 0;
    fault.at = 1;
    fault.status = status;
}

TEST(GroupFault, ABranchThatFallsAgainAndAgainIsPutOffWhenTheTimeIsOver)
{
    World world;
    int runs = 0;
    world.harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        if (request.number.number == 2) {
            runs++;
            world.harness.clock_us += 9000;
            BreakNext(TERCET_ABORTED);
        }
        return world.harness.LeaveEffect(request);
    };
    const auto answers = world.harness.Run({Try("a", 1), Try("b", 2), Try("c", 3)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_DONE);
    EXPECT_TRUE(answers[1].deferred);
    EXPECT_TRUE(answers[2].deferred) << "its turn comes in the next group";
    EXPECT_EQ(runs, 3) << "9 + 9 + 9 ms";
    EXPECT_EQ(world.harness.Effects("b", 1, TERCET_PHASE_TRY), 0);
}

TEST(GroupFault, ABranchThatFallsAndThenCannotBeReadIsAnsweredAlone)
{
    World world;
    int runs = 0;
    world.harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        if (request.number.number == 1) {
            BreakNext(++runs == 1 ? TERCET_ABORTED : TERCET_DATA_LOSS);
        }
        return world.harness.LeaveEffect(request);
    };
    const auto answers = world.harness.Run({Try("a", 1), Try("b", 2)});
    EXPECT_EQ(answers[0].verdict, TERCET_VERDICT_LATER);
    EXPECT_EQ(answers[0].log, TERCET_LOG_ERROR);
    EXPECT_EQ(runs, 2) << "it is not run a third time";
    EXPECT_EQ(answers[1].verdict, TERCET_VERDICT_DONE);
}

TEST(GroupFault, ACommitThatIsLostWhenABranchRunsAloneIsReadAgainToo)
{
    World world;
    int runs = 0;
    world.harness.handler = [&](const group_request &request, tercet_bytes, group_answer &) {
        if (++runs == 1) {
            BreakNext(TERCET_ABORTED);
        } else {
            fault.commit_is_lost = runs == 2;
        }
        return world.harness.LeaveEffect(request);
    };
    const auto answers = world.harness.Run({Try("a", 1), Try("b", 2)});
    EXPECT_EQ(answers[0].how, TERCET_HOW_REPEATED);
    EXPECT_EQ(answers[1].how, TERCET_HOW_RAN);
    EXPECT_EQ(runs, 3);
    for (const char *gid : {"a", "b"}) {
        EXPECT_EQ(world.harness.Effects(gid, 1, TERCET_PHASE_TRY), 1) << gid;
    }
}

TEST(GroupFault, WhatWasPutOffIsNotReadAgainAfterALostCommit)
{
    World world;
    fault.commit_is_lost = true;
    const auto answers = world.harness.Run({Try("a", 1), Confirm("a", 1), Try("b", 2)});
    EXPECT_EQ(answers[0].how, TERCET_HOW_REPEATED);
    EXPECT_TRUE(answers[1].deferred);
    EXPECT_EQ(answers[2].how, TERCET_HOW_REPEATED);
    EXPECT_EQ(world.harness.State("a"), TERCET_FENCE_TRIED);
}

#ifdef TERCET_FAILPOINTS

// Runs in a process of its own: failpoints are read from the environment once.
void RunWithFailpoint(tercet_how how, size_t pauses)
{
    Harness harness("memory", "");
    const group_answer answer = harness.Run(Try("a", 1));
    const bool good = answer.verdict == TERCET_VERDICT_DONE && answer.how == how &&
                      harness.pauses.size() == pauses &&
                      harness.Effects("a", 1, TERCET_PHASE_TRY) == 1;
    fprintf(stderr, "%s: how %d, %zu pauses\n", good ? "good" : "bad", answer.how,
            harness.pauses.size());
    exit(good ? 0 : 1); // NOLINT: what a process leaves behind at its end is to be left
}

TEST(GroupFaultDeathTest, TheNamedFaultsAreThoseThatADatabaseMakes)
{
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    setenv("TERCET_FAILPOINTS", "group.commit_unknown=1*fail", 1);
    EXPECT_EXIT(RunWithFailpoint(TERCET_HOW_REPEATED, 0), testing::ExitedWithCode(0), "good");
    setenv("TERCET_FAILPOINTS", "group.connection_lost=1*fail", 1);
    EXPECT_EXIT(RunWithFailpoint(TERCET_HOW_RAN, 1), testing::ExitedWithCode(0), "good");
    unsetenv("TERCET_FAILPOINTS");
}

#endif

} // namespace
} // namespace fence_test
