#include "daemon/ingress/reference_index.h"

#include <gtest/gtest.h>

#include <string>

namespace stentor::daemon {
namespace {

TEST(ReferenceIndex, FindsPendingThenDurablePlaces) {
  ReferenceIndex index(1);
  const auto key = index.key_of("crm", "o-1");
  EXPECT_FALSE(index.find(key));

  index.put_pending(key, 12, 345);
  const auto pending = index.find(key);
  ASSERT_TRUE(pending);
  EXPECT_TRUE(pending->durable.is_nowhere());
  EXPECT_EQ(pending->batch, 12u);
  EXPECT_EQ(pending->record_offset, 345u);

  index.put_durable(key, queue::Locator(3, 640, 9));
  EXPECT_EQ(index.find(key)->durable, queue::Locator(3, 640, 9));
  EXPECT_EQ(index.size(), 1u);

  index.drop(key);
  EXPECT_FALSE(index.find(key));
  EXPECT_EQ(index.size(), 0u);
}

TEST(ReferenceIndex, TellsClientsApart) {
  const ReferenceIndex index(1);
  EXPECT_NE(index.key_of("crm", "o-1"), index.key_of("shop", "o-1"));
  EXPECT_NE(index.key_of("ab", "c"), index.key_of("a", "bc"));
}

TEST(ReferenceIndex, ForgetsAllThatIsOlderInAsManyCallsAsItHasMaps) {
  ReferenceIndex index(1);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    index.put_durable(index.key_of("crm", std::to_string(i)), queue::Locator(1 + i % 2, 64, 0));
  }

  for (int i = 0; i < 256; ++i) index.forget_before(queue::Locator(2, 0, 0));

  EXPECT_EQ(index.size(), 1000u);
  EXPECT_FALSE(index.find(index.key_of("crm", "0")));
  EXPECT_TRUE(index.find(index.key_of("crm", "1")));
}

}  // namespace
}  // namespace stentor::daemon
