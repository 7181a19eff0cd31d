#include "daemon/control/clock_watch.h"

#include <cmath>

#include "daemon/log.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// Whoever set the clock sees at once what stentord makes of it.
constexpr auto kLookEvery = 1s;

void look() {
  const auto step = process_date().look(Clock::now(), system_date());
  if (!step) return;
  const double by = Seconds(step->by).count();
  const double difference = Seconds(step->difference).count();
  log::warn(
      "clock: the system's clock was set {} by {:.0f} s; stentord counts on from its own date, and "
      "nothing expires, is sent or is forgotten for it; the clock is now {:.0f} s {} that date{}",
      by > 0 ? "forward" : "back", std::abs(by), std::abs(difference),
      difference > 0 ? "ahead of" : "behind",
      std::abs(difference) * 1s > ProcessDate::kStep
          ? ": once the clock is right, restart stentord to take it over"
          : "");
}

}  // namespace

ClockWatch::ClockWatch(boost::asio::io_context& context) : timer_(context) {
  (void)process_date();  // the date begins here
  look_later();
}

void ClockWatch::on_start(std::uint64_t newest_ms) {
  const auto behind = process_date().start_after(newest_ms, Clock::now());
  if (!behind) return;
  log::warn(
      "clock: the journal has a date {:.0f} s ahead of the system's clock: the clock was or is "
      "wrong; nothing expires for {} s: if it is wrong now, put it right and restart stentord",
      Seconds(*behind).count(), ProcessDate::kExpiryPause / 1s);
}

void ClockWatch::look_later() {
  timer_.expires_after(kLookEvery);
  timer_.async_wait([this](const boost::system::error_code& stopped) {
    if (stopped) return;
    look();
    look_later();
  });
}

}  // namespace stentor::daemon
