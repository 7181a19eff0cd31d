#include "queue/pacer.h"

#include <gtest/gtest.h>

#include <deque>
#include <limits>

#include "tests/queue/random_numbers.h"

namespace stentor::queue::test {
namespace {

using namespace std::chrono_literals;
using TimePoint = Pacer::TimePoint;

constexpr TimePoint kStart{};

TEST(Pacer, KnowsNoLimitAtRateZero) {
  Pacer pacer(0, kStart);

  EXPECT_EQ(pacer.available(kStart), std::numeric_limits<std::uint32_t>::max());
  pacer.take(1'000'000, kStart);
  EXPECT_EQ(pacer.next(kStart), kStart);
}

TEST(Pacer, BeginsWithOneSegment) {
  Pacer pacer(100, kStart);

  EXPECT_EQ(pacer.available(kStart), 1u);
  pacer.take(1, kStart);
  EXPECT_EQ(pacer.available(kStart), 0u);
  EXPECT_EQ(pacer.next(kStart), kStart + 10ms);
  EXPECT_EQ(pacer.available(kStart + 10ms - 1ns), 0u);
  EXPECT_EQ(pacer.available(kStart + 10ms), 1u);
}

TEST(Pacer, SavesUpNoMoreThanOneQuantum) {
  Pacer pacer(1000, kStart);

  EXPECT_EQ(pacer.available(kStart + 10s), 20u);
}

TEST(Pacer, SavesUpOneSegmentWhereAQuantumIsLess) {
  Pacer pacer(1, kStart);
  pacer.take(1, kStart);

  EXPECT_EQ(pacer.next(kStart), kStart + 1s);
  EXPECT_EQ(pacer.available(kStart + 1s - 1ns), 0u);
  EXPECT_EQ(pacer.available(kStart + 1h), 1u);
}

TEST(Pacer, IsExactForRatesThatDoNotDivideASecond) {
  Pacer pacer(7, kStart);
  pacer.take(1, kStart);
  std::uint32_t sent = 0;
  TimePoint now = kStart;
  while ((now = pacer.next(now)) <= kStart + 1000s) {
    pacer.take(1, now);
    ++sent;
  }

  EXPECT_EQ(sent, 7000u);
}

// I9: no sliding second sees more than the rate and one quantum, whatever the caller does.
TEST(Pacer, HoldsTheRateInEverySlidingSecond) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomNumbers random(seed);
    const auto rate = static_cast<std::uint32_t>(1 + random.below(5000));
    const std::uint32_t quantum = std::max(1u, rate / 50);
    Pacer pacer(rate, kStart);
    std::deque<std::pair<TimePoint, std::uint32_t>> window;
    std::uint64_t in_window = 0;
    TimePoint now = kStart;
    for (int i = 0; i < 3000; ++i) {
      now += random.one_in(20) ? std::chrono::milliseconds(random.below(2000))
                               : std::chrono::microseconds(random.below(3000));
      const std::uint32_t available = pacer.available(now);
      const auto take = static_cast<std::uint32_t>(random.below(available + 1ull));
      pacer.take(take, now);
      window.emplace_back(now, take);
      in_window += take;
      while (window.front().first <= now - 1s) {
        in_window -= window.front().second;
        window.pop_front();
      }
      ASSERT_LE(in_window, rate + quantum);
    }
  }
}

// As above while throttling cuts the rate and lets it climb: the highest rate of the second bounds
// it.
TEST(Pacer, HoldsTheHighestRateOfASlidingSecondAcrossChanges) {
  struct Taken {
    TimePoint at;
    std::uint32_t segments;
    std::uint32_t rate;
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomNumbers random(seed);
    auto rate = static_cast<std::uint32_t>(1 + random.below(5000));
    Pacer pacer(rate, kStart);
    std::deque<Taken> window;
    TimePoint now = kStart;
    for (int i = 0; i < 2000; ++i) {
      now += std::chrono::microseconds(random.below(3000));
      if (random.one_in(50)) {
        rate = static_cast<std::uint32_t>(1 + random.below(5000));
        pacer.set_rate(rate, now);
      }
      const std::uint32_t available = pacer.available(now);
      const auto take = static_cast<std::uint32_t>(random.below(available + 1ull));
      pacer.take(take, now);
      window.push_back({now, take, rate});
      while (window.front().at <= now - 1s) window.pop_front();
      std::uint64_t in_window = 0;
      std::uint32_t highest = 0;
      for (const Taken& taken : window) {
        in_window += taken.segments;
        highest = std::max(highest, taken.rate);
      }
      ASSERT_LE(in_window, highest + std::max(1u, highest / 50));
    }
  }
}

TEST(Pacer, KeepsTheCreditWhenTheRateChanges) {
  Pacer pacer(1000, kStart);
  EXPECT_EQ(pacer.available(kStart + 1s), 20u);

  pacer.set_rate(100, kStart + 1s);
  EXPECT_EQ(pacer.rate(), 100u);
  EXPECT_EQ(pacer.available(kStart + 1s), 2u);

  pacer.set_rate(0, kStart + 1s);
  pacer.set_rate(100'000, kStart + 2s);
  EXPECT_EQ(pacer.available(kStart + 2s), 1u) << "time without a limit saves nothing up";
}

TEST(Pacer, DoesNotMindATimeThatStandsStill) {
  Pacer pacer(50, kStart + 1s);
  pacer.take(1, kStart + 1s);

  EXPECT_EQ(pacer.available(kStart), 0u);
  EXPECT_EQ(pacer.next(kStart), kStart + 1s + 20ms);
}

}  // namespace
}  // namespace stentor::queue::test
