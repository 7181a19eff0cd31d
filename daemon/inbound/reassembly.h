// Joins the parts of long messages from handsets: any order, any bind, each part once.
//
// Keyed by source, destination, reference and count. What does not come together in time is given
// out as it is: half a reply is worth more than none.
//
// Units    Octets of memory; times are steady_clock.
// Owns     The parts of unfinished messages.
// Errors   None. Bounded: beyond the bounds the oldest unfinished message is given out early.
// Threads  The shard's thread.
// Spec     TS 23.040 section 9.2.3.24.1
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/inbound/incoming_part.h"

namespace stentor::daemon {

class Reassembly {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Networks repeat a part for minutes; what has not come in an hour does not come.
  static constexpr std::chrono::minutes kPatience{60};
  /// A handset that never finishes its messages is one sender's; this many at a time take a flood.
  static constexpr std::size_t kUnfinishedMax = 4096;
  /// Parts are 140 octets in the field, and what holds one as many again; a message_payload has
  /// room for 64 KiB.
  static constexpr std::size_t kOctetsMax = 8u << 20;
  /// Whose late copies are known: a carrier repeats what it saw no answer to within minutes.
  static constexpr std::size_t kFinishedMax = 1024;
  /// For so long, and no longer than a part waits for the others: a handset that counts its
  /// references in one octet, or begins at the same one each time, may say the same again later.
  static constexpr std::chrono::minutes kKnownFor = kPatience;

  /// The parts that came, in their order; all of them unless `total` says otherwise.
  struct Joined {
    std::vector<IncomingPart> parts;
    std::uint8_t total = 1;
    [[nodiscard]] bool is_complete() const noexcept { return parts.size() == total; }
  };

  enum class Outcome : std::uint8_t {
    kept,      ///< others are missing
    repeated,  ///< it is here already: nothing new
    finished   ///< take() has the message
  };
  /// `file` is the oldest journal file that may hold this part's record.
  [[nodiscard]] Outcome add(IncomingPart part, TimePoint now, std::uint32_t file);
  /// A finished message, one pushed out by a bound, or one whose time is over; nothing else.
  [[nodiscard]] std::optional<Joined> take(TimePoint now);
  /// After a restart: this message was given out, all that is kept of it is over.
  void forget(const std::string& from, const std::string& to, std::uint16_t reference,
              std::uint8_t total);

  void discard_finished() { finished_.clear(); }

  [[nodiscard]] std::size_t unfinished() const noexcept { return entries_.size(); }
  /// The oldest journal file that is still needed for what is unfinished.
  [[nodiscard]] std::optional<std::uint32_t> oldest_file() const;

 private:
  struct Entry {
    std::string key;
    std::map<std::uint8_t, IncomingPart> parts;  // by number: those that came, and no room for more
    std::uint8_t total = 1;
    std::size_t octets = 0;
    TimePoint until;
    std::uint32_t file = 0;
  };
  using Entries = std::list<Entry>;  // in the order they began

  [[nodiscard]] static std::string key_of(const std::string& from, const std::string& to,
                                          std::uint16_t reference, std::uint8_t total);
  struct Known {
    std::vector<std::size_t> hashes;  // by part
    TimePoint since;
  };

  void finish(Entries::iterator entry, TimePoint now);
  void remember(const std::string& key, const Joined& joined, TimePoint now);
  [[nodiscard]] bool is_known_copy(const std::string& key, const IncomingPart& part,
                                   TimePoint now) const;

  Entries entries_;
  boost::unordered_flat_map<std::string, Entries::iterator> by_key_;
  std::deque<Joined> finished_;
  std::size_t octets_ = 0;
  boost::unordered_flat_map<std::string, Known> known_;
  std::deque<std::string> known_order_;
};

}  // namespace stentor::daemon
