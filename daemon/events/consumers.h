// Event consumers by client and name, and how far each has acknowledged.
//
// Units    A position is the place of a record and which of its events; events up to and including
//          it are acknowledged.
// Owns     The positions; they are made durable by whoever changes them.
// Errors   None. At most kConsumersMax: one more is refused by the caller.
// Threads  One thread changes them; add_to() is called by the commit thread at a new file, so a
//          lock guards the map. Never on the hot path.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "daemon/records/records.h"
#include "queue/locator.h"
#include "queue/record_batch.h"

namespace stentor::daemon {

struct EventPosition {
  queue::Locator record;
  std::uint8_t sub = 0;  ///< from 1; 0: none of the record's events
  friend auto operator<=>(const EventPosition&, const EventPosition&) = default;
};

/// "0000100000400013-1": sixteen hex digits of the record's place, then which of its events.
[[nodiscard]] std::string to_cursor(EventPosition position);
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
  [[nodiscard]] std::optional<EventPosition> find(const Key& key) const;
  void set(const Key& key, EventPosition position);
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::map<Key, EventPosition> all() const;
  /// One record for each, into the first block of a new journal file.
  void add_to(queue::RecordBatch& preamble) const;

 private:
  mutable std::mutex guard_;
  std::map<Key, EventPosition> positions_;
};

}  // namespace stentor::daemon
