#include "daemon/events/consumers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace stentor::daemon {
namespace {

constexpr std::size_t kPlaceDigits = 16;

}  // namespace

std::string to_cursor(EventPosition position) {
  return fmt::format("{:016x}-{}", position.record.bits(), position.sub);
}

std::optional<EventPosition> parse_cursor(std::string_view cursor) {
  if (cursor.size() < kPlaceDigits + 2 || cursor[kPlaceDigits] != '-') return std::nullopt;
  std::uint64_t bits = 0;
  unsigned sub = 0;
  const char* middle = cursor.data() + kPlaceDigits;
  const char* end = cursor.data() + cursor.size();
  const auto place = std::from_chars(cursor.data(), middle, bits, 16);
  const auto number = std::from_chars(middle + 1, end, sub, 10);
  if (place.ec != std::errc{} || place.ptr != middle || number.ec != std::errc{} ||
      number.ptr != end || sub > 255) {
    return std::nullopt;
  }
  return EventPosition{queue::Locator(bits), static_cast<std::uint8_t>(sub)};
}

void Consumers::restore(const ConsumerAt& record) {
  const Key key{std::string(record.client), std::string(record.name)};
  set(key, {queue::Locator(record.position), record.sub});
  MissedEvents missed;
  missed.to = queue::Locator(record.missed_to);
  std::copy_n(record.missed.begin(), kEventTypes, missed.own.begin());
  std::copy_n(record.missed.begin() + kEventTypes, kEventTypes, missed.all.begin());
  if (!missed.to.is_nowhere()) set_missed(key, missed);
}

std::optional<EventPosition> Consumers::find(const Key& key) const {
  const std::lock_guard lock(guard_);
  const auto found = positions_.find(key);
  if (found == positions_.end()) return std::nullopt;
  return found->second;
}

void Consumers::set(const Key& key, EventPosition position) {
  const std::lock_guard lock(guard_);
  positions_[key] = position;
  const auto missed = missed_.find(key);
  if (missed != missed_.end() && missed->second.to <= position.record) missed_.erase(missed);
}

void Consumers::set_missed(const Key& key, const MissedEvents& missed) {
  const std::lock_guard lock(guard_);
  const auto position = positions_.find(key);
  // It has moved on while they were counted: nothing was missed after all.
  if (position == positions_.end() || position->second.record >= missed.to) return;
  missed_[key] = missed;
}

MissedEvents Consumers::missed(const Key& key) const {
  const std::lock_guard lock(guard_);
  const auto found = missed_.find(key);
  return found == missed_.end() ? MissedEvents{} : found->second;
}

ConsumerAt Consumers::record_of(const Key& key) const {
  const std::lock_guard lock(guard_);
  return locked_record_of(key);
}

ConsumerAt Consumers::locked_record_of(const Key& key) const {
  ConsumerAt record;
  record.client = key.client;
  record.name = key.name;
  const auto position = positions_.find(key);
  if (position != positions_.end()) {
    record.position = position->second.record.bits();
    record.sub = position->second.sub;
  }
  const auto missed = missed_.find(key);
  if (missed != missed_.end()) {
    record.missed_to = missed->second.to.bits();
    std::ranges::copy(missed->second.own, record.missed.begin());
    std::ranges::copy(missed->second.all, record.missed.begin() + kEventTypes);
  }
  return record;
}

std::size_t Consumers::size() const {
  const std::lock_guard lock(guard_);
  return positions_.size();
}

std::map<Consumers::Key, EventPosition> Consumers::all() const {
  const std::lock_guard lock(guard_);
  return positions_;
}

void Consumers::add_to(queue::RecordBatch& preamble) const {
  const std::lock_guard lock(guard_);
  FieldWriter fields;
  for (const auto& [key, position] : positions_) {
    fields.clear();
    encode(locked_record_of(key), fields);
    preamble.add(static_cast<std::uint8_t>(RecordKind::consumer), fields.octets());
  }
}

}  // namespace stentor::daemon
