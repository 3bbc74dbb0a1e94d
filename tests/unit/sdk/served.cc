/* served.cc -- see served.h. */
#include "unit/sdk/served.h"

#include <gtest/gtest.h>

#include "fence/store.h"
#include "tercet/store_memory.h"
#include "tercet/store_sqlite.h"

bool Log::Has(const std::string &part)
{
    const std::lock_guard<std::mutex> lock(mutex);
    for (const std::string &line : lines) {
        if (line.find(part) != std::string::npos) {
            return true;
        }
    }
    return false;
}

void Log::Hook(tercet_log_level, const char *line, void *context)
{
    auto *self = static_cast<Log *>(context);
    const std::lock_guard<std::mutex> lock(self->mutex);
    self->lines.emplace_back(line);
}

Served::Served(const Options &options)
{
    tercet_error error = {};
    if (options.store == StoreKind::kMemory) {
        tercet_memory_options memory = {};
        memory.size = sizeof memory;
        memory.batch_max = options.batch_max;
        memory.queue_max = options.queue_max;
        EXPECT_EQ(tercet_memory_open(&memory, &store_, &error), TERCET_OK) << error.text;
    } else {
        const std::string path =
            options.sqlite_path.empty() ? directory_.Path("store.db") : options.sqlite_path;
        tercet_sqlite_options sqlite = {};
        sqlite.size = sizeof sqlite;
        sqlite.path = path.c_str();
        sqlite.batch_max = options.batch_max;
        sqlite.queue_max = options.queue_max;
        EXPECT_EQ(tercet_sqlite_open(&sqlite, &store_, &error), TERCET_OK) << error.text;
    }
    if (options.around != nullptr) {
        store_->ops = options.around(store_->ops);
    }
    std::string listen = options.listen;
    if (listen == "unix") {
        listen = "unix:" + directory_.Path("socket");
    }
    tercet_participant_options made = {};
    made.size = sizeof made;
    made.name = "account";
    made.listen = listen.c_str();
    made.in_flight_max = options.in_flight_max;
    made.unfenced_workers = options.unfenced_workers;
    made.log = Log::Hook;
    made.log_context = &log;
    EXPECT_EQ(tercet_participant_create(&made, &participant_, &error), TERCET_OK) << error.text;

    tercet_action fenced[2] = {};
    fenced[0].name = "act";
    fenced[0].on_try = options.act_is_confirm_only ? nullptr : Handlers::Handle;
    fenced[0].on_confirm = Handlers::Handle;
    fenced[0].on_cancel = fenced[0].on_try;
    fenced[0].context = &handlers;
    fenced[1].name = "note";
    fenced[1].on_confirm = Handlers::Handle;
    fenced[1].context = &handlers;
    EXPECT_EQ(tercet_participant_register(participant_, store_, fenced, 2, &error), TERCET_OK)
        << error.text;
    tercet_action unfenced[2] = {fenced[0], fenced[1]};
    unfenced[0].name = "out";
    unfenced[1].name = "shout";
    EXPECT_EQ(tercet_participant_register_unfenced(participant_, unfenced, 2, &error), TERCET_OK)
        << error.text;
    EXPECT_EQ(tercet_participant_start(participant_, &error), TERCET_OK) << error.text;
    wire_ = std::make_unique<Wire>(tercet_participant_address(participant_));
}

Served::~Served()
{
    Stop();
}

void Served::Stop()
{
    handlers.gate.Open();
    tercet_participant_destroy(participant_);
    participant_ = nullptr;
    tercet_store_close(store_);
    store_ = nullptr;
}

tercet_participant_stats Served::Stats()
{
    tercet_participant_stats stats = {};
    stats.size = sizeof stats;
    tercet_participant_read_stats(participant_, &stats);
    return stats;
}
