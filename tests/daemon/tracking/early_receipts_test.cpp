#include "daemon/tracking/early_receipts.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

protocol::Receipt receipt(std::string_view id, protocol::MessageState state) {
  protocol::Receipt made;
  made.message_id = id;
  made.state = state;
  return made;
}

TEST(EarlyReceipts, GivesAReceiptUnderAnyOfItsSpellingsOnce) {
  EarlyReceipts early;
  EXPECT_EQ(early.put(receipt("255", protocol::MessageState::delivered), {"255", "ff"}, kStart),
            0u);

  EXPECT_TRUE(early.take("fe").empty());
  const auto taken = early.take("ff");
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].message_id, "255");
  EXPECT_TRUE(early.take("255").empty());
  EXPECT_TRUE(early.is_empty());
}

TEST(EarlyReceipts, GivesSeveralInTheOrderTheyCame) {
  EarlyReceipts early;
  (void)early.put(receipt("1", protocol::MessageState::enroute), {"1"}, kStart);
  (void)early.put(receipt("1", protocol::MessageState::delivered), {"1"}, kStart);

  const auto taken = early.take("1");

  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].state, protocol::MessageState::enroute);
  EXPECT_EQ(taken[1].state, protocol::MessageState::delivered);
}

TEST(EarlyReceipts, ForgetsThoseOfAnIdThatAreOver) {
  EarlyReceipts early;
  (void)early.put(receipt("1", protocol::MessageState::enroute), {"1", "one"}, kStart);
  (void)early.put(receipt("1", protocol::MessageState::delivered), {"1", "one"}, kStart);
  (void)early.put(receipt("2", protocol::MessageState::enroute), {"2"}, kStart);

  early.forget(
      "one", [](const KeptReceipt& kept) { return kept.state == protocol::MessageState::enroute; });

  EXPECT_EQ(early.size(), 2u);
  const auto left = early.take("1");
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].state, protocol::MessageState::delivered);
  EXPECT_EQ(early.take("2").size(), 1u);
}

// Each leaves both its places, and one of these is the end of the range that is walked.
TEST(EarlyReceipts, ForgetsCopiesWhoseOtherNameComesNext) {
  EarlyReceipts early;
  for (int copy = 0; copy < 3; ++copy) {
    (void)early.put(receipt("b", protocol::MessageState::delivered), {"b", "a"}, kStart);
  }

  early.forget("a", [](const KeptReceipt&) { return true; });

  EXPECT_TRUE(early.is_empty());
  EXPECT_TRUE(early.take("b").empty());
}

TEST(EarlyReceipts, LetsTheOldestGoAtItsBound) {
  EarlyReceipts early;
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < EarlyReceipts::kEntriesMax + 1; ++i) {
    const std::string id = std::to_string(i);
    dropped += early.put(receipt(id, protocol::MessageState::delivered), {id}, kStart);
  }
  EXPECT_EQ(dropped, 1u);
  EXPECT_EQ(early.size(), EarlyReceipts::kEntriesMax);
  EXPECT_TRUE(early.take("0").empty());
  EXPECT_EQ(early.take("1").size(), 1u);
}

TEST(EarlyReceipts, ThoseWithoutAnIdPushOutNoOthers) {
  EarlyReceipts early;
  (void)early.put(receipt("named", protocol::MessageState::delivered), {"named"}, kStart);
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < EarlyReceipts::kEntriesMax; ++i) {
    dropped += early.put(receipt("", protocol::MessageState::delivered),
                         {"reference " + std::to_string(i)}, kStart);
  }
  EXPECT_EQ(dropped, EarlyReceipts::kEntriesMax - EarlyReceipts::kUnnamedMax);
  EXPECT_EQ(early.size(), EarlyReceipts::kUnnamedMax + 1);
  EXPECT_TRUE(early.take("reference 0").empty()) << "the oldest has gone";
  EXPECT_EQ(early.take("reference " + std::to_string(EarlyReceipts::kEntriesMax - 1)).size(), 1u);
  EXPECT_EQ(early.take("named").size(), 1u);
}

TEST(EarlyReceipts, LongTextsWithoutAnIdPushOutNoOthers) {
  EarlyReceipts early;
  (void)early.put(receipt("named", protocol::MessageState::delivered), {"named"}, kStart);
  const std::string text(64u << 10, 'x');
  protocol::Receipt unnamed = receipt("", protocol::MessageState::delivered);
  unnamed.stat = text;
  for (int i = 0; i < 1000; ++i) (void)early.put(unnamed, {}, kStart);
  EXPECT_EQ(early.size(), 1 + EarlyReceipts::kUnnamedOctetsMax / text.size());
  EXPECT_EQ(early.take("named").size(), 1u);
}

TEST(EarlyReceipts, ShowsAndGivesAllInTheOrderTheyCameWhetherNamedOrNot) {
  EarlyReceipts early;
  for (const char* stat : {"1", "2", "3", "4"}) {
    protocol::Receipt made =
        receipt(*stat == '2' || *stat == '3' ? "" : "id", protocol::MessageState::delivered);
    made.stat = stat;
    (void)early.put(made, {}, kStart);
  }
  std::string shown;
  early.newest(3, [&](const KeptReceipt& kept) { shown += kept.stat; });
  EXPECT_EQ(shown, "432");

  std::string all;
  for (const KeptReceipt& kept : early.take_all()) all += kept.stat;
  EXPECT_EQ(all, "1234");
  EXPECT_TRUE(early.is_empty());
}

TEST(EarlyReceipts, LetsTheOldestGoWhenTheirTextsAreTooLong) {
  EarlyReceipts early;
  const std::string text(64u << 10, 'x');
  std::size_t dropped = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = std::to_string(i);
    protocol::Receipt made = receipt(id, protocol::MessageState::delivered);
    made.stat = text;
    dropped += early.put(made, {id}, kStart);
  }
  EXPECT_EQ(dropped + early.size(), 1000u);
  EXPECT_LE(early.size() * text.size(), EarlyReceipts::kOctetsMax);
  EXPECT_GE((early.size() + 1) * text.size(), EarlyReceipts::kOctetsMax - text.size());
  EXPECT_TRUE(early.take("0").empty());
  EXPECT_EQ(early.take("999").size(), 1u);

  (void)early.take_all();
  EXPECT_EQ(early.put(receipt("1", protocol::MessageState::delivered), {"1"}, kStart), 0u);
}

// Processor time of so many receipts beyond the bound.
std::clock_t time_of_a_flood(std::size_t ids) {
  EarlyReceipts early;
  const std::clock_t began = std::clock();
  for (std::size_t i = 0; i < 2 * EarlyReceipts::kEntriesMax; ++i) {
    const std::string id = std::to_string(i % ids);
    (void)early.put(receipt(id, protocol::MessageState::delivered), {id, "x" + id}, kStart);
  }
  return std::clock() - began;
}

// A carrier that repeats one receipt for ever would hold up all others of its thread.
TEST(EarlyReceipts, CostNoMoreWhenAllNameOneId) {
  const std::clock_t distinct = time_of_a_flood(2 * EarlyReceipts::kEntriesMax);
  const std::clock_t same = time_of_a_flood(1);

  EXPECT_LT(same, 10 * distinct);
}

TEST(EarlyReceipts, LetsGoWhatWaitedTooLong) {
  EarlyReceipts early;
  (void)early.put(receipt("1", protocol::MessageState::delivered), {"1"}, kStart);
  EXPECT_EQ(early.expire(kStart + EarlyReceipts::kPatience - 1ns), 0u);
  EXPECT_EQ(early.expire(kStart + EarlyReceipts::kPatience), 1u);
  EXPECT_TRUE(early.is_empty());
}

}  // namespace
}  // namespace stentor::daemon
