// Event consumers by client and name, and how far each has acknowledged.
//
// Units    A position is the place of a record and which of its events; events up to and including
//          it are acknowledged.
// Owns     The positions; they are made durable by whoever changes them.
// Errors   None. At most kConsumersMax: one more is refused by the caller.
// Threads  One thread changes them; add_to() is called by the commit thread at a new file, so a
//          lock guards the map. Never on the hot path.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/events/missed_events.h"
#include "daemon/records/consumer_records.h"
#include "daemon/records/records.h"
#include "queue/locator.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

/// A cursor's text, in its own place: each event has one.
class CursorText {
 public:
  static constexpr std::size_t kPlaceDigits = 16;

  explicit CursorText(EventPosition position) noexcept;
  operator std::string_view() const noexcept { return {text_.data(), size_}; }

 private:
  static constexpr std::size_t kSubDigits = 3;
  std::array<char, kPlaceDigits + 1 + kSubDigits> text_;
  std::size_t size_;
};

/// "0000100000400013-1": sixteen hex digits of the record's place, then which of its events.
[[nodiscard]] inline CursorText to_cursor(EventPosition position) noexcept {
  return CursorText(position);
}
[[nodiscard]] std::optional<EventPosition> parse_cursor(std::string_view cursor);

class Consumers {
 public:
  /// Names are a client's own; this is for all clients together, a few hundred octets each.
  static constexpr std::size_t kConsumersMax = 10'000;

  struct Key {
    std::string client;
    std::string name;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  void restore(const ConsumerAt& record);
  void restore(const ConsumerCampaign& record);
  [[nodiscard]] std::optional<EventPosition> find(const Key& key) const;
  /// Forgets what was missed before the position.
  void set(const Key& key, EventPosition position);
  /// As set(). What was counted from the place before this one, beyond this one too, fits no more.
  void acknowledge(const Key& key, EventPosition position);
  /// Of which it asks for events; empty: of all.
  void set_campaign(const Key& key, std::string campaign);
  [[nodiscard]] std::string campaign(const Key& key) const;
  /// With `to` nowhere: nothing was.
  void set_missed(const Key& key, const MissedEvents& missed);
  [[nodiscard]] MissedEvents missed(const Key& key) const;
  /// As it is to be written into the journal; its texts view `key`.
  [[nodiscard]] ConsumerAt record_of(const Key& key) const;
  /// Likewise, to follow it; nothing where it asks for no campaign.
  [[nodiscard]] std::optional<ConsumerCampaign> campaign_record_of(const Key& key) const;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::map<Key, EventPosition> all() const;
  /// One record for each, into the first block of a new journal file.
  void add_to(queue::RecordBatch& preamble) const;

 private:
  [[nodiscard]] ConsumerAt locked_record_of(const Key& key) const;
  [[nodiscard]] std::optional<ConsumerCampaign> locked_campaign_of(const Key& key) const;

  mutable std::mutex guard_;
  std::map<Key, EventPosition> positions_;
  std::map<Key, MissedEvents> missed_;    // of those who missed any
  std::map<Key, std::string> campaigns_;  // of those who ask for one
  std::map<Key, MissedEvents> restored_;  // what recovery read of campaigns: of few, and small
};

}  // namespace stentor::daemon
