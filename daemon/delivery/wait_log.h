// What held a carrier back of late, so that each message can be told why it waited: asked when it
// is reserved, for the time since it was accepted.
//
// Units    Milliseconds of Unix time.
// Owns     The latest stretches, each of one cause; neighbours of one cause are one.
// Errors   Before the first note, and beyond kStretchesMax changes, nothing is known: the stretches
//          told begin later then.
// Threads  One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "daemon/delivery/limiter_report.h"
#include "daemon/records/records.h"

namespace stentor::daemon {

class WaitLog {
 public:
  // A cause is noted once a second: minutes of one that changes every second, days of usual ones.
  static constexpr std::size_t kStretchesMax = 256;
  // In one record; of each is a cause and a length of some three octets.
  static constexpr std::size_t kToldMax = 32;

  /// `cause` held since the last note. A clock that was set back makes a stretch of no length.
  void note(Limiter cause, std::uint64_t now_ms) {
    if (begin_ms_ == 0) begin_ms_ = end_ms_ = now_ms;
    now_ms = std::max(now_ms, end_ms_);
    if (!stretches_.empty() && stretches_.back().cause == cause) {
      stretches_.back().until_ms = now_ms;
    } else {
      stretches_.push_back({cause, now_ms});
    }
    end_ms_ = now_ms;
    if (stretches_.size() <= kStretchesMax) return;
    begin_ms_ = stretches_.front().until_ms;
    stretches_.pop_front();
  }

  /// What held between `since_ms` and `now_ms`, oldest first, ending now; `cause` since the last
  /// note. The latest kToldMax stretches of it.
  [[nodiscard]] std::vector<WaitSpan> since(std::uint64_t since_ms, Limiter cause,
                                            std::uint64_t now_ms) const {
    std::vector<WaitSpan> spans;
    std::uint64_t from = std::max(since_ms, begin_ms_);
    const auto add = [&](Limiter what, std::uint64_t until) {
      if (until <= from) return;
      const auto number = static_cast<std::uint8_t>(what);
      if (!spans.empty() && spans.back().cause == number) {
        spans.back().milliseconds += until - from;
      } else {
        spans.push_back({number, until - from});
      }
      from = until;
    };
    for (const Stretch& stretch : stretches_) add(stretch.cause, stretch.until_ms);
    add(cause, now_ms);
    if (spans.size() > kToldMax) {
      spans.erase(spans.begin(), spans.end() - static_cast<std::ptrdiff_t>(kToldMax));
    }
    return spans;
  }

 private:
  struct Stretch {
    Limiter cause;
    std::uint64_t until_ms;
  };
  std::deque<Stretch> stretches_;
  std::uint64_t begin_ms_ = 0;  // of the first stretch; 0: nothing noted yet
  std::uint64_t end_ms_ = 0;
};

}  // namespace stentor::daemon
