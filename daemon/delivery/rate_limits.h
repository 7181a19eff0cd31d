// Limits of one carrier below its rate: so much a second of a sender, or to a prefix.
//
// A message whose limit is used up is parked in a lane of its own, with all others that come under
// the same limits, so that nobody else waits behind it. Parked ones keep priorities, fair share and
// order among themselves.
//
// Units    Segments; time is steady_clock, seconds are Unix time, both passed in.
// Owns     The parked tickets: 16 octets each, like those of the carrier's lanes.
// Errors   None.
// Threads  One thread.
// Spec     docs/configuration.md, `limits`
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/delivery_config.h"
#include "queue/lanes.h"

namespace stentor::daemon {

/// Lets at most `rate` segments a second through, evenly. A message of several parts goes whole and
/// is paid for afterwards.
class SmoothLimit {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit SmoothLimit(std::uint32_t rate) noexcept
      : interval_(std::chrono::nanoseconds(std::chrono::seconds(1)) / (rate == 0 ? 1 : rate)) {}

  [[nodiscard]] TimePoint next() const noexcept { return next_; }
  void take(std::uint32_t segments, TimePoint now) noexcept {
    // A turn that came late may be made up for, a second that nobody used may not.
    next_ = std::max(next_, now - kSlack) + segments * interval_;
  }

 private:
  static constexpr std::chrono::milliseconds kSlack{20};
  std::chrono::nanoseconds interval_;
  TimePoint next_{};
};

class RateLimits {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit RateLimits(const std::vector<RateLimit>& limits);

  /// The limits that a message comes under: at most one of its sender, one of its destination.
  struct Match {
    std::uint16_t sender = kNone;
    std::uint16_t prefix = kNone;
    [[nodiscard]] bool is_any() const noexcept { return sender != kNone || prefix != kNone; }
    friend bool operator==(const Match&, const Match&) = default;
  };
  static constexpr std::uint16_t kNone = 0xffff;
  struct Parked {
    queue::Lanes::Pick pick;
    Match match;
  };

  [[nodiscard]] bool is_empty() const noexcept { return limits_.empty(); }
  /// `from` and `to` in kept form. The first sender pattern and the longest prefix win.
  [[nodiscard]] Match match(std::string_view from, std::string_view to) const;
  /// May a message of these go now, with nothing parked that came before it?
  [[nodiscard]] bool may_go(const Match& match, TimePoint now) const;
  void take(const Match& match, std::uint32_t segments, TimePoint now);

  void park(const Match& match, const queue::Lanes::Pick& pick, std::uint32_t now_seconds);
  /// The next parked one whose limits allow it; groups take turns.
  [[nodiscard]] std::optional<Parked> pop_ready(TimePoint now);
  /// Any parked one, ready or not: for taking them elsewhere.
  [[nodiscard]] std::optional<Parked> pop_any();
  /// Undoes a pop: the message is the first of its group again.
  void put_back(const Parked& parked, std::uint32_t now_seconds);
  /// Takes out up to `max` parked tickets of `flow`; returns how many.
  std::size_t take_flow(queue::Flow flow, std::size_t max, const queue::Lanes::Sink& sink);
  [[nodiscard]] std::size_t waiting_of(queue::Flow flow) const noexcept;
  /// Takes out up to `max` whose tickets expire at or before step `now`; costs nothing before the
  /// first does.
  std::size_t take_expired(std::uint32_t now, std::size_t max, const queue::Lanes::Sink& sink);

  /// None expires before this step; nothing when none is parked.
  [[nodiscard]] std::optional<std::uint32_t> earliest_expiry() const noexcept {
    if (waiting_ == 0) return std::nullopt;
    return earliest_expiry_;
  }

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t waiting(queue::Priority priority) const noexcept;
  [[nodiscard]] std::optional<std::uint32_t> oldest_since(queue::Priority priority) const noexcept;
  /// When the next parked one may go; TimePoint::max() when none is parked.
  [[nodiscard]] TimePoint next() const noexcept;
  /// The limit with the most parked messages, as words: "sender SHOP", "prefix 7916"; empty: none.
  [[nodiscard]] std::string holding_most() const;

 private:
  struct Group {
    Match match;
    std::unique_ptr<queue::Lanes> lanes;
  };
  [[nodiscard]] TimePoint next_of(const Match& match) const noexcept;
  [[nodiscard]] Group& group_of(const Match& match);
  void count_in(const queue::Ticket& ticket) noexcept;
  [[nodiscard]] std::optional<Parked> take_from(std::size_t index);

  const std::vector<RateLimit>& limits_;
  std::vector<SmoothLimit> smooth_;  // by limit
  std::vector<Group> groups_;        // those with something parked
  std::size_t turn_ = 0;
  std::size_t waiting_ = 0;
  std::uint32_t earliest_expiry_ = 0;
};

}  // namespace stentor::daemon
