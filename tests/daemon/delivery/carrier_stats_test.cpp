#include "daemon/delivery/carrier_stats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace stentor::daemon {
namespace {

TEST(CarrierStats, CountsTheFirstStatusesOneByOneAndTheRestTogether) {
  CarrierStats stats;
  for (std::uint32_t status = 0; status < CarrierStats::kStatusesMax + 10; ++status) {
    stats.count_status(status);
  }
  stats.count_status(0);
  stats.count_status(CarrierStats::kStatusesMax);

  ASSERT_EQ(stats.statuses.size(), CarrierStats::kStatusesMax);
  EXPECT_EQ(stats.statuses.front().count, 2u);
  EXPECT_EQ(stats.statuses.back().count, 1u) << "no other's answers";
  EXPECT_EQ(stats.statuses_other, 11u);
}

}  // namespace
}  // namespace stentor::daemon
