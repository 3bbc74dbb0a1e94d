/* served.h -- a participant that is really served. */
#ifndef TESTS_UNIT_SDK_SERVED_H
#define TESTS_UNIT_SDK_SERVED_H

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tercet/fence.h"
#include "unit/sdk/handlers.h"
#include "unit/sdk/temporary_directory.h"
#include "unit/sdk/wire.h"

enum class StoreKind { kMemory, kSqlite };

/* Collects log lines. */
struct Log {
    std::mutex mutex;
    std::vector<std::string> lines;
    bool Has(const std::string &part);
    static void Hook(tercet_log_level level, const char *line, void *context);
};

/* A served participant "account" with the action "act" (fenced), "note" (confirm-only), "out"
 * (unfenced) and "shout" (both). */
class Served
{
  public:
    struct Options {
        StoreKind store = StoreKind::kMemory;
        std::string listen = "127.0.0.1:0";
        uint32_t batch_max = 0;
        uint32_t queue_max = 0;
        uint32_t in_flight_max = 0;
        uint32_t unfenced_workers = 0;
        std::string sqlite_path;
        bool act_is_confirm_only = false;
        /* What the participant is given in place of the store's own slots. */
        const tercet_store_ops *(*around)(const tercet_store_ops *) = nullptr;
    };
    Served() : Served(Options()) {}
    explicit Served(const Options &options);
    ~Served();
    Served(const Served &) = delete;
    Served &operator=(const Served &) = delete;

    void Stop(); /* destroys the participant and closes the store */
    Wire &wire()
    {
        return *wire_;
    }
    tercet_participant *participant()
    {
        return participant_;
    }
    tercet_participant_stats Stats();

    Handlers handlers;
    Log log;

  private:
    TemporaryDirectory directory_;
    tercet_store *store_ = nullptr;
    tercet_participant *participant_ = nullptr;
    std::unique_ptr<Wire> wire_;
};

#endif
