// How many events retention took from a consumer that stayed away: counted before a file goes.
//
// By type, and the client's own apart from everybody's, so that a consumer is told the number that
// its own filter would have let pass; so too for the campaign that it last asked for, and no other.
//
// Units    Events.
// Owns     Nothing.
// Errors   What cannot be read is not counted, and the number is a lower bound from then on.
// Threads  The event server's thread.
// Spec     docs/protocol.md, "gap"
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

/// What is known of a number. On disk.
enum class MissedBound : std::uint8_t { exact = 0, at_least = 1, at_most = 2 };

struct MissedEvents {
  queue::Locator to;  ///< counted up to here; nowhere: nothing was missed
  MissedBound bound = MissedBound::exact;
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

  /// Something was missed that nobody counted.
  void add_uncounted() noexcept;
};

/// What is known where a consumer goes on `from` a place of its own choice instead of `before`,
/// from which `counted` was; the journal begins at `oldest`. Nothing is missed where that is not
/// behind its new place.
[[nodiscard]] MissedEvents missed_from(EventPosition from, std::optional<EventPosition> before,
                                       MissedEvents counted, queue::Locator oldest);

/// What a consumer's filter would have let pass.
struct MissedFilter {
  std::string_view campaign;       ///< empty: all
  std::vector<std::string> types;  ///< empty: all
  bool is_own_only = true;
};
struct MissedNumber {
  MissedBound bound = MissedBound::exact;
  std::uint64_t events = 0;
};
/// How many of what went before file `oldest` it was; nothing where nobody knows.
[[nodiscard]] std::optional<MissedNumber> missed_by(const MissedFilter& filter,
                                                    const MissedEvents& missed,
                                                    std::uint32_t oldest_file);

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
  void note_lost_before(queue::Locator place);

  std::unique_ptr<queue::JournalReader> reader_;
  queue::Locator next_;
  queue::Locator to_;
  std::vector<Laggard> laggards_;
  std::uint64_t passed_over_ = 0;  // by the reader, so far
};

}  // namespace stentor::daemon
