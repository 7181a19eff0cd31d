// Ids that kept receipts wait under whose messages' records cannot be read now, oldest first, each
// once, and which messages these are.
//
// Units    Canonical ids; locators of accepted records.
// Owns     Copies of the ids: no more than the receipts that can be kept.
// Errors   A full list lets its oldest id go: its receipts stay kept, and are tried at a restart.
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "daemon/tracking/early_receipts.h"
#include "queue/locator.h"

namespace stentor::daemon {

class UnreadReceipts {
 public:
  void note(std::string_view id, queue::Locator message) {
    if (ids_.contains(id)) return;
    if (entries_.size() == EarlyReceipts::kEntriesMax) (void)take();
    ids_.insert(entries_.emplace_back(std::string(id), message).id);
    ++messages_[message.bits()];
  }
  /// The oldest, out of the list. Not of an empty one.
  [[nodiscard]] std::string take() {
    Entry& oldest = entries_.front();
    ids_.erase(oldest.id);  // before the text that it views goes
    const auto message = messages_.find(oldest.message.bits());
    if (--message->second == 0) messages_.erase(message);
    std::string id = std::move(oldest.id);
    entries_.pop_front();
    return id;
  }

  [[nodiscard]] bool contains(std::string_view id) const { return ids_.contains(id); }
  [[nodiscard]] bool has_message(queue::Locator at) const { return messages_.contains(at.bits()); }
  [[nodiscard]] bool is_empty() const noexcept { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    Entry(std::string id_text, queue::Locator of) : id(std::move(id_text)), message(of) {}
    std::string id;
    queue::Locator message;
  };
  std::deque<Entry> entries_;  // whose texts stay where they are
  std::unordered_set<std::string_view> ids_;
  std::unordered_map<std::uint64_t, std::size_t> messages_;  // how many ids of each
};

}  // namespace stentor::daemon
