// operators.h -- people who look at what stands where, and say Resolve.
//
// Two kinds.  The curious one walks through List, page by page and with all its filters, and resolves
// whatever comes to his mind, mostly what needs no resolving: that must do nothing.  The caretaker
// does what docs/operations.md says, and no more: he lists what asks for attention, and resolves it by
// what stands there.  Where something is rolled back or restored, nothing would end without him.
//
// An operator waits for his answer, and asks again when none comes.
#pragma once

#include "simulation/scene.h"

namespace simulation
{

class Operators
{
  public:
    explicit Operators(Scene &scene) : scene_(scene) {}

    // Of the clients' numbers, theirs are the ones from here on.
    static constexpr uint32_t FIRST_CLIENT = 1U << 31;

    // They come: the curious one, and the caretaker where something will be rolled back or restored.
    void Begin();
    void OnTime(const Happening &what);
    void OnReply(const ReplyMessage &reply);
    // Has anybody still to be answered?
    bool IsQuiet() const;

  private:
    struct Walk {
        uint32_t serial = 0; // of its last request
        uint8_t attempts = 0;
        bool done = false;
        bool whole = false; // without a filter
        bool cares = false; // the caretaker's
        uint32_t pages = 0;
        uint64_t began_at = 0; // the judge's moment
        uint32_t life = 0;     // of the coordinator, at the beginning
        OperatorAsk next;
        std::vector<bool> listed; // by act
    };

    void Operate();
    void BeginWalk();
    void TurnPage(uint32_t number, const Page &page);
    void Ask(uint32_t number);
    void Finish(Walk &walk);
    void ResolveSomething();
    void Send(const RequestMessage &message);
    uint32_t DrawAct();

    // caretaker.cc
    resolution WhatItWas(uint32_t act) const;
    void Care();
    void CareFor(const Listed &one);
    void Say(resolution what, uint32_t act, uint32_t branch, uint32_t participant);

    // In a calm world the caretaker leaves a payload to its initiator for so many visits.
    static constexpr uint32_t PATIENT_VISITS = 8;

    Scene &scene_;
    std::vector<Walk> walks_;
    uint32_t calm_visits_ = 0; // of the caretaker
};

} // namespace simulation
