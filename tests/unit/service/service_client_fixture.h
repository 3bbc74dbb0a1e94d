/* service_client_fixture.h -- the library's client and the service, with a loop that answers by gid. */
#ifndef TESTS_UNIT_SERVICE_SERVICE_CLIENT_FIXTURE_H
#define TESTS_UNIT_SERVICE_SERVICE_CLIENT_FIXTURE_H

#include <atomic>
#include <chrono>
#include <map>
#include <thread>

#include "service_fixture.h"
#include "tercet/client.h"

extern "C" {
#include "rpc/rpc_duplex.h"
}

/* What the caller has of an answer. */
struct Told {
    enum tercet_outcome outcome = TERCET_OUTCOME_UNKNOWN;
    enum tercet_status status = TERCET_OK;
    std::string code;
    std::string text;
    uint32_t retry_after_ms = 0;
    std::string gid;
    int64_t begun_unix_ms = 0;
};

inline Told CopyTold(const tercet_result *result)
{
    Told told;
    told.outcome = result->outcome;
    told.status = result->status;
    told.code = result->status_code;
    told.text = result->status_text;
    told.retry_after_ms = result->retry_after_ms;
    told.gid = result->gid;
    told.begun_unix_ms = result->begun_unix_ms;
    return told;
}

class ServiceClient : public ServiceTest
{
  protected:
    void SetUp() override
    {
        ServiceTest::SetUp();
        loop_ = std::thread([this] { Loop(); });
        client_ = Make();
    }

    void TearDown() override
    {
        tercet_client_destroy(client_);
        StopLoop();
        ServiceTest::TearDown();
    }

    /* With no loop: the service's part is renewed. */
    void Restart(uint32_t waiting_calls_max)
    {
        tercet_client_destroy(client_);
        StopLoop();
        Start(waiting_calls_max, 100000);
        over_ = false;
        loop_ = std::thread([this] { Loop(); });
        client_ = Make();
    }

    void StopLoop()
    {
        LetGo();
        over_ = true;
        if (loop_.joinable()) {
            loop_.join();
        }
    }

    tercet_client *Make(bool unary_only = false)
    {
        tercet_client *made = nullptr;
        tercet_error error = {};
        tercet_client_options options = {};
        options.size = sizeof options;
        options.target = target_.c_str();
        options.unary_only = unary_only;
        EXPECT_EQ(tercet_client_create(&options, &made, &error), TERCET_OK) << error.text;
        return made;
    }

    static void Unary(struct rpc_unary *call, const ProtobufCMessage *request, void *context)
    {
        auto *self = static_cast<ServiceClient *>(context);
        self->unary_++;
        self->execute_.unary(call, request, self->execute_.context);
    }

    void AdaptMethod(struct rpc_method *method) override
    {
        const std::string path = method->path;
        if (path == "/tercet.v1.Coordinator/Execute") {
            execute_ = *method;
            method->unary = Unary;
            method->context = this;
        } else if (path == "/tercet.v1.Coordinator/ExecuteStream" && !streams_) {
            method->duplex = RefuseStream;
            method->context = this;
        }
    }

    /* As an older coordinator answers. */
    static void RefuseStream(struct rpc_duplex *duplex, void *context)
    {
        struct rpc_duplex_events events = {};
        events.message = [](ProtobufCMessage *message, void *) { rpc_codec_free(message); };
        events.ended = [](const struct rpc_result *, void *) {};
        rpc_duplex_listen(duplex, &events);
        static_cast<ServiceClient *>(context)->streams_refused_++;
        rpc_duplex_finish(duplex, TERCET_UNIMPLEMENTED, "unknown method");
    }

    /* ---- What the loop does: "held..." waits, "bad..." fails, the others are confirmed. ---- */

    void AnswerByGid(const EventPointer &event)
    {
        const std::string gid = event->u.request.gid;
        if (gid.rfind("bad", 0) == 0) {
            Fail(event->u.request.token, REQUEST_EXECUTE, TERCET_FAILED_PRECONDITION,
                 gid.rfind("bad-refused", 0) == 0);
            return;
        }
        struct view view =
            PlainView(gid.rfind("liar", 0) == 0 ? "other" : event->u.request.gid, TXN_CONFIRMED);
        view.begun_unix_ms = 4711;
        Reply(event->u.request.token, REQUEST_EXECUTE, Copy(view));
    }

    void Loop()
    {
        while (!over_ || service_waiting_calls(service_) > 0) {
            EventPointer event = Next(10);
            if (event == nullptr || event->kind != EVENT_REQUEST) {
                continue;
            }
            const std::lock_guard<std::mutex> lock(held_mutex_);
            created_at_[event->u.request.gid].push_back(event->u.request.created_at_unix_ms);
            asked_count_++;
            if (holding_ && std::string(event->u.request.gid).rfind("held", 0) == 0) {
                held_.push_back(std::move(event));
            } else {
                AnswerByGid(event);
            }
        }
    }

    void Hold()
    {
        const std::lock_guard<std::mutex> lock(held_mutex_);
        holding_ = true;
    }

    void AwaitHeld(size_t count)
    {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        for (;;) {
            {
                const std::lock_guard<std::mutex> lock(held_mutex_);
                if (held_.size() >= count) {
                    return;
                }
            }
            ASSERT_LT(std::chrono::steady_clock::now(), until);
            std::this_thread::yield();
        }
    }

    void LetGo()
    {
        const std::lock_guard<std::mutex> lock(held_mutex_);
        holding_ = false;
        for (const EventPointer &event : held_) {
            AnswerByGid(event);
        }
        held_.clear();
    }

    /* ---- Calls ---- */

    Told Execute(tercet_client *client, const std::string &gid, uint32_t wait_timeout_ms = 20000,
                 const std::string &payload = "7")
    {
        tercet_branch branch = {};
        branch.participant = "account";
        branch.action = "debit";
        branch.payload = tercet_bytes_of(payload.data(), payload.size());
        tercet_transaction transaction = {};
        transaction.size = sizeof transaction;
        transaction.gid = gid.c_str();
        transaction.branches = &branch;
        transaction.branch_count = 1;
        transaction.wait_timeout_ms = wait_timeout_ms;
        tercet_result *result = nullptr;
        const tercet_outcome outcome = tercet_client_execute(client, &transaction, &result);
        Told told = CopyTold(result);
        EXPECT_EQ(outcome, told.outcome);
        tercet_result_destroy(result);
        return told;
    }

    /* Calls until one goes by the stream. */
    void AwaitStream()
    {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        for (int i = 0;; i++) {
            const int before = unary_;
            const Told told = Execute(client_, "warm-" + std::to_string(i));
            ASSERT_EQ(told.outcome, TERCET_OUTCOME_CONFIRMED) << told.text;
            if (unary_ == before) {
                return;
            }
            ASSERT_LT(std::chrono::steady_clock::now(), until);
        }
    }

    /* Asynchronous calls, and what became of them. */
    struct Crowd {
        std::mutex mutex;
        std::map<std::string, Told> told;
        static void Done(const tercet_result *result, void *context)
        {
            auto *self = static_cast<Crowd *>(context);
            const std::lock_guard<std::mutex> lock(self->mutex);
            EXPECT_TRUE(self->told.emplace(result->gid, CopyTold(result)).second) << "told twice";
        }
        size_t Count(const std::string &gid)
        {
            const std::lock_guard<std::mutex> lock(mutex);
            return told.count(gid);
        }
    };

    void Begin(Crowd *crowd, const std::string &gid, uint32_t wait_timeout_ms = 20000)
    {
        tercet_branch branch = {};
        branch.participant = "account";
        branch.action = "debit";
        tercet_transaction transaction = {};
        transaction.size = sizeof transaction;
        transaction.gid = gid.c_str();
        transaction.branches = &branch;
        transaction.branch_count = 1;
        transaction.wait_timeout_ms = wait_timeout_ms;
        tercet_error error = {};
        EXPECT_EQ(tercet_client_execute_async(client_, &transaction, Crowd::Done, crowd, &error),
                  TERCET_OK)
            << error.text;
    }

    void AwaitAll()
    {
        tercet_error error = {};
        EXPECT_EQ(tercet_client_wait(client_, 0, 20000, &error), TERCET_OK) << error.text;
    }

    tercet_client *client_ = nullptr;
    bool streams_ = true;
    struct rpc_method execute_ = {};
    std::atomic<int> unary_{0};
    std::atomic<int> streams_refused_{0};
    std::atomic<int> asked_count_{0};
    std::atomic<bool> over_{false};
    std::thread loop_;
    std::mutex held_mutex_;
    bool holding_ = false;
    std::vector<EventPointer> held_;
    std::map<std::string, std::vector<int64_t>> created_at_;
};

#endif
