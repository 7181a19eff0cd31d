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
constexpr std::size_t kAll = 1'000'000'000;

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

  lanes.take_expired(99, kAll, sink);
  EXPECT_EQ(expired, 0u);
  lanes.take_expired(100, kAll, sink);
  EXPECT_EQ(expired, 335u);

  EXPECT_EQ(lanes.waiting(), 666u);
  EXPECT_EQ(lanes.waiting(Priority::urgent), 0u);
  const auto left = pop_all(lanes);
  EXPECT_EQ(left.size(), 666u);
  EXPECT_TRUE(std::ranges::is_sorted(left));
}

TEST(Lanes, TakeOutWhatHasExpiredInSteps) {
  Lanes lanes;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    lanes.push(Priority::normal, 1, ticket(i, i % 2 == 0 ? 100 : 200), 0);
  }
  std::size_t expired = 0;
  const auto sink = [&](const Lanes::Pick&) { ++expired; };

  EXPECT_EQ(lanes.take_expired(100, 300, sink), 300u);
  EXPECT_EQ(lanes.earliest_expiry(), 100u);
  EXPECT_EQ(lanes.take_expired(100, 300, sink), 200u);

  EXPECT_EQ(expired, 500u);
  EXPECT_EQ(lanes.earliest_expiry(), 200u);
  EXPECT_EQ(lanes.waiting(), 500u);
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

TEST(Lanes, LetSomeBelowPassWhileUrgentNeverEnds) {
  Lanes lanes;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    for (const Priority priority : {Priority::urgent, Priority::normal, Priority::bulk}) {
      lanes.push(priority, 1, ticket(i), 0);
    }
  }

  std::map<Priority, std::uint32_t> picked;
  for (std::uint32_t i = 0; i < kBelowUrgentShare * kBulkShare; ++i)
    ++picked[lanes.pop()->priority];

  EXPECT_EQ(picked[Priority::urgent], (kBelowUrgentShare - 1) * kBulkShare);
  EXPECT_EQ(picked[Priority::normal], kBulkShare - 1);
  EXPECT_EQ(picked[Priority::bulk], 1u);
}

TEST(Lanes, PickNothingOfAHeldFlowAndCountItAllTheSame) {
  Lanes lanes;
  lanes.hold(1);
  for (std::uint64_t i = 1; i <= 3; ++i) lanes.push(Priority::normal, 1, ticket(i), 0);
  lanes.push(Priority::urgent, 1, ticket(4), 0);
  lanes.push(Priority::bulk, 2, ticket(5), 0);

  EXPECT_EQ(lanes.pop()->ticket.at, Locator(5));
  EXPECT_FALSE(lanes.pop());
  EXPECT_FALSE(lanes.has_ready());
  EXPECT_EQ(lanes.waiting(), 4u);
  EXPECT_EQ(lanes.waiting_of(1), 4u);
  EXPECT_EQ(lanes.waiting_held(), 4u);
  EXPECT_TRUE(lanes.is_held(1));

  lanes.release(1);
  EXPECT_EQ(lanes.waiting_held(), 0u);
  EXPECT_EQ(pop_all(lanes), (std::vector<std::uint64_t>{4, 1, 2, 3}));
}

TEST(Lanes, HoldAFlowThatAlreadyTakesItsTurns) {
  Lanes lanes;
  for (std::uint64_t i = 1; i <= 4; ++i) {
    lanes.push(Priority::normal, 1, ticket(i), 0);
    lanes.push(Priority::normal, 2, ticket(10 + i), 0);
  }
  ASSERT_EQ(lanes.pop()->flow, 1u);
  ASSERT_EQ(lanes.pop()->flow, 2u);

  lanes.hold(1);
  lanes.hold(1);
  lanes.push_front(Priority::normal, 1, ticket(1), 0);

  EXPECT_EQ(pop_all(lanes), (std::vector<std::uint64_t>{12, 13, 14}));
  EXPECT_EQ(lanes.waiting_held(), 4u);
}

TEST(Lanes, ExpireWhatIsHeld) {
  Lanes lanes;
  lanes.push(Priority::normal, 1, ticket(1, 100), 0);
  lanes.hold(1);
  EXPECT_EQ(lanes.earliest_expiry(), 100u);
  std::size_t expired = 0;

  lanes.take_expired(100, kAll, [&](const Lanes::Pick&) { ++expired; });

  EXPECT_EQ(expired, 1u);
  EXPECT_EQ(lanes.waiting_held(), 0u);
  EXPECT_FALSE(lanes.earliest_expiry());
  EXPECT_TRUE(lanes.is_held(1)) << "a hold outlives what it held";
}

TEST(Lanes, HoldAllAtOnceAndKeepHeldFlowsHeldAfterwards) {
  Lanes lanes;
  lanes.push(Priority::urgent, 1, ticket(1), 0);
  lanes.push(Priority::normal, 2, ticket(2), 0);
  lanes.hold(2);
  lanes.hold_all();
  EXPECT_FALSE(lanes.pop());
  EXPECT_TRUE(lanes.is_held_all());
  EXPECT_EQ(lanes.waiting(), 2u);

  lanes.release_all();

  EXPECT_EQ(pop_all(lanes), (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(lanes.waiting_held(), 1u);
}

TEST(Lanes, GiveAHeavyFlowAsManyTicketsATurn) {
  Lanes lanes;
  lanes.set_weight(1, 3);
  for (std::uint64_t i = 0; i < 1000; ++i) {
    lanes.push(Priority::normal, 1, ticket(i), 0);
    lanes.push(Priority::normal, 2, ticket(i), 0);
  }

  std::map<Flow, int> picked;
  for (int i = 0; i < 400; ++i) ++picked[lanes.pop()->flow];
  EXPECT_EQ(picked[1], 300);

  lanes.set_weight(1, 1);
  (void)lanes.pop();  // the rest of a turn that had begun
  picked.clear();
  for (int i = 0; i < 400; ++i) ++picked[lanes.pop()->flow];
  EXPECT_EQ(picked[1], 200);
}

TEST(Lanes, HandOutOneFlowInSteps) {
  Lanes lanes;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    lanes.push(i % 5 == 0 ? Priority::urgent : Priority::bulk, 1, ticket(i), 0);
    lanes.push(Priority::bulk, 2, ticket(i), 0);
  }
  lanes.hold(1);
  std::vector<std::uint64_t> taken;
  const auto sink = [&](const Lanes::Pick& pick) {
    EXPECT_EQ(pick.flow, 1u);
    EXPECT_EQ(pick.priority == Priority::urgent, pick.ticket.at.bits() % 5 == 0);
    taken.push_back(pick.ticket.at.bits());
  };

  while (lanes.waiting_of(1) > 0) ASSERT_LE(lanes.take_flow(1, 64, sink), 64u);

  EXPECT_EQ(taken.size(), 1000u);
  EXPECT_TRUE(std::is_sorted(taken.begin(), taken.begin() + 200));
  EXPECT_TRUE(std::is_sorted(taken.begin() + 200, taken.end()));
  EXPECT_EQ(lanes.take_flow(1, 64, sink), 0u);
  EXPECT_EQ(lanes.waiting(), 1000u);
  EXPECT_EQ(lanes.waiting_held(), 0u);
}

TEST(Lanes, HandOutAllInSteps) {
  Lanes lanes;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    lanes.push(Priority::normal, static_cast<Flow>(i % 7), ticket(i), 0);
  }
  lanes.hold(3);
  lanes.hold_all();
  std::set<std::uint64_t> taken;

  while (lanes.waiting() > 0) {
    ASSERT_LE(lanes.take_all(100,
                             [&](const Lanes::Pick& pick) {
                               EXPECT_TRUE(taken.insert(pick.ticket.at.bits()).second);
                             }),
              100u);
  }

  EXPECT_EQ(taken.size(), 1000u);
}

// Keeps `flow` filled with messages of `segments` each, and counts what goes.
struct LongMessages {
  Lanes& lanes;
  std::map<Flow, int> segments;  // of each message
  std::map<Flow, int> sent;

  void fill(std::size_t messages) {
    for (const auto& [flow, of_each] : segments) {
      for (std::size_t i = 0; i < messages; ++i) lanes.push(Priority::normal, flow, ticket(i), 0);
    }
  }
  Flow send_one() {
    const auto pick = lanes.pop();
    EXPECT_TRUE(pick);
    lanes.charge(pick->priority, pick->flow, static_cast<std::uint32_t>(segments[pick->flow] - 1));
    sent[pick->flow] += segments[pick->flow];
    return pick->flow;
  }
};

TEST(LongMessages, GetNoMoreSegmentsThanShortOnes) {
  Lanes lanes;
  LongMessages run{lanes, {{1, 10}, {2, 1}, {3, 4}, {4, 1}}, {}};
  run.fill(10'000);

  int all = 0;
  for (; all < 20'000; all = run.sent[1] + run.sent[2] + run.sent[3] + run.sent[4]) run.send_one();

  for (const Flow flow : {1u, 2u, 3u, 4u}) EXPECT_NEAR(run.sent[flow], 5000, 10) << flow;
}

TEST(LongMessages, GetTheirShareAmongManyOfTheirKind) {
  Lanes lanes;
  LongMessages run{lanes, {}, {}};
  for (Flow flow = 0; flow < 50; ++flow) run.segments[flow] = flow % 5 == 0 ? 1 : 10;
  run.fill(2100);

  for (int i = 0; i < 50 * 2000; i += run.segments[run.send_one()]) continue;

  for (const auto& [flow, segments] : run.sent) EXPECT_NEAR(segments, 2000, 20) << flow;
}

TEST(LongMessages, GetSegmentsByWeight) {
  Lanes lanes;
  lanes.set_weight(1, 3);
  lanes.set_weight(2, 1);
  lanes.set_weight(3, 16);
  LongMessages run{lanes, {{1, 7}, {2, 2}, {3, 5}}, {}};
  run.fill(20'000);

  for (int all = 0; all < 40'000; all = run.sent[1] + run.sent[2] + run.sent[3]) {
    run.send_one();
  }

  EXPECT_NEAR(run.sent[1], 6000, 20);
  EXPECT_NEAR(run.sent[2], 2000, 20);
  EXPECT_NEAR(run.sent[3], 32'000, 40);
}

TEST(LongMessages, GoOneBehindTheOtherWhereNobodyElseWaits) {
  Lanes lanes;
  LongMessages run{lanes, {{1, 255}}, {}};
  run.fill(100);

  for (int i = 0; i < 100; ++i) run.send_one();

  lanes.push(Priority::normal, 2, ticket(1), 0);
  lanes.push(Priority::normal, 1, ticket(2), 0);
  lanes.push(Priority::normal, 2, ticket(3), 0);
  EXPECT_EQ(pop_all(lanes), (std::vector<std::uint64_t>{1, 2, 3})) << "nothing was owed";
}

TEST(LongMessages, AreStillPaidForWhereTheFlowRanEmptyMeanwhile) {
  Lanes lanes;
  for (std::uint64_t i = 0; i < 1000; ++i) lanes.push(Priority::normal, 2, ticket(i), 0);
  std::map<Flow, int> sent;

  for (int i = 0; i < 200; ++i) {
    if (lanes.waiting_of(1) == 0) lanes.push(Priority::normal, 1, ticket(1), 0);
    const auto pick = lanes.pop();
    if (pick->flow == 1) lanes.charge(Priority::normal, 1, 9);
    sent[pick->flow] += pick->flow == 1 ? 10 : 1;
  }

  EXPECT_LE(sent[1], sent[2] + 10);
  EXPECT_GE(sent[1], sent[2] * 9 / 10 - 10) << "one turn in ten more is what it may lose";
}

TEST(LongMessages, OweNothingOnceTheOthersHadTheirTurns) {
  Lanes lanes;
  for (std::uint64_t i = 0; i < 100; ++i) lanes.push(Priority::normal, 2, ticket(i), 0);
  lanes.push(Priority::normal, 1, ticket(1000), 0);
  while (lanes.pop()->flow != 1) continue;
  lanes.charge(Priority::normal, 1, 9);
  lanes.hold(1);
  for (int i = 0; i < 10; ++i) (void)lanes.pop();

  lanes.release(1);
  lanes.push(Priority::normal, 1, ticket(1001), 0);

  EXPECT_EQ(lanes.pop()->flow, 2u);
  EXPECT_EQ(lanes.pop()->flow, 1u) << "held, it has paid all the same";
}

TEST(LongMessages, OweNothingOnceNobodyWaits) {
  Lanes lanes;
  lanes.push(Priority::normal, 1, ticket(1), 0);
  lanes.push(Priority::normal, 2, ticket(2), 0);
  (void)lanes.pop();
  lanes.charge(Priority::normal, 1, 254);
  (void)lanes.pop();

  lanes.push(Priority::normal, 1, ticket(3), 0);
  lanes.push(Priority::normal, 2, ticket(4), 0);

  EXPECT_EQ(lanes.pop()->flow, 1u);
}

TEST(LongMessages, OweNoMoreThanTheLongestOfThem) {
  Lanes lanes;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    lanes.push(Priority::normal, 1, ticket(i), 0);
    lanes.push(Priority::normal, 2, ticket(i), 0);
  }
  (void)lanes.pop();
  for (int i = 0; i < 100; ++i) lanes.charge(Priority::normal, 1, 1'000'000);

  int of_others = 0;
  while (lanes.pop()->flow != 1) ++of_others;

  EXPECT_NEAR(of_others, 255, 1);
}

TEST(LongMessages, KeepTheirFlowsAccountWhileItsWeightChanges) {
  Lanes lanes;
  LongMessages run{lanes, {{1, 10}, {2, 1}}, {}};
  run.fill(5000);
  lanes.set_weight(1, 20);
  for (int i = 0; i < 100; ++i) run.send_one();
  lanes.set_weight(1, 1);
  run.sent.clear();

  for (int i = 0; i < 2000; ++i) run.send_one();

  EXPECT_NEAR(run.sent[1], run.sent[2], 30);
}

}  // namespace
}  // namespace stentor::queue::test
