#include "daemon/delivery/auto_window.h"

#include <gtest/gtest.h>

#include <deque>

#include "tests/daemon/test_times.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

using test::kStart;

// A carrier that answers after `latency`, at most `capacity` a second, one after the other.
std::uint32_t window_after(std::chrono::milliseconds latency, double capacity, std::uint32_t most,
                           std::chrono::seconds played, std::uint32_t rate = 0) {
  AutoWindow window;
  std::deque<std::pair<AutoWindow::TimePoint, AutoWindow::TimePoint>> in_flight;  // sent, due
  const auto each =
      std::chrono::duration_cast<AutoWindow::Duration>(std::chrono::duration<double>(1 / capacity));
  auto free_at = kStart;
  for (auto now = kStart; now < kStart + played; now += 1ms) {
    while (!in_flight.empty() && in_flight.front().second <= now) {
      window.on_response(now - in_flight.front().first, now);
      in_flight.pop_front();
    }
    while (in_flight.size() < window.window(rate, 1, most)) {
      free_at = std::max(free_at, now) + each;
      in_flight.emplace_back(now, free_at + latency);
    }
  }
  return window.window(rate, 1, most);
}

TEST(AutoWindow, BeginsWithWhatCarriersGrant) {
  EXPECT_EQ(AutoWindow().window(0, 1, 1000), 10u);
  EXPECT_EQ(AutoWindow().window(0, 1, 4), 4u) << "never over its bound";
}

TEST(AutoWindow, IsHalfAsMuchAgainAsRateTimesLatency) {
  AutoWindow window;
  for (int i = 0; i < 100; ++i) window.on_response(200ms, kStart + i * 10ms);
  EXPECT_EQ(window.window(1000, 1, 1000), 301u);
  EXPECT_EQ(window.window(1000, 4, 1000), 76u) << "shared by its binds";
  EXPECT_EQ(window.window(10, 1, 1000), 10u);
  EXPECT_EQ(window.window(100000, 1, 1000), 1000u);
}

TEST(AutoWindow, GrowsUntilTheCarrierAnswersNoFaster) {
  // 100 ms at 1000 a second needs 100 in flight; a fixed window of 10 would get 100 a second.
  const auto window = window_after(100ms, 1000, 2000, 20s);
  EXPECT_GE(window, 100u);
  EXPECT_LE(window, 450u) << "and not without end: the rest would only wait over there";
}

TEST(AutoWindow, StaysSmallWhereAnswersComeAtOnce) {
  // The ten it begins with fill that carrier already: twice them is where growing ends.
  EXPECT_LE(window_after(1ms, 200, 1000, 10s), 30u);
}

}  // namespace
}  // namespace stentor::daemon
