/* places.h -- suites that run once for every kind of store and address. */
#ifndef TESTS_UNIT_SDK_PLACES_H
#define TESTS_UNIT_SDK_PLACES_H

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "unit/sdk/served.h"

/* Waits until `check` holds; the time is a bound, not a delay. */
inline bool Eventually(const std::function<bool()> &check)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end) {
        if (check()) {
            return true;
        }
        std::this_thread::yield();
    }
    return check();
}

struct Place {
    const char *name;
    StoreKind store;
    const char *listen;
};

constexpr Place kPlaces[] = {{"MemoryLoopback", StoreKind::kMemory, "127.0.0.1:0"},
                             {"MemoryUnix", StoreKind::kMemory, "unix"},
                             {"SqliteUnix", StoreKind::kSqlite, "unix"}};

inline std::string PlaceName(const testing::TestParamInfo<Place> &place)
{
    return place.param.name;
}

class AtEveryPlace : public testing::TestWithParam<Place>
{
  protected:
    Served::Options Options() const
    {
        Served::Options options;
        options.store = GetParam().store;
        options.listen = GetParam().listen;
        return options;
    }
};

#endif
