#include "queue/timers.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "tests/queue/random_numbers.h"
#include "tests/queue/sim_file_system.h"
#include "tests/queue/spill_at_once.h"

namespace stentor::queue::test {
namespace {

constexpr std::int64_t kMinute = 60'000;

Ticket ticket(std::uint64_t number) {
  return {Locator(number), 0, 0};
}

TEST(Timers, AreExactToTheMillisecondWhileTheyAreFew) {
  Timers timers;
  EXPECT_FALSE(timers.next_due());
  timers.push(100 * kMinute, Priority::bulk, 7, ticket(1));
  timers.push(5, Priority::normal, 8, ticket(2));

  EXPECT_EQ(timers.next_due(), 5);
  EXPECT_FALSE(timers.pop_due(4));
  EXPECT_EQ(timers.pop_due(5)->ticket.at, Locator(2));
  EXPECT_FALSE(timers.pop_due(100 * kMinute - 1));
  const auto entry = timers.pop_due(100 * kMinute);

  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->flow, 7u);
  EXPECT_EQ(entry->priority, Priority::bulk);
  EXPECT_EQ(timers.size(), 0u);
}

struct TimersOnDisk : ::testing::Test {
  SimFileSystem files{1};
  SpillAtOnce io{files};
  SpillStore store{io, 0};
  Timers timers{store, 20'000};

  std::optional<Timers::Entry> pop_due(std::int64_t now_ms) {
    while (true) {
      if (auto entry = timers.pop_due(now_ms)) return entry;
      const bool may_come = timers.next_due().value_or(now_ms + 1) <= now_ms;
      if (!io.collect() && !may_come) return std::nullopt;
    }
  }
};

// What a campaign at nine o'clock is.
TEST_F(TimersOnDisk, MoveAMailingOfOneMomentAsAWhole) {
  constexpr std::uint64_t kCount = 300'000;
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    timers.push(60 * kMinute, Priority::bulk, 1, ticket(i));
    if (i % 10'000 == 0) io.settle();
  }
  EXPECT_EQ(timers.size(), kCount);
  EXPECT_EQ(timers.waiting_of(1), kCount);
  EXPECT_GT(timers.spilled(), kCount - Timers::kNearMax - 40'000);

  EXPECT_FALSE(pop_due(60 * kMinute - 1));
  std::uint64_t in_order = 0;
  std::uint64_t last = 0;
  std::uint64_t count = 0;
  while (const auto entry = pop_due(60 * kMinute + Timers::kStepMs)) {
    if (entry->ticket.at.bits() > last) ++in_order;
    last = entry->ticket.at.bits();
    ++count;
  }

  EXPECT_EQ(count, kCount);
  EXPECT_EQ(in_order, kCount) << "first accepted, first due";
  EXPECT_EQ(timers.size(), 0u);
  EXPECT_EQ(timers.spilled(), 0u);
}

TEST_F(TimersOnDisk, AreNeverEarlyAndHardlyLateHoweverMany) {
  constexpr std::uint64_t kSeed = 23;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  constexpr std::uint64_t kCount = 250'000;
  RandomNumbers random(kSeed);
  std::vector<std::int64_t> due(kCount + 1);
  std::uint64_t pushed = 0;
  const auto push_one = [&](std::int64_t due_ms) {
    due[++pushed] = due_ms;
    timers.push(due_ms, Priority::normal, static_cast<Flow>(pushed % 3), ticket(pushed));
  };
  while (pushed < kCount / 2) {  // half an hour, and a crowd in one of its stretches
    push_one(static_cast<std::int64_t>(random.one_in(2) ? random.below(30 * kMinute)
                                                        : 600'000 + random.below(5000)));
    if (pushed % 5000 == 0) io.settle();
  }
  std::uint64_t popped = 0;
  std::int64_t latest = 0;
  for (std::int64_t now = 0; popped < kCount; now += 20) {
    while (const auto entry = pop_due(now)) {
      std::int64_t& was_due = due[entry->ticket.at.bits()];
      ASSERT_LE(was_due, now) << "never early";
      latest = std::max(latest, now - was_due);
      was_due = 0;
      ++popped;
    }
    for (int i = 0; i < 5 && pushed < kCount; ++i) {
      push_one(now + static_cast<std::int64_t>(random.below(random.one_in(2) ? 1000 : 100'000)));
    }
    ASSERT_EQ(timers.size(), pushed - popped);
    ASSERT_LT(now, 60 * kMinute);
  }

  EXPECT_LE(latest, 20 + Timers::kStepMs) << "the step, and this test's own";
  EXPECT_GT(store.stats().writes, 0u);
}

TEST_F(TimersOnDisk, HandOutAFlowInStepsAndLeaveTheOthers) {
  constexpr std::uint64_t kCount = 200'000;
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    timers.push(static_cast<std::int64_t>(i % 50 * 17'000), Priority::bulk, i % 4 == 0 ? 7 : 8,
                ticket(i));
    if (i % 10'000 == 0) io.settle();
  }
  std::set<std::uint64_t> taken;
  int calls = 0;
  while (timers.waiting_of(7) > 0) {
    const std::size_t before = taken.size();
    const std::size_t count = timers.take_flow(7, 5000, [&](const Timers::Entry& entry) {
      EXPECT_EQ(entry.flow, 7u);
      const std::uint64_t number = entry.ticket.at.bits();
      EXPECT_NEAR(static_cast<double>(entry.due_ms), static_cast<double>(number % 50 * 17'000), 32);
      EXPECT_TRUE(taken.insert(number).second);
    });
    ASSERT_EQ(taken.size() - before, count);
    ASSERT_LE(count, 5000u);
    ASSERT_LT(++calls, 2000);
    io.collect();
  }

  EXPECT_EQ(taken.size(), kCount / 4);
  EXPECT_EQ(timers.waiting_of(8), kCount / 4 * 3);
  EXPECT_EQ(timers.size(), kCount / 4 * 3);
  std::uint64_t left = 0;
  while (timers.size() > 0) {
    left += timers.take_all(5000, [](const Timers::Entry& entry) { EXPECT_EQ(entry.flow, 8u); });
    io.collect();
  }
  EXPECT_EQ(left, kCount / 4 * 3);
  io.settle();
  EXPECT_EQ(store.stats().octets_on_disk, 0u);
}

TEST_F(TimersOnDisk, LetNearOnesPassWhileFarOnesAreRead) {
  for (std::uint64_t i = 1; i <= 200'000; ++i) {
    timers.push(60 * kMinute, Priority::bulk, 1, ticket(i));
    if (i % 10'000 == 0) io.settle();
  }
  std::uint64_t popped = 0;
  while (timers.pop_due(60 * kMinute + Timers::kStepMs)) ++popped;
  ASSERT_LT(popped, 200'000u) << "the rest is on disk";
  ASSERT_FALSE(timers.next_due()) << "no timer turns while the disk reads";

  timers.push(60 * kMinute + 1, Priority::normal, 2, ticket(1'000'000));

  EXPECT_EQ(timers.pop_due(60 * kMinute + Timers::kStepMs)->flow, 2u);
  io.settle();
  EXPECT_TRUE(timers.next_due());
  EXPECT_TRUE(timers.pop_due(60 * kMinute + Timers::kStepMs));
}

}  // namespace
}  // namespace stentor::queue::test
