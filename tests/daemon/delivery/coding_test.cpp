#include "daemon/delivery/coding.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(Coding, Ucs2IsDataCodingEightAndTheDefaultAlphabetZero) {
  const CarrierConfig carrier;
  EXPECT_EQ(data_coding_of(carrier, encoding::Alphabet::ucs2), 8);
  EXPECT_EQ(data_coding_of(carrier, encoding::Alphabet::gsm7), 0);
  EXPECT_EQ(data_coding_of(carrier, encoding::Alphabet::latin1), 0);
}

TEST(Coding, TheCarriersAlphabetDecidesWhatATextCosts) {
  CarrierConfig carrier;
  const auto gsm = encoding::plan("naïve", plan_options(carrier, EncodingWish::automatic, 10));
  ASSERT_TRUE(gsm);
  EXPECT_EQ(encoding_word(gsm->alphabet), "ucs2") << "GSM-7 has no ï";

  carrier.alphabet = DefaultAlphabet::latin1;
  const auto latin = encoding::plan("naïve", plan_options(carrier, EncodingWish::automatic, 10));
  ASSERT_TRUE(latin);
  EXPECT_EQ(encoding_word(latin->alphabet), "latin1");
}

TEST(Coding, AWishedEncodingIsHeldToOrRefused) {
  const CarrierConfig carrier;
  const auto ucs2 = encoding::plan("abc", plan_options(carrier, EncodingWish::ucs2, 10));
  ASSERT_TRUE(ucs2);
  EXPECT_EQ(ucs2->alphabet, encoding::Alphabet::ucs2);

  const auto gsm7 = encoding::plan("Ж", plan_options(carrier, EncodingWish::gsm7, 10));
  ASSERT_FALSE(gsm7);
  EXPECT_EQ(gsm7.error().fault, encoding::EncodingFault::not_encodable);
}

}  // namespace
}  // namespace stentor::daemon
