// Notices a bind that is bound and has answers due, or work that may go, while nothing moves; and
// one whose peer does not read what we answer.
//
// The session's own watch asks the peer and believes what it hears; this one believes only what
// moves: submits that go out, answers that come in, octets that the connection takes. It is the net
// below all else.
//
// Units    Time is steady_clock, passed in.
// Threads  One thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

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
    bool has_work = false;      ///< something waits that may go
    std::uint64_t written = 0;  ///< octets that this connection has taken
    std::uint64_t queued = 0;   ///< those and all that wait to be taken
    bool is_behind = false;     ///< more of them wait than we care to hold: the peer reads no more
  };

  /// A new connection stands.
  void begin(TimePoint now) noexcept {
    load_ = {};
    since_ = now;
    is_reading_ = true;
    was_given_time_ = false;
    unread_until_.reset();
  }
  /// Call after each turn.
  void observe(TimePoint now, const Load& load) noexcept {
    const bool was_idle = load_.in_flight == 0 && !load_.has_work;
    if (was_idle || load.answers != load_.answers || load.in_flight != load_.in_flight) {
      moved(now);
    }
    load_ = load;
    // What stood there when it fell behind must be read; what came behind it has a time of its own.
    if (unread_until_ && load.written >= *unread_until_) unread_until_.reset();
    if (!unread_until_ && load.is_behind) {
      unread_until_ = load.queued;
      unread_since_ = now;
    }
  }
  /// The daemon has no room for what it would read (false), or reads again (true): meanwhile no
  /// time counts in which answers were due.
  void on_reading(bool is_reading, TimePoint now) noexcept {
    if (is_reading == is_reading_) return;
    is_reading_ = is_reading;
    if (!is_reading) {
      held_since_ = now;
      return;
    }
    since_ += now - held_since_;
    // What was answered meanwhile lies unread. Once, or who floods us would get time without end.
    const auto time_to_read = std::min<TimePoint::duration>(kTimeToRead, limit_);
    if (was_given_time_ || since_ + limit_ >= now + time_to_read) return;
    was_given_time_ = true;
    since_ = now + time_to_read - limit_;
  }
  /// What stands was looked at, and nothing is done about it: its time begins anew.
  void wait_again(TimePoint now) noexcept { moved(now); }

  /// TimePoint::max() when nothing is due.
  [[nodiscard]] TimePoint deadline() const noexcept {
    const bool is_idle = load_.in_flight == 0 && !load_.has_work;
    const TimePoint still = is_idle || !is_reading_ ? TimePoint::max() : since_ + limit_;
    return unread_until_ ? std::min(still, unread_since_ + limit_) : still;
  }
  [[nodiscard]] bool is_stuck(TimePoint now) const noexcept { return now >= deadline(); }
  /// Of one that is stuck: whether it is for what the peer did not read.
  [[nodiscard]] bool is_unread(TimePoint now) const noexcept {
    return unread_until_ && now >= unread_since_ + limit_;
  }
  [[nodiscard]] std::chrono::milliseconds limit() const noexcept { return limit_; }

 private:
  static constexpr std::chrono::seconds kTimeToRead{1};

  void moved(TimePoint now) noexcept {
    since_ = now;
    was_given_time_ = false;
    if (!is_reading_) held_since_ = now;
  }

  std::chrono::milliseconds limit_;
  TimePoint since_{};
  Load load_;
  bool is_reading_ = true;
  TimePoint held_since_{};
  bool was_given_time_ = false;
  std::optional<std::uint64_t> unread_until_;  // what the connection has to take to catch up
  TimePoint unread_since_{};
};

}  // namespace stentor::daemon
