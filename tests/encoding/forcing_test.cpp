#include "encoding/forcing.h"

#include <gtest/gtest.h>

#include <string>

namespace stentor::encoding {
namespace {

TEST(Forcing, SaysWhatTheRestWouldTake) {
  const std::string text = std::string(100, 'a') + "Ж😀";
  EXPECT_EQ(plan(text, {}).value().segments, 2u);
  const Unforced unforced = without_forcing(text, {}).value();

  EXPECT_EQ(unforced.characters, 2u);
  EXPECT_EQ(unforced.segments, 1u);
}

TEST(Forcing, TakesOutWholeCharacters) {
  const Unforced unforced = without_forcing("abx\u0323", {}).value();

  EXPECT_EQ(unforced.characters, 1u);
  EXPECT_EQ(unforced.segments, 1u);
}

TEST(Forcing, LeavesNothingOfATextInAnotherScript) {
  const Unforced unforced = without_forcing("ЖЖ", {}).value();

  EXPECT_EQ(unforced.characters, 2u);
  EXPECT_EQ(unforced.segments, 0u);
}

TEST(Forcing, CountsNationalTablesIn) {
  PlanOptions options;
  options.national.allow(NationalLanguage::turkish);
  const Unforced unforced = without_forcing("şa Ж", options).value();

  EXPECT_EQ(unforced.characters, 1u);
  EXPECT_EQ(unforced.segments, 1u);
}

TEST(Forcing, RefusesWhatPlanRefuses) {
  EXPECT_EQ(without_forcing("\xff", {}).error().fault, EncodingFault::invalid_utf8);
  EXPECT_EQ(without_forcing("", {}).error().fault, EncodingFault::empty_text);
}

}  // namespace
}  // namespace stentor::encoding
