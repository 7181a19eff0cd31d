#include "daemon/records/message_id.h"

#include <gtest/gtest.h>

#include <string>

namespace stentor::daemon {
namespace {

std::string text_of(MessageId id) {
  const auto text = id.text();
  return {text.begin(), text.end()};
}

TEST(MessageId, KeepsItsTimeAndSequenceThroughItsText) {
  const auto id = MessageId::make(1'790'000'000'123, 1023, 0xbeef, kSequenceMax);
  const auto again = MessageId::parse(text_of(id));

  ASSERT_TRUE(again);
  EXPECT_EQ(*again, id);
  EXPECT_EQ(again->time_ms(), 1'790'000'000'123u);
  EXPECT_EQ(again->sequence(), kSequenceMax);
}

TEST(MessageId, OfZeroIsTwentySixZeros) {
  EXPECT_EQ(text_of(MessageId{}), std::string(26, '0'));
}

// 2^130 - 1 would take 26 digits of 31; ids have 128 bits, so the first digit is at most 7.
TEST(MessageId, RefusesTextOfMoreThan128Bits) {
  EXPECT_TRUE(MessageId::parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ"));
  EXPECT_FALSE(MessageId::parse("80000000000000000000000000"));
}

TEST(MessageId, RefusesOtherLengthsAndOtherCharacters) {
  EXPECT_FALSE(MessageId::parse(""));
  EXPECT_FALSE(MessageId::parse(std::string(25, '0')));
  EXPECT_FALSE(MessageId::parse(std::string(27, '0')));
  EXPECT_FALSE(MessageId::parse(std::string(25, '0') + "U"));  // Crockford leaves out I, L, O, U
  EXPECT_FALSE(MessageId::parse(std::string(25, '0') + "\xc3"));
}

TEST(MessageId, ReadsLowerCaseToo) {
  const auto id = MessageId::make(1'790'000'000'123, 7, 77, 777);
  std::string lower = text_of(id);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));

  EXPECT_EQ(MessageId::parse(lower), id);
}

TEST(MessageId, TextSortsByTimeThenBySequence) {
  const auto first = MessageId::make(1000, 5, 9, 10);
  const auto same_time = MessageId::make(1000, 5, 9, 11);
  const auto later = MessageId::make(1001, 0, 0, 1);

  EXPECT_LT(text_of(first), text_of(same_time));
  EXPECT_LT(text_of(same_time), text_of(later));
  EXPECT_LT(first, same_time);
  EXPECT_LT(same_time, later);
}

}  // namespace
}  // namespace stentor::daemon
