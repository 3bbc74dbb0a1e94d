// Transactions whose confirm hangs until the call's timeout: what do the others of their participant get?
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <set>

#include "unit/dispatch/dispatch_world.h"

namespace
{

struct Result {
    int offered = 0;
    int refused = 0;  // the participant was told unreachable: the engine refuses at once
    int finished = 0; // tried and confirmed within 30 s
    int expired = 0;  // not tried in 30 s
    uint64_t openings = 0;
};

// `poison` branches hang at every confirm (5 s, then asked again after 1..60 s, the engine's back-off); one good
// transaction every 200 ms, whose try and confirm take 10 ms each.  Describe is answered within 2 ms always.
Result Play(int poison, int seconds, int every_ms = 200, int64_t lost_at_ms = -1)
{
    World world({{"a", 256, true}});
    std::mt19937 dice(1);
    std::set<const struct branch *> bad;
    std::multimap<int64_t, struct order> ends; // when a call ends
    std::multimap<int64_t, int> probes;
    std::map<struct branch *, int64_t> began;
    bool reachable = true;
    Result result;
    world.Step();
    world.Probed(true);
    for (int i = 0; i < poison; i++) {
        // Due within the first minute, and asked before, as what has hung for some time is.
        struct branch *one =
            world.Call(TERCET_PHASE_CONFIRM, 0, world.now.boot_ms + 1 + dice() % 60000);
        one->attempts = 8;
        bad.insert(one);
    }
    for (int64_t ms = 0; ms < seconds * 1000; ms++) {
        if (ms % every_ms == 0) {
            result.offered++;
            if (reachable) {
                began[world.Call(TERCET_PHASE_TRY)] = ms;
            } else {
                result.refused++;
            }
        }
        if (ms == lost_at_ms) { // its connection is lost, as in any deployment, and is back at once
            for (auto &end : ends) {
                world.Answer(end.second.branch, end.second.phase, ANSWER_UNREACHABLE);
                world.CallAgain(end.second.branch);
            }
            ends.clear();
        }
        while (!ends.empty() && ends.begin()->first <= ms) {
            const struct order order = ends.begin()->second;
            ends.erase(ends.begin());
            if (bad.count(order.branch) != 0) {
                world.Answer(order.branch, order.phase, ANSWER_UNKNOWN);
                world.CallAgain(order.branch, world.now.boot_ms + 1 + dice() % 60000);
                continue;
            }
            world.Answer(order.branch, order.phase, ANSWER_REPLY);
            if (order.phase == TERCET_PHASE_TRY && order.branch->asked == TERCET_PHASE_TRY) {
                World::Ask(order.branch, TERCET_PHASE_CONFIRM);
                world.CallAgain(order.branch);
            } else if (order.phase == TERCET_PHASE_CONFIRM) {
                World::Ask(order.branch, 0);
                result.finished += ms - began[order.branch] <= 30000 ? 1 : 0;
                began.erase(order.branch);
            }
        }
        for (auto at = began.begin(); at != began.end();) {
            if (at->first->asked == TERCET_PHASE_TRY && ms - at->second > 30000) {
                World::Ask(at->first, 0); // its deadline; (a cancel would queue in phase two)
                result.expired++;
                at = began.erase(at);
            } else {
                ++at;
            }
        }
        while (!probes.empty() && probes.begin()->first <= ms) {
            probes.erase(probes.begin());
            world.Probed(true);
        }
        world.Step();
        for (const struct order &order : world.orders) {
            if (order.kind == ORDER_PROBE) {
                probes.insert({ms + 2, 0});
            } else if (order.kind == ORDER_SEND) {
                ends.insert({ms + (bad.count(order.branch) != 0 ? 5000 : 10), order});
            } else if (order.kind == ORDER_REACHABLE) {
                reachable = true;
            } else if (order.kind == ORDER_UNREACHABLE) {
                reachable = false;
            }
        }
        world.Advance(1);
    }
    result.openings = world.Stats().openings;
    return result;
}

TEST(Poison, WhatHangsLeavesTheOthersTheirShare)
{
    for (const int poison : {0, 64, 200, 1000}) {
        const Result result = Play(poison, 900);
        EXPECT_GE(result.finished, result.offered * 9 / 10)
            << poison << " that hang; " << result.refused << " refused, " << result.expired
            << " not tried in time, " << result.openings << " openings";
    }
}

// A connection that is lost lets all of them begin anew.
TEST(Poison, WhatHangsDoesNotKeepACircuitFromClosing)
{
    for (const int poison : {0, 64, 1000}) {
        const Result result = Play(poison, 200, 10, 60000);
        EXPECT_GE(result.finished, result.offered * 9 / 10)
            << poison << " that hang; " << result.refused << " refused, " << result.expired
            << " not tried in time, " << result.openings << " openings";
    }
}

// Half open, and what had not answered before hangs in its share of the window.  In the rest calls of `hanging`
// hang as well, and there are always more of them.  After how many that end does one of `fresh` leave?
int EndedBefore(enum tercet_phase fresh, enum tercet_phase hanging)
{
    World::Options options;
    options.unanswered_limit = 1000000;
    World world(options);
    world.Open();
    world.RunToProbe();
    world.Probed(true);
    for (int i = 0; i < 20; i++) {
        struct branch *one = world.Branch(TERCET_PHASE_CONFIRM);
        one->attempts = 8;
        world.CallAgain(one);
    }
    for (int i = 0; i < 100; i++) {
        world.Call(hanging);
    }
    std::deque<struct order> out;
    struct branch *one = nullptr;
    for (int ended = 0; ended < 50; ended++) {
        world.Step();
        for (const struct order &order : world.Sends()) {
            if (order.branch == one) {
                return ended;
            }
            out.push_back(order);
        }
        one = one != nullptr ? one : world.Call(fresh);
        const struct order first = out.front();
        out.pop_front();
        world.Answer(first.branch, first.phase, ANSWER_UNKNOWN);
        world.CallAgain(first.branch);
    }
    return 50;
}

TEST(Poison, WhatHangsForTheFirstTimeDoesNotKeepTheOtherPhaseOut)
{
    EXPECT_LE(EndedBefore(TERCET_PHASE_CONFIRM, TERCET_PHASE_TRY), 8);
    EXPECT_LE(EndedBefore(TERCET_PHASE_TRY, TERCET_PHASE_CONFIRM), 8);
}

} // namespace
