#include "daemon/hours/number_region.h"

#include <gtest/gtest.h>

#include "daemon/hours/open_hours.h"

namespace stentor::daemon {
namespace {

TEST(NumberRegion, IsToldByTheLongestCode) {
  EXPECT_EQ(regions_of("79161234567"), "RU");
  EXPECT_EQ(regions_of("77011234567"), "KZ");
  EXPECT_EQ(regions_of("375291234567"), "BY");
  EXPECT_EQ(regions_of("4915112345678"), "DE");
  EXPECT_EQ(regions_of("12125550123"), "US,CA");
  EXPECT_EQ(regions_of("18765550123"), "JM");
  EXPECT_EQ(regions_of("998901234567"), "UZ");
}

TEST(NumberRegion, IsNotToldByCodesOfNoRegion) {
  for (const char* digits : {"800123456789", "881612345678", "9991234567", "", "2101234567"}) {
    EXPECT_EQ(regions_of(digits), "") << digits;
  }
}

TEST(NumberRegion, EveryRegionHasAZone) {
  OpenHours open;
  for (int code = 1; code <= 9999; ++code) {
    const std::string digits = std::to_string(code);
    if (const auto regions = regions_of(digits); !regions.empty()) {
      EXPECT_TRUE(open.knows("@" + std::string(regions))) << digits << " " << regions;
    }
  }
}

}  // namespace
}  // namespace stentor::daemon
