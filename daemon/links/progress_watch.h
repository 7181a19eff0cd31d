// Notices a bind that is bound and has answers due, while nothing moves.
//
// The session's own watch asks the peer and believes what it hears; this one believes only what
// moves: submits that go out and answers that come in. It is the net below all else.
//
// Units    Time is steady_clock, passed in.
// Threads  One thread.
#pragma once

#include <chrono>
#include <cstdint>

namespace stentor::daemon {

class ProgressWatch {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Twice the time an answer may take: the session's own watch comes first wherever it can tell.
  explicit ProgressWatch(std::chrono::milliseconds response_timeout)
      : limit_(2 * response_timeout) {}

  /// A new connection stands.
  void begin(TimePoint now) noexcept {
    answers_ = 0;
    since_ = now;
  }
  /// Call after each turn: `answers` ever counted, `in_flight` still due.
  void observe(TimePoint now, std::uint64_t answers, std::size_t in_flight) noexcept {
    if (answers != answers_ || in_flight != in_flight_) since_ = now;
    answers_ = answers;
    in_flight_ = in_flight;
  }
  /// TimePoint::max() when nothing is due.
  [[nodiscard]] TimePoint deadline() const noexcept {
    return in_flight_ == 0 ? TimePoint::max() : since_ + limit_;
  }
  [[nodiscard]] bool is_stuck(TimePoint now) const noexcept { return now >= deadline(); }
  [[nodiscard]] std::chrono::milliseconds limit() const noexcept { return limit_; }

 private:
  std::chrono::milliseconds limit_;
  TimePoint since_{};
  std::uint64_t answers_ = 0;
  std::size_t in_flight_ = 0;
};

}  // namespace stentor::daemon
