// What an audit remembers of messages: of a live one what was promised and done, of a final one
// only that it is.
//
// Owns     24 octets for a live message, 30 to 60 with what an open table leaves empty; 130 more
//          for one of several parts; two bits for each message that was accepted or became final
//          in the journal, 1 KiB for 4096 neighbours.
// Threads  One thread.
#pragma once

#include <array>
#include <bitset>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>

#include "queue/locator.h"

namespace stentor::daemon {

class MessageTable {
 public:
  struct Live {
    queue::Locator at;  ///< its accepted record
    std::uint8_t parts = 1;
    bool is_intended = false;  ///< a durable intent allows it to be written
    bool is_sent = false;
    bool is_marked = false;  ///< free for who compares
  };
  /// A message of several parts.
  struct Parts {
    std::bitset<256> taken;     ///< by number: the carrier has it
    std::bitset<256> reported;  ///< its last receipt has come, or none can
    std::bitset<256> doubted;
  };
  enum class End : std::uint8_t { none, final, unknown };  ///< `unknown` may be corrected once

  Live& add(std::uint64_t sequence) { return live_[sequence]; }
  [[nodiscard]] Live* find(std::uint64_t sequence);
  [[nodiscard]] Parts& parts_of(std::uint64_t sequence) { return parts_[sequence]; }
  void forget_parts(std::uint64_t sequence) { parts_.erase(sequence); }

  [[nodiscard]] End end_of(std::uint64_t sequence) const;
  void end(std::uint64_t sequence, End how);

  [[nodiscard]] std::uint64_t live() const noexcept { return live_.size(); }
  template <class Visit>
  void for_each_live(const Visit& visit) {
    for (auto& [sequence, live] : live_) visit(sequence, live);
  }

 private:
  static constexpr std::uint64_t kPiece = 4096;
  struct Ends {
    std::bitset<kPiece> is_final;
    std::bitset<kPiece> is_unknown;
  };
  boost::unordered_flat_map<std::uint64_t, Live> live_;
  boost::unordered_flat_map<std::uint64_t, Parts> parts_;
  boost::unordered_flat_map<std::uint64_t, Ends> ends_;  // by sequence / kPiece
};

}  // namespace stentor::daemon
