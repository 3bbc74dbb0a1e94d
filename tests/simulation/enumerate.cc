// enumerate.cc -- see enumerate.h.
#include "simulation/enumerate.h"

#include <cinttypes>
#include <cstdio>

#include "simulation/world.h"

namespace simulation
{

// ---- The counter --------------------------------------------------------------------------------

uint32_t Choices::Choose(uint32_t count)
{
    if (at_ == choices_.size()) {
        choices_.push_back({0, count});
    }
    return choices_[at_++].taken;
}

bool Choices::Next()
{
    choices_.resize(at_);
    at_ = 0;
    while (!choices_.empty() && choices_.back().taken + 1 == choices_.back().count) {
        choices_.pop_back();
    }
    if (choices_.empty()) {
        return false;
    }
    choices_.back().taken++;
    return true;
}

std::string Choices::Text() const
{
    std::string text;
    for (size_t i = 0; i < at_; i++) {
        text += static_cast<char>('0' + choices_[i].taken);
    }
    return text;
}

void Choices::Preset(const std::string &text)
{
    choices_.clear();
    at_ = 0;
    for (const char digit : text) {
        choices_.push_back({static_cast<uint32_t>(digit - '0'), 10});
    }
}

// ---- One story ----------------------------------------------------------------------------------

namespace
{

class Counted : public Fate
{
  public:
    Counted(Choices &choices, const EnumerateOptions &options)
        : choices_(choices), options_(options), left_(options.crashes)
    {
    }
    bool DiesAt(Point) override
    {
        return Dies();
    }
    bool Keeps() override
    {
        return choices_.Choose(2) == 1;
    }
    bool ParticipantDies() override
    {
        return options_.participants_die && Dies();
    }
    size_t KeepsOf(size_t commits) override
    {
        return choices_.Choose(static_cast<uint32_t>(commits) + 1);
    }

    void Rest() override
    {
        left_ = 0;
    }

  private:
    bool Dies()
    {
        const bool dies = left_ > 0 && choices_.Choose(2) == 1;
        left_ -= dies ? 1 : 0;
        return dies;
    }
    Choices &choices_;
    const EnumerateOptions &options_;
    uint32_t left_;
};

const char *NameOf(Story story)
{
    static const char *const names[] = {"commit", "refusal", "deadline", "cancel"};
    return names[static_cast<size_t>(story)];
}

Swarm SwarmOf(uint32_t branches)
{
    Swarm swarm = CalmSwarm();
    swarm.participants = branches;
    swarm.try_timeout_ms = 300;
    swarm.patience_us = 400000;
    return swarm;
}

void Tell(World &world, Story story, uint32_t branches)
{
    const bool waits = story == Story::DEADLINE;
    const bool cancels = story == Story::CANCEL;
    const Act act = PlainAct(0, branches, waits || cancels, 300, world.names());
    if (story == Story::REFUSAL) {
        world.participant(branches - 1).Refuse(branches);
    }
    if (waits) {
        world.LeaveUndecided();
    }
    /* While its last try is under way; each takes some 2 ms. */
    world.PlanOne(act, cancels ? 2800 + 2070 * (branches - 1) : 0);
}

bool RunStory(const EnumerateOptions &options, Story story, uint32_t branches,
              EnumerateResult *result)
{
    Choices choices;
    do {
        Counted fate(choices, options);
        World world(SwarmOf(branches), 1, false, result->tally, &fate);
        Tell(world, story, branches);
        result->cases++;
        if (!world.Run()) {
            char text[1024];
            snprintf(text, sizeof text,
                     "%s\nreplay: simulation --enumerate --story %s --branches %u --crashes %u "
                     "%s--case %s",
                     world.fault().c_str(), NameOf(story), branches, options.crashes,
                     options.participants_die ? "--participants " : "", choices.Text().c_str());
            result->fault = text;
            return false;
        }
    } while (choices.Next());
    return true;
}

} // namespace

Story FindStory(const char *name)
{
    uint32_t story = 0;
    while (story < static_cast<uint32_t>(Story::COUNT) &&
           std::string(name) != NameOf(static_cast<Story>(story))) {
        story++;
    }
    return static_cast<Story>(story);
}

bool ReplayCase(const EnumerateOptions &options, const std::string &choices, std::string *fault)
{
    Tally tally;
    Choices preset;
    preset.Preset(choices);
    Counted fate(preset, options);
    World world(SwarmOf(options.branches), 1, true, tally, &fate);
    Tell(world, options.only, options.branches);
    const bool fine = world.Run();
    *fault = world.fault();
    return fine;
}

EnumerateResult Enumerate(const EnumerateOptions &options)
{
    EnumerateResult result;
    for (uint32_t story = 0; story < static_cast<uint32_t>(Story::COUNT); story++) {
        for (uint32_t branches = 1; branches <= options.branches; branches++) {
            const uint64_t before = result.cases;
            const auto told = static_cast<Story>(story);
            if (options.only != Story::COUNT && options.only != told) {
                continue;
            }
            if (!RunStory(options, told, branches, &result)) {
                return result;
            }
            char line[128];
            snprintf(line, sizeof line, "%-9s %u branches %10" PRIu64 " cases\n", NameOf(told),
                     branches, result.cases - before);
            result.report += line;
        }
    }
    return result;
}

} // namespace simulation
