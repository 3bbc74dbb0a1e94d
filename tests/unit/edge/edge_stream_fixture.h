// edge_stream_fixture.h -- a participant with Work, and an edge that asks it.
#pragma once

#include <gtest/gtest.h>
#include <thread>

#include <chrono>

#include "base/clock.h"
#include "unit/edge/edge_work.h"

// A participant with Work; its unary methods count and answer DONE.
class EdgeStream : public ::testing::Test
{
  protected:
    FakeWork &Make(uint32_t window)
    {
        works_.push_back(std::make_unique<FakeWork>(window));
        return *works_.back();
    }

    void Start(FakeWork *work, bool streams = true)
    {
        FakeParticipant::WorkHandler handler;
        if (work != nullptr) {
            handler = [work](struct rpc_duplex *duplex) { work->Serve(duplex); };
        }
        participant_ = std::make_unique<FakeParticipant>(
            address_,
            [this](struct rpc_unary *call, const Tercet__V1__BranchRequest *) {
                unary_++;
                ReplyDone(call);
            },
            [](struct rpc_unary *call, const Tercet__V1__DescribeRequest *) {
                Tercet__V1__DescribeReply reply = TERCET__V1__DESCRIBE_REPLY__INIT;
                rpc_unary_reply(call, &reply.base);
            },
            handler);
        if (world_ == nullptr) {
            world_ = std::make_unique<EdgeWorld>(participant_->Address(), 4096, streams);
        }
    }

    // Orders go by unary calls until the stream is open: asks until one does not.  What an earlier
    // stream left unread may come before it, and is answered to nobody.  That a connection was lost
    // may be noticed after the probe that went over the next one; then, as dispatch does, it probes.
    void AwaitOpen(FakeWork *work)
    {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        size_t seen = work->AskedCount();
        int unary = unary_;
        bool on_stream = false;
        Ask();
        while (!on_stream) {
            ASSERT_LT(std::chrono::steady_clock::now(), until);
            const std::vector<FakeWork::Asked> asked = work->Await(seen);
            for (; seen < asked.size(); seen++) {
                work->Answer({asked[seen].call});
            }
            if (world_->Comes(5)) {
                const Told told = world_->Next();
                on_stream = told.answer == ANSWER_REPLY && unary_ == unary;
                if (!on_stream) { // unary, or lost with a stream that had ended
                    if (told.answer == ANSWER_UNREACHABLE) {
                        (void)world_->ProbeAndWait(200);
                    }
                    unary = unary_;
                    Ask();
                }
            }
        }
    }

    void Ask(enum tercet_phase phase = TERCET_PHASE_TRY, uint32_t timeout_ms = 30000)
    {
        world_->Send(world_->Branch(phase), phase, timeout_ms);
    }

    // What comes from now on is later than what came before, by the clock that feeds use.
    static void AwaitNextMillisecond()
    {
        const int64_t now_ms = clock_read().boot_ms;
        while (clock_read().boot_ms <= now_ms) {
            std::this_thread::yield();
        }
    }

    // Turns of the loop until something has come.
    Told NextWhileTicking()
    {
        for (int i = 0; i < 1000; i++) {
            if (world_->Comes(10)) {
                return world_->Next();
            }
            world_->Tick();
        }
        ADD_FAILURE() << "nothing came";
        return {};
    }

    void TearDown() override
    {
        world_.reset();
        participant_.reset();
    }

    std::vector<std::unique_ptr<FakeWork>> works_; // outlive the participant
    std::string address_ = FreeTcpAddress();
    std::atomic<int> unary_{0};
    std::unique_ptr<FakeParticipant> participant_;
    std::unique_ptr<EdgeWorld> world_;
};
