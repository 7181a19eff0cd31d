// Messages of one carrier that are held since nobody knows whether the carrier has them.
//
// Units    Milliseconds of Unix time.
// Owns     What is needed to go on with each: a few hundred octets. Each was in somebody's window
//          when a link or the process died, so that their number grows by a window at a time.
// Errors   Not there is an ordinary "no".
// Threads  The shard's thread.
// Spec     docs/carriers.md, "Doubt"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "daemon/config/uncertain_policy.h"
#include "daemon/delivery/sending.h"
#include "queue/lanes.h"

namespace stentor::daemon {

struct Held {
  queue::Lanes::Pick pick;
  Retry retry;
  PartSet doubt;  ///< parts that were written and not answered
  std::uint64_t since_ms = 0;
  std::uint64_t until_ms = 0;  ///< then the policy goes on; 0: only somebody's word ends it
  UncertainPolicy then = UncertainPolicy::hold;
  std::uint64_t expires_ms = 0;
  std::uint64_t again_ms = 0;  ///< its record could not be read: nothing of it is due before
};

/// A record that cannot be read now may be readable later; nothing else can be done about it.
inline constexpr std::uint64_t kUnreadableRetryMs = 60'000;

class InDoubt {
 public:
  /// By accept sequence.
  void put(std::uint64_t sequence, Held held);
  [[nodiscard]] Held* find(std::uint64_t sequence) {
    const auto found = held_.find(sequence);
    return found == held_.end() ? nullptr : found->second.get();
  }
  [[nodiscard]] std::optional<Held> take(std::uint64_t sequence);

  struct Part {
    std::uint64_t sequence = 0;
    std::uint16_t part = 0;  ///< from 0
    friend bool operator==(const Part&, const Part&) = default;
  };
  /// The parts in doubt that were written under this user_message_reference, the longest held
  /// first: its 16 bits come again every 8,192 messages.
  [[nodiscard]] std::vector<Part> named(std::uint16_t reference) const;

  /// Sequences of those whose wait or whose life is over. Costs nothing before the first is.
  [[nodiscard]] std::vector<std::uint64_t> due(std::uint64_t now_ms) {
    std::vector<std::uint64_t> due;
    if (now_ms < next_ms_) return due;
    next_ms_ = kNever;
    for (const auto& [sequence, held] : held_) {
      if (end_of(*held) <= now_ms) {
        due.push_back(sequence);
      } else {
        next_ms_ = std::min(next_ms_, end_of(*held));
      }
    }
    return due;
  }
  /// When due() has one, or has to look again; kNever when none is held.
  [[nodiscard]] std::uint64_t next_ms() const noexcept { return held_.empty() ? kNever : next_ms_; }
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

  [[nodiscard]] std::vector<std::uint64_t> of_flow(queue::Flow flow) const {
    std::vector<std::uint64_t> found;
    for (const auto& [sequence, held] : held_) {
      if (held->pick.flow == flow) found.push_back(sequence);
    }
    return found;
  }
  /// Calls `see` for each, in no order.
  void for_each(const std::function<void(std::uint64_t, const Held&)>& see) const {
    for (const auto& [sequence, held] : held_) see(sequence, *held);
  }
  [[nodiscard]] std::size_t size() const noexcept { return held_.size(); }

 private:
  [[nodiscard]] static std::uint64_t end_of(const Held& held) noexcept {
    const std::uint64_t life = held.expires_ms;
    return std::max(held.until_ms == 0 ? life : std::min(life, held.until_ms), held.again_ms);
  }

  template <class Each>
  static void for_each_part(std::uint64_t sequence, const Held& held, Each&& each);

  boost::unordered_flat_map<std::uint64_t, std::unique_ptr<Held>> held_;
  boost::unordered_flat_map<std::uint16_t, std::vector<Part>> by_reference_;
  std::uint64_t next_ms_ = kNever;
};

}  // namespace stentor::daemon
