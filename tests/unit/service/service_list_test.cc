/* List: open ones from the engine, then outcomes from the journal, page by page. */
#include "service_fixture.h"

class ServiceList : public ServiceTest
{
  protected:
    void SetUp() override
    {
        ServiceTest::SetUp();
        list_.page_token = Text(token_);
        list_.gid_prefix = Text(prefix_);
    }

    Pending Ask(const std::string &token)
    {
        token_ = token;
        list_.page_token = Text(token_);
        return Call("List", &list_.base);
    }

    /* The engine's part: so many open ones from this sequence on. */
    void ReplyOpen(void *token, int64_t first, uint32_t count, int64_t next_sequence)
    {
        struct effect_reply reply = {};
        reply.token = token;
        reply.to = REQUEST_LIST;
        reply.last = true;
        reply.list = static_cast<struct view **>(xcalloc(count + 1U, sizeof(struct view *)));
        for (uint32_t i = 0; i < count; i++) {
            struct view view = PlainView("open", TXN_TRYING);
            view.sequence = first + i;
            reply.list[i] = Copy(view, {ViewBranch(1, BRANCH_TRYING)});
        }
        reply.list_count = count;
        reply.list_next_sequence = next_sequence;
        Reply(reply);
    }

    void ReplyOutcomes(void *token, const std::vector<const char *> &gids, enum txn_state state,
                       const char *next_cursor)
    {
        std::vector<struct view *> views;
        for (const char *gid : gids) {
            views.push_back(Copy(PlainView(gid, state), {ViewBranch(1, BRANCH_CONFIRMED)}));
        }
        service_outcomes(service_, token, views.data(), static_cast<uint32_t>(views.size()),
                         next_cursor, TERCET_OK);
    }

    std::string token_;
    std::string prefix_;
    Tercet__V1__ListRequest list_ = TERCET__V1__LIST_REQUEST__INIT;
};

static std::vector<std::string> Gids(const Answer &answer)
{
    std::vector<std::string> gids;
    for (size_t i = 0; i < answer.List()->n_transactions; i++) {
        gids.emplace_back(answer.List()->transactions[i]->gid);
    }
    return gids;
}

TEST_F(ServiceList, GoesThroughTheOpenOnesAndThenThroughTheOutcomes)
{
    list_.page_size = 2;
    Pending first = Ask("");
    EventPointer event = NextRequest(REQUEST_LIST);
    EXPECT_EQ(event->u.request.after_sequence, 0);
    EXPECT_EQ(event->u.request.page_size, 2U);
    ReplyOpen(event->u.request.token, 5, 2, 6);
    Answer answer = first.Wait();
    ASSERT_EQ(answer.status, TERCET_OK) << answer.text;
    ASSERT_EQ(answer.List()->n_transactions, 2U);
    EXPECT_EQ(answer.List()->transactions[1]->sequence, 6);
    EXPECT_EQ(answer.List()->transactions[1]->n_branches, 0U) << "not asked for";

    Pending second = Ask(answer.List()->next_page_token);
    event = NextRequest(REQUEST_LIST);
    EXPECT_EQ(event->u.request.after_sequence, 6);
    ReplyOpen(event->u.request.token, 7, 1, 0);
    OutcomesAsked asked = NextOutcomes();
    EXPECT_EQ(asked.cursor, "");
    EXPECT_EQ(asked.page_size, 1U) << "what the open ones left of the page";
    ReplyOutcomes(asked.token, {"done-1"}, TXN_CONFIRMED, "c1");
    answer = second.Wait();
    ASSERT_EQ(answer.status, TERCET_OK) << answer.text;
    EXPECT_EQ(Gids(answer), (std::vector<std::string>{"open", "done-1"}));

    Pending third = Ask(answer.List()->next_page_token);
    asked = NextOutcomes();
    EXPECT_EQ(asked.cursor, "c1");
    EXPECT_EQ(asked.page_size, 2U);
    EXPECT_TRUE(NoEvent()) << "the open ones are behind us";
    ReplyOutcomes(asked.token, {"done-2"}, TXN_CONFIRMED, "");
    answer = third.Wait();
    EXPECT_EQ(Gids(answer), (std::vector<std::string>{"done-2"}));
    EXPECT_STREQ(answer.List()->next_page_token, "");
}

TEST_F(ServiceList, AFullPageOfTheLastOpenOnesIsFollowedByTheOutcomes)
{
    list_.page_size = 1;
    Pending first = Ask("");
    const EventPointer event = NextRequest(REQUEST_LIST);
    ReplyOpen(event->u.request.token, 5, 1, 0);
    Answer answer = first.Wait();
    ASSERT_STRNE(answer.List()->next_page_token, "");
    Pending second = Ask(answer.List()->next_page_token);
    const OutcomesAsked asked = NextOutcomes();
    EXPECT_EQ(asked.cursor, "");
    ReplyOutcomes(asked.token, {}, TXN_CONFIRMED, "");
    answer = second.Wait();
    EXPECT_EQ(answer.List()->n_transactions, 0U);
    EXPECT_STREQ(answer.List()->next_page_token, "");
}

TEST_F(ServiceList, FiltersGoToTheEngineAndApplyToOutcomes)
{
    Tercet__V1__TransactionState states[] = {
        TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_TRYING,
        TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMED};
    list_.states = states;
    list_.n_states = 2;
    std::string prefix = "pay-";
    list_.gid_prefix = Text(prefix);
    Pending call = Ask("");
    const EventPointer event = NextRequest(REQUEST_LIST);
    EXPECT_EQ(event->u.request.page_size, 100U) << "the default";
    EXPECT_EQ(event->u.request.state_mask, 1U << TXN_TRYING | 1U << TXN_CONFIRMED);
    EXPECT_STREQ(event->u.request.gid_prefix, "pay-");
    ReplyOpen(event->u.request.token, 1, 0, 0);
    const OutcomesAsked asked = NextOutcomes();
    struct view *views[] = {
        Copy(PlainView("pay-1", TXN_CONFIRMED)), Copy(PlainView("pay-2", TXN_CANCELLED)),
        Copy(PlainView("buy-3", TXN_CONFIRMED)), Copy(PlainView("pay-4", TXN_CONFIRMED))};
    service_outcomes(service_, asked.token, views, 4, "", TERCET_OK);
    EXPECT_EQ(Gids(call.Wait()), (std::vector<std::string>{"pay-1", "pay-4"}));
}

TEST_F(ServiceList, APageWhereNothingFitsStillLeadsOn)
{
    std::string prefix = "pay-";
    list_.gid_prefix = Text(prefix);
    Pending call = Ask("e");
    const OutcomesAsked asked = NextOutcomes();
    ReplyOutcomes(asked.token, {"a", "b"}, TXN_CONFIRMED, "next");
    const Answer answer = call.Wait();
    EXPECT_EQ(answer.List()->n_transactions, 0U);
    EXPECT_STREQ(answer.List()->next_page_token, "enext");
}

TEST_F(ServiceList, AsksOnlyWhereSomethingCanBe)
{
    Tercet__V1__TransactionState state = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_CONFIRMED;
    list_.states = &state;
    list_.n_states = 1;
    Pending ended = Ask("");
    const OutcomesAsked asked = NextOutcomes();
    EXPECT_TRUE(NoEvent()) << "no open one is confirmed";
    ReplyOutcomes(asked.token, {"a"}, TXN_CONFIRMED, "");
    EXPECT_EQ(ended.Wait().List()->n_transactions, 1U);

    state = TERCET__V1__TRANSACTION_STATE__TRANSACTION_STATE_TRYING;
    Pending open = Ask("");
    EventPointer event = NextRequest(REQUEST_LIST);
    ReplyOpen(event->u.request.token, 1, 1, 0);
    EXPECT_STREQ(open.Wait().List()->next_page_token, "");

    list_.n_states = 0;
    list_.attention = 1;
    Pending attention = Ask("");
    event = NextRequest(REQUEST_LIST);
    EXPECT_TRUE(event->u.request.attention_only);
    ReplyOpen(event->u.request.token, 1, 1, 0);
    EXPECT_STREQ(attention.Wait().List()->next_page_token, "");
    EXPECT_TRUE(asked_.empty());
}

TEST_F(ServiceList, PagesWithBranchesAreSmallEnoughForAMessage)
{
    list_.with_branches = 1;
    list_.page_size = 1000;
    Pending call = Ask("");
    const EventPointer event = NextRequest(REQUEST_LIST);
    EXPECT_EQ(event->u.request.page_size, 32U);
    const std::string code(63, 'C');
    const std::string text(255, 't');
    const std::string name(64, 'n');
    const std::string gid(128, 'g');
    const std::string result(1024, 'r');
    std::vector<struct view_branch> branches;
    for (uint32_t i = 1; i <= 64; i++) {
        struct view_branch branch = ViewBranch(i, BRANCH_CONFIRMING);
        branch.participant = branch.action = name.c_str();
        branch.reason_code = code.c_str();
        branch.reason_text = branch.resolved = text.c_str();
        branch.result = tercet_bytes_of(result.data(), result.size());
        branch.stage = 63;
        branch.attempts = UINT32_MAX;
        branch.next_attempt_unix_ms = (INT64_C(1) << 53) - 1;
        branch.conflict = 5;
        branch.optional = true;
        branches.push_back(branch);
    }
    struct view view = PlainView(gid.c_str(), TXN_CONFIRMING);
    view.reason_code = code.c_str();
    view.reason_text = view.attention = text.c_str();
    view.begun_unix_ms = view.decided_unix_ms = view.ended_unix_ms = view.deadline_unix_ms =
        view.sequence = (INT64_C(1) << 53) - 1;
    struct effect_reply reply = {};
    reply.token = event->u.request.token;
    reply.to = REQUEST_LIST;
    reply.last = true;
    reply.list = static_cast<struct view **>(xcalloc(32, sizeof(struct view *)));
    reply.list_count = 32;
    for (uint32_t i = 0; i < 32; i++) {
        reply.list[i] = Copy(view, branches);
    }
    reply.list_next_sequence = 99;
    Reply(reply);
    const Answer answer = call.Wait();
    ASSERT_EQ(answer.status, TERCET_OK) << answer.text;
    ASSERT_EQ(answer.List()->n_transactions, 32U);
    EXPECT_EQ(answer.List()->transactions[31]->n_branches, 64U);
    EXPECT_STREQ(answer.List()->next_page_token, "o99");
}

TEST_F(ServiceList, AMalformedTokenIsRefused)
{
    for (const char *bad : {"x", "o", "o0", "o-1", "o+1", "o01", "o1x", "o9223372036854775808",
                            "oo", "O1", " o1", "o1 "}) {
        token_ = bad;
        list_.page_token = Text(token_);
        const Answer answer = Refused("List", &list_.base);
        EXPECT_EQ(answer.status, TERCET_INVALID_ARGUMENT) << bad;
        EXPECT_EQ(answer.field, "page_token") << bad;
    }
    token_ = "e" + std::string(1024, 'c');
    list_.page_token = Text(token_);
    const Answer answer = Refused("List", &list_.base);
    EXPECT_EQ(answer.field, "page_token");
    EXPECT_EQ(answer.limit, 1024);
    EXPECT_EQ(answer.value, 1025);
}

TEST_F(ServiceList, ACursorThatTheJournalDoesNotKnowIsRefused)
{
    Pending call = Ask("enonsense");
    const OutcomesAsked asked = NextOutcomes();
    EXPECT_EQ(asked.cursor, "nonsense");
    service_outcomes(service_, asked.token, nullptr, 0, "", TERCET_INVALID_ARGUMENT);
    const Answer answer = call.Wait();
    EXPECT_EQ(answer.status, TERCET_INVALID_ARGUMENT);
    EXPECT_EQ(answer.field, "page_token");
    EXPECT_TRUE(answer.refused);
}

TEST_F(ServiceList, OtherFieldsHaveTheirLimits)
{
    list_.page_size = 1001;
    Answer answer = Refused("List", &list_.base);
    EXPECT_EQ(answer.field, "page_size");
    EXPECT_EQ(answer.limit, 1000);
    EXPECT_EQ(answer.value, 1001);
    list_.page_size = 0;
    std::string prefix(129, 'p');
    list_.gid_prefix = Text(prefix);
    answer = Refused("List", &list_.base);
    EXPECT_EQ(answer.field, "gid_prefix");
    EXPECT_EQ(answer.limit, 128);
    prefix = "a b";
    list_.gid_prefix = Text(prefix);
    EXPECT_EQ(Refused("List", &list_.base).field, "gid_prefix");
    list_.gid_prefix = Text(prefix_);
    Tercet__V1__TransactionState states[7] = {};
    list_.states = states;
    list_.n_states = 1;
    EXPECT_EQ(Refused("List", &list_.base).field, "states") << "unspecified is no state";
    list_.n_states = 7;
    answer = Refused("List", &list_.base);
    EXPECT_EQ(answer.field, "states");
    EXPECT_EQ(answer.limit, 6);
}

TEST_F(ServiceList, CountsAsAWaitingCall)
{
    Start(1, 1);
    Tercet__V1__GetRequest get = TERCET__V1__GET_REQUEST__INIT;
    std::string gid = "g";
    get.gid = Text(gid);
    Pending first = Call("Get", &get.base);
    const EventPointer event = NextRequest(REQUEST_GET);
    const Answer answer = Call("List", &list_.base).Wait();
    EXPECT_EQ(answer.status, TERCET_RESOURCE_EXHAUSTED);
    EXPECT_EQ(answer.code, "TERCET_WAITING_CALLS");
    EXPECT_TRUE(answer.refused);
    Reply(event->u.request.token, REQUEST_GET, Copy(PlainView("g", TXN_TRYING)));
    EXPECT_EQ(first.Wait().status, TERCET_OK);
}
