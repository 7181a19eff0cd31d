#include "daemon/delivery/addresses.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

std::string shown(const WireAddress& address) {
  return address.digits + " " + std::to_string(address.numbering.ton) + "/" +
         std::to_string(address.numbering.npi);
}

TEST(Addresses, HaveTheNumberingOfTheirForm) {
  const CarrierConfig carrier;
  EXPECT_EQ(shown(destination_on_wire("+79161234567", false, carrier)), "79161234567 1/1");
  EXPECT_EQ(shown(destination_on_wire("12345", true, carrier)), "12345 3/0");
  EXPECT_EQ(shown(source_on_wire("SHOP", carrier)), "SHOP 5/0");
  EXPECT_EQ(shown(source_on_wire("+79161234567", carrier)), "79161234567 1/1");
  EXPECT_EQ(shown(source_on_wire("7777", carrier)), "7777 3/0");
}

TEST(Addresses, AreRewrittenByTheLongestRule) {
  CarrierConfig carrier;
  carrier.rewrite = {{"7", "8", true}, {"7916", "0916", false}, {"375", "", false}};
  EXPECT_EQ(shown(destination_on_wire("+79031234567", false, carrier)), "89031234567 2/1");
  EXPECT_EQ(shown(destination_on_wire("+79161234567", false, carrier)), "09161234567 1/1");
  EXPECT_EQ(shown(destination_on_wire("+375291234567", false, carrier)), "291234567 1/1");
  EXPECT_EQ(shown(destination_on_wire("+441234567890", false, carrier)), "441234567890 1/1");
  EXPECT_EQ(destination_on_wire("+79161234567", false, carrier).rewritten, "7916");
}

TEST(Addresses, RewrittenToATrunkPrefixAreNationalUnlessTheRuleSaysOtherwise) {
  CarrierConfig carrier;
  carrier.rewrite = {{"49", "0", {}}, {"7", "8", {}}, {"44", "00144", {}}, {"39", "0", false}};
  EXPECT_EQ(shown(destination_on_wire("+491711234567", false, carrier)), "01711234567 2/1");
  EXPECT_EQ(shown(destination_on_wire("+79161234567", false, carrier)), "89161234567 1/1")
      << "an 8 says nothing";
  EXPECT_EQ(shown(destination_on_wire("+441234567890", false, carrier)), "001441234567890 1/1");
  EXPECT_EQ(shown(destination_on_wire("+390612345678", false, carrier)), "00612345678 1/1");
}

TEST(Addresses, OfNationalNumbersAreFoundByTheRuleThatMadeThem) {
  const std::vector<Rewrite> rules = {{"49", "0", {}}, {"7", "8", true}};
  EXPECT_EQ(international_of("01711234567", rules), "+491711234567");
  EXPECT_EQ(international_of("20123456", {{"45", "", true}}), "+4520123456");
  EXPECT_EQ(international_of("89161234567", {{"7", "8", true}}), "+79161234567");
  EXPECT_EQ(international_of("1711234567", {{"49", "0", {}}}), std::nullopt) << "no trunk prefix";
  EXPECT_EQ(international_of("89161234567", {{"7", "8", {}}}), std::nullopt)
      << "an international number, by that rule";
  EXPECT_EQ(international_of("01711234567", {}), std::nullopt);
  EXPECT_EQ(international_of("0", {{"49", "0", true}}), std::nullopt);
}

TEST(Addresses, OfNationalNumbersThatMayBeTwoCountriesAreNotFound) {
  EXPECT_EQ(international_of("01711234567", {{"49", "0", {}}, {"44", "0", {}}}), std::nullopt);
  EXPECT_EQ(international_of("89161234567", {{"7", "8", true}, {"45", "", true}}), std::nullopt);
  // The longer rule writes 7916 otherwise: no send to it looks like this.
  const std::vector<Rewrite> both = {{"7", "8", true}, {"7916", "0916", true}};
  EXPECT_EQ(international_of("89161234567", both), std::nullopt);
  EXPECT_EQ(international_of("89031234567", both), "+79031234567");
}

TEST(Addresses, AreNeverRewrittenToNothing) {
  CarrierConfig carrier;
  carrier.rewrite = {{"79161234567", "", {}}, {"7", "8", {}}};
  EXPECT_EQ(shown(destination_on_wire("+79161234567", false, carrier)), "89161234567 1/1");
}

TEST(Addresses, OfShortCodesAndNamesAreNotRewritten) {
  CarrierConfig carrier;
  carrier.rewrite = {{"7", "8", false}};
  carrier.rewrite_source = {{"7", "8", false}};
  EXPECT_EQ(destination_on_wire("7777", true, carrier).digits, "7777");
  EXPECT_EQ(source_on_wire("7777", carrier).digits, "7777");
  EXPECT_EQ(source_on_wire("7UP", carrier).digits, "7UP");
  EXPECT_EQ(source_on_wire("+79161234567", carrier).digits, "89161234567");
}

TEST(Addresses, TakeTheCarriersNumberingWhereItSaysOne) {
  CarrierConfig carrier;
  carrier.source.others = TonNpi{.ton = 0, .npi = 1};
  carrier.destination.others = TonNpi{.ton = 2, .npi = 1};
  EXPECT_EQ(shown(source_on_wire("SHOP", carrier)), "SHOP 0/1");
  EXPECT_EQ(shown(destination_on_wire("12345", true, carrier)), "12345 2/1");
}

TEST(Addresses, TakeTheCarriersNumberingOfTheirFormInEachDirection) {
  CarrierConfig carrier;
  carrier.rewrite = {{"7", "8", true}};
  carrier.source.alphanumeric = TonNpi{.ton = 5, .npi = 1};
  carrier.source.short_code = TonNpi{.ton = 6, .npi = 0};
  carrier.source.others = TonNpi{.ton = 0, .npi = 0};
  carrier.destination.national = TonNpi{.ton = 2, .npi = 8};
  carrier.destination.short_code = TonNpi{.ton = 0, .npi = 1};
  EXPECT_EQ(shown(source_on_wire("SHOP", carrier)), "SHOP 5/1");
  EXPECT_EQ(shown(source_on_wire("7777", carrier)), "7777 6/0");
  EXPECT_EQ(shown(source_on_wire("+79161234567", carrier)), "79161234567 0/0");
  EXPECT_EQ(shown(destination_on_wire("+79161234567", false, carrier)), "89161234567 2/8");
  EXPECT_EQ(shown(destination_on_wire("12345", true, carrier)), "12345 0/1");
  EXPECT_EQ(shown(destination_on_wire("+441234567890", false, carrier)), "441234567890 1/1")
      << "as usual";
}

// GSM `@` is 0x00 in the alphabet and would end the field; in an address it is Latin-1's 0x40.
TEST(Addresses, CarryAnAtSignAsAnOctetOfItsOwn) {
  const CarrierConfig carrier;
  EXPECT_EQ(source_on_wire("me@shop", carrier).digits, "me@shop");
  EXPECT_EQ(source_on_wire("Caf\u00e9", carrier).digits, "Caf\xe9");
}

TEST(Addresses, FitTheirFieldHoweverTheyAreRewritten) {
  CarrierConfig carrier;
  carrier.rewrite = {{"7", "12345", false}};  // no rule may be longer
  EXPECT_LE(destination_on_wire("+712345678901234", false, carrier).digits.size(), 20u);
}

}  // namespace
}  // namespace stentor::daemon
