#include "daemon/ingress/id_map.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(IdMap, OfTheFirstNamespaceTellsEverybody) {
  const IdMap map("         0          0 4294967295\n");
  EXPECT_TRUE(map.is_whole());
  EXPECT_TRUE(map.tells(0));
  EXPECT_TRUE(map.tells(IdMap::kOverflow)) << "there it is an account of its own, nobody's";
}

TEST(IdMap, OfAnotherTellsWhatItMapsFromTheFirstToTheLast) {
  const IdMap map("0 1000 1\n10 100000 5\n");
  EXPECT_FALSE(map.is_whole());
  for (const std::uint32_t known : {0u, 10u, 14u}) EXPECT_TRUE(map.tells(known)) << known;
  for (const std::uint32_t hidden : {1u, 9u, 15u, IdMap::kOverflow}) {
    EXPECT_FALSE(map.tells(hidden)) << hidden;
  }
}

TEST(IdMap, OfAnotherNeverTellsTheOverflowIdWhichIsEverybodyElses) {
  EXPECT_FALSE(IdMap("0 100000 65536\n").tells(IdMap::kOverflow));
}

TEST(IdMap, ThatCannotBeReadTellsAllButTheOverflowId) {
  const IdMap map("");
  EXPECT_FALSE(map.is_whole());
  EXPECT_TRUE(map.tells(0));
  EXPECT_TRUE(map.tells(1000));
  EXPECT_FALSE(map.tells(IdMap::kOverflow));
}

}  // namespace
}  // namespace stentor::daemon
