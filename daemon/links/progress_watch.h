// Notices a bind that is bound and has answers due, or work that may go, while nothing moves.
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

  struct Load {
    std::uint64_t answers = 0;  ///< ever counted
    std::size_t in_flight = 0;  ///< still due
    bool has_work = false;      ///< something waits that window and rate let go
  };

  /// A new connection stands.
  void begin(TimePoint now) noexcept {
    load_ = {};
    since_ = now;
    is_reading_ = true;
  }
  /// Call after each turn.
  void observe(TimePoint now, const Load& load) noexcept {
    const bool was_idle = load_.in_flight == 0 && !load_.has_work;
    if (was_idle || load.answers != load_.answers || load.in_flight != load_.in_flight) {
      since_ = now;
    }
    load_ = load;
  }
  /// The daemon stops reading (false), or reads again (true): what was answered meanwhile lies
  /// unread, so that the time begins anew.
  void on_reading(bool is_reading, TimePoint now) noexcept {
    is_reading_ = is_reading;
    if (is_reading) since_ = now;
  }
  /// TimePoint::max() when nothing is due.
  [[nodiscard]] TimePoint deadline() const noexcept {
    const bool is_idle = load_.in_flight == 0 && !load_.has_work;
    return is_idle || !is_reading_ ? TimePoint::max() : since_ + limit_;
  }
  [[nodiscard]] bool is_stuck(TimePoint now) const noexcept { return now >= deadline(); }
  [[nodiscard]] std::chrono::milliseconds limit() const noexcept { return limit_; }

 private:
  std::chrono::milliseconds limit_;
  TimePoint since_{};
  Load load_;
  bool is_reading_ = true;
};

}  // namespace stentor::daemon
