#include "store_fixture.h"

#include <cstdarg>
#include <cstdlib>
#include <filesystem>

namespace
{

// Which harness's handler runs on this thread, and what it answers.
thread_local const fence_test::Harness *running = nullptr;
thread_local group_answer *answering = nullptr;

} // namespace

// The server's part of the accessors, as far as these tests need it.
extern "C" enum tercet_verdict tercet_answer_failed(struct tercet_request *, const char *format,
                                                    ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(answering->text, sizeof answering->text, format, arguments);
    va_end(arguments);
    return TERCET_VERDICT_UNSPECIFIED;
}

extern "C" void *tercet_request_connection(const struct tercet_request *request,
                                           const struct tercet_store_ops *ops)
{
    if (running == nullptr || request != &running->request || running->group.ops != ops) {
        return nullptr;
    }
    return running->connection;
}

namespace fence_test
{

Ask Try(const std::string &gid, int64_t number)
{
    Ask ask;
    ask.gid = gid;
    ask.number = number;
    return ask;
}

Ask Confirm(const std::string &gid, int64_t number)
{
    Ask ask = Try(gid, number);
    ask.phase = TERCET_PHASE_CONFIRM;
    return ask;
}

Ask Cancel(const std::string &gid, int64_t number)
{
    Ask ask = Try(gid, number);
    ask.phase = TERCET_PHASE_CANCEL;
    return ask;
}

TemporaryDirectory::TemporaryDirectory()
{
    std::string pattern = (std::filesystem::temp_directory_path() / "tercet_fence_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
}

TemporaryDirectory::~TemporaryDirectory()
{
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

namespace
{

std::string EffectKey(const std::string &gid, uint32_t branch, tercet_phase phase)
{
    return "effect/" + gid + "/" + std::to_string(branch) + "/" + std::to_string(phase);
}

tercet_verdict CallHandler(const group_request *request, void *connection, tercet_bytes tried,
                           group_answer *answer, void *context)
{
    auto *harness = static_cast<Harness *>(context);
    harness->connection = connection;
    running = harness;
    answering = answer;
    const tercet_verdict verdict = harness->handler ? harness->handler(*request, tried, *answer)
                                                    : harness->LeaveEffect(*request);
    running = nullptr;
    return verdict;
}

uint64_t NowUs(void *context)
{
    return static_cast<Harness *>(context)->clock_us;
}

void Pause(unsigned run, void *context)
{
    static_cast<Harness *>(context)->pauses.push_back(run);
}

} // namespace

Harness::Harness(const std::string &kind, const std::string &directory, uint32_t busy_timeout_ms)
    : backend_(MakeBackend(kind, directory))
{
    const tercet_status status = backend_->Open(busy_timeout_ms, &store, &error);
    EXPECT_EQ(status, TERCET_OK) << error.text;
    if (status != TERCET_OK) {
        std::abort();
    }
    group.ops = store->ops;
    group.self = store->self;
    group.store_id = store->id;
    group.handler = CallHandler;
    group.now_us = NowUs;
    group.pause = Pause;
    group.context = this;
    sweep.row_count_max = 1000;
}

Harness::~Harness()
{
    group_disconnect(&group);
    tercet_store_close(driven_);
    tercet_store_close(store);
}

void Harness::Drive(tercet_store *other)
{
    group_disconnect(&group);
    tercet_store_close(driven_);
    driven_ = other;
    group.self = other->self;
    group.store_id = other->id;
}

std::vector<group_answer> Harness::Run(const std::vector<Ask> &asks)
{
    std::vector<tercet_fence_caller> callers(asks.size());
    std::vector<group_request> requests(asks.size());
    for (size_t i = 0; i < asks.size(); i++) {
        const Ask &ask = asks[i];
        callers[i].participant = ask.participant.c_str();
        memset(callers[i].origin, ask.origin, sizeof callers[i].origin);
        callers[i].epoch = {ask.incarnation, ask.epoch};
        requests[i].key = {tercet_bytes_of(ask.gid.data(), ask.gid.size()), ask.branch};
        requests[i].phase = ask.phase;
        requests[i].caller = &callers[i];
        requests[i].number = {ask.number_incarnation, ask.number};
        memset(requests[i].digest, ask.digest, sizeof requests[i].digest);
        requests[i].action = ask.action.c_str();
        requests[i].confirm_only = ask.confirm_only;
    }
    std::vector<group_answer> answers(asks.size());
    group_run(&group, requests.data(), answers.data(), asks.size());
    return answers;
}

group_answer Harness::Run(const Ask &ask)
{
    return Run(std::vector<Ask>{ask})[0];
}

tercet_verdict Harness::LeaveEffect(const group_request &asked)
{
    const std::string gid(static_cast<const char *>(asked.key.gid.data), asked.key.gid.size);
    return backend_->LeaveEffect(&request, connection,
                                 EffectKey(gid, asked.key.branch, asked.phase));
}

int Harness::Effects(const std::string &gid, uint32_t branch, tercet_phase phase)
{
    return backend_->Effects(store, EffectKey(gid, branch, phase));
}

namespace
{

// Outside of a group, on the group's connection.
void *Connection(Harness *harness)
{
    if (harness->group.connection == nullptr) {
        EXPECT_EQ(harness->store->ops->connect(harness->store->self, &harness->group.connection,
                                               &harness->error),
                  TERCET_OK)
            << harness->error.text;
    }
    return harness->group.connection;
}

} // namespace

tercet_fence_row Harness::Row(const std::string &gid, uint32_t branch)
{
    const tercet_fence_key key = {tercet_bytes_of(gid.data(), gid.size()), branch};
    tercet_fence_row row = {};
    EXPECT_EQ(store->ops->find(Connection(this), &key, &row, &error), TERCET_OK) << error.text;
    return row;
}

tercet_fence_state Harness::State(const std::string &gid, uint32_t branch)
{
    return Row(gid, branch).state;
}

tercet_store_description Harness::Describe(uint8_t origin, const std::string &participant)
{
    uint8_t bytes[TERCET_ORIGIN_BYTES];
    memset(bytes, origin, sizeof bytes);
    tercet_store_description description = {};
    EXPECT_EQ(
        store->ops->describe(Connection(this), participant.c_str(), bytes, &description, &error),
        TERCET_OK)
        << error.text;
    return description;
}

static bool TakeName(const tercet_fence_key *key, const tercet_fence_row *, void *context)
{
    static_cast<std::vector<std::string> *>(context)->emplace_back(
        static_cast<const char *>(key->gid.data), key->gid.size);
    return true;
}

std::vector<std::string> Harness::List(tercet_branch_number from, tercet_branch_number below,
                                       uint32_t max, uint8_t origin)
{
    tercet_fence_range range = {};
    range.participant = "account";
    memset(range.origin, origin, sizeof range.origin);
    range.from = from;
    range.below = below;
    range.row_count_max = max;
    std::vector<std::string> names;
    EXPECT_EQ(store->ops->list(Connection(this), &range, TakeName, &names, &error), TERCET_OK)
        << error.text;
    return names;
}

tercet_status Harness::Apply(int64_t lsn, tercet_branch_number low,
                             std::vector<tercet_branch_number> open, uint8_t origin, int64_t epoch,
                             const std::string &participant)
{
    tercet_mark mark = {};
    mark.as_of_incarnation = 10;
    mark.as_of_lsn = lsn;
    mark.low = low;
    for (auto number : open) {
        mark.open[mark.open_count++] = number;
    }
    tercet_fence_caller caller = {};
    caller.participant = participant.c_str();
    memset(caller.origin, origin, sizeof caller.origin);
    caller.epoch = {10, epoch};
    kept.clear();
    sweep.kept_fn = tells_kept ? TakeName : nullptr;
    sweep.context = &kept;
    return group_apply_mark(&group, &caller, &mark, &sweep, &error);
}

std::string StoreName(const testing::TestParamInfo<std::string> &info)
{
    return info.param;
}

} // namespace fence_test
