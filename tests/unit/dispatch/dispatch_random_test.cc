// A thousand random histories against invariants that are simpler than the code.
//
// Participants have one seat, two and four; each seat comes and goes, hangs, and lies to probes; the engine, played here, calls, decides over
// tries that wait or are under way, closes transactions and asks again.  In the end everything is
// well again, and then nothing may be left unsent.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "unit/dispatch/dispatch_world.h"

namespace
{

enum class Mood { kWell, kDown, kHangs, kLies };

struct Flight {
    struct branch *branch;
    enum tercet_phase phase;
    uint32_t seat;
    int64_t ends_at;
    enum answer_kind kind;
};

class History
{
  public:
    explicit History(uint64_t seed)
        : world_({{"a", 4, true}, {"b", 20, true, 2}, {"c", 300, true, 2, 2}}, seed), random_(seed)
    {
    }

    void Run()
    {
        for (int turn = 0; turn < 300; turn++) {
            if (Chance(10)) {
                const uint64_t participant = Below(3);
                moods_[participant][Below(kSeats[participant])] = static_cast<Mood>(Below(4));
            }
            Engine();
            Turn();
        }
        for (auto &seats : moods_) {
            for (Mood &mood : seats) {
                mood = Mood::kWell;
            }
        }
        for (int turn = 0; turn < 4000 && !IsDone(); turn++) {
            Turn();
        }
        EXPECT_TRUE(IsDone()) << "a branch was lost";
        EXPECT_TRUE(flights_.empty());
    }

  private:
    static constexpr uint32_t kWindow[3] = {4, 20, 300};
    static constexpr uint32_t kSeats[3] = {1, 2, 4};
    using Seat = std::pair<uint32_t, uint32_t>; // of a participant

    uint64_t Below(uint64_t bound)
    {
        return random_() % bound;
    }
    bool Chance(uint64_t one_in)
    {
        return Below(one_in) == 0;
    }

    // New calls, and decisions over what is under way.
    void Engine()
    {
        for (uint64_t i = Below(6); i > 0; i--) {
            const auto phase = Chance(2) ? TERCET_PHASE_TRY : TERCET_PHASE_CONFIRM;
            const auto participant = static_cast<uint32_t>(Below(3));
            struct branch *branch = phase == TERCET_PHASE_CONFIRM && Chance(3)
                                        ? world_.Parked(phase, participant)
                                        : world_.Branch(phase, participant);
            branches_.push_back(branch);
            CallAt(branch, Chance(3) ? world_.now.boot_ms + static_cast<int64_t>(Below(50)) : 0);
        }
        for (uint64_t i = Below(4); i > 0 && !branches_.empty(); i--) {
            struct branch *branch = branches_[Below(branches_.size())];
            if (branch->asked == TERCET_PHASE_TRY) {
                World::Ask(branch, Chance(4) ? 0 : TERCET_PHASE_CANCEL);
                undurable_.insert(branch);
            } else if (branch->asked == 0 && Chance(3)) {
                World::Close(branch);
            } else if (branch->asked != 0 && Chance(5)) {
                CallAt(branch, 0); // an operator
            }
        }
        for (auto at = undurable_.begin(); at != undurable_.end();) {
            if (!Chance(3)) {
                ++at;
                continue;
            }
            struct branch *branch = *at;
            at = undurable_.erase(at);
            if (branch->asked != 0) {
                CallAt(branch, 0);
            }
        }
    }

    void CallAt(struct branch *branch, int64_t not_before)
    {
        if (undurable_.count(branch) != 0) {
            undurable_.erase(branch);
        }
        calls_.insert(std::make_pair(branch, tercet_phase{branch->asked}));
        world_.CallAgain(branch, not_before);
    }

    void Turn()
    {
        world_.Advance(static_cast<int64_t>(1 + Below(10)));
        Arrivals();
        world_.Step();
        std::set<uint32_t> tried;
        for (const struct order &order : world_.orders) {
            switch (order.kind) {
            case ORDER_SEND:
                OnSend(order);
                if (order.phase == TERCET_PHASE_TRY && !order.branch->silent) {
                    tried.insert(order.participant);
                }
                break;
            case ORDER_FETCH:
                EXPECT_TRUE(branch_wants_payload(order.branch));
                EXPECT_TRUE(reachable_[order.participant]) << "fetched while the circuit was open";
                EXPECT_EQ(fetches_.count(order.branch), 0U) << "fetched twice";
                fetches_[order.branch] = world_.now.boot_ms + static_cast<int64_t>(Below(8));
                break;
            case ORDER_PROBE:
                EXPECT_EQ(probes_.count({order.participant, order.seat}), 0U)
                    << "one probe of a seat at a time";
                probes_[{order.participant, order.seat}] =
                    world_.now.boot_ms + static_cast<int64_t>(Below(30));
                break;
            case ORDER_REACHABLE:
                EXPECT_FALSE(reachable_[order.participant]);
                reachable_[order.participant] = true;
                break;
            case ORDER_UNREACHABLE:
                EXPECT_TRUE(reachable_[order.participant]);
                reachable_[order.participant] = false;
                break;
            }
        }
        for (const uint32_t participant : tried) {
            const dispatch_stats stats = world_.Stats(participant);
            if (stats.circuit == CIRCUIT_CLOSED) {
                EXPECT_EQ(stats.queued_phase_two, 0U)
                    << "a try left while a confirm or cancel waited";
            }
        }
        if (world_.WakeIn() == 0) {
            ADD_FAILURE() << "after a step nothing is due";
        }
    }

    void OnSend(const struct order &order)
    {
        EXPECT_TRUE(reachable_[order.participant]) << "sent while the circuit was open";
        EXPECT_EQ(order.phase, order.branch->asked);
        EXPECT_FALSE(branch_wants_payload(order.branch)) << "sent without its payload";
        EXPECT_EQ(undurable_.count(order.branch), 0U) << "sent before its CALL";
        EXPECT_EQ(calls_.count(std::make_pair(order.branch, order.phase)), 1U);
        uint32_t in_flight = 1;
        for (const Flight &flight : flights_) {
            EXPECT_FALSE(flight.branch == order.branch && flight.phase == order.phase)
                << "two calls of one phase";
            in_flight += flight.branch->spec.participant == order.participant ? 1 : 0;
        }
        EXPECT_LE(in_flight, kWindow[order.participant]);
        EXPECT_LE(world_.Stats(order.participant).in_flight, kWindow[order.participant]);
        ASSERT_LT(order.seat, kSeats[order.participant]);
        Flight flight = {order.branch, order.phase, order.seat, world_.now.boot_ms, ANSWER_REPLY};
        switch (moods_[order.participant][order.seat]) {
        case Mood::kWell:
            flight.ends_at += static_cast<int64_t>(Below(20));
            break;
        case Mood::kDown:
            flight.kind = ANSWER_UNREACHABLE;
            break;
        case Mood::kHangs:
            flight.ends_at += 200;
            flight.kind = ANSWER_UNKNOWN;
            break;
        case Mood::kLies:
            flight.ends_at += static_cast<int64_t>(Below(5));
            flight.kind = Chance(2) ? ANSWER_UNKNOWN : ANSWER_UNREACHABLE;
            break;
        }
        flights_.push_back(flight);
    }

    void Arrivals()
    {
        std::vector<Flight> left;
        std::vector<Flight> ended;
        for (const Flight &flight : flights_) {
            (flight.ends_at <= world_.now.boot_ms ? ended : left).push_back(flight);
        }
        flights_ = left;
        for (const Flight &flight : ended) {
            world_.Answer(flight.branch, flight.phase, flight.kind);
            if (flight.branch->txn == nullptr || flight.branch->asked != flight.phase) {
                continue;
            }
            if (flight.kind == ANSWER_REPLY && !Chance(5)) {
                World::Ask(flight.branch, 0);
            } else {
                branch_drop_payload(flight.branch);
                CallAt(flight.branch, flight.kind == ANSWER_UNREACHABLE
                                          ? 0
                                          : world_.now.boot_ms + static_cast<int64_t>(Below(40)));
            }
        }
        for (auto at = fetches_.begin(); at != fetches_.end();) {
            if (at->second > world_.now.boot_ms) {
                ++at;
                continue;
            }
            world_.Fetched(at->first);
            at = fetches_.erase(at);
        }
        for (auto at = probes_.begin(); at != probes_.end();) {
            if (at->second > world_.now.boot_ms) {
                ++at;
                continue;
            }
            const auto [participant, seat] = at->first;
            const Mood mood = moods_[participant][seat];
            world_.Probed(mood == Mood::kWell || mood == Mood::kLies, participant, seat);
            at = probes_.erase(at);
        }
    }

    bool IsDone()
    {
        for (struct branch *branch : undurable_) {
            if (branch->asked != 0) {
                calls_.insert(std::make_pair(branch, tercet_phase{branch->asked}));
                world_.CallAgain(branch, 0);
            }
        }
        undurable_.clear();
        for (struct branch *branch : branches_) {
            if (branch->txn != nullptr && branch->asked != 0) {
                return false;
            }
        }
        return flights_.empty();
    }

    World world_;
    std::mt19937_64 random_;
    Mood moods_[3][4] = {};
    bool reachable_[3] = {true, true, true};
    std::vector<struct branch *> branches_;
    std::set<struct branch *> undurable_; // decided, its CALL has not come
    std::set<std::pair<struct branch *, enum tercet_phase>> calls_;
    std::vector<Flight> flights_;
    std::map<Seat, int64_t> probes_;
    std::map<struct branch *, int64_t> fetches_;
};

constexpr uint32_t History::kWindow[3];
constexpr uint32_t History::kSeats[3];

TEST(DispatchRandom, NoHistoryBreaksAnInvariantOrLosesABranch)
{
    uint64_t first = 1;
    uint64_t count = 1000;
    if (const char *seed = getenv("TERCET_SEED"); seed != nullptr) {
        first = strtoull(seed, nullptr, 0);
        count = 1;
    }
    for (uint64_t seed = first; seed < first + count && !HasFailure(); seed++) {
        SCOPED_TRACE("TERCET_SEED=" + std::to_string(seed));
        History(seed).Run();
    }
}

// Everything is decided by the seed.
TEST(DispatchRandom, TheSameSeedMakesTheSameOrders)
{
    auto run = [](uint64_t seed) {
        World world({{"a", 4, true}}, seed);
        std::vector<std::pair<int64_t, int>> told;
        world.Open();
        for (int i = 0; i < 3000; i++) {
            world.Step();
            for (const struct order &order : world.orders) {
                told.emplace_back(world.now.boot_ms, static_cast<int>(order.kind));
                if (order.kind == ORDER_PROBE) {
                    world.Probed(false);
                }
            }
            world.Advance(1);
        }
        return told;
    };
    EXPECT_EQ(run(7), run(7));
    EXPECT_NE(run(7), run(8));
}

} // namespace
