#include "histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

namespace
{

using Owned = std::unique_ptr<histogram, decltype(&histogram_destroy)>;

Owned Make()
{
    return Owned(histogram_create(), &histogram_destroy);
}

TEST(Histogram, AnEmptyOneHasNoPercentile)
{
    const Owned empty = Make();
    EXPECT_EQ(histogram_count(empty.get()), 0U);
    EXPECT_EQ(histogram_percentile(empty.get(), 990), 0U);
    EXPECT_EQ(histogram_max(empty.get()), 0U);
}

TEST(Histogram, SmallValuesAreExact)
{
    const Owned values = Make();
    for (uint64_t i = 1; i <= 60; i++) {
        histogram_add(values.get(), i);
    }
    EXPECT_EQ(histogram_percentile(values.get(), 500), 30U);
    EXPECT_EQ(histogram_percentile(values.get(), 1000), 60U);
    EXPECT_EQ(histogram_count(values.get()), 60U);
}

TEST(Histogram, APercentileIsNeverBelowTheTruthAndAtMostThreePercentAbove)
{
    std::mt19937_64 random(20261120);
    std::lognormal_distribution<double> distribution(8.0, 2.0);
    const Owned counted = Make();
    std::vector<uint64_t> all;
    for (int i = 0; i < 100000; i++) {
        all.push_back(static_cast<uint64_t>(distribution(random)));
        histogram_add(counted.get(), all.back());
    }
    std::sort(all.begin(), all.end());
    for (uint32_t per_mille : {1U, 100U, 500U, 900U, 950U, 990U, 999U, 1000U}) {
        const uint64_t truth = all[(all.size() * per_mille + 999) / 1000 - 1];
        const uint64_t told = histogram_percentile(counted.get(), per_mille);
        EXPECT_GE(told, truth) << per_mille;
        EXPECT_LE(static_cast<double>(told), static_cast<double>(truth) * 1.032) << per_mille;
    }
    EXPECT_EQ(histogram_max(counted.get()), all.back());
}

TEST(Histogram, EveryPowerOfTwoAndItsNeighboursFallIntoRisingBuckets)
{
    for (unsigned bit = 1; bit <= 40; bit++) {
        for (int offset : {-1, 0, 1}) {
            const Owned one = Make();
            const uint64_t value = (UINT64_C(1) << bit) + static_cast<uint64_t>(offset);
            histogram_add(one.get(), value);
            EXPECT_EQ(histogram_percentile(one.get(), 1), std::min(value, UINT64_C(1) << 40))
                << value;
        }
    }
}

TEST(Histogram, ValuesBeyondTheEndAreCountedAtTheEnd)
{
    const Owned one = Make();
    histogram_add(one.get(), UINT64_MAX);
    EXPECT_EQ(histogram_count(one.get()), 1U);
    EXPECT_EQ(histogram_max(one.get()), UINT64_C(1) << 40);
}

} // namespace
