#include "daemon/delivery/bind_choice.h"

#include <gtest/gtest.h>

#include <array>

namespace stentor::daemon {
namespace {

std::uint16_t choose(std::uint32_t key, std::initializer_list<std::size_t> loads,
                     std::optional<std::uint16_t> without = std::nullopt) {
  BindChoice choice(key);
  std::uint16_t bind = 0;
  for (const std::size_t load : loads) {
    if (bind != without) choice.offer(bind, load);
    ++bind;
  }
  return choice.chosen().value();
}

TEST(BindChoice, HasNothingToChooseFromWithoutAnOffer) {
  EXPECT_FALSE(BindChoice(1).chosen());
}

TEST(BindChoice, KeepsAKeyOnItsBindAndSpreadsKeys) {
  std::array<int, 4> counts{};
  for (std::uint32_t key = 0; key < 4000; ++key) {
    const auto bind = choose(key, {5, 5, 5, 5});
    EXPECT_EQ(choose(key, {5, 5, 5, 5}), bind);
    ++counts[bind];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(BindChoice, MovesOnlyTheKeysOfABindThatGoes) {
  for (std::uint32_t key = 0; key < 1000; ++key) {
    const auto before = choose(key, {0, 0, 0, 0});
    const auto after = choose(key, {0, 0, 0, 0}, std::uint16_t{2});
    if (before != 2) {
      EXPECT_EQ(after, before);
    } else {
      EXPECT_NE(after, 2);
    }
  }
}

TEST(BindChoice, TakesTheLeastLoadedOfAll) {
  for (std::uint32_t key = 0; key < 1000; ++key) {
    EXPECT_EQ(choose(key, {100, 4, 3, 4}), 2);
    const auto bind = choose(key, {3, 100, 100, 3});
    EXPECT_TRUE(bind == 0 || bind == 3) << "both slow ones are left alone, not " << bind;
  }
}

TEST(KeysUnderWay, HoldAKeyToItsBindUntilTheLastHasLeft) {
  KeysUnderWay keys;
  keys.enter(9, 3);
  keys.enter(9, 3);
  keys.leave(9);
  EXPECT_EQ(keys.bind_of(9), 3);
  keys.leave(9);
  EXPECT_FALSE(keys.bind_of(9));
  EXPECT_EQ(keys.size(), 0u);
}

}  // namespace
}  // namespace stentor::daemon
