#include "daemon/ingress/number.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(Destination, IsKeptAsPlusAndDigitsHoweverItIsWritten) {
  for (const char* written :
       {"+79161234567", "79161234567", "0079161234567", "+7 (916) 123-45-67", " 7.916.123.45.67"}) {
    EXPECT_EQ(normalise_destination(written), "+79161234567") << written;
  }
}

TEST(Destination, HasSevenToFifteenDigits) {
  EXPECT_FALSE(normalise_destination("123456"));
  EXPECT_EQ(normalise_destination("1234567"), "+1234567");
  EXPECT_EQ(normalise_destination("123456789012345"), "+123456789012345");
  EXPECT_FALSE(normalise_destination("1234567890123456"));
}

TEST(Destination, RefusesALeadingZeroLettersAndTwoPluses) {
  EXPECT_FALSE(normalise_destination("09161234567"));
  EXPECT_FALSE(normalise_destination("+7916CALLME"));
  EXPECT_FALSE(normalise_destination("++79161234567"));
  EXPECT_FALSE(normalise_destination(""));
  EXPECT_FALSE(normalise_destination("+"));
  EXPECT_FALSE(normalise_destination("+00079161234567"));
}

TEST(ShortCode, HasThreeToEightDigits) {
  EXPECT_FALSE(normalise_short_code("12"));
  EXPECT_EQ(normalise_short_code("123"), "123");
  EXPECT_EQ(normalise_short_code("12345678"), "12345678");
  EXPECT_FALSE(normalise_short_code("123456789"));
  EXPECT_FALSE(normalise_short_code("+1234"));
}

TEST(Sender, IsUpToElevenGsmCharacters) {
  EXPECT_EQ(normalise_sender("ABCDEFGHIJK"), "ABCDEFGHIJK");
  EXPECT_FALSE(normalise_sender("ABCDEFGHIJKL"));
  EXPECT_EQ(normalise_sender("Café 24"), "Café 24");
  EXPECT_FALSE(normalise_sender("Магазин"));
  EXPECT_FALSE(normalise_sender("Δelta"));  // GSM has it, an SMPP address cannot carry it
  EXPECT_FALSE(normalise_sender(""));
  EXPECT_FALSE(normalise_sender("A\nB"));
}

TEST(Sender, MayBeANumberOrAShortCode) {
  EXPECT_EQ(normalise_sender("+7 916 123-45-67"), "+79161234567");
  EXPECT_EQ(normalise_sender("12345"), "12345");
  EXPECT_FALSE(normalise_sender("12"));
}

TEST(ToWire, DropsThePlusAndWritesLatin1) {
  EXPECT_EQ(to_wire("+79161234567"), "79161234567");
  EXPECT_EQ(to_wire("12345"), "12345");
  EXPECT_EQ(to_wire("Caf\xc3\xa9"), "Caf\xe9");
  EXPECT_EQ(to_wire("A@B"), "A@B");
}

}  // namespace
}  // namespace stentor::daemon
