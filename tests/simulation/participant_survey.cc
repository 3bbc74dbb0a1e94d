// participant_survey.cc -- what a participant tells of its fence: Describe and Inspect; see participant.h.
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "simulation/participant.h"

namespace simulation
{

// As describe.c reads what survey_reply.c tells.
bool Participant::Describe(const CallMessage &call, AnswerMessage *answer)
{
    tercet_fence_caller caller{};
    tercet_store_description found{};
    tercet_error error{};
    caller.participant = name_;
    caller.epoch = {call.incarnation, call.epoch};
    gate_ = true;
    const tercet_status status = group_describe(&group_, &caller, &found, &error);
    gate_ = false;
    if (status == TERCET_DATA_LOSS) {
        scene_.judge.Fail("I5", "p%u cannot describe itself: %s", number_, error.text);
    }
    if (status != TERCET_OK) {
        return false;
    }
    auto told = std::make_shared<description>();
    store_seen &store = told->stores[0];
    told->store_count = 1;
    memcpy(store.id, found.store_id, sizeof store.id);
    store.mark = {found.mark.as_of_incarnation, found.mark.as_of_lsn};
    store.low = {found.mark.low.incarnation, found.mark.low.number};
    store.reach = store.low;
    const branch_number behind = {found.highest.incarnation, found.highest.number + 1};
    if (found.highest.number != 0 && branch_number_compare(store.reach, behind) < 0) {
        store.reach = behind;
    }
    answer->told = told;
    answer->mark = std::make_shared<const tercet_mark>(found.mark);
    answer->epoch = scene_.zombie_life != 0 ? found.epoch.epoch : 0;
    return true;
}

void Participant::AnswerProbe(const CallMessage &call)
{
    AnswerMessage answer(call);
    answer.verdict = TERCET_VERDICT_DONE;
    if (!Describe(call, &answer)) {
        scene_.Hit(Mark::DESCRIBE_FAILED);
    }
    answers_.push_back(answer);
}

// In its turn, as survey.c: what came before is answered before.
void Participant::AnswerSurvey()
{
    const CallMessage call = queue_.front();
    queue_.pop_front();
    if (call.probe) {
        AnswerProbe(call);
    } else {
        AnswerInspect(call);
    }
}

// A row as describe.c reads what survey_reply.c tells.
static bool KeepRow(const tercet_fence_key *key, const tercet_fence_row *row, void *context)
{
    inspected_row told{};
    memcpy(told.gid, key->gid.data, key->gid.size);
    snprintf(told.action, sizeof told.action, "%s", row->action);
    told.branch = key->branch;
    told.state = static_cast<uint32_t>(row->state);
    told.number = {row->identity.number.incarnation, row->identity.number.number};
    memcpy(told.digest.bytes, row->identity.digest, sizeof told.digest.bytes);
    static_cast<std::vector<inspected_row> *>(context)->push_back(told);
    return true;
}

void Participant::AnswerInspect(const CallMessage &call)
{
    const effect_inspect &asked = *call.inspect;
    const uint32_t page_size = scene_.swarm.slice_rows < 100 ? scene_.swarm.slice_rows : 150;
    tercet_fence_range range{};
    range.participant = name_;
    range.from = {asked.from.incarnation, asked.from.number};
    range.below = {asked.below.incarnation, asked.below.number};
    range.row_count_max = page_size;
    if (asked.token[0] != '\0') {
        (void)sscanf(asked.token, "%" SCNd64 ".%" SCNd64, &range.from.incarnation,
                     &range.from.number);
    }
    auto told = std::make_shared<Rows>();
    tercet_error error{};
    const tercet_status status = kv_fence_list(&fence_, &range, KeepRow, &told->rows, &error);
    AnswerMessage answer(call);
    if (status != TERCET_OK) {
        answer.kind = ANSWER_UNKNOWN;
    } else {
        if (told->rows.size() == page_size) {
            const branch_number last = told->rows.back().number;
            told->token = std::to_string(last.incarnation) + "." + std::to_string(last.number + 1);
        }
        answer.rows = told;
    }
    scene_.Note("tells rows: p status rows", number_, status,
                static_cast<int64_t>(told->rows.size()));
    answers_.push_back(answer);
}

} // namespace simulation
