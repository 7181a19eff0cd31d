#include "queue/due_heap.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/queue/random_numbers.h"

namespace stentor::queue::test {
namespace {

Ticket ticket(std::uint64_t number) {
  return {Locator(number), 0, 0};
}

TEST(DueHeap, GivesNothingBeforeItsTime) {
  DueHeap heap;
  EXPECT_FALSE(heap.next_due());
  heap.push(100, Priority::bulk, 7, ticket(1));

  EXPECT_EQ(heap.next_due(), 100);
  EXPECT_FALSE(heap.pop_due(99));
  const auto entry = heap.pop_due(100);

  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->flow, 7u);
  EXPECT_EQ(entry->priority, Priority::bulk);
  EXPECT_EQ(entry->ticket.at, Locator(1));
  EXPECT_EQ(heap.size(), 0u);
}

TEST(DueHeap, GivesTheFirstAcceptedFirstAmongEquals) {
  DueHeap heap;
  for (const std::uint64_t number : {5U, 1U, 4U, 2U, 3U}) {
    heap.push(10, Priority::normal, 0, ticket(number));
  }

  for (std::uint64_t number = 1; number <= 5; ++number) {
    EXPECT_EQ(heap.pop_due(10)->ticket.at, Locator(number));
  }
}

TEST(DueHeap, AgreesWithASortedMapOverManyPieces) {
  constexpr std::uint64_t kSeed = 11;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  RandomNumbers random(kSeed);
  DueHeap heap;
  std::multimap<std::pair<std::int64_t, std::uint64_t>, int> model;
  for (std::uint64_t step = 1; step < 60'000; ++step) {
    const bool grows = step / 10'000 % 2 == 0;
    if (random.below(10) < (grows ? 7u : 3u)) {
      const auto due = static_cast<std::int64_t>(random.below(1000));
      heap.push(due, Priority::normal, 0, ticket(step));
      model.insert({{due, step}, 0});
    } else {
      const auto now = static_cast<std::int64_t>(random.below(1000));
      const auto entry = heap.pop_due(now);
      const bool is_due = !model.empty() && model.begin()->first.first <= now;
      ASSERT_EQ(entry.has_value(), is_due);
      if (!entry) continue;
      ASSERT_EQ(entry->due_ms, model.begin()->first.first);
      ASSERT_EQ(entry->ticket.at, Locator(model.begin()->first.second));
      model.erase(model.begin());
    }
    ASSERT_EQ(heap.size(), model.size());
  }
}

TEST(DueHeap, TakesOutOneFlowInSteps) {
  constexpr std::uint64_t kSeed = 17;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  RandomNumbers random(kSeed);
  DueHeap heap;
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    heap.push(static_cast<std::int64_t>(random.below(500)), Priority::bulk, i % 4 == 0 ? 7u : 8u,
              ticket(i));
  }
  ASSERT_EQ(heap.waiting_of(7), 2500u);
  std::set<std::uint64_t> taken;
  const auto sink = [&](const DueHeap::Entry& entry) {
    EXPECT_EQ(entry.flow, 7u);
    EXPECT_TRUE(taken.insert(entry.ticket.at.bits()).second);
  };

  while (heap.waiting_of(7) > 0) {
    ASSERT_LE(heap.take_flow(7, 100, sink), 100u);
    heap.push(1000, Priority::bulk, 8, ticket(20'000 + taken.size()));  // the heap lives on
  }

  EXPECT_EQ(taken.size(), 2500u);
  EXPECT_EQ(heap.waiting_of(8), heap.size());
  std::int64_t before = 0;
  while (const auto entry = heap.pop_due(1000)) {
    EXPECT_LE(before, entry->due_ms);
    EXPECT_EQ(entry->flow, 8u);
    before = entry->due_ms;
  }
}

TEST(DueHeap, TakesOutAllInSteps) {
  DueHeap heap;
  for (std::uint64_t i = 1; i <= 5000; ++i) heap.push(1, Priority::normal, 3, ticket(i));
  std::size_t taken = 0;

  while (heap.size() > 0) {
    taken += heap.take_all(700, [](const DueHeap::Entry&) {});
  }

  EXPECT_EQ(taken, 5000u);
  EXPECT_EQ(heap.waiting_of(3), 0u);
  EXPECT_FALSE(heap.next_due());
}

}  // namespace
}  // namespace stentor::queue::test
