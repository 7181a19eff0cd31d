// What load_config says about how a carrier wants SMPP spoken.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "protocol/pdu.h"
#include "tests/daemon/config/written_config.h"

namespace stentor::daemon {
namespace {

using Said = std::vector<std::string>;

std::string carrier(std::string_view more) {
  return "[[carrier]]\nname = \"north\"\nhosts = [\"127.0.0.1:2775\"]\nsystem_id = \"s\"\n"
         "password = \"p\"\n" +
         std::string(more) + "\n";
}

Said mistakes_in(std::string_view more) {
  const WrittenConfig written(carrier(more));
  const auto config = load_config(written.path());
  Said said;
  if (config) return said;
  for (const ConfigMistake& mistake : config.error()) {
    said.push_back(mistake.key + ": " + mistake.what);
  }
  return said;
}

CarrierConfig read(std::string_view more) {
  const WrittenConfig written(carrier(more));
  const auto config = load_config(written.path());
  EXPECT_TRUE(config) << to_string(config.error().at(0));
  return config ? config->carriers.at(0) : CarrierConfig{};
}

TEST(CarrierWire, HasDefaultsThatSuitMostCarriers) {
  const WireConfig wire = read("").wire;
  EXPECT_FALSE(wire.by_data_sm);
  EXPECT_TRUE(wire.tlvs.empty());
  EXPECT_EQ(wire.user_message_reference, TlvUse::where_known);
  EXPECT_TRUE(wire.match_by_reference);
  EXPECT_EQ(wire.more_messages_to_send, TlvUse::where_known);
  EXPECT_FALSE(wire.registered_delivery);
  EXPECT_FALSE(wire.receipt_pattern);
}

TEST(CarrierWire, AsksAPeerOf33ForNothingThatCameLater) {
  const CarrierConfig read33 = read("interface_version = 0x33");
  EXPECT_EQ(read33.binds.transceivers, 0u);
  EXPECT_EQ(read33.binds.transmitters, 1u);
  EXPECT_EQ(read33.binds.receivers, 1u);
  EXPECT_EQ(read33.wire.user_message_reference, TlvUse::never);
  EXPECT_FALSE(read33.wire.match_by_reference);
  EXPECT_EQ(read33.wire.more_messages_to_send, TlvUse::never);
}

TEST(CarrierWire, ReadsWhetherParametersThatNobodyNeedsTravel) {
  EXPECT_EQ(read("user_message_reference = true").wire.user_message_reference, TlvUse::always);
  EXPECT_EQ(read("user_message_reference = \"auto\"").wire.user_message_reference,
            TlvUse::where_known);
  EXPECT_EQ(read("more_messages_to_send = false").wire.more_messages_to_send, TlvUse::never);
  EXPECT_EQ(mistakes_in("user_message_reference = \"yes\"\nmore_messages_to_send = 1"),
            (Said{"carrier[0].user_message_reference: must be true, false or \"auto\"",
                  "carrier[0].more_messages_to_send: must be true or false, not a number"}));
}

TEST(CarrierWire, ReadsThePriorityFlagsOfOurPriorities) {
  EXPECT_EQ(read("").priority_flags, (std::array<std::uint8_t, 3>{0, 0, 0}));
  const CarrierConfig told = read("priority_flag = { urgent = 3, bulk = 1 }");
  EXPECT_EQ(told.priority_flags, (std::array<std::uint8_t, 3>{3, 0, 1}));
  EXPECT_EQ(mistakes_in("priority_flag = { urgent = 4 }").size(), 1u);
  EXPECT_EQ(mistakes_in("priority_flag = { hasty = 1 }").size(), 1u);
  EXPECT_EQ(mistakes_in("priority_flag = { urgent = 1 }\nsubmit = \"data_sm\""),
            (Said{"carrier[0].priority_flag: data_sm has none: leave submit out"}));
}

TEST(CarrierWire, ReadsHowLongARefusedAccountRests) {
  using namespace std::chrono_literals;
  EXPECT_EQ(read("").credentials_retry, 60s);
  EXPECT_EQ(read("credentials_retry = \"10m\"").credentials_retry, 10min);
  EXPECT_EQ(mistakes_in("credentials_retry = \"500ms\"").size(), 1u);
}

TEST(CarrierWire, ReadsAfterHowLongAnInactiveBindIsMadeAnew) {
  using namespace std::chrono_literals;
  EXPECT_EQ(read("").inactivity, 0s) << "never";
  EXPECT_EQ(read("inactivity = \"6h\"").inactivity, 6h);
  EXPECT_EQ(mistakes_in("inactivity = \"500ms\"").size(), 1u);
}

TEST(CarrierWire, NamesWhatAPeerOf33DoesNotKnow) {
  EXPECT_EQ(
      mistakes_in("interface_version = 0x33\nbinds = { transceiver = 1 }\n"
                  "submit = \"data_sm\"\nlong = \"sar\"\ntlv = { source_port = 16 }\n"
                  "user_message_reference = true\nmore_messages_to_send = true"),
      (Said{"carrier[0].binds: SMPP 3.3 has no bind_transceiver: give transmitter and receiver",
            "carrier[0].submit: SMPP 3.3 has no data_sm",
            "carrier[0].long: SMPP 3.3 has no optional parameters: udh8 or udh16",
            "carrier[0].tlv: SMPP 3.3 has no optional parameters",
            "carrier[0].user_message_reference: SMPP 3.3 has no optional parameters",
            "carrier[0].more_messages_to_send: SMPP 3.3 has no optional parameters"}));
}

TEST(CarrierWire, ReadsOptionalParametersByNameAndByNumber) {
  const WireConfig wire = read("tlv = { \"0x1400\" = \"0a0b\", source_port = 16 }").wire;
  EXPECT_EQ(wire.tlvs,
            (std::vector<std::uint8_t>{0x14, 0, 0, 2, 0x0a, 0x0b, 0x02, 0x0a, 0, 2, 0, 16}));
}

TEST(CarrierWire, NamesTheParameterThatIsWrong) {
  EXPECT_EQ(mistakes_in("tlv = { colour = \"00\", source_port = 70000, \"0x1400\" = true }"),
            (Said{"carrier[0].tlv.0x1400: must be a text or a number, not negative",
                  "carrier[0].tlv.colour: is no optional parameter of SMPP; a vendor's is named as "
                  "0x1400",
                  "carrier[0].tlv.source_port: must be a number of 0 to 65535"}));
  EXPECT_EQ(mistakes_in("tlv = { source_port = 1, \"0x020a\" = \"0001\" }"),
            (Said{"carrier[0].tlv.source_port: is given twice, by name and by number"}));
  EXPECT_EQ(mistakes_in("tlv = 5"),
            (Said{"carrier[0].tlv: is a number; must be a table such as { \"0x1400\" = \"0a0b\", "
                  "source_port = 16 }"}));
}

TEST(CarrierWire, ReadsTheRequestThatCarriesMessages) {
  EXPECT_TRUE(read("submit = \"data_sm\"").wire.by_data_sm);
  EXPECT_FALSE(read("submit = \"submit_sm\"").wire.by_data_sm);
  EXPECT_EQ(mistakes_in("submit = \"submit_multi\""),
            (Said{"carrier[0].submit: is \"submit_multi\"; must be one of submit_sm, data_sm"}));
}

TEST(CarrierWire, TakesARegisteredDeliveryThatAsksForReceipts) {
  EXPECT_EQ(read("registered_delivery = 0x11").wire.registered_delivery, 0x11);
  EXPECT_EQ(mistakes_in("registered_delivery = 0x10").size(), 1u);
  EXPECT_EQ(mistakes_in("registered_delivery = 256").size(), 1u);
  EXPECT_EQ(mistakes_in("receipts = false\nregistered_delivery = 1"),
            (Said{"carrier[0].registered_delivery: receipts = false asks for none"}));
}

TEST(CarrierWire, MatchesByReferenceOnlyWhereOneIsSent) {
  EXPECT_FALSE(read("match_by_reference = false").wire.match_by_reference);
  EXPECT_FALSE(read("user_message_reference = false").wire.match_by_reference);
  EXPECT_EQ(mistakes_in("user_message_reference = false\nmatch_by_reference = true"),
            (Said{"carrier[0].match_by_reference: needs user_message_reference"}));
}

TEST(CarrierWire, CompilesThePatternOfItsReceipts) {
  const WireConfig wire = read("receipt_pattern = \"{stat},{done},{},{err},{},{},{id}\"").wire;
  ASSERT_TRUE(wire.receipt_pattern);
  EXPECT_EQ(wire.receipt_pattern->match("00,1,2,3,4,5,we23")->id, "we23");
  EXPECT_EQ(mistakes_in("receipt_pattern = \"{stat}{id}\"").size(), 1u);
  EXPECT_EQ(mistakes_in("receipt_pattern = \"\"").size(), 1u);
}

TEST(CarrierWire, SpeaksTheVersionsThatThereAre) {
  EXPECT_EQ(read("interface_version = 0x33").interface_version, 0x33);
  EXPECT_EQ(read("interface_version = 0x50").interface_version, 0x50);
  EXPECT_EQ(mistakes_in("interface_version = 0x40"),
            (Said{"carrier[0].interface_version: is 0x40; must be 0x33, 0x34 or 0x50"}));
}

TEST(CarrierWire, IsDescribedSoThatItReadsBackTheSame) {
  const WrittenConfig written(
      carrier("tlv = { \"0x1400\" = \"0a0b\", alert_on_message_delivery = "
              "\"\" }\nsubmit = \"data_sm\"\nregistered_delivery = 17\n"
              "receipt_pattern = \"{id} {stat}\"\n"
              "more_messages_to_send = false\n"));
  const auto config = load_config(written.path());
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  const std::string text = describe(*config);
  EXPECT_NE(text.find("tlv = { \"0x1400\" = \"0a0b\", \"0x130c\" = \"\" }"), std::string::npos)
      << text;
  EXPECT_NE(text.find("submit = \"data_sm\""), std::string::npos);
  EXPECT_NE(text.find("registered_delivery = 17"), std::string::npos);
  EXPECT_NE(text.find("receipt_pattern = \"{id} {stat}\""), std::string::npos);
  EXPECT_NE(text.find("more_messages_to_send = false"), std::string::npos);
}

TEST(CarrierWire, DescribesPrioritiesAndParametersSoThatTheyReadBackTheSame) {
  const std::string said =
      "user_message_reference = true\nmore_messages_to_send = \"auto\"\n"
      "priority_flag = { urgent = 2, normal = 1, bulk = 0 }\ncredentials_retry = \"5m\"\n"
      "inactivity = \"6h\"\n";
  const WrittenConfig written(carrier(said));
  const auto config = load_config(written.path());
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  const std::string text = describe(*config);
  for (const auto* line : {"user_message_reference = true", "more_messages_to_send = \"auto\"",
                           "priority_flag = { urgent = 2, normal = 1, bulk = 0 }"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in\n" << text;
  }
  EXPECT_NE(text.find("credentials_retry = \"5m"), std::string::npos) << text;
  EXPECT_NE(text.find("inactivity = \"6h"), std::string::npos) << text;
}

TEST(CarrierWire, ReadsWhatACarriersOwnWordsInReceiptsMean) {
  const WireConfig wire =
      read("receipt_states = { \"00\" = \"delivered\", \"07\" = \"undeliverable\" }").wire;
  ASSERT_EQ(wire.receipt_states.size(), 2u);
  EXPECT_EQ(wire.receipt_states[0].first, "00");
  EXPECT_EQ(wire.receipt_states[0].second, protocol::MessageState::delivered);
  EXPECT_EQ(wire.receipt_states[1].second, protocol::MessageState::undeliverable);

  EXPECT_EQ(
      mistakes_in("receipt_states = { \"00\" = \"done\" }"),
      Said{"carrier[0].receipt_states.00: must be delivered, expired, deleted, undeliverable, "
           "rejected, enroute, accepted or unknown"});
  EXPECT_TRUE(mistakes_in("receipt_states = { \"message_state:255\" = \"rejected\" }").empty());
  for (const std::string_view bad : {"message_state:256", "message_state:", "message_state:01"}) {
    EXPECT_EQ(mistakes_in("receipt_states = { \"" + std::string(bad) + "\" = \"rejected\" }"),
              Said{"carrier[0].receipt_states: \"" + std::string(bad) +
                   "\" is no word of a receipt (1 to 32 octets) and no message_state:0 to 255"});
  }
  EXPECT_EQ(mistakes_in("receipt_states = \"00\""),
            Said{"carrier[0].receipt_states: must be a table, such as { \"00\" = \"delivered\" }"});
}

TEST(CarrierWire, MayKeepACarrierFromBeingAskedToCallBack) {
  EXPECT_TRUE(read("").wire.cancel_sm);
  EXPECT_FALSE(read("cancel_sm = false").wire.cancel_sm);
}

}  // namespace
}  // namespace stentor::daemon
