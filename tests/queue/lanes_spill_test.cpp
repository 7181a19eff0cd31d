// Lanes that hold more than their memory: the rest is on disk.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "queue/lanes.h"
#include "queue/ticket_chunk.h"
#include "tests/queue/random_numbers.h"
#include "tests/queue/sim_file_system.h"
#include "tests/queue/spill_at_once.h"

namespace stentor::queue::test {
namespace {

constexpr std::uint32_t kNever = 4'000'000'000;
constexpr std::size_t kAll = 1'000'000'000;
constexpr std::size_t kInMemory = 2000;

Ticket ticket(std::uint64_t number, std::uint32_t expires = kNever) {
  return {Locator(number), expires, static_cast<std::uint32_t>(number * 3)};
}

struct LanesSpill : ::testing::Test {
  SimFileSystem files{1};
  SpillAtOnce io{files};
  SpillStore store{io, 0};
  Lanes lanes{store, kInMemory};

  /// The next pick, waiting for the disk as long as it takes.
  std::optional<Lanes::Pick> pop() {
    while (true) {
      if (auto pick = lanes.pop()) return pick;
      if (!io.collect()) return std::nullopt;
    }
  }
};

TEST_F(LanesSpill, KeepTheOrderOfAFlowThroughTheDisk) {
  constexpr std::uint64_t kCount = 100'000;
  for (std::uint64_t i = 1; i <= kCount; ++i) {
    lanes.push(Priority::normal, 1, ticket(i), 7);
    if (i % 1000 == 0) io.settle();
  }
  EXPECT_EQ(lanes.waiting(), kCount);
  EXPECT_EQ(lanes.waiting_of(1), kCount);
  EXPECT_GT(lanes.waiting_spilled(), kCount - 2 * kInMemory);
  EXPECT_EQ(store.stats().octets_in_memory, 0u);

  for (std::uint64_t i = 1; i <= kCount; ++i) {
    const auto pick = pop();
    ASSERT_TRUE(pick);
    ASSERT_EQ(pick->ticket.at, Locator(i));
    ASSERT_EQ(pick->ticket.key, i * 3);
  }

  EXPECT_EQ(lanes.waiting(), 0u);
  EXPECT_EQ(lanes.waiting_spilled(), 0u);
  EXPECT_EQ(store.stats().octets_on_disk, 0u);
}

TEST_F(LanesSpill, ServeOthersWhileABlockIsBeingRead) {
  for (std::uint64_t i = 1; i <= 50'000; ++i) lanes.push(Priority::normal, 1, ticket(i), 0);
  io.settle();
  for (std::uint64_t i = 1; i <= 20; ++i) lanes.push(Priority::normal, 2, ticket(100'000 + i), 0);

  std::uint64_t of_first = 0;
  std::uint64_t of_second = 0;
  while (const auto pick = lanes.pop()) ++(pick->flow == 1 ? of_first : of_second);

  EXPECT_EQ(of_second, 20u) << "nobody waits for the disk of another";
  EXPECT_LT(of_first, 50'000u);
  EXPECT_FALSE(lanes.has_ready());
  EXPECT_EQ(lanes.waiting_of(1), 50'000 - of_first);
  io.settle();
  EXPECT_TRUE(lanes.has_ready()) << "the block is here";
}

// Scaled down: tests/end_to_end/backlog_test.py does it on the daemon, a million of them in a long
// run.
TEST_F(LanesSpill, LetAPausedCampaignStarveNobodyBehindIt) {
  lanes.hold(1);
  for (std::uint64_t i = 1; i <= 200'000; ++i) {
    lanes.push(Priority::bulk, 1, ticket(i), 0);
    if (i % 5000 == 0) io.settle();
  }
  for (Flow flow = 2; flow < 12; ++flow) {
    for (std::uint64_t i = 0; i < 10; ++i) lanes.push(Priority::bulk, flow, ticket(1), 0);
  }

  for (int i = 0; i < 100; ++i) {
    const auto pick = lanes.pop();
    ASSERT_TRUE(pick);
    ASSERT_NE(pick->flow, 1u);
  }

  EXPECT_FALSE(lanes.pop());
  EXPECT_EQ(lanes.waiting_held(), 200'000u);
}

TEST_F(LanesSpill, ExpireOnDiskAtTheSecond) {
  for (std::uint64_t i = 1; i <= 60'000; ++i) {
    lanes.push(Priority::normal, 1, ticket(i, i == 40'000 ? 100 : 200), 0);
  }
  io.settle();
  std::vector<std::uint64_t> expired;
  const auto sink = [&](const Lanes::Pick& pick) { expired.push_back(pick.ticket.at.bits()); };
  EXPECT_EQ(lanes.earliest_expiry(), 100u);

  lanes.take_expired(99, kAll, sink);
  EXPECT_EQ(io.collect(), false) << "nothing is read before its time";
  lanes.take_expired(100, kAll, sink);
  EXPECT_TRUE(expired.empty()) << "it is on disk";
  EXPECT_EQ(lanes.earliest_expiry(), 100u) << "still owed";
  io.settle();
  lanes.take_expired(100, kAll, sink);

  EXPECT_EQ(expired, (std::vector<std::uint64_t>{40'000}));
  EXPECT_EQ(lanes.waiting(), 59'999u);
  EXPECT_EQ(lanes.earliest_expiry(), 200u);
  std::uint64_t before = 0;
  std::uint64_t count = 0;
  while (const auto pick = pop()) {
    ASSERT_GT(pick->ticket.at.bits(), before);
    before = pick->ticket.at.bits();
    ++count;
  }
  EXPECT_EQ(count, 59'999u);
}

TEST_F(LanesSpill, HandOutAFlowThatIsOnDisk) {
  for (std::uint64_t i = 1; i <= 60'000; ++i) {
    lanes.push(Priority::bulk, 1, ticket(i), 0);
    if (i % 10 == 0) lanes.push(Priority::normal, 2, ticket(i), 0);
  }
  io.settle();
  std::uint64_t next = 1;

  while (lanes.waiting_of(1) > 0) {
    (void)lanes.take_flow(
        1, 1000, [&](const Lanes::Pick& pick) { EXPECT_EQ(pick.ticket.at, Locator(next++)); });
    io.collect();
  }

  EXPECT_EQ(next, 60'001u);
  EXPECT_EQ(lanes.waiting(), 6000u);
}

TEST_F(LanesSpill, HandOutAllThatIsOnDisk) {
  for (std::uint64_t i = 1; i <= 60'000; ++i) {
    lanes.push(Priority::bulk, static_cast<Flow>(i % 3), ticket(i), 0);
  }
  io.settle();
  std::uint64_t taken = 0;

  while (lanes.waiting() > 0) {
    taken += lanes.take_all(1000, [](const Lanes::Pick&) {});
    io.collect();
  }

  EXPECT_EQ(taken, 60'000u);
  io.settle();
  EXPECT_EQ(store.stats().octets_on_disk, 0u);
}

TEST_F(LanesSpill, LoseNothingToAFullDisk) {
  files.set_capacity(300'000);
  for (std::uint64_t i = 1; i <= 100'000; ++i) {
    lanes.push(Priority::normal, 1, ticket(i), 0);
    if (i % 1000 == 0) io.settle();
  }
  EXPECT_TRUE(store.stats().is_failing);
  EXPECT_GT(store.stats().octets_in_memory, 1'000'000u) << "it is kept, and said so";

  for (std::uint64_t i = 1; i <= 100'000; ++i) ASSERT_EQ(pop()->ticket.at, Locator(i));
}

TEST_F(LanesSpill, KeepWhatManySmallFlowsHaveNearTheBound) {
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    for (Flow flow = 0; flow < 100; ++flow) lanes.push(Priority::normal, flow, ticket(i), 0);
    io.settle();
  }

  const std::size_t in_memory = lanes.waiting() - lanes.waiting_spilled();
  EXPECT_LE(in_memory, kInMemory + 100 * 4 * kChunkTickets);
  std::map<Flow, std::uint64_t> seen;
  while (const auto pick = pop()) ASSERT_EQ(pick->ticket.at, Locator(++seen[pick->flow]));
  EXPECT_EQ(seen.size(), 100u);
  for (const auto& [flow, last] : seen) EXPECT_EQ(last, 1000u);
}

// Deeds at random against deques, on a disk that fails now and then: each flow in its order,
// nothing lost, nothing twice, every count right at every step.
void run_against_deques(std::uint64_t seed) {
  RandomNumbers random(seed);
  SimFileSystem files(seed);
  SpillAtOnce io(files);
  SpillStore store(io, 0);
  Lanes lanes(store, 600 + random.below(3000));
  using Key = std::pair<Priority, Flow>;
  std::map<Key, std::deque<Ticket>> model;
  std::size_t waiting = 0;
  std::uint32_t now = 0;
  std::uint64_t number = 0;
  const auto push = [&](Priority priority, Flow flow, std::uint32_t lives) {
    const Ticket one = ticket(++number, now + 1 + static_cast<std::uint32_t>(random.below(lives)));
    lanes.push(priority, flow, one, now);
    model[{priority, flow}].push_back(one);
    ++waiting;
  };
  const auto take_in_order = [&](const Lanes::Pick& pick) {
    auto& queue = model[{pick.priority, pick.flow}];
    ASSERT_FALSE(queue.empty());
    ASSERT_EQ(pick.ticket.at, queue.front().at);
    queue.pop_front();
    --waiting;
  };
  for (int step = 0; step < 700; ++step) {
    const auto flow = static_cast<Flow>(random.below(4));
    const auto priority = static_cast<Priority>(random.below(kPriorities));
    switch (random.below(12)) {
      case 0:
      case 1:
      case 2: {
        const std::uint64_t burst = random.below(1500);
        const std::uint32_t lives = random.one_in(3) ? 100 : 100'000;
        for (std::uint64_t i = 0; i < burst; ++i) push(priority, flow, lives);
        break;
      }
      case 3:
      case 4:
      case 5: {
        for (std::uint64_t i = random.below(2000); i > 0; --i) {
          const auto pick = lanes.pop();
          if (!pick) break;
          take_in_order(*pick);
          if (random.one_in(10)) {
            lanes.push_front(pick->priority, pick->flow, pick->ticket, now);
            model[{pick->priority, pick->flow}].push_front(pick->ticket);
            ++waiting;
          }
        }
        break;
      }
      case 6: {
        now += static_cast<std::uint32_t>(random.below(40));
        std::set<std::uint64_t> expired;
        for (bool more = true; more;) {
          (void)lanes.take_expired(now, random.below(3000), [&](const Lanes::Pick& pick) {
            EXPECT_TRUE(expired.insert(pick.ticket.at.bits()).second);
          });
          more = random.one_in(2) && io.collect();
        }
        for (auto& [key, queue] : model) {
          waiting -= std::erase_if(queue, [&](const Ticket& one) {
            const bool is_gone = expired.erase(one.at.bits()) == 1;
            EXPECT_TRUE(!is_gone || one.expires <= now);
            return is_gone;
          });
        }
        ASSERT_TRUE(expired.empty()) << "one expired that did not wait";
        break;
      }
      case 7: random.one_in(2) ? lanes.hold(flow) : lanes.release(flow); break;
      case 8: (void)lanes.take_flow(flow, random.below(3000), take_in_order); break;
      case 9:
        files.plan(random.one_in(2) ? SimFileSystem::Fault::disk_full : SimFileSystem::Fault::error,
                   random.below(30));
        break;
      case 10: store.retry(); break;
      default: io.collect();
    }
    ASSERT_EQ(lanes.waiting(), waiting);
    std::size_t of_flow = 0;
    for (const Priority each : {Priority::urgent, Priority::normal, Priority::bulk}) {
      of_flow += model[{each, flow}].size();
    }
    ASSERT_EQ(lanes.waiting_of(flow), of_flow);
  }
  files.unplan();
  for (Flow flow = 0; flow < 4; ++flow) lanes.release(flow);
  std::set<std::uint64_t> expired;
  while (true) {  // what is due in the end is all that is left
    lanes.take_expired(now, kAll,
                       [&](const Lanes::Pick& pick) { expired.insert(pick.ticket.at.bits()); });
    store.retry();
    io.settle();
    if (lanes.earliest_expiry().value_or(kNever) > now) break;
  }
  for (auto& [key, queue] : model) {
    waiting -= std::erase_if(queue, [&](const Ticket& one) {
      EXPECT_EQ(expired.contains(one.at.bits()), one.expires <= now);
      return one.expires <= now;
    });
  }
  for (int idle = 0; waiting > 0 && idle < 100; ++idle) {
    while (const auto pick = lanes.pop()) {
      take_in_order(*pick);
      idle = 0;
    }
    store.retry();
    io.collect();
  }
  ASSERT_EQ(waiting, 0u);
  ASSERT_EQ(lanes.waiting(), 0u);
  io.settle();
  ASSERT_EQ(lanes.waiting_spilled(), 0u);
  ASSERT_EQ(store.stats().octets_on_disk, 0u);
  ASSERT_EQ(store.stats().octets_in_memory, 0u);
}

TEST(LanesSpillModel, AgreesWithDequesOnADiskThatFails) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    run_against_deques(seed);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace stentor::queue::test
