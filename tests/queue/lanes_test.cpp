#include "queue/lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "queue/ticket_chunk.h"
#include "tests/queue/random_numbers.h"

namespace stentor::queue::test {
namespace {

constexpr std::uint32_t kNever = 4'000'000'000;

Ticket ticket(std::uint64_t number, std::uint32_t expires = kNever) {
  return {Locator(number), expires, 0};
}

std::vector<std::uint64_t> pop_all(Lanes& lanes) {
  std::vector<std::uint64_t> numbers;
  while (const auto pick = lanes.pop()) numbers.push_back(pick->ticket.at.bits());
  return numbers;
}

TEST(Lanes, AreFirstInFirstOutWithinAFlow) {
  Lanes lanes;
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 1; i <= std::uint64_t{3} * kChunkTickets; ++i) {
    lanes.push(Priority::normal, 1, ticket(i), 0);
    expected.push_back(i);
  }

  EXPECT_EQ(lanes.waiting(), expected.size());
  EXPECT_EQ(pop_all(lanes), expected);
  EXPECT_EQ(lanes.waiting(), 0u);
}

TEST(Lanes, SayWhatAPickWas) {
  Lanes lanes;
  lanes.push(Priority::bulk, 9, ticket(3), 0);

  const auto pick = lanes.pop();

  ASSERT_TRUE(pick);
  EXPECT_EQ(pick->priority, Priority::bulk);
  EXPECT_EQ(pick->flow, 9u);
  EXPECT_EQ(pick->ticket.at, Locator(3));
  EXPECT_FALSE(lanes.pop());
}

TEST(Lanes, SendUrgentBeforeAllElse) {
  Lanes lanes;
  lanes.push(Priority::bulk, 1, ticket(1), 0);
  lanes.push(Priority::normal, 1, ticket(2), 0);
  lanes.push(Priority::urgent, 1, ticket(3), 0);
  lanes.push(Priority::urgent, 1, ticket(4), 0);

  EXPECT_EQ(pop_all(lanes), (std::vector<std::uint64_t>{3, 4, 2, 1}));
}

TEST(Lanes, KeepBulkItsShareWhileNormalWaits) {
  Lanes lanes;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    lanes.push(Priority::normal, 1, ticket(i), 0);
    lanes.push(Priority::bulk, 1, ticket(i), 0);
  }

  std::size_t since_bulk = 0;
  std::size_t bulk = 0;
  for (int i = 0; i < 1000; ++i) {
    if (lanes.pop()->priority == Priority::bulk) {
      ++bulk;
      since_bulk = 0;
    } else {
      ASSERT_LT(++since_bulk, kBulkShare);
    }
  }

  EXPECT_EQ(bulk, 1000u / kBulkShare);
}

TEST(Lanes, LetALateBulkWaitItsTurn) {
  Lanes lanes;
  for (std::uint64_t i = 0; i < 100; ++i) lanes.push(Priority::normal, 1, ticket(i), 0);
  for (int i = 0; i < 50; ++i) (void)lanes.pop();

  lanes.push(Priority::bulk, 1, ticket(1000), 0);

  EXPECT_EQ(lanes.pop()->priority, Priority::normal) << "no claim is saved up";
}

TEST(Lanes, ServeFlowsInTurnWhateverTheirSize) {
  Lanes lanes;
  for (std::uint64_t i = 0; i < 10'000; ++i) lanes.push(Priority::normal, 1, ticket(i), 0);
  for (std::uint64_t i = 0; i < 10; ++i) lanes.push(Priority::normal, 2, ticket(i), 0);

  int picks = 0;
  for (int small = 0; small < 10; ++picks) {
    if (lanes.pop()->flow == 2) ++small;
  }

  EXPECT_LE(picks, 20);
}

TEST(Lanes, PutBackInFrontWhatWasNotSent) {
  Lanes lanes;
  for (std::uint64_t i = 1; i <= 300; ++i) lanes.push(Priority::normal, 1, ticket(i), 0);
  std::vector<Lanes::Pick> picked;
  for (int i = 0; i < 280; ++i) picked.push_back(*lanes.pop());

  for (auto pick = picked.rbegin(); pick != picked.rend(); ++pick) {
    lanes.push_front(pick->priority, pick->flow, pick->ticket, 0);
  }

  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 1; i <= 300; ++i) expected.push_back(i);
  EXPECT_EQ(pop_all(lanes), expected);
}

TEST(Lanes, GiveAFlowPutBackItsTurnNext) {
  Lanes lanes;
  lanes.push(Priority::normal, 1, ticket(1), 0);
  lanes.push(Priority::normal, 2, ticket(2), 0);
  lanes.push(Priority::normal, 2, ticket(3), 0);
  const auto pick = lanes.pop();
  ASSERT_EQ(pick->flow, 1u);

  lanes.push_front(pick->priority, pick->flow, pick->ticket, 0);

  EXPECT_EQ(lanes.pop()->ticket.at, Locator(1));
}

TEST(Lanes, TakeOutWhatHasExpired) {
  Lanes lanes;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    lanes.push(Priority::normal, 1, ticket(i, i % 3 == 0 ? 100 : 200), 0);
  }
  lanes.push(Priority::urgent, 2, ticket(5000, 100), 0);
  std::size_t expired = 0;
  const auto sink = [&](const Lanes::Pick& pick) {
    EXPECT_EQ(pick.ticket.expires, 100u);
    ++expired;
  };

  lanes.take_expired(99, sink);
  EXPECT_EQ(expired, 0u);
  lanes.take_expired(100, sink);
  EXPECT_EQ(expired, 335u);

  EXPECT_EQ(lanes.waiting(), 666u);
  EXPECT_EQ(lanes.waiting(Priority::urgent), 0u);
  const auto left = pop_all(lanes);
  EXPECT_EQ(left.size(), 666u);
  EXPECT_TRUE(std::ranges::is_sorted(left));
}

TEST(Lanes, SayHowLongTheOldestHasWaited) {
  Lanes lanes;
  EXPECT_FALSE(lanes.oldest_since(Priority::normal));
  lanes.push(Priority::normal, 1, ticket(1), 1000);
  lanes.push(Priority::normal, 2, ticket(2), 2000);

  EXPECT_EQ(lanes.oldest_since(Priority::normal), 1000u);
  (void)lanes.pop();
  EXPECT_EQ(lanes.oldest_since(Priority::normal), 2000u);
  EXPECT_FALSE(lanes.oldest_since(Priority::bulk));
}

// Against a plain model: per flow a deque, turns by a list of flows.
TEST(Lanes, AgreeWithAPlainModel) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomNumbers random(seed);
    Lanes lanes;
    std::map<Flow, std::deque<Ticket>> flows;
    std::deque<Flow> turns;
    std::uint32_t now = 0;
    for (std::uint64_t step = 1; step <= 5000; ++step) {
      const auto flow = static_cast<Flow>(random.below(12));
      const Ticket one = ticket(step, now + 1 + static_cast<std::uint32_t>(random.below(900)));
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2:
          lanes.push(Priority::normal, flow, one, now);
          if (flows[flow].empty()) turns.push_back(flow);
          flows[flow].push_back(one);
          break;
        case 3:
          lanes.push_front(Priority::normal, flow, one, now);
          if (flows[flow].empty()) turns.push_front(flow);
          flows[flow].push_front(one);
          break;
        case 4: {
          ++now;
          if (!random.one_in(10)) break;
          std::set<std::uint64_t> expired;
          lanes.take_expired(
              now, [&](const Lanes::Pick& pick) { expired.insert(pick.ticket.at.bits()); });
          for (auto& [number, queue] : flows) {
            std::erase_if(queue, [&](const Ticket& waiting) {
              if (waiting.expires > now) return false;
              EXPECT_EQ(expired.erase(waiting.at.bits()), 1u);
              return true;
            });
            if (queue.empty()) std::erase(turns, number);
          }
          EXPECT_TRUE(expired.empty());
          break;
        }
        default: {
          const auto pick = lanes.pop();
          ASSERT_EQ(pick.has_value(), !turns.empty());
          if (!pick) break;
          const Flow turn = turns.front();
          turns.pop_front();
          ASSERT_EQ(pick->flow, turn);
          ASSERT_EQ(pick->ticket.at, flows[turn].front().at);
          flows[turn].pop_front();
          if (!flows[turn].empty()) turns.push_back(turn);
        }
      }
      std::size_t waiting = 0;
      for (const auto& [number, queue] : flows) waiting += queue.size();
      ASSERT_EQ(lanes.waiting(), waiting);
    }
  }
}

}  // namespace
}  // namespace stentor::queue::test
