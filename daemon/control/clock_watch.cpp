#include "daemon/control/clock_watch.h"

#include <cmath>
#include <utility>

#include "daemon/control/clock_note.h"
#include "daemon/log.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// Whoever set the clock sees at once what stentord makes of it.
constexpr auto kLookEvery = 1s;
// What NTP sets the clock by between two notes is no step.
constexpr auto kNoteEvery = 1h;

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

ClockWatch::ClockWatch(boost::asio::io_context& context, std::filesystem::path state_dir)
    : timer_(context), state_dir_(std::move(state_dir)) {
  (void)process_date();  // the date begins here
  look_later();
}

void ClockWatch::on_start(std::uint64_t newest_ms) const {
  const auto behind = process_date().start_after(newest_ms, Clock::now());
  if (!behind || is_told_) return;
  log::warn(
      "clock: the journal has a date {:.0f} s ahead of the system's clock: the clock was or is "
      "wrong; nothing expires for {} s: if it is wrong now, put it right and restart stentord",
      Seconds(*behind).count(), ProcessDate::kExpiryPause / 1s);
}

void ClockWatch::look_at_note() {
  const auto before = read_clock_note(state_dir_);
  const auto now = clock_note_now(system_date());
  const auto expected = before && now ? expected_date(*before, *now) : std::nullopt;
  if (!expected) return;
  const auto ahead = process_date().start_expecting(*expected, Clock::now());
  if (!ahead) return;
  is_told_ = true;
  // Another start in the pause sees what this one has seen.
  next_note_ = Clock::now() + ProcessDate::kExpiryPause;
  log::warn(
      "clock: the system's clock is {:.0f} s {} what has passed since the process before: it was "
      "set, or the machine was suspended; nothing expires for {} s: if it is wrong now, put it "
      "right and restart stentord",
      std::abs(Seconds(*ahead).count()), *ahead > 0s ? "ahead of" : "behind",
      ProcessDate::kExpiryPause / 1s);
}

void ClockWatch::note_when_due() {
  if (Clock::now() < next_note_) return;
  next_note_ = Clock::now() + kNoteEvery;
  if (const auto now = clock_note_now(std::chrono::milliseconds(wall_clock_ms()))) {
    (void)write_clock_note(state_dir_, *now);  // the next start can do without
  }
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
