// The truth table against a second one, written from the specification and in another shape: every
// combination of row, phase, identity, mark and confirm-only.
#include "tercet/fence.h"

#include <gtest/gtest.h>

#include <string>

namespace
{

struct Expected {
    bool run = false;
    int verdict = 0;
    int how = 0;
    int conflict = 0;
    int becomes = 0;
    bool stored_result = false;
    std::string code;
};

Expected Conflict(int kind, int row, const char *code)
{
    return {false, TERCET_VERDICT_CONFLICT, 0, kind, row, false, code};
}

Expected Done(int how, int becomes, bool stored = false)
{
    return {false, TERCET_VERDICT_DONE, how, 0, becomes, stored, ""};
}

Expected Run(int becomes)
{
    return {true, 0, TERCET_HOW_RAN, 0, becomes, false, ""};
}

Expected Refused(int row, const char *code)
{
    return {false, TERCET_VERDICT_REFUSED, 0, 0, row, false, code};
}

// The specification's rules one after the other, the first that applies.
Expected Specification(int row, int phase, bool same, int mark, bool confirm_only)
{
    const bool is_try = phase == 1, confirm = phase == 2;
    if (row != 0 && !same) {
        return Conflict(TERCET_CONFLICT_OTHER_TRANSACTION, row, "TERCET_OTHER_TRANSACTION");
    }
    if (is_try && confirm_only) {
        return Refused(row, "TERCET_CONFIRM_ONLY");
    }
    if (row == 0 && mark == TERCET_MARK_BELOW) {
        return is_try ? Refused(0, "TERCET_FORGOTTEN")
                      : Conflict(TERCET_CONFLICT_FORGOTTEN, 0, "TERCET_FORGOTTEN");
    }
    if (is_try) {
        if (row == 0) {
            return Run(TERCET_FENCE_TRIED);
        }
        return row == 1 || row == 2 ? Done(TERCET_HOW_REPEATED, row, true)
                                    : Refused(row, "TERCET_TRY_AFTER_CANCEL");
    }
    if (confirm) {
        if (row == 0 && !confirm_only) {
            return Conflict(TERCET_CONFLICT_NOT_TRIED, 0, "TERCET_CONFIRM_WITHOUT_TRY");
        }
        if (row == 0 || row == 1) {
            return Run(TERCET_FENCE_CONFIRMED);
        }
        return row == 2 ? Done(TERCET_HOW_REPEATED, 2)
                        : Conflict(TERCET_CONFLICT_CANCELLED, row, "TERCET_CONFIRM_AFTER_CANCEL");
    }
    switch (row) {
    case 0:
        return Done(TERCET_HOW_EMPTY, TERCET_FENCE_SUSPENDED);
    case 1:
        return Run(TERCET_FENCE_CANCELLED);
    case 2:
        return Conflict(TERCET_CONFLICT_CONFIRMED, 2, "TERCET_CANCEL_AFTER_CONFIRM");
    case 3:
        return Done(TERCET_HOW_REPEATED, 3);
    default:
        return Done(TERCET_HOW_EMPTY, 4);
    }
}

TEST(FenceDecide, EveryCellIsAsSpecified)
{
    int cells = 0;
    for (int row = 0; row <= 4; row++) {
        for (int phase = 1; phase <= 3; phase++) {
            for (int same = 0; same <= 1; same++) {
                for (int mark = 0; mark <= 2; mark++) {
                    for (int only = 0; only <= 1; only++) {
                        SCOPED_TRACE(testing::Message()
                                     << "row " << row << " phase " << phase << " same " << same
                                     << " mark " << mark << " confirm_only " << only);
                        tercet_fence_facts facts = {};
                        facts.row = static_cast<tercet_fence_state>(row);
                        facts.phase = static_cast<tercet_phase>(phase);
                        facts.same_identity = same != 0;
                        facts.mark = static_cast<tercet_mark_relation>(mark);
                        facts.confirm_only = only != 0;
                        const auto got = tercet_fence_decide(&facts);
                        const auto want = Specification(row, phase, same != 0, mark, only != 0);
                        EXPECT_EQ(got.run, want.run);
                        EXPECT_EQ(got.verdict, want.verdict);
                        EXPECT_EQ(got.how, want.how);
                        EXPECT_EQ(got.conflict, want.conflict);
                        EXPECT_EQ(got.becomes, want.becomes);
                        EXPECT_EQ(got.stored_result, want.stored_result);
                        EXPECT_EQ(got.code, want.code);
                        EXPECT_EQ(got.code[0] == '\0', got.text[0] == '\0');
                        EXPECT_LT(strlen(got.text), size_t{TERCET_REASON_TEXT_BYTES_MAX});
                        cells++;
                    }
                }
            }
        }
    }
    EXPECT_EQ(cells, 180);
}

TEST(FenceDecide, FactsOutsideTheTableAreNeverRunAndNeverDone)
{
    // Written as bytes: what a C caller or a broken row may hold, C++ must not name.
    auto check = [](int row, int phase, int mark) {
        tercet_fence_facts facts = {};
        memcpy(&facts.row, &row, sizeof row);
        memcpy(&facts.phase, &phase, sizeof phase);
        memcpy(&facts.mark, &mark, sizeof mark);
        facts.same_identity = true;
        const auto decision = tercet_fence_decide(&facts);
        EXPECT_FALSE(decision.run);
        EXPECT_EQ(decision.verdict, TERCET_VERDICT_CONFLICT);
        EXPECT_EQ(memcmp(&decision.becomes, &row, sizeof row), 0);
    };
    for (int row : {-1, 5, 6, 1000}) {
        check(row, 1, 0);
    }
    for (int phase : {-1, 0, 4, 1000}) {
        check(1, phase, 0);
    }
    for (int mark : {-1, 3, 1000}) {
        check(0, 1, mark);
    }
}

TEST(FenceDecide, OnlyACancelThatFindsNothingWritesWithoutItsHandler)
{
    for (int row = 0; row <= 4; row++) {
        for (int phase = 1; phase <= 3; phase++) {
            for (int mark = 0; mark <= 2; mark++) {
                tercet_fence_facts facts = {};
                facts.row = static_cast<tercet_fence_state>(row);
                facts.phase = static_cast<tercet_phase>(phase);
                facts.mark = static_cast<tercet_mark_relation>(mark);
                facts.same_identity = true;
                const auto decision = tercet_fence_decide(&facts);
                const bool writes = !decision.run && decision.becomes != facts.row;
                EXPECT_EQ(writes, row == 0 && phase == 3 && mark != TERCET_MARK_BELOW);
            }
        }
    }
}

TEST(FenceDecide, WhatAClaimInsertsIsWhatTheTableWouldWrite)
{
    EXPECT_EQ(tercet_fence_wanted(TERCET_PHASE_TRY, false), TERCET_FENCE_TRIED);
    EXPECT_EQ(tercet_fence_wanted(TERCET_PHASE_CONFIRM, false), TERCET_FENCE_NONE);
    EXPECT_EQ(tercet_fence_wanted(TERCET_PHASE_CONFIRM, true), TERCET_FENCE_CONFIRMED);
    EXPECT_EQ(tercet_fence_wanted(TERCET_PHASE_CANCEL, false), TERCET_FENCE_SUSPENDED);
    EXPECT_EQ(tercet_fence_wanted(TERCET_PHASE_CANCEL, true), TERCET_FENCE_SUSPENDED);
}

TEST(FenceDecide, StoredStateNumbersNeverChange)
{
    EXPECT_EQ(TERCET_FENCE_TRIED, 1);
    EXPECT_EQ(TERCET_FENCE_CONFIRMED, 2);
    EXPECT_EQ(TERCET_FENCE_CANCELLED, 3);
    EXPECT_EQ(TERCET_FENCE_SUSPENDED, 4);
    EXPECT_STREQ(tercet_fence_state_name(TERCET_FENCE_SUSPENDED), "SUSPENDED");
    EXPECT_STREQ(tercet_fence_state_name(static_cast<tercet_fence_state>(5)), "?");
    EXPECT_STREQ(tercet_fence_state_name(static_cast<tercet_fence_state>(7)), "?");
}

tercet_fence_key Key(const char *gid, uint32_t branch)
{
    return {tercet_bytes_of_text(gid), branch};
}

TEST(FenceKey, ComparesBytesAndNothingElse)
{
    auto order = [](tercet_fence_key a, tercet_fence_key b) {
        const int there = tercet_fence_key_compare(&a, &b);
        const int back = tercet_fence_key_compare(&b, &a);
        EXPECT_EQ(there<0, back> 0);
        EXPECT_EQ(there == 0, back == 0);
        return there;
    };
    EXPECT_EQ(order(Key("x-1", 1), Key("x-1", 1)), 0);
    EXPECT_LT(order(Key("x-1", 1), Key("x-1", 2)), 0);
    EXPECT_LT(order(Key("x-1", 9), Key("x-10", 1)), 0);
    EXPECT_NE(order(Key("a", 1), Key("A", 1)), 0);
    EXPECT_NE(order(Key("a", 1), Key("a ", 1)), 0);
    EXPECT_LT(order(Key("a\x7f", 1), Key("a\xc3", 1)), 0);
}

TEST(FenceIdentity, DiffersInOriginNumberIncarnationOrDigest)
{
    tercet_fence_identity a = {};
    a.number = {5, 7};
    tercet_fence_identity b = a;
    EXPECT_TRUE(tercet_fence_identity_equal(&a, &b));
    b.origin[19] = 1;
    EXPECT_FALSE(tercet_fence_identity_equal(&a, &b));
    b = a;
    b.number.number = 8;
    EXPECT_FALSE(tercet_fence_identity_equal(&a, &b));
    b = a;
    b.number.incarnation = 6;
    EXPECT_FALSE(tercet_fence_identity_equal(&a, &b));
    b = a;
    b.digest[15] = 1;
    EXPECT_FALSE(tercet_fence_identity_equal(&a, &b));
}

} // namespace
