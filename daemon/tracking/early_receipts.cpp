#include "daemon/tracking/early_receipts.h"

#include <algorithm>

namespace stentor::daemon {
namespace {

// All that a peer chooses the length of.
std::size_t octets_of(const protocol::Receipt& receipt, const std::vector<std::string>& spellings) {
  std::size_t octets = receipt.message_id.size() + receipt.stat.size() + receipt.err.size() +
                       receipt.done_date.size() + receipt.source.size() +
                       receipt.destination.size();
  for (const std::string& id : spellings) octets += id.size();
  return octets;
}

}  // namespace

KeptReceipt KeptReceipt::of(const protocol::Receipt& receipt, std::uint64_t came_ms) {
  return {.message_id = std::string(receipt.message_id),
          .state = receipt.state,
          .is_intermediate = receipt.is_intermediate,
          .stat = std::string(receipt.stat),
          .err = std::string(receipt.err),
          .network_error_code = receipt.network_error_code,
          .done_date = std::string(receipt.done_date),
          .user_message_reference = receipt.user_message_reference,
          .source = std::string(receipt.source),
          .destination = std::string(receipt.destination),
          .came_ms = came_ms};
}

protocol::Receipt KeptReceipt::view() const {
  protocol::Receipt receipt;
  receipt.message_id = message_id;
  receipt.state = state;
  receipt.is_intermediate = is_intermediate;
  receipt.stat = stat;
  receipt.err = err;
  receipt.network_error_code = network_error_code;
  receipt.done_date = done_date;
  receipt.user_message_reference = user_message_reference;
  receipt.source = source;
  receipt.destination = destination;
  return receipt;
}

std::size_t EarlyReceipts::put(const protocol::Receipt& receipt,
                               const std::vector<std::string>& spellings, TimePoint now,
                               std::uint64_t came_ms) {
  std::size_t dropped = 0;
  const std::size_t octets = octets_of(receipt, spellings);
  while ((entries_.size() >= kEntriesMax || octets_ + octets > kOctetsMax) && !order_.empty()) {
    dropped += entries_.count(order_.front());
    drop(order_.front());
    order_.pop_front();
  }
  const std::uint64_t number = next_++;
  std::vector<Index::iterator> places;
  places.reserve(spellings.size());
  for (const std::string& id : spellings) places.push_back(by_id_.emplace(id, number));
  entries_.emplace(number,
                   Entry{KeptReceipt::of(receipt, came_ms), std::move(places), now, octets});
  octets_ += octets;
  order_.push_back(number);
  return dropped;
}

std::vector<KeptReceipt> EarlyReceipts::take(std::string_view id, std::uint64_t came_since_ms) {
  std::vector<std::uint64_t> numbers;
  const auto [begin, end] = by_id_.equal_range(id);
  for (auto found = begin; found != end; ++found) {
    if (entries_.at(found->second).receipt.came_ms >= came_since_ms) {
      numbers.push_back(found->second);
    }
  }
  std::ranges::sort(numbers);
  std::vector<KeptReceipt> receipts;
  for (const std::uint64_t number : numbers) {
    receipts.push_back(entries_.at(number).receipt);
    drop(number);
  }
  return receipts;
}

std::deque<KeptReceipt> EarlyReceipts::take_all() {
  std::deque<KeptReceipt> all;
  for (const std::uint64_t number : order_) {
    const auto entry = entries_.find(number);
    if (entry != entries_.end()) all.push_back(std::move(entry->second.receipt));
  }
  entries_.clear();
  by_id_.clear();
  order_.clear();
  octets_ = 0;
  return all;
}

void EarlyReceipts::newest(std::size_t max,
                           const std::function<void(const KeptReceipt&)>& sink) const {
  std::size_t shown = 0;
  for (auto number = order_.rbegin(); number != order_.rend() && shown < max; ++number) {
    const auto entry = entries_.find(*number);
    if (entry == entries_.end()) continue;  // taken since
    sink(entry->second.receipt);
    ++shown;
  }
}

void EarlyReceipts::drop(std::uint64_t number) {
  const auto entry = entries_.find(number);
  if (entry == entries_.end()) return;  // taken before: only its place in the order is left
  for (const Index::iterator place : entry->second.places) by_id_.erase(place);
  octets_ -= entry->second.octets;
  entries_.erase(entry);
}

std::size_t EarlyReceipts::expire(TimePoint now) {
  std::size_t expired = 0;
  while (!order_.empty()) {
    const auto entry = entries_.find(order_.front());
    if (entry != entries_.end()) {
      if (now - entry->second.since < kPatience) break;
      drop(order_.front());
      ++expired;
    }
    order_.pop_front();
  }
  return expired;
}

}  // namespace stentor::daemon
