#include "bench/load/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace stentor::load {
namespace {

using std::chrono::nanoseconds;

TEST(LatencyHistogram, AnswersZeroWhenNothingWasCounted) {
  EXPECT_EQ(LatencyHistogram().quantile(0.99).count(), 0);
}

TEST(LatencyHistogram, IsExactForSmallValues) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.add(nanoseconds(i));

  EXPECT_EQ(histogram.quantile(0.5).count(), 50);
  EXPECT_EQ(histogram.quantile(0.99).count(), 99);
  EXPECT_EQ(histogram.quantile(1).count(), 100);
  EXPECT_EQ(histogram.max().count(), 100);
}

TEST(LatencyHistogram, CountsMany) {
  LatencyHistogram histogram;
  histogram.add(nanoseconds(1000), 990);
  histogram.add(nanoseconds(9'000'000), 10);

  EXPECT_EQ(histogram.count(), 1000u);
  EXPECT_LT(histogram.quantile(0.99).count(), 1016);
  EXPECT_EQ(histogram.quantile(0.991).count(), 9'000'000);
}

TEST(LatencyHistogram, IsNeverOffByMoreThanOneSixtyFourth) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 200; ++round) {
    const auto value = static_cast<std::int64_t>(random() >> (17 + random() % 40));
    LatencyHistogram histogram;
    histogram.add(nanoseconds(value));
    histogram.add(nanoseconds(std::int64_t{1} << 50));  // so that max() does not help

    const double read = static_cast<double>(histogram.quantile(0.5).count());
    EXPECT_GE(read, static_cast<double>(value));
    EXPECT_LE(read, static_cast<double>(value) * (1 + 1.0 / 64) + 1);
  }
}

TEST(LatencyHistogram, AgreesWithSorting) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  LatencyHistogram histogram;
  LatencyHistogram half;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 10000; ++i) {
    const auto value = static_cast<std::int64_t>(random() % 5'000'000);
    values.push_back(value);
    (i % 2 == 0 ? histogram : half).add(nanoseconds(value));
  }
  histogram.merge(half);
  std::sort(values.begin(), values.end());

  for (const double share : {0.5, 0.9, 0.99, 0.999}) {
    const auto exact = static_cast<double>(
        values[static_cast<std::size_t>(share * static_cast<double>(values.size())) - 1]);
    EXPECT_NEAR(static_cast<double>(histogram.quantile(share).count()), exact, exact / 50 + 2);
  }
}

}  // namespace
}  // namespace stentor::load
