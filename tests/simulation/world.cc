// world.cc -- see world.h.
#include "simulation/world.h"

namespace simulation
{
namespace
{

class Chance : public Fate
{
  public:
    explicit Chance(Scene &scene) : scene_(scene) {}
    bool DiesAt(Point point) override
    {
        if (scene_.calm) {
            return false;
        }
        if (point == Point::BETWEEN_PAIRS) {
            return scene_.dice.Chance(scene_.swarm.crash_in_load);
        }
        return scene_.swarm.crash_at_point > 0 &&
               scene_.dice.Below(100000) < scene_.swarm.crash_at_point;
    }
    bool Keeps() override
    {
        return scene_.dice.Chance(scene_.swarm.keep);
    }
    bool ParticipantDies() override
    {
        return !scene_.calm && scene_.swarm.p_crash_every_us > 0 && scene_.dice.Below(2000) == 0;
    }
    size_t KeepsOf(size_t commits) override
    {
        return scene_.dice.Below(static_cast<uint32_t>(commits) + 1);
    }

  private:
    Scene &scene_;
};

constexpr int64_t LOOK_EVERY_US = 20000;

} // namespace

World::World(const Swarm &swarm, uint64_t seed, bool print, Tally &tally, Fate *fate)
    : scene_(swarm, seed, print, tally), coordinator_(std::make_unique<Coordinator>(scene_)),
      crowd_(scene_), operators_(scene_)
{
    if (fate == nullptr) {
        chance_ = std::make_unique<Chance>(scene_);
        fate = chance_.get();
    }
    scene_.fate = fate;
    for (uint32_t i = 0; i < swarm.participants; i++) {
        participants_.emplace_back(scene_, i);
    }
    tally.worlds++;
}

World::~World()
{
    scene_.tally.happenings += scene_.timeline.added();
    scene_.tally.simulated_ms += static_cast<uint64_t>(scene_.now_us() / 1000);
}

// ---- Plans --------------------------------------------------------------------------------------

void World::PlanActs()
{
    const Swarm &swarm = scene_.swarm;
    scene_.acts.reserve(swarm.acts + 4);
    acts_ = swarm.acts;
    int64_t at_us = 1000;
    for (uint32_t i = 0; i < swarm.acts; i++) {
        scene_.acts.push_back(DrawAct(scene_.dice, swarm, i, scene_.names));
        scene_.timeline.Add(at_us, What::BEGIN, i, 0, 0);
        at_us += scene_.dice.Delay(swarm.between_acts_us);
    }
    calm_at_us_ = swarm.calm_after_us > 0
                      ? swarm.calm_after_us
                      : at_us + scene_.dice.Between(0, 2000LL * swarm.try_timeout_ms);
    scene_.timeline.Add(calm_at_us_, What::CALM, 0, 0, 0);
    AddFaults();
    AddRestores();
    operators_.Begin();
}

void World::PlanOne(const Act &act, int64_t cancel_after_us)
{
    scene_.acts.reserve(8);
    scene_.acts.push_back(act);
    acts_ = 1;
    scene_.calm = true;
    scene_.network.Calm();
    crowd_.BeginPlain(act, cancel_after_us);
    scene_.timeline.Add(LOOK_EVERY_US, What::LOOK, 0, 0, 0);
}

// ---- What happens -------------------------------------------------------------------------------

void World::HappenToCoordinator(const Happening &what)
{
    Coordinator &of = CoordinatorOf(what.life);
    if (what.what == What::TURN) {
        of.OnTurn(what);
    } else if (what.what == What::SYNCED) {
        of.OnSynced(what);
    } else if (what.what == What::LOOKED_UP) {
        of.OnLookedUp(what);
    } else if (what.what == What::FETCHED) {
        of.OnFetched(what);
    } else if (what.what == What::START) {
        coordinator_->Start();
    } else {
        of.OnCallOver(what.subject, what.life, what.what == What::CALL_FAILS);
    }
}

void World::HappenToParticipant(const Happening &what)
{
    Participant &participant = participants_[what.who];
    if (what.what == What::WORK) {
        participant.OnWork(what);
    } else if (what.what == What::COMMITTED) {
        participant.OnCommitted(what);
    } else {
        participant.Start();
    }
}

void World::Arrive(const Happening &what)
{
    if (what.what == What::CALL_ARRIVES) {
        const CallMessage call = *scene_.calls.Find(what.subject);
        scene_.calls.Give(what.subject);
        const Connection now = scene_.ConnectionTo(what.who, call.seat);
        if (call.connection.database != now.database) {
            /* Its connection broke when the database was put back. */
        } else if (call.connection.breaks != now.breaks) {
            scene_.timeline.Add(scene_.now_us() + 100, What::CALL_TIMES_OUT, what.who, call.life,
                                call.call);
        } else if (participants_[what.who].is_up() && !scene_.IsGone(what.who, call.seat)) {
            participants_[what.who].OnCall(call);
        } else {
            scene_.timeline.Add(scene_.now_us() + 100, What::CALL_FAILS, what.who, call.life,
                                call.call);
        }
    } else if (what.what == What::ANSWER_ARRIVES) {
        const AnswerMessage answer = *scene_.answers.Find(what.subject);
        scene_.answers.Give(what.subject);
        if (answer.connection.breaks == scene_.instances[what.who][answer.seat].breaks) {
            CoordinatorOf(answer.life).OnAnswer(answer);
        } else {
            CoordinatorOf(answer.life).OnCallOver(answer.call, answer.life, false);
        }
    } else if (what.what == What::REQUEST_ARRIVES) {
        const RequestMessage request = *scene_.requests.Find(what.subject);
        scene_.requests.Give(what.subject);
        coordinator_->OnRequest(request);
    } else {
        const ReplyMessage reply = *scene_.replies.Find(what.subject);
        scene_.replies.Give(what.subject);
        if (reply.page == nullptr) {
            crowd_.OnReply(reply);
        } else {
            operators_.OnReply(reply);
        }
    }
}

void World::Happen(const Happening &what)
{
    switch (what.what) {
    case What::TURN:
    case What::SYNCED:
    case What::LOOKED_UP:
    case What::FETCHED:
    case What::START:
    case What::CALL_FAILS:
    case What::CALL_TIMES_OUT:
        HappenToCoordinator(what);
        break;
    case What::WORK:
    case What::COMMITTED:
    case What::P_START:
        HappenToParticipant(what);
        break;
    case What::CALL_ARRIVES:
    case What::ANSWER_ARRIVES:
    case What::REQUEST_ARRIVES:
    case What::REPLY_ARRIVES:
        Arrive(what);
        break;
    case What::PARTITION:
    case What::CRASH:
    case What::FREEZE:
    case What::UPKEEP:
    case What::P_CRASH:
    case What::P_FREEZE:
    case What::SEAT_LOST:
    case What::CLOCK_JUMP:
        Fault(what);
        break;
    case What::BEGIN:
        crowd_.Begin(scene_.acts[what.who]);
        break;
    case What::ACT:
        crowd_.OnAct(what);
        break;
    case What::TAKE_OVER:
        TakeOver();
        break;
    case What::JOURNAL_BACK_UP:
    case What::JOURNAL_PUT_BACK:
        LoseJournal(what);
        break;
    case What::BACK_UP:
    case What::PUT_BACK:
        PutBackOpen(what);
        break;
    case What::OPERATE:
        operators_.OnTime(what);
        break;
    case What::CALM:
        Calm();
        break;
    case What::LOOK:
        Look();
        break;
    }
}

bool World::Run()
{
    Happening next;
    coordinator_->Start();
    while (!over_ && !scene_.judge.failed() && scene_.timeline.Next(&next)) {
        Happen(next);
    }
    if (!over_) {
        scene_.judge.Fail("I8", "nothing happens any more, and it is not over");
    }
    if (!scene_.judge.failed()) {
        std::vector<Account> accounts;
        for (const Participant &participant : participants_) {
            participant.AddAccounts(&accounts);
        }
        scene_.judge.Final(accounts);
        coordinator_->Final();
    }
    if (!scene_.judge.failed() && scene_.swarm.restores) {
        RestoreOne();
    }
    return !scene_.judge.failed();
}

// ---- The end ------------------------------------------------------------------------------------

void World::Calm()
{
    scene_.Note("calm");
    scene_.calm = true;
    scene_.network.Calm();
    coordinator_->Thaw();
    zombie_.reset(); /* somebody has stopped it */
    for (Participant &participant : participants_) {
        participant.Calm();
    }
    for (auto &seats : scene_.instances) {
        for (Scene::Instance &instance : seats) {
            instance.gone_until_us = 0;
        }
    }
    scene_.timeline.Add(scene_.now_us() + LOOK_EVERY_US, What::LOOK, 0, 0, 0);
}

bool World::IsQuiet() const
{
    bool quiet = crowd_.busy() == 0 && operators_.IsQuiet() && coordinator_->IsQuiet() &&
                 scene_.requests.count() == 0 && scene_.calls.count() == 0;
    for (const Participant &participant : participants_) {
        quiet = quiet && participant.IsQuiet();
    }
    return quiet;
}

// I8.  The bound: a deadline, the longest back-off, two calls, what a participant may put off, and ten
// seconds for the backlog.
void World::Look()
{
    /* What is known of a participant is recorded once a second: so many rounds take longer. */
    enum {
        ROUNDS = 3,
        ROUNDS_BEFORE_RESTORE = 8,
        SETTLE_US = 250000,
        BACKLOG_US = 10000000,
        PATIENCE_US = 240000000
    };
    const Swarm &swarm = scene_.swarm;
    const int64_t last_us =
        crowd_.last_sent_us() > calm_at_us_ ? crowd_.last_sent_us() : calm_at_us_;
    if (scene_.now_us() > calm_at_us_ + PATIENCE_US) {
        scene_.judge.Fail("I8", "faults have stopped long ago and it is not over");
    }
    const int64_t bound_us =
        1000LL * (swarm.try_timeout_ms + 2 * swarm.retry_cap_ms + 2 * swarm.call_timeout_ms + 100) +
        swarm.patience_us + BACKLOG_US;
    if (!IsQuiet()) {
        quiet_since_us_ = 0;
        if (scene_.now_us() > last_us + bound_us) {
            scene_.judge.Fail("I8", "faults have stopped %lld ms ago and %u acts are open",
                              static_cast<long long>((scene_.now_us() - last_us) / 1000),
                              scene_.judge.OpenActs());
        }
    } else if (quiet_since_us_ == 0) {
        quiet_since_us_ = scene_.now_us();
    } else if (scene_.now_us() - quiet_since_us_ < SETTLE_US) {
        /* Sweeps are still due. */
    } else if (rounds_ < (swarm.restores ? ROUNDS_BEFORE_RESTORE : ROUNDS)) {
        if (swarm.restores && rounds_ == 0) {
            restored_ = scene_.dice.Below(swarm.participants);
            participants_[restored_].BackUp();
        }
        scene_.fate->Rest();
        const auto id = static_cast<uint32_t>(scene_.acts.size());
        scene_.acts.push_back(RoundAct(id, swarm.participants, scene_.names));
        crowd_.BeginRound(scene_.acts.back());
        rounds_++;
        quiet_since_us_ = 0;
    } else {
        CheckNoticed();
        CheckRows();
        over_ = true;
        return;
    }
    scene_.timeline.Add(scene_.now_us() + LOOK_EVERY_US, What::LOOK, 0, 0, 0);
}

} // namespace simulation
