// One harness for every store: a group over it, a handler that leaves a countable effect in the same
// local transaction, and a way to count the effects that were kept.
#ifndef TERCET_TESTS_FENCE_STORE_FIXTURE_H
#define TERCET_TESTS_FENCE_STORE_FIXTURE_H

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fence/group.h"
#include "fence/store.h"
#include "tercet/participant.h"
#include "unit/fence/store_kinds.h"

namespace fence_test
{

// A request that owns what it names.
struct Ask {
    std::string gid = "g";
    uint32_t branch = 1;
    tercet_phase phase = TERCET_PHASE_TRY;
    int64_t number = 1;
    int64_t number_incarnation = 10;
    uint8_t origin = 1; // every byte of it
    uint8_t digest = 1;
    std::string participant = "account";
    std::string action = "debit";
    bool confirm_only = false;
    int64_t incarnation = 10;
    int64_t epoch = 1;
};

Ask Try(const std::string &gid, int64_t number);
Ask Confirm(const std::string &gid, int64_t number);
Ask Cancel(const std::string &gid, int64_t number);

using Handler = std::function<tercet_verdict(const group_request &request, tercet_bytes tried,
                                             group_answer &answer)>;

// A directory that goes away with its object.
class TemporaryDirectory
{
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    const std::string &path() const
    {
        return path_;
    }

  private:
    std::string path_;
};

class Harness
{
  public:
    // A kind of store_kinds.h.  The same directory finds the same database again.
    Harness(const std::string &kind, const std::string &directory,
            uint32_t busy_timeout_ms = 20000);
    ~Harness();
    Harness(const Harness &) = delete;
    Harness &operator=(const Harness &) = delete;

    // From now on its group drives another store over the same tables, which it takes.
    void Drive(tercet_store *other);

    std::vector<group_answer> Run(const std::vector<Ask> &asks);
    group_answer Run(const Ask &ask);

    // Effects of this branch and phase that were committed.
    int Effects(const std::string &gid, uint32_t branch, tercet_phase phase);
    tercet_fence_state State(const std::string &gid, uint32_t branch = 1);
    tercet_fence_row Row(const std::string &gid, uint32_t branch = 1);
    tercet_store_description Describe(uint8_t origin = 1,
                                      const std::string &participant = "account");
    std::vector<std::string> List(tercet_branch_number from, tercet_branch_number below,
                                  uint32_t max, uint8_t origin = 1);
    tercet_status Apply(int64_t lsn, tercet_branch_number low,
                        std::vector<tercet_branch_number> open = {}, uint8_t origin = 1,
                        int64_t epoch = 1, const std::string &participant = "account");

    // What the default handler does: one effect, then DONE.
    tercet_verdict LeaveEffect(const group_request &request);

    Handler handler;
    tercet_store *store = nullptr;
    struct group group = {};
    uint64_t clock_us = 0; // moved only by tests
    std::vector<unsigned> pauses;
    tercet_sweep sweep = {}; // of the last Apply, row_count_max settable
    bool tells_kept = true;
    std::vector<std::string> kept; // told by it
    tercet_error error = {};
    void *connection = nullptr;  // while a handler runs
    tercet_request request = {}; // to be handed to the stores' accessors in a handler

  private:
    std::unique_ptr<Backend> backend_;
    tercet_store *driven_ = nullptr;
};

// Runs a test for each kind of store.
class EveryStore : public testing::TestWithParam<std::string>
{
  protected:
    EveryStore() : harness(std::make_unique<Harness>(GetParam(), directory.path())) {}
    bool survives() const
    {
        return GetParam() != "memory";
    }
    void Reopen()
    {
        harness.reset();
        harness = std::make_unique<Harness>(GetParam(), directory.path());
    }

    TemporaryDirectory directory;
    std::unique_ptr<Harness> harness;
};

std::string StoreName(const testing::TestParamInfo<std::string> &info);

} // namespace fence_test

#endif
