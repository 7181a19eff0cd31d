#include "daemon/delivery/in_doubt.h"

#include <gtest/gtest.h>

#include "daemon/delivery/submit_composer.h"

namespace stentor::daemon {
namespace {

using Parts = std::vector<InDoubt::Part>;

constexpr std::uint64_t kComesAgainAfter = 8192;  // messages: 16 bits, 8 of them for the parts

std::uint16_t reference_of(std::uint64_t sequence, std::uint16_t part) {
  return user_message_reference_of(MessageId::make(0, 0, 0, sequence), part);
}

Held held(PartSet doubt) {
  Held made;
  made.doubt = std::move(doubt);
  return made;
}

TEST(InDoubt, AReferenceNamesEveryPartThatWasWrittenUnderIt) {
  ASSERT_EQ(reference_of(5, 1), reference_of(5 + kComesAgainAfter, 1));
  InDoubt doubts;
  doubts.put(5, held({true, true}));
  doubts.put(5 + kComesAgainAfter, held({false, true}));
  doubts.put(6, held({true}));

  EXPECT_EQ(doubts.named(reference_of(5, 0)), (Parts{{5, 0}}));
  EXPECT_EQ(doubts.named(reference_of(5, 1)), (Parts{{5, 1}, {5 + kComesAgainAfter, 1}}));
  EXPECT_TRUE(doubts.named(reference_of(7, 0)).empty());
}

TEST(InDoubt, WhatIsNoMoreInDoubtIsNamedNoMore) {
  InDoubt doubts;
  doubts.put(5, held({true, true}));
  doubts.put(5, held({false, true}));  // its first part was answered
  EXPECT_EQ(doubts.size(), 1u);
  EXPECT_TRUE(doubts.named(reference_of(5, 0)).empty());
  EXPECT_EQ(doubts.named(reference_of(5, 1)), (Parts{{5, 1}}));

  ASSERT_TRUE(doubts.take(5));
  EXPECT_FALSE(doubts.take(5));
  EXPECT_TRUE(doubts.named(reference_of(5, 1)).empty());
}

}  // namespace
}  // namespace stentor::daemon
