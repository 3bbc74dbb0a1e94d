/* The honest-answer rules, attempt by attempt, without a network. */
#include "src/client_policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace
{

client_attempt Failed(tercet_status status, bool left, bool refused, const char *code = "")
{
    client_attempt attempt = {};
    attempt.status = status;
    attempt.left = left;
    attempt.refused = refused;
    attempt.code = code;
    attempt.answer = CLIENT_ANSWER_NONE;
    return attempt;
}

client_attempt Answered(client_answer answer)
{
    client_attempt attempt = {};
    attempt.status = TERCET_OK;
    attempt.left = true;
    attempt.code = "";
    attempt.answer = answer;
    return attempt;
}

TEST(ClientPolicy, OneRefusalWithTheTrailerIsNotStarted)
{
    client_history history = {};
    const client_attempt attempt = Failed(TERCET_INVALID_ARGUMENT, true, true);
    const client_judgement judgement = client_policy_judge(&history, &attempt, false);
    EXPECT_EQ(judgement.next, CLIENT_FINISH);
    EXPECT_EQ(judgement.status, TERCET_INVALID_ARGUMENT);
    EXPECT_TRUE(judgement.not_started);
}

TEST(ClientPolicy, ARefusalWithoutTheTrailerIsUnknown)
{
    for (int status = 1; status <= 20; status++) {
        client_history history = {};
        const client_attempt attempt = Failed(static_cast<tercet_status>(status), true, false);
        const client_judgement judgement = client_policy_judge(&history, &attempt, true);
        EXPECT_EQ(judgement.next, CLIENT_FINISH) << status;
        EXPECT_FALSE(judgement.not_started) << status;
    }
}

TEST(ClientPolicy, ALostAttemptTaintsEveryLaterRefusal)
{
    client_history history = {};
    const client_attempt lost = Failed(TERCET_UNAVAILABLE, true, false);
    EXPECT_EQ(client_policy_judge(&history, &lost, false).next, CLIENT_REPEAT);
    const client_attempt refused = Failed(TERCET_ALREADY_EXISTS, true, true);
    const client_judgement judgement = client_policy_judge(&history, &refused, false);
    EXPECT_EQ(judgement.next, CLIENT_FINISH);
    EXPECT_FALSE(judgement.not_started);
    EXPECT_EQ(judgement.status, TERCET_ALREADY_EXISTS);
}

TEST(ClientPolicy, AttemptsThatNeverLeftAreNotStartedWhenTheWaitIsOver)
{
    client_history history = {};
    const client_attempt unsent = Failed(TERCET_UNAVAILABLE, false, false);
    EXPECT_EQ(client_policy_judge(&history, &unsent, false).next, CLIENT_REPEAT);
    const client_judgement judgement = client_policy_judge(&history, &unsent, true);
    EXPECT_EQ(judgement.next, CLIENT_FINISH);
    EXPECT_TRUE(judgement.not_started);
    EXPECT_EQ(judgement.status, TERCET_UNAVAILABLE);
}

TEST(ClientPolicy, WhatIsLostUntilTheEndIsUnknownByDeadline)
{
    client_history history = {};
    const client_attempt lost = Failed(TERCET_UNAVAILABLE, true, false);
    const client_judgement judgement = client_policy_judge(&history, &lost, true);
    EXPECT_FALSE(judgement.not_started);
    EXPECT_EQ(judgement.status, TERCET_DEADLINE_EXCEEDED);
}

TEST(ClientPolicy, OnlyTransportFailuresAreRepeated)
{
    const std::vector<tercet_status> repeated = {TERCET_UNAVAILABLE,       TERCET_CALL_CANCELLED,
                                                 TERCET_UNKNOWN,           TERCET_INTERNAL,
                                                 TERCET_DEADLINE_EXCEEDED, TERCET_ABORTED};
    for (int status = 1; status <= 20; status++) {
        client_history history = {};
        const client_attempt attempt = Failed(static_cast<tercet_status>(status), true, false);
        const bool expected =
            std::find(repeated.begin(), repeated.end(), attempt.status) != repeated.end();
        EXPECT_EQ(client_policy_judge(&history, &attempt, false).next,
                  expected ? CLIENT_REPEAT : CLIENT_FINISH)
            << status;
    }
}

TEST(ClientPolicy, ARefusalThatARepeatCannotChangeIsFinal)
{
    for (int status = 1; status <= 16; status++) {
        client_history history = {};
        const client_attempt attempt =
            Failed(static_cast<tercet_status>(status), true, true, "TERCET_PARTICIPANT_FULL");
        EXPECT_EQ(client_policy_judge(&history, &attempt, false).next, CLIENT_FINISH) << status;
    }
}

TEST(ClientPolicy, ACoordinatorThatStartsOrStopsIsAskedAgainAndStaysNotStarted)
{
    for (const char *code : {"", "TERCET_STARTING", "TERCET_STOPPING"}) {
        client_history history = {};
        const client_attempt attempt = Failed(TERCET_UNAVAILABLE, true, true, code);
        EXPECT_EQ(client_policy_judge(&history, &attempt, false).next, CLIENT_REPEAT);
        EXPECT_TRUE(client_policy_judge(&history, &attempt, true).not_started);
    }
}

TEST(ClientPolicy, ASenselessAnswerIsFinalAndNoSuccess)
{
    client_history history = {};
    const client_attempt attempt = Answered(CLIENT_ANSWER_SENSELESS);
    const client_judgement judgement = client_policy_judge(&history, &attempt, false);
    EXPECT_EQ(judgement.next, CLIENT_FINISH);
    EXPECT_EQ(judgement.status, TERCET_INTERNAL);
    EXPECT_FALSE(judgement.not_started);
}

TEST(ClientPolicy, AnUndecidedAnswerIsAskedAgainUntilTheWaitIsOver)
{
    client_history history = {};
    const client_attempt attempt = Answered(CLIENT_ANSWER_NOT_YET);
    EXPECT_EQ(client_policy_judge(&history, &attempt, false).next, CLIENT_REPEAT);
    const client_judgement judgement = client_policy_judge(&history, &attempt, true);
    EXPECT_EQ(judgement.next, CLIENT_FINISH);
    EXPECT_EQ(judgement.status, TERCET_DEADLINE_EXCEEDED);
    EXPECT_FALSE(judgement.not_started);
}

TEST(ClientPolicy, AnAnswerTaintsALaterRefusal)
{
    client_history history = {};
    const client_attempt answered = Answered(CLIENT_ANSWER_NOT_YET);
    (void)client_policy_judge(&history, &answered, false);
    const client_attempt refused = Failed(TERCET_FAILED_PRECONDITION, true, true);
    EXPECT_FALSE(client_policy_judge(&history, &refused, false).not_started);
}

} // namespace
