// What is remembered of a carrier's messages that wait between two attempts.
//
// Units    Entries: 112 octets, and as much as the table leaves empty.
// Owns     One entry for each of them, at most kCountsMax that hold counts alone. A carrier that
//          refuses a whole backlog for now reaches that; the message that is one too many is then
//          counted anew from its next refusal on, so that it is tried longer, at the most until it
//          expires. What says that something of a message may be over there already is always
//          kept: it is as rare as links are lost and long messages are cut short.
// Threads  One thread.
// Spec     docs/carriers.md, "Statuses"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "daemon/delivery/sending.h"
#include "queue/locator.h"

namespace stentor::daemon {

class Retries {
 public:
  /// What 150 refusals a second come to in an hour, the last of the pauses that are usual; some 60
  /// to 120 MiB.
  static constexpr std::size_t kCountsMax = 1u << 19;

  explicit Retries(std::size_t counts_max = kCountsMax) : counts_max_(counts_max) {}

  /// In place of what was remembered; nothing where it is not worth it. False when there was no
  /// room for its counts.
  bool keep(queue::Locator at, Retry retry) {
    if (!retry.is_worth_keeping()) {
      entries_.erase(at.bits());
      return true;
    }
    if (!retry.may_have_arrived() && is_full() && !contains(at)) return false;
    entries_[at.bits()] = std::move(retry);
    return true;
  }
  /// nullptr: nothing is remembered. Good until the next change.
  [[nodiscard]] const Retry* find(queue::Locator at) const {
    const auto found = entries_.find(at.bits());
    return found == entries_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] bool contains(queue::Locator at) const { return entries_.contains(at.bits()); }
  /// Takes it out; an empty one where nothing is remembered.
  [[nodiscard]] Retry take(queue::Locator at) {
    const auto found = entries_.find(at.bits());
    if (found == entries_.end()) return {};
    Retry taken = std::move(found->second);
    entries_.erase(found);
    return taken;
  }
  void forget(queue::Locator at) { entries_.erase(at.bits()); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  [[nodiscard]] bool is_full() const noexcept { return entries_.size() >= counts_max_; }

  std::size_t counts_max_;
  boost::unordered_flat_map<std::uint64_t, Retry> entries_;  // by accepted record
};

}  // namespace stentor::daemon
