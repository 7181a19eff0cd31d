#include "daemon/events/consumers.h"

#include <algorithm>
#include <charconv>

#include "daemon/ingress/json.h"

namespace stentor::daemon {
namespace {

constexpr std::size_t kPlaceDigits = CursorText::kPlaceDigits;

using CountsOnDisk = std::array<std::uint64_t, 2 * kEventTypes>;

void read_counts(const CountsOnDisk& from, MissedEvents::Counts& into) {
  std::copy_n(from.begin(), kEventTypes, into.own.begin());
  std::copy_n(from.begin() + kEventTypes, kEventTypes, into.all.begin());
}

void write_counts(const MissedEvents::Counts& from, CountsOnDisk& into) {
  std::ranges::copy(from.own, into.begin());
  std::ranges::copy(from.all, into.begin() + kEventTypes);
}

}  // namespace

CursorText::CursorText(EventPosition position) noexcept {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::uint64_t bits = position.record.bits();
  for (std::size_t i = kPlaceDigits; i-- > 0; bits >>= 4) text_[i] = kDigits[bits & 0xf];
  text_[kPlaceDigits] = '-';
  char* const sub = text_.data() + kPlaceDigits + 1;
  size_ = static_cast<std::size_t>(std::to_chars(sub, sub + kSubDigits, position.sub).ptr -
                                   text_.data());
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
  missed.bound = static_cast<MissedBound>(record.missed_bound);
  read_counts(record.missed, missed.counts);
  const auto counted = restored_.find(key);
  if (counted != restored_.end() && counted->second.to == missed.to) {
    missed.campaign = counted->second.campaign;
    missed.of_campaign = counted->second.of_campaign;
  }
  set_missed(key, missed);
}

void Consumers::restore(const ConsumerCampaign& record) {
  const Key key{std::string(record.client), std::string(record.name)};
  set_campaign(key, std::string(record.campaign));
  // Its own record may come before this one, or after: a checkpoint has the newest of both.
  MissedEvents& counted = restored_[key];
  counted.to = queue::Locator(record.missed_to);
  counted.campaign = record.missed_campaign;
  read_counts(record.missed, counted.of_campaign);
  MissedEvents missed = this->missed(key);
  if (missed.to.is_nowhere() || missed.to != counted.to) return;
  missed.campaign = counted.campaign;
  missed.of_campaign = counted.of_campaign;
  set_missed(key, missed);
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

void Consumers::acknowledge(const Key& key, EventPosition position) {
  if (find(key) != position) set_missed(key, {});
  set(key, position);
}

void Consumers::set_campaign(const Key& key, std::string campaign) {
  const std::lock_guard lock(guard_);
  if (campaign.empty()) {
    campaigns_.erase(key);
  } else {
    campaigns_[key] = std::move(campaign);
  }
}

std::string Consumers::campaign(const Key& key) const {
  const std::lock_guard lock(guard_);
  const auto found = campaigns_.find(key);
  return found == campaigns_.end() ? std::string() : found->second;
}

void Consumers::set_missed(const Key& key, const MissedEvents& missed) {
  const std::lock_guard lock(guard_);
  if (missed.to.is_nowhere()) {
    missed_.erase(key);
    return;
  }
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
    record.missed_bound = static_cast<std::uint8_t>(missed->second.bound);
    write_counts(missed->second.counts, record.missed);
  }
  return record;
}

std::optional<ConsumerCampaign> Consumers::campaign_record_of(const Key& key) const {
  const std::lock_guard lock(guard_);
  return locked_campaign_of(key);
}

std::optional<ConsumerCampaign> Consumers::locked_campaign_of(const Key& key) const {
  const auto campaign = campaigns_.find(key);
  const auto missed = missed_.find(key);
  const bool is_counted = missed != missed_.end() && !missed->second.campaign.empty();
  if (campaign == campaigns_.end() && !is_counted) return std::nullopt;
  ConsumerCampaign record;
  record.client = key.client;
  record.name = key.name;
  if (campaign != campaigns_.end()) record.campaign = campaign->second;
  if (is_counted) {
    record.missed_campaign = missed->second.campaign;
    record.missed_to = missed->second.to.bits();
    write_counts(missed->second.of_campaign, record.missed);
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
    if (const auto campaign = locked_campaign_of(key)) {
      fields.clear();
      encode(*campaign, fields);
      preamble.add(kConsumerCampaignRecord, fields.octets());
    }
  }
}

}  // namespace stentor::daemon
