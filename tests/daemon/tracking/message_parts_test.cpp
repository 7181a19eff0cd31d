#include "daemon/tracking/message_parts.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

const queue::Locator kMessage(1, 64, 7);

TEST(MessageParts, TheWorstPartDecides) {
  const State order[] = {State::failed, State::expired, State::unknown, State::delivered};
  for (std::size_t worst = 0; worst < 4; ++worst) {
    for (std::size_t other = worst; other < 4; ++other) {
      MessageParts parts;
      parts.expect(kMessage, 2);
      EXPECT_EQ(parts.settle(kMessage, 1, order[other], "b", "").state, State::none);
      EXPECT_EQ(parts.settle(kMessage, 2, order[worst], "a", "").state, order[worst]);
    }
  }
}

TEST(MessageParts, APartCountsOnceHoweverOftenItIsReported) {
  MessageParts parts;
  parts.expect(kMessage, 2);
  (void)parts.settle(kMessage, 1, State::delivered, "", "");
  EXPECT_EQ(parts.settle(kMessage, 1, State::delivered, "", "").state, State::none);
  EXPECT_EQ(parts.settle(kMessage, 1, State::failed, "", "").state, State::none);
  EXPECT_EQ(parts.settle(kMessage, 2, State::delivered, "", "").state, State::delivered);
}

TEST(MessageParts, KnowsEightPartsAndOneMoreAndTheMostThereAre) {
  for (const unsigned count : {8u, 9u, 255u}) {
    MessageParts parts;
    parts.expect(kMessage, static_cast<std::uint8_t>(count));
    for (unsigned part = 1; part < count; ++part) {
      EXPECT_EQ(
          parts.settle(kMessage, static_cast<std::uint8_t>(part), State::delivered, "", "").state,
          State::none);
    }
    const auto verdict =
        parts.settle(kMessage, static_cast<std::uint8_t>(count), State::expired, "expired", "w");
    EXPECT_EQ(verdict.state, State::expired);
    EXPECT_EQ(verdict.detail, "w; part " + std::to_string(count) + " expired; parts 1-" +
                                  std::to_string(count - 1) + " delivered");
  }
}

TEST(MessageParts, PartsThatDoNotExistChangeNothing) {
  MessageParts parts;
  parts.expect(kMessage, 2);
  EXPECT_EQ(parts.settle(kMessage, 0, State::failed, "", "").state, State::none);
  EXPECT_EQ(parts.settle(kMessage, 3, State::failed, "", "").state, State::none);
  EXPECT_EQ(parts.settle(queue::Locator(9, 64, 9), 1, State::failed, "", "").state, State::none);
}

TEST(MessageParts, AToldUnknownIsCorrectedOnceAllIsKnown) {
  MessageParts parts;
  parts.expect(kMessage, 2);
  EXPECT_EQ(parts.on_silence(kMessage, State::unknown).state, State::unknown);
  EXPECT_EQ(parts.on_silence(kMessage, State::unknown).state, State::none);
  EXPECT_EQ(parts.settle(kMessage, 1, State::delivered, "", "").state, State::none);
  const auto corrected = parts.settle(kMessage, 2, State::delivered, "", "");
  EXPECT_EQ(corrected.state, State::delivered);
  EXPECT_EQ(corrected.corrects, State::unknown);
  EXPECT_FALSE(parts.is_known(kMessage));
}

TEST(MessageParts, AFailedPartCorrectsAToldUnknownAtOnce) {
  MessageParts parts;
  parts.expect(kMessage, 2);
  (void)parts.on_silence(kMessage, State::unknown);
  const auto corrected = parts.settle(kMessage, 1, State::failed, "undeliverable", "w");
  EXPECT_EQ(corrected.state, State::failed);
  EXPECT_EQ(corrected.corrects, State::unknown);
  EXPECT_EQ(corrected.code, "undeliverable");
  EXPECT_EQ(corrected.detail, "w; part 1 failed; part 2 without receipt");
}

TEST(MessageParts, AFailureGoesBeforeTheSilenceOfOthers) {
  MessageParts parts;
  parts.expect(kMessage, 2);
  (void)parts.settle(kMessage, 1, State::failed, "undeliverable", "w");
  const auto verdict = parts.on_silence(kMessage, State::sent_final);
  EXPECT_EQ(verdict.state, State::failed);
  EXPECT_EQ(verdict.code, "undeliverable");
}

}  // namespace
}  // namespace stentor::daemon
