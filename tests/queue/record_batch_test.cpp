#include "queue/record_batch.h"

#include <gtest/gtest.h>

#include <vector>

#include "queue/journal_format.h"

namespace stentor::queue::test {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets copy(std::span<const std::uint8_t> octets) {
  return {octets.begin(), octets.end()};
}

TEST(RecordBatch, LaysOutKindLengthAndPayload) {
  RecordBatch batch;

  EXPECT_EQ(batch.add(5, Octets{0xaa, 0xbb}), 0u);
  EXPECT_EQ(batch.add(6, {}), 4u);

  EXPECT_EQ(copy(batch.octets()), (Octets{5, 2, 0xaa, 0xbb, 6, 0}));
}

TEST(RecordBatch, SpellsLengthsSevenBitsAtATime) {
  RecordBatch short_one;
  RecordBatch long_one;
  RecordBatch longest;

  short_one.add(1, Octets(127));
  long_one.add(1, Octets(128));
  longest.add(1, Octets(kRecordOctetsMax));

  EXPECT_EQ(copy(short_one.octets().first(2)), (Octets{1, 0x7f}));
  EXPECT_EQ(copy(long_one.octets().first(3)), (Octets{1, 0x80, 0x01}));
  EXPECT_EQ(copy(longest.octets().first(4)), (Octets{1, 0x80, 0x80, 0x08}));
}

TEST(RecordBatch, FindsItsRecordsByPlaceOnceItHasABase) {
  RecordBatch batch;
  batch.add(5, Octets{0xaa, 0xbb});
  const std::uint32_t second = batch.add(6, Octets{0xcc});
  EXPECT_FALSE(batch.holds(Locator(3, 128, 0)));

  batch.set_base(Locator(3, 128, 10));

  EXPECT_EQ(batch.at(second), Locator(3, 128, 14));
  EXPECT_TRUE(batch.holds(Locator(3, 128, 10)));
  EXPECT_TRUE(batch.holds(batch.at(second)));
  EXPECT_FALSE(batch.holds(Locator(3, 128, 9)));
  EXPECT_FALSE(batch.holds(Locator(3, 128, 17)));
  EXPECT_EQ(batch.record(batch.at(second)).kind, 6);
  EXPECT_EQ(copy(batch.record(batch.at(second)).payload), Octets{0xcc});
  EXPECT_EQ(batch.record(batch.at(second)).at, Locator(3, 128, 14));
}

TEST(RecordBatch, AnswersKindZeroWhereNoRecordFits) {
  RecordBatch batch;
  batch.add(5, Octets{0, 0xff, 0xff});
  batch.set_base(Locator(1, 64, 0));

  EXPECT_EQ(batch.record(Locator(1, 64, 2)).kind, 0);
  EXPECT_EQ(batch.record(Locator(1, 64, 4)).kind, 0);
}

TEST(RecordBatch, IsEmptyAndNowhereAfterClear) {
  RecordBatch batch;
  batch.add(5, {});
  batch.set_base(Locator(1, 64, 0));

  batch.clear();

  EXPECT_TRUE(batch.is_empty());
  EXPECT_TRUE(batch.base().is_nowhere());
}

}  // namespace
}  // namespace stentor::queue::test
