#include "daemon/inbound/reassembly.h"

#include <fmt/format.h>

#include <functional>
#include <string_view>
#include <utility>

namespace stentor::daemon {
namespace {

std::size_t hash_of(const IncomingPart& part) {
  const auto* octets = reinterpret_cast<const char*>(part.user_data.data());
  return std::hash<std::string_view>{}(std::string_view(octets, part.user_data.size()));
}

// What a part takes: of 255 parts of an octet each, most is not what they say.
std::size_t octets_of(const IncomingPart& part) {
  constexpr std::size_t kNode = 40;  // of the map: three places, a colour, and the heap's own
  return sizeof part + kNode + part.from.size() + part.to.size() + part.user_data.size();
}

}  // namespace

std::string Reassembly::key_of(const std::string& from, const std::string& to,
                               std::uint16_t reference, std::uint8_t total) {
  return fmt::format("{}\n{}\n{}/{}", from, to, reference, total);
}

Reassembly::Outcome Reassembly::add(IncomingPart part, TimePoint now, std::uint32_t file) {
  if (part.is_alone()) {
    Joined alone;
    alone.parts.push_back(std::move(part));
    finished_.push_back(std::move(alone));
    return Outcome::finished;
  }
  const std::string key = key_of(part.from, part.to, part.tie.reference, part.tie.total);
  auto found = by_key_.find(key);
  if (found == by_key_.end() && is_known_copy(key, part, now)) return Outcome::repeated;
  if (found != by_key_.end()) {
    const auto& parts = found->second->parts;
    const auto there = parts.find(part.tie.number);
    if (there != parts.end() && there->second.user_data == part.user_data) return Outcome::repeated;
    // The reference came round and speaks of another message now: the old one stays as it is.
    if (there != parts.end()) {
      finish(found->second, now);
      found = by_key_.end();
    }
  }
  if (found == by_key_.end()) {
    Entry entry;
    entry.key = key;
    entry.total = part.tie.total;
    entry.until = now + kPatience;
    entry.file = file;
    entries_.push_back(std::move(entry));
    found = by_key_.emplace(key, std::prev(entries_.end())).first;
  }
  Entry& entry = *found->second;
  const std::size_t octets = octets_of(part);
  entry.octets += octets;
  octets_ += octets;
  entry.parts.emplace(part.tie.number, std::move(part));
  if (entry.parts.size() == entry.total) {
    finish(found->second, now);
    return Outcome::finished;
  }
  return Outcome::kept;
}

std::optional<Reassembly::Joined> Reassembly::take(TimePoint now) {
  while (!entries_.empty() && (entries_.size() > kUnfinishedMax || octets_ > kOctetsMax ||
                               entries_.front().until <= now)) {
    finish(entries_.begin(), now);
  }
  if (finished_.empty()) return std::nullopt;
  Joined first = std::move(finished_.front());
  finished_.pop_front();
  return first;
}

void Reassembly::forget(const std::string& from, const std::string& to, std::uint16_t reference,
                        std::uint8_t total) {
  const auto found = by_key_.find(key_of(from, to, reference, total));
  if (found == by_key_.end()) return;
  finish(found->second,
         found->second->until - kPatience);  // when it began: a copy came behind that
  finished_.pop_back();
}

std::optional<std::uint32_t> Reassembly::oldest_file() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.front().file;
}

void Reassembly::finish(Entries::iterator entry, TimePoint now) {
  Joined joined;
  joined.total = entry->total;
  joined.parts.reserve(entry->parts.size());
  for (auto& [number, part] : entry->parts) joined.parts.push_back(std::move(part));
  remember(entry->key, joined, now);
  octets_ -= entry->octets;
  by_key_.erase(entry->key);
  entries_.erase(entry);
  finished_.push_back(std::move(joined));
}

void Reassembly::remember(const std::string& key, const Joined& joined, TimePoint now) {
  std::vector<std::size_t> hashes(joined.total, 0);
  for (const IncomingPart& part : joined.parts) hashes[part.tie.number - 1u] = hash_of(part);
  const auto [place, is_new] = known_.insert_or_assign(key, Known{std::move(hashes), now});
  if (is_new) known_order_.push_back(place->first);
  while (known_order_.size() > kFinishedMax) {
    known_.erase(known_order_.front());
    known_order_.pop_front();
  }
}

bool Reassembly::is_known_copy(const std::string& key, const IncomingPart& part,
                               TimePoint now) const {
  const auto found = known_.find(key);
  return found != known_.end() && now < found->second.since + kKnownFor &&
         found->second.hashes[part.tie.number - 1u] == hash_of(part);
}

}  // namespace stentor::daemon
