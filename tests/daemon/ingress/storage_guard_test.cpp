#include "daemon/ingress/storage_guard.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

constexpr std::uint64_t kMiB = 1u << 20;

TEST(StorageGuard, RefusesBelowMinFreeAndPromisesAndOneFile) {
  StorageGuard guard(100 * kMiB);
  StorageGuard::Look look{.waiting = 1000, .outstanding = 2000};
  const std::uint64_t needed = 100 * kMiB + 1000 * 400 + 2000 * 250 + 4 * kMiB;

  look.free_octets = needed;
  guard.look(look);
  EXPECT_FALSE(guard.is_low());

  look.free_octets = needed - 1;
  guard.look(look);
  EXPECT_TRUE(guard.is_low());
}

TEST(StorageGuard, LetsInAgainWithALittleMore) {
  StorageGuard guard(160 * kMiB - kDiskPerFile);
  StorageGuard::Look look{.free_octets = 160 * kMiB - 1};
  guard.look(look);
  ASSERT_TRUE(guard.is_low());

  look.free_octets = 170 * kMiB - 1;
  guard.look(look);
  EXPECT_TRUE(guard.is_low());

  look.free_octets = 170 * kMiB;
  guard.look(look);
  EXPECT_FALSE(guard.is_low());

  look.free_octets = 160 * kMiB;
  guard.look(look);
  EXPECT_FALSE(guard.is_low());
}

TEST(StorageGuard, BelievesACommitThatFoundNoRoom) {
  StorageGuard guard(0);
  guard.on_disk_full();
  EXPECT_TRUE(guard.is_low());

  guard.look({.free_octets = 5 * kMiB});
  EXPECT_FALSE(guard.is_low());
}

TEST(StorageGuard, WarnsInTheLastTenthOfTheFileNumbersAndEndsBeforeTheLastThousand) {
  StorageGuard guard(0);
  EXPECT_FALSE(guard.is_near_end());

  guard.look({.free_octets = 5 * kMiB, .numbers_left = kNumbersFew + 1});
  EXPECT_FALSE(guard.is_near_end());
  guard.look({.free_octets = 5 * kMiB, .numbers_left = kNumbersFew});
  EXPECT_TRUE(guard.is_near_end());
  EXPECT_FALSE(guard.is_at_end());

  guard.look({.free_octets = 5 * kMiB, .numbers_left = kNumbersKept + 1});
  EXPECT_FALSE(guard.is_at_end());
  guard.look({.free_octets = 5 * kMiB, .numbers_left = kNumbersKept});
  EXPECT_TRUE(guard.is_at_end());
  EXPECT_FALSE(guard.is_low()) << "the disk is not what is short";
}

}  // namespace
}  // namespace stentor::daemon
