// See crowd.h.
#include "campaign/crowd.h"

#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>

#include "campaign/ledger.h"

namespace campaign
{
namespace
{

enum { ENDED_WITHIN_MS = 30000, WAIT_MS = 10000, STEP_MS = 4000 };

// A debit at one participant, and credits at one to three others for the same sum; now and then more
// than there is.
Payment Draw(std::mt19937_64 *random, const std::string &gid)
{
    const auto below = [&](uint64_t bound) { return (*random)() % bound; };
    Payment made;
    made.gid = gid;
    const int credits = 1 + static_cast<int>(below(3));
    const int first = static_cast<int>(below(PARTICIPANTS));
    const bool too_much = below(8) == 0;
    int64_t sum = 0;
    for (int c = 1; c <= credits; c++) {
        const int64_t amount =
            too_much ? 100 * OPENING_BALANCE : static_cast<int64_t>(1 + below(50));
        sum += amount;
        made.moves.push_back({(first + c) % PARTICIPANTS,
                              std::to_string(1 + below(ACCOUNTS)) + " " + std::to_string(amount)});
    }
    made.moves.push_back({first, std::to_string(1 + below(ACCOUNTS)) + " " + std::to_string(-sum)});
    made.wait = static_cast<tercet_wait>(TERCET_WAIT_BEGIN + below(3));
    made.try_timeout_ms = below(6) == 0 ? 30 : 3000;
    made.cancelled_too = below(10) == 0;
    const uint64_t way = below(16);
    made.way = way < 11   ? Way::EXECUTE
               : way < 14 ? Way::STEPS
               : way < 15 ? Way::STEPS_CANCELLED
                          : Way::STEPS_LEFT;
    if (made.way != Way::EXECUTE) { // it waits so long when its initiator dies
        made.try_timeout_ms = made.way == Way::STEPS_LEFT ? 30 : 500;
    }
    return made;
}

tercet_branch BranchOf(const Move &move, const std::string &name)
{
    tercet_branch branch{};
    branch.participant = name.c_str();
    branch.action = ACTION;
    branch.payload = tercet_bytes_of(move.payload.data(), move.payload.size());
    return branch;
}

bool Decided(tercet_outcome outcome)
{
    return outcome == TERCET_OUTCOME_CONFIRMED || outcome == TERCET_OUTCOME_CANCELLED;
}

} // namespace

std::string ParticipantName(int i)
{
    return "p" + std::to_string(i);
}

std::string GidPrefix(uint64_t seed, int cycle)
{
    return "k" + std::to_string(seed) + "-" + std::to_string(cycle) + "-";
}

std::vector<Payment> DrawPayments(uint64_t seed, int cycle)
{
    std::mt19937_64 random(seed * 1000003 + static_cast<uint64_t>(cycle));
    std::vector<Payment> made;
    for (int i = 0; i < PAYMENTS; i++) {
        made.push_back(Draw(&random, GidPrefix(seed, cycle) + std::to_string(i)));
    }
    return made;
}

Crowd::Crowd(const std::string &target)
{
    tercet_client_options options{};
    options.size = sizeof options;
    options.target = target.c_str();
    options.step_timeout_ms = STEP_MS;
    tercet_error error{};
    if (tercet_client_create(&options, &client_, &error) != TERCET_OK) {
        fprintf(stderr, "campaign: %s\n", error.text);
        exit(70);
    }
}

Crowd::~Crowd()
{
    tercet_client_destroy(client_);
}

void Crowd::Execute(Payment *payment)
{
    std::vector<std::string> names;
    for (const Move &move : payment->moves) {
        names.push_back(ParticipantName(move.participant));
    }
    std::vector<tercet_branch> branches;
    for (size_t i = 0; i < payment->moves.size(); i++) {
        branches.push_back(BranchOf(payment->moves[i], names[i]));
    }
    tercet_transaction transaction{};
    transaction.size = sizeof transaction;
    transaction.gid = payment->gid.c_str();
    transaction.branches = branches.data();
    transaction.branch_count = branches.size();
    transaction.wait = payment->wait;
    transaction.try_timeout_ms = payment->try_timeout_ms;
    transaction.wait_timeout_ms = WAIT_MS;
    tercet_result *result = nullptr;
    payment->told = tercet_client_execute(client_, &transaction, &result);
    payment->stored = payment->told == TERCET_OUTCOME_UNKNOWN && result->status == TERCET_OK;
    tercet_result_destroy(result);
}

void Crowd::Steps(Payment *payment)
{
    const char *const gid = payment->gid.c_str();
    tercet_transaction transaction{};
    transaction.size = sizeof transaction;
    transaction.gid = gid;
    transaction.try_timeout_ms = payment->try_timeout_ms;
    if (tercet_client_begin(client_, &transaction, nullptr) != TERCET_OK) {
        return; // it may have begun
    }
    payment->stored = true;
    bool tried = true;
    for (size_t i = 0; tried && i < payment->moves.size(); i++) {
        const std::string name = ParticipantName(payment->moves[i].participant);
        const tercet_branch branch = BranchOf(payment->moves[i], name);
        tried = tercet_client_try(client_, gid, static_cast<uint32_t>(i + 1), &branch, nullptr) ==
                TERCET_VERDICT_DONE;
    }
    if (payment->way == Way::STEPS_LEFT) {
        return;
    }
    payment->told = tried && payment->way == Way::STEPS
                        ? tercet_client_confirm(client_, gid, nullptr)
                        : tercet_client_cancel(client_, gid, "not wanted", nullptr);
}

void Crowd::Pay(std::vector<Payment> *payments, const std::function<void(const Payment &)> &told)
{
    std::vector<std::thread> threads;
    for (Payment &payment : *payments) {
        threads.emplace_back([this, &payment, &told] {
            std::thread canceller;
            if (payment.cancelled_too) {
                canceller = std::thread([&] {
                    payment.told_by_cancel = tercet_client_cancel(client_, payment.gid.c_str(),
                                                                  "the customer left", nullptr);
                });
            }
            payment.way == Way::EXECUTE ? Execute(&payment) : Steps(&payment);
            if (canceller.joinable()) {
                canceller.join();
            }
            told(payment);
        });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

tercet_outcome Crowd::Ask(const std::string &gid)
{
    return tercet_client_query(client_, gid.c_str(), TERCET_WAIT_BEGIN, WAIT_MS, nullptr);
}

std::string Crowd::SettleOne(const Payment &payment, tercet_outcome *final_out)
{
    const std::string was = payment.gid + " was told " + tercet_outcome_name(payment.told) +
                            (payment.stored ? " (stored)" : "") + ", its cancel " +
                            tercet_outcome_name(payment.told_by_cancel);
    const bool promised =
        Decided(payment.told) || Decided(payment.told_by_cancel) || payment.stored;
    bool known = false;
    for (int time = 0; time < 2 && !known; time++) {
        tercet_result *result = nullptr;
        *final_out = tercet_client_query(client_, payment.gid.c_str(), TERCET_WAIT_END,
                                         ENDED_WITHIN_MS, &result);
        known = result->status != TERCET_NOT_FOUND;
        const bool ended = result->ended;
        const std::string text = result->status_text;
        tercet_result_destroy(result);
        if (known && !ended) {
            return "STUCK: " + was + ", and has not ended: " + text;
        }
        if (!known && promised) {
            return "LOST: " + was + ", and is not there";
        }
        if (!known && payment.told == TERCET_OUTCOME_NOT_STARTED) {
            *final_out = TERCET_OUTCOME_NOT_STARTED;
            return "";
        }
        if (!known) { // a request may still be on its way: this makes sure, one way or the other
            (void)!tercet_client_cancel(client_, payment.gid.c_str(), "made sure", nullptr);
        }
    }
    if (!known) {
        return "LOST: " + was + ", was cancelled to make sure, and is not there";
    }
    const bool contradicts =
        (Decided(payment.told) && payment.told != *final_out) ||
        (Decided(payment.told_by_cancel) && payment.told_by_cancel != *final_out) ||
        (payment.told == TERCET_OUTCOME_NOT_STARTED && !payment.cancelled_too);
    return contradicts ? "LOST: " + was + ", and is now " + tercet_outcome_name(*final_out) : "";
}

std::string Crowd::Settle(const std::vector<Payment> &payments,
                          std::vector<tercet_outcome> *final_out)
{
    final_out->assign(payments.size(), TERCET_OUTCOME_UNKNOWN);
    for (size_t i = 0; i < payments.size(); i++) {
        const std::string finding = SettleOne(payments[i], &(*final_out)[i]);
        if (!finding.empty()) {
            return finding;
        }
    }
    return "";
}

} // namespace campaign
