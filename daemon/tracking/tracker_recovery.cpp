// What the tracker knew before the start, told to it again from the journal.
#include <algorithm>

#include "daemon/tracking/tracker.h"

namespace stentor::daemon {
void Tracker::restore_taken(std::string_view message_id, queue::Locator at, std::uint8_t part,
                            std::uint8_t parts, std::uint32_t expires) {
  OutstandingSegment segment;
  segment.at = at;
  segment.expires_minute = outstanding_.minute_of(std::uint64_t{expires} + kReceiptMarginSeconds);
  segment.part = part;
  segment.parts = parts;
  if (parts > 1) parts_.expect(at, parts);
  if (message_id.empty()) {
    if (parts > 1) (void)parts_.settle(at, part, State::sent_final, "no_message_id", {});
    return;
  }
  const protocol::CanonicalId id(message_id);
  outstanding_.put(id.text(), segment);
  if (watch_ != nullptr) {
    watch_->on_awaited(at, part, message_id, std::uint64_t{expires} + kReceiptMarginSeconds);
  }
  settled_.erase(id.text());
}

void Tracker::restore_receipt(const ReceiptCame& came, std::uint8_t parts) {
  if (!came.is_final_for_part) return;
  protocol::Receipt receipt;
  receipt.message_id = came.message_id;
  receipt.state = static_cast<protocol::MessageState>(came.message_state);
  receipt.stat = came.stat;
  receipt.err = came.err;
  const State state = state_of(protocol::verdict_of(receipt.state));
  if (const auto target = find(receipt); target && target->segment.at == came.of.accepted) {
    if (watch_ != nullptr) watch_->on_settled(came.of.accepted, came.part);
    if (state == State::unknown) {
      OutstandingSegment told = target->segment;
      told.is_told = 1;
      told.expires_minute = outstanding_.minute_of(came.of.time_ms / 1000 + kCorrectionSeconds);
      outstanding_.put(target->key, told);
    } else {
      outstanding_.erase(target->key);
      settled_.put(target->id.text(), {came.of.accepted, came.part, state});
    }
  }
  if (parts > 1) {
    std::string words = "stat:" + std::string(came.stat.substr(0, 32));
    if (!came.err.empty()) words += " err:" + std::string(came.err.substr(0, 32));
    (void)parts_.settle(came.of.accepted, came.part, state, came.code, words);
  }
}

void Tracker::restore_unmatched(const protocol::Receipt& receipt, std::uint64_t came_ms) {
  restored_unmatched_.push_back(KeptReceipt::of(receipt, came_ms));
  if (restored_unmatched_.size() > EarlyReceipts::kEntriesMax) restored_unmatched_.pop_front();
}

void Tracker::finish_restoring(const std::vector<std::uint64_t>& live,
                               const std::vector<std::uint64_t>& unknown, Moment now) {
  const auto is_in = [](const std::vector<std::uint64_t>& list, queue::Locator at) {
    return std::ranges::binary_search(list, at.bits());
  };
  outstanding_.keep_only([&](OutstandingSegment& segment) {
    if (is_in(live, segment.at)) return true;
    if (!is_in(unknown, segment.at)) return false;
    if (!segment.is_told) {
      segment.is_told = 1;
      segment.expires_minute = outstanding_.minute_of(now.wall_ms / 1000 + kCorrectionSeconds);
    }
    return true;
  });
  parts_.keep_only([&](queue::Locator at) { return is_in(live, at) || is_in(unknown, at); });
  for (const std::uint64_t bits : unknown) parts_.restore_unknown(queue::Locator(bits));
  for (const KeptReceipt& kept : restored_unmatched_) {
    const protocol::Receipt receipt = kept.view();
    if (!apply(receipt, now) && !is_repeated(receipt, now)) hold(receipt, now, kept.came_ms);
  }
  restored_unmatched_.clear();
}

}  // namespace stentor::daemon
