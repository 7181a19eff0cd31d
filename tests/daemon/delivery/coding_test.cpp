#include "daemon/delivery/coding.h"

#include <gtest/gtest.h>

#include <array>

namespace stentor::daemon {
namespace {

using encoding::Alphabet;

MessagePlan plan(const Content& content, const CarrierConfig& carrier = {}) {
  auto made = MessagePlan::make(content, carrier, 10);
  EXPECT_TRUE(made) << made.error().detail;
  return std::move(*made);
}

Content text(std::string_view body) {
  Content content;
  content.body = body;
  return content;
}

TEST(Coding, Ucs2IsDataCodingEightAndTheDefaultAlphabetZero) {
  EXPECT_EQ(plan(text("abc")).data_coding(), 0);
  EXPECT_EQ(plan(text("Ж")).data_coding(), 8);
  EXPECT_EQ(plan(text("Ж")).encoding_word(), "ucs2");
}

TEST(Coding, TheCarriersListDecidesAlphabetAndDataCoding) {
  CarrierConfig carrier;
  EXPECT_EQ(plan(text("naïve"), carrier).encoding_word(), "ucs2") << "GSM-7 has no ï";

  carrier.alphabets = {Alphabet::gsm7, Alphabet::latin1, Alphabet::ucs2};
  carrier.data_codings = {0xf1, 3, 0x18};
  EXPECT_EQ(plan(text("plain"), carrier).data_coding(), 0xf1);
  EXPECT_EQ(plan(text("naïve"), carrier).encoding_word(), "latin1");
  EXPECT_EQ(plan(text("naïve"), carrier).data_coding(), 3);
  EXPECT_EQ(plan(text("Ж"), carrier).data_coding(), 0x18);
}

// TS 23.038 section 4: coding group 00x1 with message class 0.
TEST(Coding, FlashIsMessageClassZeroOfItsAlphabet) {
  Content content = text("abc");
  content.flash = true;
  EXPECT_EQ(plan(content).data_coding(), 0x10);
  content.body = "Ж";
  EXPECT_EQ(plan(content).data_coding(), 0x18);

  CarrierConfig latin;
  latin.alphabets = {Alphabet::latin1};
  content.body = "abc";
  EXPECT_EQ(plan(content, latin).encoding_word(), "ucs2") << "latin1 has no message class";
}

TEST(Coding, AWishedEncodingIsHeldToOrRefused) {
  Content content = text("abc");
  content.encoding = EncodingWish::ucs2;
  EXPECT_EQ(plan(content).encoding_word(), "ucs2");

  content = text("Ж");
  content.encoding = EncodingWish::gsm7;
  const auto refused = MessagePlan::make(content, {}, 10);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "bad_text");

  CarrierConfig latin;
  latin.alphabets = {Alphabet::latin1};
  content.body = "abc";
  const auto lacking = MessagePlan::make(content, latin, 10);
  ASSERT_FALSE(lacking);
  EXPECT_EQ(lacking.error().code, "bad_field");
}

TEST(Coding, NationalTablesAndReplacementAreUsedWhenAllowed) {
  Content content = text("İşğ");
  EXPECT_EQ(plan(content).encoding_word(), "ucs2");
  content.national.allow(encoding::NationalLanguage::turkish);
  EXPECT_EQ(plan(content).encoding_word(), "gsm7");

  content =
      text("“Quoted” text that is long enough to need two segments in UCS-2 and one in GSM-7");
  EXPECT_EQ(plan(content).encoding_word(), "ucs2");
  content.replacement = encoding::Replacement::safe;
  EXPECT_EQ(plan(content).encoding_word(), "gsm7");
}

TEST(Coding, BinaryTravelsBehindItsCallersHeader) {
  Content content;
  content.body = std::string_view("\x01\x00\x02", 3);
  content.udh = std::string_view("\x06\x05\x04\x0b\x84\x23\xf0", 7);
  content.is_binary = true;
  const MessagePlan made = plan(content);
  EXPECT_EQ(made.encoding_word(), "binary");
  EXPECT_EQ(made.data_coding(), 4);
  EXPECT_EQ(made.parts(), 1u);

  std::array<std::uint8_t, encoding::kPartOctetsMax> octets{};
  const auto part = made.encode(content, 0, encoding::Concatenation::udh8, {}, octets);
  EXPECT_EQ(part.header_octets, 7u);
  ASSERT_EQ(part.octets, 10u);
  EXPECT_EQ(octets[0], 6);
  EXPECT_EQ(octets[9], 2);
}

TEST(Coding, ABadHeaderIsNamed) {
  Content content;
  content.body = "x";
  content.udh = std::string_view("\x09\x05", 2);
  content.is_binary = true;
  const auto refused = MessagePlan::make(content, {}, 10);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "bad_field");
}

}  // namespace
}  // namespace stentor::daemon
