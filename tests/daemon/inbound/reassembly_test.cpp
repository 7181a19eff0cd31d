#include "daemon/inbound/reassembly.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using Outcome = Reassembly::Outcome;

using test::kStart;

IncomingPart part(std::uint8_t number, std::uint8_t total, std::uint16_t reference = 7,
                  std::string from = "+79161234567") {
  IncomingPart made;
  made.from = std::move(from);
  made.to = "1234";
  made.alphabet = encoding::Alphabet::gsm7;
  made.tie = {.reference = reference, .total = total, .number = number};
  made.user_data = {static_cast<std::uint8_t>('a' + number)};
  return made;
}

std::string text_of(const Reassembly::Joined& joined) {
  std::string text;
  for (const IncomingPart& one : joined.parts) text.push_back(static_cast<char>(one.user_data[0]));
  return text;
}

TEST(Reassembly, GivesAMessageThatStandsAloneOutAtOnce) {
  Reassembly reassembly;
  EXPECT_EQ(reassembly.add(part(1, 1), kStart, 1), Outcome::finished);
  EXPECT_TRUE(reassembly.take(kStart)->is_complete());
  EXPECT_FALSE(reassembly.take(kStart));
}

TEST(Reassembly, JoinsPartsInAnyOrder) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int turn = 0; turn < 20; ++turn) {
    Reassembly reassembly;
    std::vector<std::uint8_t> order{1, 2, 3, 4, 5};
    std::ranges::shuffle(order, random);
    for (const std::uint8_t number : order) {
      const auto outcome = reassembly.add(part(number, 5), kStart, 1);
      EXPECT_EQ(outcome, number == order.back() ? Outcome::finished : Outcome::kept);
    }
    EXPECT_EQ(text_of(*reassembly.take(kStart)), "bcdef");
    EXPECT_EQ(reassembly.unfinished(), 0u);
  }
}

TEST(Reassembly, KeepsSendersAndReferencesApart) {
  Reassembly reassembly;
  (void)reassembly.add(part(1, 2, 7, "+1"), kStart, 1);
  (void)reassembly.add(part(2, 2, 7, "+2"), kStart, 1);
  (void)reassembly.add(part(2, 2, 8, "+1"), kStart, 1);
  auto elsewhere = part(2, 2, 7, "+1");
  elsewhere.to = "4321";
  (void)reassembly.add(std::move(elsewhere), kStart, 1);
  EXPECT_EQ(reassembly.unfinished(), 4u) << "by source, destination and reference";
  EXPECT_FALSE(reassembly.take(kStart));
}

TEST(Reassembly, TakesARepeatedPartOnceBeforeAndAfterTheEnd) {
  Reassembly reassembly;
  EXPECT_EQ(reassembly.add(part(1, 2), kStart, 1), Outcome::kept);
  EXPECT_EQ(reassembly.add(part(1, 2), kStart, 1), Outcome::repeated);
  EXPECT_EQ(reassembly.add(part(2, 2), kStart, 1), Outcome::finished);
  EXPECT_EQ(reassembly.add(part(1, 2), kStart, 1), Outcome::repeated);
  EXPECT_TRUE(reassembly.take(kStart));
  EXPECT_EQ(reassembly.unfinished(), 0u);
}

TEST(Reassembly, TakesTheSameMessageUnderTheSameReferenceForANewOneLater) {
  Reassembly reassembly;
  (void)reassembly.add(part(1, 2), kStart, 1);
  (void)reassembly.add(part(2, 2), kStart, 1);
  ASSERT_TRUE(reassembly.take(kStart));
  const auto late = kStart + Reassembly::kKnownFor;
  EXPECT_EQ(reassembly.add(part(1, 2), late - 1s, 1), Outcome::repeated);
  EXPECT_EQ(reassembly.add(part(1, 2), late, 1), Outcome::kept);
  EXPECT_EQ(reassembly.add(part(2, 2), late, 1), Outcome::finished);
  EXPECT_TRUE(reassembly.take(late));
  EXPECT_EQ(reassembly.add(part(2, 2), late + 1s, 1), Outcome::repeated);
}

TEST(Reassembly, GivesAnUnfinishedMessageOutWhenItsReferenceComesRound) {
  Reassembly reassembly;
  (void)reassembly.add(part(1, 3), kStart, 1);
  auto other = part(1, 3);
  other.user_data = {'z'};
  EXPECT_EQ(reassembly.add(std::move(other), kStart, 1), Outcome::kept);
  const auto old = reassembly.take(kStart);
  ASSERT_TRUE(old);
  EXPECT_FALSE(old->is_complete());
  EXPECT_EQ(text_of(*old), "b");
  EXPECT_EQ(reassembly.unfinished(), 1u);
}

TEST(Reassembly, GivesOutWhatCameWhenTimeIsOver) {
  Reassembly reassembly;
  (void)reassembly.add(part(2, 3), kStart, 1);
  EXPECT_FALSE(reassembly.take(kStart + Reassembly::kPatience - 1s));
  const auto late = reassembly.take(kStart + Reassembly::kPatience);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->total, 3);
  EXPECT_EQ(late->parts.size(), 1u);
}

TEST(Reassembly, PushesTheOldestOutAtItsBound) {
  Reassembly reassembly;
  for (std::size_t i = 0; i < Reassembly::kUnfinishedMax; ++i) {
    (void)reassembly.add(part(1, 2, 1, "+" + std::to_string(i)), kStart, 1);
  }
  EXPECT_FALSE(reassembly.take(kStart));
  (void)reassembly.add(part(1, 2, 1, "+x"), kStart, 1);
  EXPECT_EQ(reassembly.take(kStart)->parts.front().from, "+0");
  EXPECT_EQ(reassembly.unfinished(), Reassembly::kUnfinishedMax);
}

TEST(Reassembly, CountsWhatHoldsThePartsAgainstItsBoundNotTheirTextsAlone) {
  constexpr std::size_t kMessages = 400;
  constexpr std::uint8_t kTotal = 255;
  Reassembly reassembly;
  std::size_t pushed_out = 0;
  for (std::size_t i = 0; i < kMessages; ++i) {
    for (std::uint8_t number = 1; number < kTotal; ++number) {  // of an octet each, never the last
      (void)reassembly.add(part(number, kTotal, 1, "+" + std::to_string(i)), kStart, 1);
    }
    while (const auto joined = reassembly.take(kStart)) {
      EXPECT_EQ(joined->parts.front().from, "+" + std::to_string(pushed_out)) << "the oldest first";
      EXPECT_EQ(joined->parts.size(), kTotal - 1u);
      ++pushed_out;
    }
  }
  EXPECT_EQ(reassembly.unfinished() + pushed_out, kMessages);
  EXPECT_LE(reassembly.unfinished() * (kTotal - 1u) * sizeof(IncomingPart), Reassembly::kOctetsMax);
  EXPECT_GT(pushed_out, 0u);
}

TEST(Reassembly, APartOfALongMessagePushesOutNoMoreThanOneOfAShortOne) {
  Reassembly reassembly;
  for (std::size_t i = 0; i < Reassembly::kUnfinishedMax; ++i) {
    (void)reassembly.add(part(255, 255, 1, "+" + std::to_string(i)), kStart, 1);
  }
  EXPECT_FALSE(reassembly.take(kStart));
  EXPECT_EQ(reassembly.unfinished(), Reassembly::kUnfinishedMax);
}

TEST(Reassembly, NamesTheOldestFileItStillNeeds) {
  Reassembly reassembly;
  EXPECT_FALSE(reassembly.oldest_file());
  (void)reassembly.add(part(1, 2, 1), kStart, 4);
  (void)reassembly.add(part(1, 2, 2), kStart, 5);
  EXPECT_EQ(reassembly.oldest_file(), 4u);
  (void)reassembly.add(part(2, 2, 1), kStart, 5);
  EXPECT_EQ(reassembly.oldest_file(), 5u);
}

TEST(Reassembly, ForgetsWhatWasGivenOutBeforeARestart) {
  Reassembly reassembly;
  (void)reassembly.add(part(1, 2), kStart, 1);
  reassembly.forget("+79161234567", "1234", 7, 2);
  EXPECT_EQ(reassembly.unfinished(), 0u);
  EXPECT_FALSE(reassembly.take(kStart));
}

}  // namespace
}  // namespace stentor::daemon
