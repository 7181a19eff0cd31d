// A 16-bit reference names a segment only together with two numbers, and only while it is alone.
#include "daemon/tracking/segment_names.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kNowSeconds = 1'790'000'000;

queue::Locator message(std::uint32_t number) {
  return {1, 64, number};
}

TEST(SegmentName, ANumberIsTheSameByItsLastSevenDigitsAndByNoFewer) {
  for (const char* source : {"+79161234567", "79161234567", "89161234567", "1234567"}) {
    EXPECT_TRUE(is_same_number(source, "79161234567")) << source;
  }
  for (const char* source : {"", "+", "7", "234567", "79161234568", "SHOPING"}) {
    EXPECT_FALSE(is_same_number(source, "79161234567")) << source;
  }
  EXPECT_FALSE(is_same_number("", ""));
  EXPECT_FALSE(is_same_number("12345", "12345")) << "many messages go to one short code";
}

class SegmentNamesTest : public testing::Test {
 protected:
  SegmentName name(std::uint16_t reference, std::string_view handset = "79161234567",
                   std::string_view sender = "SHOP") const {
    return index_.name_of(reference, handset, sender);
  }
  SegmentNames index_{{}, true};
};

TEST_F(SegmentNamesTest, NumbersAreTheSameInEveryFormThatCarriersGiveThem) {
  for (const char* handset : {"+79161234567", "79161234567", "89161234567", "0079161234567"}) {
    EXPECT_EQ(name(7, handset).bits, name(7).bits) << handset;
  }
  EXPECT_EQ(name(7, "79161234567", "shop").bits, name(7).bits);
}

TEST_F(SegmentNamesTest, AnotherReferenceHandsetOrSenderIsAnotherName) {
  EXPECT_NE(name(8).bits, name(7).bits);
  EXPECT_NE(name(7, "79161234568").bits, name(7).bits);
  EXPECT_NE(name(7, "79161234567", "SHOPS").bits, name(7).bits);
  EXPECT_NE(name(7, "79161234567SHOP", "").bits, name(7).bits);
}

TEST_F(SegmentNamesTest, ANameThatTwoMessagesShareNamesNeither) {
  index_.put(name(7), {1, 1}, message(1), 1, kNowSeconds);
  ASSERT_TRUE(index_.find(name(7), kNowSeconds));

  index_.put(name(7), {2, 2}, message(2), 1, kNowSeconds + 72 * 3600 - 1);

  EXPECT_FALSE(index_.find(name(7), kNowSeconds));
}

TEST_F(SegmentNamesTest, AfterThreeDaysANameIsTheNextMessages) {
  index_.put(name(7), {1, 1}, message(1), 1, kNowSeconds);
  index_.put(name(7), {2, 2}, message(2), 1, kNowSeconds + 72 * 3600);

  const auto found = index_.find(name(7), kNowSeconds + 72 * 3600);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, (SegmentKey{2, 2}));
}

TEST_F(SegmentNamesTest, TheSamePartSentAgainKeepsItsName) {
  index_.put(name(7), {1, 1}, message(1), 2, kNowSeconds);
  index_.put(name(7), {2, 2}, message(1), 2, kNowSeconds + 60);

  const auto found = index_.find(name(7), kNowSeconds + 72 * 3600);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->key, (SegmentKey{2, 2}));
}

TEST_F(SegmentNamesTest, AReceiptMayBeAMinuteAheadOfItsResponseAndNotLonger) {
  index_.put(name(7), {1, 1}, message(1), 1, kNowSeconds);

  EXPECT_TRUE(index_.find(name(7), kNowSeconds - 60));
  EXPECT_FALSE(index_.find(name(7), kNowSeconds - 61));
}

TEST_F(SegmentNamesTest, TheOldestNameGoesFirstWhenAllPlacesAreTaken) {
  const auto put = [this](std::uint32_t number) {
    index_.put({number * 0x9E3779B97F4A7C15}, {number, number}, message(number), 1, kNowSeconds);
  };
  for (std::uint32_t i = 0; i < SegmentNames::kEntriesMax; ++i) put(i + 1);
  EXPECT_TRUE(index_.find({1 * 0x9E3779B97F4A7C15}, kNowSeconds));

  put(SegmentNames::kEntriesMax + 1);

  EXPECT_FALSE(index_.find({1 * 0x9E3779B97F4A7C15}, kNowSeconds));
  EXPECT_TRUE(index_.find({2 * 0x9E3779B97F4A7C15}, kNowSeconds));
  EXPECT_EQ(index_.size(), SegmentNames::kEntriesMax);
}

TEST_F(SegmentNamesTest, ACarrierThatGivesNoneBackCostsNothingUntilItDoes) {
  protocol::Receipt without;
  without.message_id = "1";
  protocol::Receipt with = without;
  with.user_message_reference = 7;
  index_.put(name(7), {1, 1}, message(1), 1, kNowSeconds);

  for (std::uint32_t i = 1; i < SegmentNames::kReceiptsWithout; ++i) index_.note(without);
  EXPECT_TRUE(index_.is_used());
  index_.note(without);
  EXPECT_FALSE(index_.is_used());
  EXPECT_EQ(index_.size(), 0u);

  index_.note(with);
  index_.put(name(7), {1, 1}, message(1), 1, kNowSeconds);
  EXPECT_TRUE(index_.find(name(7), kNowSeconds));
}

TEST_F(SegmentNamesTest, AReceiptWithoutBothNumbersHasNoName) {
  protocol::Receipt receipt;
  receipt.user_message_reference = 7;
  receipt.source = "79161234567";
  EXPECT_FALSE(index_.name_of(receipt));
  receipt.destination = "SHOP";
  EXPECT_TRUE(index_.name_of(receipt));
  EXPECT_FALSE(SegmentNames({}, false).name_of(receipt));
}

}  // namespace
}  // namespace stentor::daemon
