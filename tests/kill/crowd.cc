// See crowd.h.
#include "kill/crowd.h"

#include <cstdio>
#include <cstdlib>
#include <thread>

namespace kill_campaign
{

enum { ENDED_WITHIN_MS = 60000 };

Crowd::Crowd(const std::string &target, uint64_t seed) : random_(seed)
{
    tercet_client_options options{};
    options.size = sizeof options;
    options.target = target.c_str();
    tercet_error error{};
    if (tercet_client_create(&options, &client_, &error) != TERCET_OK) {
        fprintf(stderr, "kill_campaign: %s\n", error.text);
        exit(70);
    }
}

Crowd::~Crowd()
{
    tercet_client_destroy(client_);
}

// A debit at one participant, and credits at one to three others for the same sum; now and then more
// than there is.
Payment Crowd::Draw(int cycle, int i)
{
    std::lock_guard<std::mutex> lock(mutex_);
    Payment made;
    made.gid = "k-" + std::to_string(cycle) + "-" + std::to_string(i);
    const int credits = 1 + static_cast<int>(random_() % 3);
    const int first = static_cast<int>(random_() % PARTICIPANTS);
    const bool too_much = random_() % 8 == 0;
    int64_t sum = 0;
    for (int c = 1; c <= credits; c++) {
        const int64_t amount =
            too_much ? 100 * OPENING_BALANCE : static_cast<int64_t>(1 + random_() % 50);
        sum += amount;
        made.moves.push_back({(first + c) % PARTICIPANTS, std::to_string(1 + random_() % ACCOUNTS) +
                                                              " " + std::to_string(amount)});
    }
    made.moves.push_back(
        {first, std::to_string(1 + random_() % ACCOUNTS) + " " + std::to_string(-sum)});
    made.wait = random_() % 3 == 0   ? TERCET_WAIT_BEGIN
                : random_() % 2 == 0 ? TERCET_WAIT_DECISION
                                     : TERCET_WAIT_END;
    made.try_timeout_ms = random_() % 6 == 0 ? 100 : 5000;
    made.cancelled_too = random_() % 10 == 0;
    return made;
}

void Crowd::Execute(Payment *payment)
{
    std::vector<tercet_branch> branches(payment->moves.size());
    std::vector<std::string> names;
    for (const Move &move : payment->moves) {
        names.push_back(Stage::Name(move.participant));
    }
    for (size_t i = 0; i < branches.size(); i++) {
        branches[i].participant = names[i].c_str();
        branches[i].action = ACTION;
        branches[i].payload =
            tercet_bytes_of(payment->moves[i].payload.data(), payment->moves[i].payload.size());
    }
    tercet_transaction transaction{};
    transaction.size = sizeof transaction;
    transaction.gid = payment->gid.c_str();
    transaction.branches = branches.data();
    transaction.branch_count = branches.size();
    transaction.wait = payment->wait;
    transaction.try_timeout_ms = payment->try_timeout_ms;
    transaction.wait_timeout_ms = 10000;
    std::thread canceller;
    if (payment->cancelled_too) {
        canceller = std::thread([&] {
            if (tercet_client_cancel(client_, payment->gid.c_str(), "the customer left", nullptr) ==
                TERCET_OUTCOME_NOT_STARTED) {
                refused_cancels_++;
            }
        });
    }
    tercet_result *result = nullptr;
    payment->told = tercet_client_execute(client_, &transaction, &result);
    payment->text = result->status_text;
    tercet_result_destroy(result);
    if (canceller.joinable()) {
        canceller.join();
    }
}

std::vector<Payment> Crowd::Pay(int count, int cycle)
{
    std::vector<Payment> payments;
    for (int i = 0; i < count; i++) {
        payments.push_back(Draw(cycle, i));
    }
    std::vector<std::thread> threads;
    for (Payment &payment : payments) {
        threads.emplace_back([this, &payment] { Execute(&payment); });
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
    return payments;
}

bool Crowd::Settle(const std::vector<Payment> &payments, std::vector<tercet_outcome> *final_out,
                   std::string *finding_out)
{
    for (const Payment &payment : payments) {
        tercet_result *result = nullptr;
        tercet_outcome outcome = tercet_client_query(client_, payment.gid.c_str(), TERCET_WAIT_END,
                                                     ENDED_WITHIN_MS, &result);
        const bool unknown_gid = result->status == TERCET_NOT_FOUND;
        const bool ended = unknown_gid || result->ended;
        const std::string text = result->status_text;
        tercet_result_destroy(result);
        outcome = unknown_gid ? TERCET_OUTCOME_NOT_STARTED : outcome;
        if (!ended) {
            *finding_out = payment.gid + " has not ended after a minute: " + text;
            return false;
        }
        const bool decided =
            payment.told == TERCET_OUTCOME_CONFIRMED || payment.told == TERCET_OUTCOME_CANCELLED;
        const bool stored = payment.told == TERCET_OUTCOME_UNKNOWN &&
                            payment.wait == TERCET_WAIT_BEGIN && payment.text.empty();
        const bool cancelled_first = payment.told == TERCET_OUTCOME_NOT_STARTED &&
                                     payment.cancelled_too && outcome == TERCET_OUTCOME_CANCELLED;
        if ((decided && payment.told != outcome) || (stored && unknown_gid) ||
            (payment.told == TERCET_OUTCOME_NOT_STARTED && !unknown_gid && !cancelled_first)) {
            *finding_out = payment.gid + " was told outcome " + std::to_string(payment.told) +
                           " (" + payment.text + "), and is now " + std::to_string(outcome);
            return false;
        }
        final_out->push_back(outcome);
    }
    return true;
}

} // namespace kill_campaign
