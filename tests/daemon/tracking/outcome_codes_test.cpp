#include "daemon/tracking/outcome_codes.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using protocol::MessageState;

protocol::Receipt receipt(MessageState state, std::string_view err = "",
                          std::optional<std::uint32_t> network = std::nullopt) {
  protocol::Receipt made;
  made.state = state;
  made.err = err;
  made.network_error_code = network;
  return made;
}

TEST(OutcomeCodes, DeliveredNeedsNoWord) {
  EXPECT_EQ(OutcomeCodes(ErrorWords{{"000", "absent_subscriber"}})
                .of(receipt(MessageState::delivered, "000")),
            "");
}

TEST(OutcomeCodes, ACarriersTableGoesFirstWithOrWithoutItsZeros) {
  const OutcomeCodes codes(ErrorWords{{"001", "absent_subscriber"}, {"3:27", "barred"}});
  EXPECT_EQ(codes.of(receipt(MessageState::undeliverable, "001")), "absent_subscriber");
  EXPECT_EQ(codes.of(receipt(MessageState::undeliverable, "1")), "absent_subscriber");
  EXPECT_EQ(codes.of(receipt(MessageState::undeliverable, "0001")), "absent_subscriber");
  EXPECT_EQ(codes.of(receipt(MessageState::undeliverable, "", 3u << 16 | 27)), "barred");
}

TEST(OutcomeCodes, AnUnknownNumberHasTheWordOfItsState) {
  const OutcomeCodes codes(ErrorWords{{"001", "absent_subscriber"}});
  EXPECT_EQ(codes.of(receipt(MessageState::undeliverable, "002")), "undeliverable");
  EXPECT_EQ(codes.of(receipt(MessageState::expired, "002")), "expired");
  EXPECT_EQ(codes.of(receipt(MessageState::rejected)), "carrier_rejected");
}

TEST(OutcomeCodes, GsmErrorsAreReadWhereTheTlvSaysThatItIsAGsmNetwork) {
  const OutcomeCodes codes;
  EXPECT_EQ(codes.of(receipt(MessageState::undeliverable, "", 3u << 16 | 27)), "absent_subscriber");
  EXPECT_EQ(codes.of(receipt(MessageState::undeliverable, "", 3u << 16 | 1)), "unknown_subscriber");
  EXPECT_EQ(codes.of(receipt(MessageState::undeliverable, "", 1u << 16 | 27)), "undeliverable");
  EXPECT_EQ(codes.of(receipt(MessageState::undeliverable, "", 3u << 16 | 9999)), "undeliverable");
}

}  // namespace
}  // namespace stentor::daemon
