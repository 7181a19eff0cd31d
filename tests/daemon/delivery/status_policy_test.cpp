#include "daemon/delivery/status_policy.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using protocol::CommandStatus;
using protocol::Disposition;

StatusMeaning meaning(const CarrierConfig& carrier, std::uint32_t status) {
  return StatusPolicy(carrier).meaning_of(static_cast<CommandStatus>(status));
}

TEST(StatusPolicy, IsTheStandardsWithoutAnOverlay) {
  const CarrierConfig carrier;
  EXPECT_EQ(meaning(carrier, 0).disposition, Disposition::accepted);
  EXPECT_EQ(meaning(carrier, 0x58).disposition, Disposition::slow_down);
  EXPECT_FALSE(meaning(carrier, 0x58).is_queue_full);
  EXPECT_TRUE(meaning(carrier, 0x14).is_queue_full);
  EXPECT_EQ(meaning(carrier, 0x0b).code, "invalid_destination");
}

TEST(StatusPolicy, TakesWhatItDoesNotKnowForTemporaryAndSaysSo) {
  const CarrierConfig carrier;
  const auto unknown = meaning(carrier, 0x412);
  EXPECT_EQ(unknown.disposition, Disposition::retry_later);
  EXPECT_FALSE(unknown.is_known);
  EXPECT_EQ(unknown.code, "carrier_error");
}

TEST(StatusPolicy, PutsTheCarriersOwnTableFirst) {
  CarrierConfig carrier;
  carrier.status = {{0x0b, StatusClass::permanent, ""},
                    {0x45, StatusClass::throttle, ""},
                    {0x400, StatusClass::permanent, "blocked_by_carrier"},
                    {0x401, StatusClass::temporary, ""},
                    {0x402, StatusClass::queue_full, ""},
                    {0x403, StatusClass::bind, ""}};
  EXPECT_EQ(meaning(carrier, 0x0b).code, "invalid_destination") << "the standard's word says more";
  EXPECT_EQ(meaning(carrier, 0x45).disposition, Disposition::slow_down);
  EXPECT_EQ(meaning(carrier, 0x45).code, "throttled");
  EXPECT_EQ(meaning(carrier, 0x400).disposition, Disposition::give_up);
  EXPECT_EQ(meaning(carrier, 0x400).code, "blocked_by_carrier");
  EXPECT_TRUE(meaning(carrier, 0x401).is_known) << "not capped like a status nobody knows";
  EXPECT_TRUE(meaning(carrier, 0x402).is_queue_full);
  EXPECT_EQ(meaning(carrier, 0x403).disposition, Disposition::link_fault);
  EXPECT_FALSE(meaning(carrier, 0x404).is_known);
}

TEST(StatusPolicy, TakesAStatusForDoubtOnlyWhereTheCarriersTableSaysSo) {
  CarrierConfig carrier;
  EXPECT_FALSE(meaning(carrier, 0x08).is_doubtful);
  carrier.status = {{0x08, StatusClass::doubt, ""}};
  EXPECT_TRUE(meaning(carrier, 0x08).is_doubtful);
  EXPECT_EQ(meaning(carrier, 0x08).code, "unknown_acceptance");
  EXPECT_FALSE(meaning(carrier, 0x45).is_doubtful);
}

}  // namespace
}  // namespace stentor::daemon
