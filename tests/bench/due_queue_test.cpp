#include "bench/smsc/due_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace stentor::smsc {
namespace {

using std::chrono::milliseconds;

struct Item {
  TimePoint due{};
  int number = 0;
};

TimePoint at(int ms) {
  return TimePoint{} + milliseconds(ms);
}

TEST(GrowingRing, KeepsItsOrderWhileItGrows) {
  GrowingRing<int> ring;
  for (int i = 0; i < 40; ++i) ring.push(i);
  for (int i = 0; i < 40; ++i) ring.pop();  // the next pushes wrap round

  for (int i = 0; i < 1000; ++i) ring.push(i);

  ASSERT_EQ(ring.size(), 1000u);
  EXPECT_EQ(ring[999], 999);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(ring.front(), i);
    ring.pop();
  }
  EXPECT_TRUE(ring.empty());
}

TEST(DueQueue, LeavesEqualTimesInTheOrderTheyCame) {
  DueQueue<Item> queue;
  for (int i = 0; i < 100; ++i) queue.push({.due = at(5), .number = i});

  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(queue.front().number, i);
    queue.pop();
  }
}

TEST(DueQueue, PutsAnEarlierOneInFront) {
  DueQueue<Item> queue;
  queue.push({.due = at(10), .number = 1});
  queue.push({.due = at(30), .number = 3});
  queue.push({.due = at(20), .number = 2});

  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(queue.front().number, i);
    queue.pop();
  }
  EXPECT_TRUE(queue.empty());
}

TEST(DueQueue, SortsWhateverComes) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  DueQueue<Item> queue;
  std::vector<int> times;
  for (int i = 0; i < 5000; ++i) {
    const int time = i / 2 + static_cast<int>(random() % 500);
    times.push_back(time);
    queue.push({.due = at(time), .number = time});
  }
  std::sort(times.begin(), times.end());

  for (const int time : times) {
    ASSERT_EQ(queue.front().number, time);
    queue.pop();
  }
  EXPECT_EQ(queue.size(), 0u);
}

}  // namespace
}  // namespace stentor::smsc
