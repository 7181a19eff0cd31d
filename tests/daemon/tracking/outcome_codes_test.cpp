#include "daemon/tracking/outcome_codes.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

using protocol::MessageState;

protocol::Receipt told(MessageState state, std::string_view err = "",
                       std::optional<std::uint32_t> network = std::nullopt) {
  protocol::Receipt made;
  made.state = state;
  made.err = err;
  made.network_error_code = network;
  return made;
}

TEST(OutcomeCodes, DeliveredNeedsNoWord) {
  EXPECT_EQ(OutcomeCodes(ErrorWords{{"000", "absent_subscriber"}})
                .of(told(MessageState::delivered, "000")),
            "");
}

TEST(OutcomeCodes, ACarriersTableGoesFirstWithOrWithoutItsZeros) {
  const OutcomeCodes codes(ErrorWords{{"001", "absent_subscriber"}, {"3:27", "barred"}});
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "001")), "absent_subscriber");
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "1")), "absent_subscriber");
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "0001")), "absent_subscriber");
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "", 3u << 16 | 27)), "barred");
}

TEST(OutcomeCodes, AnUnknownNumberHasTheWordOfItsState) {
  const OutcomeCodes codes(ErrorWords{{"001", "absent_subscriber"}});
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "002")), "undeliverable");
  EXPECT_EQ(codes.of(told(MessageState::expired, "002")), "expired");
  EXPECT_EQ(codes.of(told(MessageState::rejected)), "carrier_rejected");
}

TEST(OutcomeCodes, ACarriersTableMayNameStatsAndStatesBehindItsNumbers) {
  const OutcomeCodes codes(ErrorWords{{"001", "absent_subscriber"},
                                      {"stat:REJECTD", "spam"},
                                      {"message_state:5", "barred"},
                                      {"message_state:8", "content_refused"}});
  auto rejected = told(MessageState::rejected, "7");
  EXPECT_EQ(codes.of(rejected), "content_refused");
  rejected.stat = "REJECTD";
  EXPECT_EQ(codes.of(rejected), "spam");
  rejected.err = "001";
  EXPECT_EQ(codes.of(rejected), "absent_subscriber");
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "", 3u << 16 | 27)), "barred")
      << "goes before the network's word, too";
  EXPECT_EQ(codes.of(told(MessageState::expired)), "expired");
}

TEST(ReceiptStates, ACarriersTableGoesBeforeTheStandards) {
  const OwnStates own{{"00", MessageState::delivered},
                      {"REJECTD", MessageState::enroute},
                      {"message_state:8", MessageState::undeliverable},
                      {"message_state:42", MessageState::expired}};
  const auto said = [&own](MessageState read, std::string_view stat,
                           std::optional<std::uint8_t> tlv = std::nullopt) {
    protocol::Receipt made = told(read);
    made.stat = stat;
    made.message_state = tlv;
    return state_by(own, made);
  };
  EXPECT_EQ(said(MessageState::unknown, "00"), MessageState::delivered);
  EXPECT_EQ(said(MessageState::rejected, "REJECTD"), MessageState::enroute);
  EXPECT_EQ(said(MessageState::rejected, "REJECTD", 8), MessageState::undeliverable);
  EXPECT_EQ(said(MessageState::unknown, "", 42), MessageState::expired);
  // The TLV is believed before the text, unless it knows nothing, or is no state.
  EXPECT_EQ(said(MessageState::expired, "REJECTD", 3), MessageState::expired);
  EXPECT_EQ(said(MessageState::unknown, "00", 7), MessageState::delivered);
  EXPECT_EQ(said(MessageState::unknown, "00", 43), MessageState::delivered);
  EXPECT_EQ(said(MessageState::undeliverable, "UNDELIV"), MessageState::undeliverable);
}

TEST(OutcomeCodes, GsmErrorsAreReadWhereTheTlvSaysThatItIsAGsmNetwork) {
  const OutcomeCodes codes;
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "", 3u << 16 | 27)), "absent_subscriber");
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "", 3u << 16 | 1)), "unknown_subscriber");
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "", 1u << 16 | 27)), "undeliverable");
  EXPECT_EQ(codes.of(told(MessageState::undeliverable, "", 3u << 16 | 9999)), "undeliverable");
}

}  // namespace
}  // namespace stentor::daemon
