#include "daemon/events/consumers.h"

#include <fmt/format.h>

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
  set({std::string(record.client), std::string(record.name)},
      {queue::Locator(record.position), record.sub});
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
    ConsumerAt record;
    record.client = key.client;
    record.name = key.name;
    record.position = position.record.bits();
    record.sub = position.sub;
    encode(record, fields);
    preamble.add(static_cast<std::uint8_t>(RecordKind::consumer), fields.octets());
  }
}

}  // namespace stentor::daemon
