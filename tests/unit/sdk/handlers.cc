/* handlers.cc -- see handlers.h. */
#include "unit/sdk/handlers.h"

#include <gtest/gtest.h>

#include <chrono>

void Gate::Open()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = true;
    changed_.notify_all();
}

void Gate::Close()
{
    const std::lock_guard<std::mutex> lock(mutex_);
    open_ = false;
}

void Gate::Wait()
{
    std::unique_lock<std::mutex> lock(mutex_);
    waiting_++;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    waiting_--;
}

void Gate::AwaitWaiting(int count)
{
    std::unique_lock<std::mutex> lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20),
                                  [this, count] { return waiting_ >= count; }));
}

int Handlers::Runs(const std::string &key)
{
    const std::lock_guard<std::mutex> lock(mutex);
    const auto found = runs.find(key);
    return found == runs.end() ? 0 : found->second;
}

Handlers::Seen Handlers::Last()
{
    const std::lock_guard<std::mutex> lock(mutex);
    return last;
}

int Handlers::AllRuns()
{
    const std::lock_guard<std::mutex> lock(mutex);
    int sum = 0;
    for (const auto &entry : runs) {
        sum += entry.second;
    }
    return sum;
}

tercet_verdict Handlers::Handle(tercet_request *request)
{
    auto *self = static_cast<Handlers *>(request->context);
    const std::string payload(static_cast<const char *>(request->payload.data));
    {
        const std::lock_guard<std::mutex> lock(self->mutex);
        const std::string key = std::string(request->gid) + "/" + std::to_string(request->branch) +
                                "/" + tercet_phase_name(request->phase);
        self->runs[key]++;
        self->last.payload = payload;
        self->last.result.assign(static_cast<const char *>(request->result.data),
                                 request->result.size);
        self->last.attempt = request->attempt;
        self->last.traceparent = request->traceparent;
    }
    if (payload.rfind("done:", 0) == 0) {
        return tercet_answer_done(request, tercet_bytes_of_text(payload.c_str() + 5));
    }
    if (payload == "refuse") {
        return tercet_answer_refused(request, "TOO_LOW", "not %d to move", 7);
    }
    if (payload == "refuse badly") {
        return tercet_answer_refused(request, "too low", "a code in small letters");
    }
    if (payload == "unnamed") {
        return tercet_answer_refused(request, "", "without a code");
    }
    if (payload == "later") {
        return tercet_answer_later(request, 250, "a row is locked");
    }
    if (payload == "much later") {
        return tercet_answer_later(request, 4000000000U, "a row is locked for years");
    }
    if (payload == "fail") {
        return tercet_answer_failed(request, "disk on fire\nreally");
    }
    if (payload == "garbage") {
        return static_cast<tercet_verdict>(77);
    }
    if (payload == "nothing") {
        return TERCET_VERDICT_UNSPECIFIED;
    }
    if (payload == "lie") {
        (void)tercet_answer_refused(request, "TOO_LOW", "but then it says DONE");
        return TERCET_VERDICT_DONE;
    }
    if (payload == "long") {
        const std::string result(TERCET_RESULT_BYTES_MAX + 1, 'x');
        return tercet_answer_done(request, tercet_bytes_of(result.data(), result.size()));
    }
    if (payload == "conflict") {
        return TERCET_VERDICT_CONFLICT;
    }
    if (payload == "gate") {
        self->gate.Wait();
    }
    return TERCET_VERDICT_DONE;
}
