#include "daemon/tracking/early_receipts.h"

#include <algorithm>

namespace stentor::daemon {
namespace {

// All that a peer chooses the length of.
std::size_t octets_of(const protocol::Receipt& receipt, const std::vector<std::string>& spellings) {
  std::size_t octets = receipt.message_id.size() + receipt.stat.size() + receipt.err.size() +
                       receipt.done_date.size() + receipt.submit_date.size() + receipt.sub.size() +
                       receipt.dlvrd.size() + receipt.source.size() + receipt.destination.size();
  for (const std::string& id : spellings) octets += id.size();
  return octets;
}

}  // namespace

KeptReceipt KeptReceipt::of(const protocol::Receipt& receipt, std::uint64_t came_ms,
                            std::chrono::steady_clock::time_point came) {
  return {.message_id = std::string(receipt.message_id),
          .state = receipt.state,
          .is_intermediate = receipt.is_intermediate,
          .stat = std::string(receipt.stat),
          .err = std::string(receipt.err),
          .network_error_code = receipt.network_error_code,
          .done_date = std::string(receipt.done_date),
          .submit_date = std::string(receipt.submit_date),
          .sub = std::string(receipt.sub),
          .dlvrd = std::string(receipt.dlvrd),
          .user_message_reference = receipt.user_message_reference,
          .source = std::string(receipt.source),
          .destination = std::string(receipt.destination),
          .came_ms = came_ms,
          .came = came,
          .is_listed_only = false};
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
  receipt.submit_date = submit_date;
  receipt.sub = sub;
  receipt.dlvrd = dlvrd;
  receipt.user_message_reference = user_message_reference;
  receipt.source = source;
  receipt.destination = destination;
  return receipt;
}

std::size_t EarlyReceipts::put(const protocol::Receipt& receipt,
                               const std::vector<std::string>& spellings, TimePoint came,
                               std::uint64_t came_ms) {
  return put(KeptReceipt::of(receipt, came_ms, came), spellings);
}

std::size_t EarlyReceipts::put(KeptReceipt kept, const std::vector<std::string>& spellings) {
  const protocol::Receipt receipt = kept.view();
  const std::size_t whose = receipt.message_id.empty() ? kUnnamed : kNamed;
  const std::size_t entries_max = whose == kNamed ? kEntriesMax : kUnnamedMax;
  const std::size_t octets_max = whose == kNamed ? kOctetsMax : kUnnamedOctetsMax;
  Share& share = shares_[whose];
  std::size_t dropped = 0;
  const std::size_t octets = octets_of(receipt, spellings);
  while (!share.entries.empty() &&
         (share.entries.size() >= entries_max || share.octets + octets > octets_max)) {
    drop(share, share.entries.begin());
    ++dropped;
  }
  const std::uint64_t number = next_++ << 1 | whose;
  std::vector<Index::iterator> places;
  places.reserve(spellings.size());
  for (const std::string& id : spellings) places.push_back(by_id_.emplace(id, number));
  share.entries.emplace(number, Entry{std::move(kept), std::move(places), octets});
  share.octets += octets;
  return dropped;
}

std::vector<KeptReceipt> EarlyReceipts::take(std::string_view id, TimePoint since) {
  std::vector<std::uint64_t> numbers;
  const auto [begin, end] = by_id_.equal_range(id);
  for (auto found = begin; found != end; ++found) {
    const std::uint64_t number = found->second;
    if (share_of(number).entries.at(number).receipt.came >= since) numbers.push_back(number);
  }
  std::ranges::sort(numbers);
  std::vector<KeptReceipt> receipts;
  for (const std::uint64_t number : numbers) {
    Share& share = share_of(number);
    const auto entry = share.entries.find(number);
    receipts.push_back(std::move(entry->second.receipt));
    drop(share, entry);
  }
  return receipts;
}

void EarlyReceipts::forget(std::string_view id,
                           const std::function<bool(const KeptReceipt&)>& is_over) {
  // What is dropped leaves all its places, and the ends of a range may be among them.
  std::vector<std::uint64_t> over;
  const auto [begin, end] = by_id_.equal_range(id);
  for (auto found = begin; found != end; ++found) {
    const std::uint64_t number = found->second;
    if (is_over(share_of(number).entries.at(number).receipt)) over.push_back(number);
  }
  for (const std::uint64_t number : over) {
    Share& share = share_of(number);
    drop(share, share.entries.find(number));
  }
}

std::deque<KeptReceipt> EarlyReceipts::take_all() {
  Entries all = std::move(shares_[kNamed].entries);
  all.merge(shares_[kUnnamed].entries);
  shares_ = {};
  by_id_.clear();
  std::deque<KeptReceipt> receipts;
  for (auto& [number, entry] : all) receipts.push_back(std::move(entry.receipt));
  return receipts;
}

void EarlyReceipts::newest(std::size_t max,
                           const std::function<void(const KeptReceipt&)>& sink) const {
  auto named = shares_[kNamed].entries.rbegin();
  auto unnamed = shares_[kUnnamed].entries.rbegin();
  const auto no_named = shares_[kNamed].entries.rend();
  const auto no_unnamed = shares_[kUnnamed].entries.rend();
  for (std::size_t shown = 0; shown < max; ++shown) {
    if (named == no_named && unnamed == no_unnamed) return;
    const bool is_named =
        unnamed == no_unnamed || (named != no_named && named->first > unnamed->first);
    sink(is_named ? named->second.receipt : unnamed->second.receipt);
    if (is_named) {
      ++named;
    } else {
      ++unnamed;
    }
  }
}

void EarlyReceipts::drop(Share& share, Entries::iterator entry) {
  for (const Index::iterator place : entry->second.places) by_id_.erase(place);
  share.octets -= entry->second.octets;
  share.entries.erase(entry);
}

std::size_t EarlyReceipts::expire(TimePoint now) {
  std::size_t expired = 0;
  for (Share& share : shares_) {
    while (!share.entries.empty() &&
           now - share.entries.begin()->second.receipt.came >= kPatience) {
      drop(share, share.entries.begin());
      ++expired;
    }
  }
  return expired;
}

}  // namespace stentor::daemon
