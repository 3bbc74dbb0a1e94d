// crowd.h -- initiators: impatient, forgetful, repeating themselves, and sometimes dead.
//
// A client wants one thing of one act: carry it out (in one request or step by step), cancel it, or
// know how it stands.  It asks, waits for so long, and asks again a few times; whatever it is told
// goes to the judge at the moment it leaves the coordinator, not when it arrives.
#pragma once

#include "simulation/scene.h"

namespace simulation
{

class Crowd
{
  public:
    explicit Crowd(Scene &scene);

    // All clients of this act, which begins now.
    void Begin(const Act &act);
    // One that executes it until its end, in any case; for the world's end.
    void BeginRound(const Act &act);
    // One plain client; `cancels`: another one cancels at that moment from now on (0: at no time).
    void BeginPlain(const Act &act, int64_t cancel_after_us);

    // Whoever would ask to confirm is gone instead.
    void NeverConfirm()
    {
        never_confirms_ = true;
    }

    void OnAct(const Happening &what);
    void OnReply(const ReplyMessage &reply);

    uint32_t busy() const // clients that are not done
    {
        return busy_;
    }
    int64_t last_sent_us() const
    {
        return last_sent_us_;
    }

  private:
    enum class Role : uint8_t { EXECUTE, STEPS, CANCEL, ASK };
    struct Client {
        uint32_t act = 0;
        uint32_t serial = 0; // of what it waits for, or of its next step
        uint32_t variant = 0;
        Role role = Role::EXECUTE;
        uint8_t step = 0; // STEPS: 0 Begin, then the branches, then Confirm
        uint8_t attempts = 0;
        bool waits = false;
        bool done = false;
        bool steady = false;  // does nothing odd
        bool cancels = false; // STEPS: has made up its mind to cancel
        request_kind asked = REQUEST_GET;
    };

    uint32_t Add(uint32_t act, Role role, int64_t after_us);
    void Later(uint32_t number, int64_t after_us);
    void Finish(Client &client);
    void Step(uint32_t number);
    void Send(uint32_t number, request_kind kind, uint32_t branch);
    void GoAway(uint32_t number);
    void OnView(uint32_t number, const ReplyMessage &reply);
    void OnStepView(uint32_t number, const ReplyMessage &reply);
    void OnNo(uint32_t number, const ReplyMessage &reply);

    Scene &scene_;
    std::vector<Client> clients_;
    std::vector<int64_t> created_unix_ms_; // by act: of its first request
    uint32_t busy_ = 0;
    bool never_confirms_ = false;
    int64_t last_sent_us_ = 0;
};

} // namespace simulation
