// The verdict of a message out of those of its parts.
//
// Failed goes before expired, expired before cancelled (called back at the carrier), cancelled
// before unknown, unknown before delivered. A message that was told unknown is kept: what a late
// receipt says of its parts may correct it, once.
//
// Units    Parts count from 1. Times are the tracker's milliseconds, modulo 2^31.
// Owns     For each message of several parts that awaits a receipt: 16 octets, and a few more for
//          messages of over 8 parts and for those with bad news. In many maps, as Outstanding is.
// Errors   A message or part it does not know changes nothing.
// Threads  One thread.
// Spec     docs/protocol.md, "How a message of several parts ends"
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/records/records.h"
#include "queue/locator.h"

namespace stentor::daemon {

/// What became of a message; `none`: more is to come, or nothing changed.
struct PartsVerdict {
  State state = State::none;
  State corrects = State::none;
  std::string code;                 ///< of the worst part; empty when delivered
  std::string detail;               ///< the worst part's words, and how each part stands
  bool is_first = false;            ///< this was the first part to be reported on
  bool possible_duplicate = false;  ///< a part of it may have reached the carrier twice
  /// Its state is not `unknown`, and that of a part is, or that part is silent and was not expected
  /// to be: a late receipt may know better of that.
  bool has_unknown_part = false;
  /// What it is over as, since a part fell silent; `none`: it is not, or may be corrected.
  State over_as = State::none;
};

/// Whether a message is `state` rather than `other` where its parts are both.
[[nodiscard]] bool is_worse(State state, State other) noexcept;

class MessageParts {
 public:
  /// A part of the message was taken by the carrier.
  void expect(queue::Locator message, std::uint8_t parts, bool possible_duplicate = false);
  /// One part's outcome is known. `words` are the carrier's.
  [[nodiscard]] PartsVerdict settle(queue::Locator message, std::uint8_t part, State state,
                                    std::string_view code, std::string_view words);
  /// The time of a part has passed: the first to fall silent speaks for all that are missing.
  /// `silence` is what the message comes to if nothing worse is known. Where it is over with that
  /// it is known until the others have fallen silent, too, or were reported on.
  [[nodiscard]] PartsVerdict on_silence(queue::Locator message, State silence);
  [[nodiscard]] bool is_known(queue::Locator message) const;
  void forget(queue::Locator message);

  /// Recovery: told unknown before.
  void restore_unknown(queue::Locator message);
  void keep_only(const std::function<bool(queue::Locator)>& is_wanted);
  /// Lets messages go that were told unknown and whose last segment is given up.
  void give_up(queue::Locator message);

 private:
  static constexpr std::uint8_t kPartsInline = 8;  // four bits each
  static constexpr std::size_t kMaps = 256;
  struct Entry {
    std::uint32_t states = 0;
    std::uint8_t parts = 0;
    std::uint8_t reported = 0;      ///< once it is over: or silent
    State worst : 4 = State::none;  ///< of the bad ones; none so far: none
    State told : 4 = State::none;
    bool possible_duplicate = false;
  };
  static_assert(sizeof(Entry) == 8);
  struct Rest {                 // what only messages with bad news or many parts need
    std::vector<State> states;  // of more than kPartsInline parts
    std::string code;           // of the worst
    std::string words;
  };
  struct Map {
    boost::unordered_flat_map<std::uint64_t, Entry> entries;
    boost::unordered_flat_map<std::uint64_t, Rest> rests;
  };
  /// A message that is known, with all that is known of it.
  struct Known {
    std::uint64_t bits;
    Map& map;
    Entry& entry;
    Rest* rest;  ///< null: it has none
  };

  [[nodiscard]] Map& map_of(queue::Locator message) { return maps_[(message.bits() >> 4) % kMaps]; }
  [[nodiscard]] std::optional<Known> find(queue::Locator message);
  static Rest& rest_of(Known& known);
  static void note_reported(const Known& known);
  static void erase(const Known& known);
  [[nodiscard]] static State state_of(const Known& known, std::uint8_t part);
  static void set_state(Known& known, std::uint8_t part, State state);
  [[nodiscard]] static State verdict_of(const Known& known, State silence);
  [[nodiscard]] static std::string detail_of(const Known& known);
  [[nodiscard]] static bool has_unknown_part(const Known& known);

  std::array<Map, kMaps> maps_;
};

}  // namespace stentor::daemon
