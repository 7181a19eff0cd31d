#include "daemon/tracking/taken_twice.h"

#include "protocol/message_id.h"

namespace stentor::daemon {
namespace {

// By any rule: hex and decimal of one number are one id.
bool may_be_one(std::string_view id, std::string_view other) {
  const auto ids = protocol::spellings_of(id, protocol::MessageIdRule::automatic);
  const auto others = protocol::spellings_of(other, protocol::MessageIdRule::automatic);
  for (std::uint8_t i = 0; i < ids.count; ++i) {
    for (std::uint8_t j = 0; j < others.count; ++j) {
      if (ids.candidates[i].text() == others.candidates[j].text()) return true;
    }
  }
  return false;
}

}  // namespace

TakenTwiceWatch::Entry& TakenTwiceWatch::entry_of(const Key& key) {
  const auto [found, is_new] = entries_.try_emplace(key);
  if (!is_new) return found->second;
  if (order_.size() < kEntriesMax) {
    order_.push_back(key);
    return found->second;
  }
  entries_.erase(order_[oldest_]);
  order_[oldest_] = key;
  oldest_ = (oldest_ + 1) % kEntriesMax;
  return entries_[key];  // erasing may have moved it
}

std::optional<std::string> TakenTwiceWatch::on_receipt(queue::Locator message, std::uint8_t part,
                                                       std::string_view message_id, State state) {
  Entry& entry = entry_of({message.bits(), part});
  // `unknown` is no last word.
  const bool is_open = entry.state == State::none || entry.state == State::unknown;
  if (is_open && state != State::none) entry.state = state;
  if (message_id.empty() || entry.is_confirmed) return std::nullopt;
  if (entry.message_id.empty()) {
    entry.message_id = protocol::CanonicalId(message_id).text();
    return std::nullopt;
  }
  if (may_be_one(entry.message_id, message_id)) return std::nullopt;
  return entry.message_id;
}

void TakenTwiceWatch::confirm(queue::Locator message, std::uint8_t part) {
  entry_of({message.bits(), part}).is_confirmed = true;
}

std::optional<State> TakenTwiceWatch::said_of(queue::Locator message, std::uint8_t part) const {
  const auto found = entries_.find(Key(message.bits(), part));
  if (found == entries_.end()) return std::nullopt;
  const State state = found->second.state;
  if (state == State::none || state == State::unknown) return std::nullopt;
  return state;
}

}  // namespace stentor::daemon
