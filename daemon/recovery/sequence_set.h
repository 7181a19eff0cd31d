// A set of accept sequences, most of which are neighbours: 512 octets for each 4096 of them.
//
// Units    Accept sequences.
// Owns     Its bits.
// Threads  One thread.
#pragma once

#include <bitset>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>

namespace stentor::daemon {

class SequenceSet {
 public:
  void insert(std::uint64_t sequence) { pieces_[sequence / kPiece].set(sequence % kPiece); }
  void erase(std::uint64_t sequence) {
    const auto piece = pieces_.find(sequence / kPiece);
    if (piece != pieces_.end()) piece->second.reset(sequence % kPiece);
  }
  [[nodiscard]] bool contains(std::uint64_t sequence) const {
    const auto piece = pieces_.find(sequence / kPiece);
    return piece != pieces_.end() && piece->second.test(sequence % kPiece);
  }

 private:
  static constexpr std::uint64_t kPiece = 4096;
  boost::unordered_flat_map<std::uint64_t, std::bitset<kPiece>> pieces_;
};

}  // namespace stentor::daemon
