// What waits behind an earlier message of its order key that is in retry or in doubt.
//
// A message that was tried, and waits for its next attempt or for somebody's word, holds back the
// later ones of its key, so that they do not overtake it: for a while, counted from its first
// refusal or from its doubt. Then they pass, and each that does is told of it (passes()).
//
// Units    Milliseconds of Unix time, passed in: a hold goes on across a restart.
// Owns     The held tickets, at most kWaitingMax of them, and a note of each holder, 48 octets, at
//          most kHoldersMax: a carrier that refuses all it gets at 6,500 a second fills that in the
//          10 s. Beyond them order gives way to memory: who finds no room holds nobody back, and
//          is not waited for.
// Errors   None.
// Threads  One thread.
// Spec     docs/queue.md, "Order"
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

#include "queue/lanes.h"

namespace stentor::daemon {

class OrderHold {
 public:
  using Pick = queue::Lanes::Pick;
  static constexpr std::size_t kHoldersMax = 65'536;
  static constexpr std::size_t kWaitingMax = 65'536;

  /// Zero: nothing is held back.
  explicit OrderHold(std::chrono::milliseconds at_most) noexcept
      : at_most_ms_(static_cast<std::uint64_t>(at_most.count())) {}

  /// `holder` waits since `since_ms`, when it was first refused or came into doubt. Said again of
  /// the same one it holds no longer for that.
  void hold(const queue::Ticket& holder, std::uint64_t since_ms, std::uint64_t now_ms);
  /// It goes on, or is final: what waits behind it alone is released. Costs nothing for others.
  void end(queue::Locator holder, std::uint64_t now_ms);
  /// Whether anything is held or holds: false lets the hot path by.
  [[nodiscard]] bool is_idle() const noexcept { return keys_.empty() && released_.empty(); }

  /// Must it wait behind an earlier one of its key? Then park() it.
  [[nodiscard]] bool holds_back(const queue::Ticket& ticket, std::uint64_t now_ms) const;
  /// The message that it goes before although that was accepted earlier, if any.
  [[nodiscard]] std::optional<queue::Locator> passes(const queue::Ticket& ticket) const;
  void park(const Pick& pick, std::uint64_t now_ms);

  /// Releases what has waited long enough.
  void on_time(std::uint64_t now_ms);
  /// Releases all of a flow, or all: to be held elsewhere, cancelled, or moved.
  void release_flow(queue::Flow flow);
  void release_all();
  /// What was released, the last accepted first: each goes to the front of its flow.
  [[nodiscard]] std::vector<Pick> take_released();
  /// Takes out up to `max` that have expired.
  [[nodiscard]] std::vector<Pick> take_expired(std::uint32_t now, std::size_t max);
  [[nodiscard]] std::optional<std::uint32_t> earliest_expiry() const noexcept;

  /// When there is something to release or to take; nothing when none waits.
  [[nodiscard]] std::optional<std::uint64_t> next_ms() const noexcept;
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::size_t waiting(queue::Priority priority) const noexcept {
    return by_priority_[static_cast<std::size_t>(priority)];
  }
  [[nodiscard]] std::size_t waiting_of(queue::Flow flow) const noexcept;
  [[nodiscard]] std::size_t holders() const noexcept { return key_of_.size(); }

 private:
  struct Holder {
    queue::Locator at;
    std::uint64_t until_ms = 0;
  };
  struct Key {
    boost::container::small_vector<Holder, 1> holders;
    std::vector<Pick> waiting;
  };
  using Keys = boost::unordered_flat_map<std::uint32_t, Key>;
  using Due = std::pair<std::uint64_t, std::uint32_t>;  // when, which key

  [[nodiscard]] bool is_behind_waiting(const queue::Ticket& ticket, std::uint64_t now_ms) const;
  [[nodiscard]] static bool holds_back(const Key& key, queue::Locator at, std::uint64_t now_ms);
  void release_if(Keys::iterator key, const std::function<bool(const Pick&)>& is_free);
  void drop_if_empty(Keys::iterator key);

  std::uint64_t at_most_ms_;
  Keys keys_;
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> key_of_;  // by holder's place
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<Pick> released_;
  std::size_t waiting_ = 0;  // released ones aside
  std::array<std::size_t, queue::kPriorities> by_priority_{};
  std::uint32_t earliest_expiry_ = 0;
};

}  // namespace stentor::daemon
