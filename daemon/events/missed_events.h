// How many events retention took from a consumer that stayed away: counted before a file goes.
//
// By type, and the client's own apart from everybody's, so that a consumer is told the number that
// its own filter would have let pass; so too for the campaign that it last asked for, and no other.
//
// Units    Events.
// Owns     Nothing.
// Errors   A file that cannot be read counts as far as it can be.
// Threads  The event server's thread.
// Spec     docs/protocol.md, "gap"
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/events/event_lines.h"
#include "queue/journal_reader.h"
#include "queue/locator.h"

namespace stentor::daemon {

struct EventPosition {
  queue::Locator record;
  std::uint8_t sub = 0;  ///< from 1; 0: none of the record's events
  friend auto operator<=>(const EventPosition&, const EventPosition&) = default;
};

struct MissedEvents {
  queue::Locator to;  ///< counted up to here; nowhere: nothing was missed
  struct Counts {
    std::array<std::uint64_t, kEventTypes> own{};
    std::array<std::uint64_t, kEventTypes> all{};
    void add(std::size_t type, bool is_own) noexcept {
      ++all[type];
      if (is_own) ++own[type];
    }
  };
  Counts counts;
  std::string campaign;  ///< of which is counted apart; empty: of none
  Counts of_campaign;
};

/// One walk over the files that are about to go.
class MissedCount {
 public:
  struct Laggard {
    std::string client;
    std::string consumer;
    EventPosition acknowledged;
    EventPosition position;  ///< events behind it were not given, or given and not acknowledged
    MissedEvents missed;
  };

  MissedCount(std::unique_ptr<queue::JournalReader> reader, std::uint32_t from_file,
              std::uint32_t to_file, std::vector<Laggard> laggards);

  /// Reads on for a while; true when all is counted.
  [[nodiscard]] bool step();
  [[nodiscard]] std::uint32_t to_file() const noexcept { return to_.file(); }
  [[nodiscard]] const std::vector<Laggard>& laggards() const noexcept { return laggards_; }

 private:
  void count(const queue::Record& record);

  std::unique_ptr<queue::JournalReader> reader_;
  queue::Locator next_;
  queue::Locator to_;
  std::vector<Laggard> laggards_;
};

}  // namespace stentor::daemon
