// coordinator_requests.cc -- what initiators ask, as the service reads it; see coordinator.h.
#include <cstring>

#include "simulation/coordinator.h"

namespace simulation
{
namespace
{

void FillRequest(request *to, const RequestMessage &from, const Act &act)
{
    to->kind = from.kind;
    memcpy(to->gid, act.gid, sizeof act.gid);
    to->wait = from.wait;
    to->wait_ms = from.wait_ms;
    to->try_timeout_ms = act.try_timeout_ms;
    to->created_at_unix_ms = from.created_at_unix_ms;
    to->branch_index = from.branch;
    if (from.kind == REQUEST_EXECUTE) {
        to->branch_count = act.branch_count;
        to->content = act.content[from.variant];
    } else if (from.kind == REQUEST_TRY) {
        to->branch_count = 1;
    } else if (from.kind == REQUEST_BEGIN) {
        to->content = digest_of_content(act.gid, nullptr, 0);
    } else if (from.kind == REQUEST_CANCEL) {
        reason_set(&to->reason, "INITIATOR", "it was asked for");
    }
    to->branches = static_cast<branch **>(calloc(to->branch_count + 1, sizeof(branch *)));
    for (uint32_t i = 0; i < to->branch_count; i++) {
        const uint32_t index = from.kind == REQUEST_TRY ? from.branch : i + 1;
        to->branches[i] = MakeBranch(act, index, from.variant);
    }
}

Attempt AttemptOf(const RequestMessage &request)
{
    if (request.kind == REQUEST_EXECUTE) {
        return request.variant == 0 ? Attempt::EXECUTE : Attempt::EXECUTE_OTHER;
    }
    return request.kind == REQUEST_BEGIN ? Attempt::BEGIN : Attempt::NONE;
}

} // namespace

void Coordinator::OnRequest(const RequestMessage &message)
{
    if (!is_up()) {
        return; /* the initiator will notice by itself */
    }
    if (message.goes_away) {
        for (const auto &one : askers_) {
            if (one.second.client == message.client && one.second.serial == message.serial) {
                event *made = event_create(EVENT_FORGET);
                made->u.forget.token = reinterpret_cast<void *>(one.first);
                Push(made);
                return;
            }
        }
        return;
    }
    scene_.tally.requests++;
    if (message.ask != nullptr) {
        OnOperator(message);
        return;
    }
    const uint64_t token = next_token_++;
    const bool watches = message.kind == REQUEST_WATCH;
    askers_[token] = {message.client,
                      message.serial,
                      life_ > 1 && scene_.judge.IsEnded(message.act),
                      scene_.now_us(),
                      watches ? INT64_MAX : message.wait_ms * 1000LL,
                      RESOLUTION_ASK};
    scene_.Note("request arrives: kind act variant client", message.kind, message.act,
                message.variant, message.client);
    scene_.judge.Asked(token, message.kind, message.act, AttemptOf(message), message.branch);
    event *made = event_create(EVENT_REQUEST);
    made->u.request.token = reinterpret_cast<void *>(token);
    MakeDigests(scene_.acts[message.act], message.variant, scene_.names);
    FillRequest(&made->u.request, message, scene_.acts[message.act]);
    Push(made);
}

} // namespace simulation
