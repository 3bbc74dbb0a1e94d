// coordinator_operators.cc -- List and Resolve, as the service reads and answers them; see coordinator.h.
#include <cstdio>
#include <cstring>

#include "simulation/coordinator.h"

extern "C" {
#include "journal/record.h"
}

namespace simulation
{
namespace
{

// What somebody reads off a transaction that asks for attention.
Listed ReadTrouble(const view &told)
{
    static const struct {
        const char *words;
        Trouble trouble;
    } known[] = {{"is held", Trouble::HELD},
                 {"its payload was lost", Trouble::PAYLOAD_LOST},
                 {"its outcome is not known", Trouble::OUTCOME_UNKNOWN},
                 {"decided after the backup", Trouble::OUTCOME_UNKNOWN},
                 {"contradicts what it was told", Trouble::CONFLICT}};
    Listed listed;
    (void)ReadGid(told.gid, strlen(told.gid), &listed.act);
    listed.trouble = told.attention[0] == '\0' ? Trouble::NONE : Trouble::OTHER;
    (void)sscanf(told.attention, "branch %u", &listed.branch);
    for (const auto &one : known) {
        if (listed.trouble == Trouble::OTHER && strstr(told.attention, one.words) != nullptr) {
            listed.trouble = one.trouble;
        }
    }
    return listed;
}

void FillResolve(request *to, const RequestMessage &from, const OperatorAsk &ask,
                 const std::vector<Act> &acts)
{
    to->resolution = ask.what;
    if (ask.participant != NOBODY) {
        to->participant = ask.participant;
    } else {
        memcpy(to->gid, acts[from.act].gid, sizeof acts[from.act].gid);
        to->branch_index = from.branch;
    }
    reason_set(&to->reason, "", "an operator said so");
}

void FillList(request *to, const OperatorAsk &ask)
{
    to->page_size = ask.page_size;
    to->state_mask = ask.state_mask;
    to->after_sequence = ask.after_sequence;
    to->attention_only = ask.attention_only;
    snprintf(to->gid_prefix, sizeof to->gid_prefix, "%s", ask.gid_prefix.c_str());
}

} // namespace

// One page of outcomes, as the reader takes it from the journal and the service filters it.
void Coordinator::ListOutcomes(const RequestMessage &message)
{
    struct Reading {
        Judge &judge;
        const OperatorAsk &ask;
        std::shared_ptr<Page> page;
        uint32_t count;
    } reading = {scene_.judge, *message.ask, std::make_shared<Page>(), 0};
    const auto take = [](tercet_bytes value, const char *cursor, void *context) {
        auto &into = *static_cast<Reading *>(context);
        if (into.count == into.ask.page_size) {
            return false; /* there are more */
        }
        view *outcome = nullptr;
        if (record_read_outcome(value, &outcome) != TERCET_OK) {
            into.judge.Fail("I6", "an outcome cannot be read");
            return false;
        }
        into.count++;
        into.page->next_cursor = cursor;
        into.judge.ToldOutcome(*outcome);
        const bool fits =
            (into.ask.state_mask == 0 || (into.ask.state_mask & (1U << outcome->state)) != 0) &&
            strncmp(outcome->gid, into.ask.gid_prefix.c_str(), into.ask.gid_prefix.size()) == 0;
        if (fits) {
            into.page->listed.push_back(ReadTrouble(*outcome));
        }
        view_destroy(outcome);
        return true;
    };
    if (journal_list_outcomes(journal_, message.ask->cursor.c_str(), take, &reading) != TERCET_OK) {
        scene_.judge.Fail("I6", "its own place in List is none of its own");
    }
    if (reading.count < message.ask->page_size) {
        reading.page->next_cursor.clear();
    }
    SendPage(message.client, message.serial, reading.page);
}

void Coordinator::SendPage(uint32_t client, uint32_t serial, std::shared_ptr<const Page> page)
{
    ReplyMessage message;
    message.client = client;
    message.serial = serial;
    message.page = std::move(page);
    const Copies copies = scene_.network.Send(Link::TOLD, 0, 0, scene_.now_us());
    if (copies.count > 0) {
        scene_.timeline.Add(copies.at_us[0], What::REPLY_ARRIVES, 0, 0,
                            scene_.replies.Take(message));
    }
}

void Coordinator::OnOperator(const RequestMessage &message)
{
    const OperatorAsk &ask = *message.ask;
    scene_.Note("operator asks: kind act branch what", message.kind, message.act, message.branch,
                ask.what);
    const uint32_t ended = 1U << TXN_CONFIRMED | 1U << TXN_CANCELLED;
    const bool wants_ended =
        !ask.attention_only && (ask.state_mask == 0 || (ask.state_mask & ended) != 0);
    if (ask.in_outcomes && !wants_ended) {
        SendPage(message.client, message.serial, std::make_shared<Page>());
        return;
    }
    if (ask.in_outcomes) {
        ListOutcomes(message);
        return;
    }
    const uint64_t token = next_token_++;
    askers_[token] = {message.client, message.serial, false, scene_.now_us(), 0, ask.what};
    scene_.judge.AskedByOperator(token, message.kind, message.act, message.branch, message.ask);
    event *made = event_create(EVENT_REQUEST);
    request *to = &made->u.request;
    to->kind = message.kind;
    to->token = reinterpret_cast<void *>(token);
    to->wait = WAIT_MODE_BEGIN;
    if (message.kind == REQUEST_LIST) {
        FillList(to, ask);
    } else {
        FillResolve(to, message, ask, scene_.acts);
    }
    Push(made);
}

// What an operator is told leaves.
void Coordinator::AnswerOperator(const effect_reply &reply, const Asker &asker)
{
    static const struct {
        const char *code;
        Mark mark;
    } known[] = {{"TERCET_NOTHING_TO_RESOLVE", Mark::RESOLVE_FOUND_NOTHING},
                 {"TERCET_NO_CONFLICT", Mark::RESOLVE_WITHOUT_CONFLICT},
                 {"TERCET_ENDED", Mark::RESOLVE_OF_ENDED},
                 {"TERCET_NO_SUCH_TRANSACTION", Mark::RESOLVE_OF_UNKNOWN}};
    for (const auto &one : known) {
        if (reply.code != nullptr && strcmp(reply.code, one.code) == 0) {
            scene_.Hit(one.mark);
        }
    }
    auto page = std::make_shared<Page>();
    for (uint32_t i = 0; i < reply.list_count; i++) {
        page->listed.push_back(ReadTrouble(*reply.list[i]));
    }
    page->next_sequence = reply.list_next_sequence;
    if (page->next_sequence != 0) {
        scene_.Hit(Mark::LIST_GOES_ON);
    }
    if (reply.to == REQUEST_RESOLVE && reply.status == TERCET_OK) {
        scene_.Hit(Mark::RESOLVED);
        if (asker.said == RESOLUTION_WAS_CONFIRMED) {
            scene_.Hit(Mark::UNKNOWN_WAS_CONFIRMED);
        } else if (asker.said == RESOLUTION_WAS_CANCELLED) {
            scene_.Hit(Mark::UNKNOWN_WAS_CANCELLED);
        }
    }
    SendPage(asker.client, asker.serial, page);
}

} // namespace simulation
