#include "daemon/inbound/incoming_part.h"

#include <gtest/gtest.h>

#include <array>

namespace stentor::daemon {
namespace {

using encoding::Alphabet;

TEST(IncomingPart, ReadsTheAlphabetFromTheDataCoding) {
  CarrierConfig carrier;
  protocol::DeliverSm deliver;
  const auto alphabet_of = [&](std::uint8_t data_coding) {
    deliver.data_coding = data_coding;
    return read_incoming(deliver, carrier).alphabet;
  };
  EXPECT_EQ(alphabet_of(0x00), Alphabet::gsm7);
  EXPECT_EQ(alphabet_of(0x01), Alphabet::ascii);
  EXPECT_EQ(alphabet_of(0x03), Alphabet::latin1);
  EXPECT_EQ(alphabet_of(0x08), Alphabet::ucs2);
  EXPECT_EQ(alphabet_of(0x10), Alphabet::gsm7);  // class 0
  EXPECT_EQ(alphabet_of(0x18), Alphabet::ucs2);  // class 0
  EXPECT_EQ(alphabet_of(0xf1), Alphabet::gsm7);
  EXPECT_EQ(alphabet_of(0xe0), Alphabet::ucs2);
  for (const std::uint8_t octets : std::to_array<std::uint8_t>({0x02, 0x04, 0x14, 0xf5})) {
    EXPECT_FALSE(alphabet_of(octets)) << int{octets};
  }
  carrier.alphabets = {Alphabet::latin1, Alphabet::gsm7};
  carrier.data_codings = {0, 4};
  EXPECT_EQ(alphabet_of(0x00), Alphabet::latin1);
  EXPECT_EQ(alphabet_of(0x04), Alphabet::gsm7);
}

TEST(IncomingPart, KeepsAddressesAsTheyAreKeptElsewhere) {
  EXPECT_EQ(kept_address({.numbering = {1, 1}, .digits = "79161234567"}), "+79161234567");
  EXPECT_EQ(kept_address({.numbering = {0, 0}, .digits = "79161234567"}), "+79161234567");
  EXPECT_EQ(kept_address({.numbering = {0, 0}, .digits = "+79161234567"}), "+79161234567");
  EXPECT_EQ(kept_address({.numbering = {0, 1}, .digits = "1234"}), "1234");
  EXPECT_EQ(kept_address({.numbering = {2, 1}, .digits = "89161234567"}), "89161234567");
  EXPECT_EQ(kept_address({.numbering = {0, 1}, .digits = "0079161234567"}), "+79161234567");
  EXPECT_EQ(kept_address({.numbering = {1, 1}, .digits = "0079161234567"}), "+79161234567");
  EXPECT_EQ(kept_address({.numbering = {2, 1}, .digits = "0079161234567"}), "0079161234567");
  EXPECT_EQ(kept_address({.numbering = {0, 1}, .digits = "0012345678"}), "0012345678");
  EXPECT_EQ(kept_address({.numbering = {5, 0}, .digits = "B\xe9"}), "B\xc3\xa9");
}

TEST(IncomingPart, HasANationalNumberInternationallyWhereTheCarriersRuleLeadsToIt) {
  CarrierConfig carrier;
  carrier.rewrite = {{"7", "8", true}};
  carrier.rewrite_source = {{"7", "8", true}};
  protocol::DeliverSm deliver;
  deliver.source = {.numbering = {2, 1}, .digits = "89161234567"};
  deliver.destination = {.numbering = {2, 1}, .digits = "89990000001"};
  const IncomingPart known = read_incoming(deliver, carrier);
  EXPECT_EQ(known.from, "+79161234567");
  EXPECT_EQ(known.to, "+79990000001");
  EXPECT_FALSE(known.fits_no_send);

  const IncomingPart without_rule = read_incoming(deliver, CarrierConfig{});
  EXPECT_EQ(without_rule.from, "89161234567");
  EXPECT_EQ(without_rule.to, "89990000001");
  EXPECT_TRUE(without_rule.fits_no_send);

  // Eight digits or fewer are a short code of ours, a national number of a handset's.
  carrier.rewrite = carrier.rewrite_source = {{"45", "", true}};
  deliver.source.digits = deliver.destination.digits = "20123456";
  const IncomingPart short_one = read_incoming(deliver, carrier);
  EXPECT_EQ(short_one.from, "+4520123456");
  EXPECT_EQ(short_one.to, "20123456");
  EXPECT_TRUE(read_incoming(deliver, CarrierConfig{}).fits_no_send);

  // A trunk prefix says so where TON says nothing.
  carrier.rewrite = {{"49", "0", {}}};
  deliver.source = {.numbering = {0, 0}, .digits = "01711234567"};
  EXPECT_EQ(read_incoming(deliver, carrier).from, "+491711234567");
  deliver.source = {.numbering = {1, 1}, .digits = "79161234567"};
  EXPECT_EQ(read_incoming(deliver, carrier).from, "+79161234567");
  EXPECT_FALSE(read_incoming(deliver, carrier).fits_no_send);
}

TEST(IncomingPart, TakesATieThatCannotBeForAMessageAlone) {
  const std::uint8_t third_of_two[] = {5, 0, 3, 9, 2, 3, 'a'};
  protocol::DeliverSm deliver;
  deliver.esm_class = 0x40;
  deliver.short_message = third_of_two;
  EXPECT_TRUE(read_incoming(deliver, CarrierConfig{}).is_alone());
}

TEST(IncomingPart, ReadsTiesOfEightAndSixteenBits) {
  const std::uint8_t narrow[] = {5, 0, 3, 9, 2, 1, 'a'};
  const std::uint8_t wide[] = {6, 8, 4, 1, 2, 3, 3, 'a'};
  protocol::DeliverSm deliver;
  deliver.esm_class = 0x40;
  deliver.short_message = narrow;
  const auto first = read_incoming(deliver, CarrierConfig{});
  EXPECT_EQ(first.tie.reference, 9);
  EXPECT_EQ(first.tie.total, 2);
  deliver.short_message = wide;
  const auto second = read_incoming(deliver, CarrierConfig{});
  EXPECT_EQ(second.tie.reference, 0x102);
  EXPECT_EQ(second.tie.number, 3);
}

}  // namespace
}  // namespace stentor::daemon
