#include "daemon/audit/message_table.h"

namespace stentor::daemon {

MessageTable::Live* MessageTable::find(std::uint64_t sequence) {
  const auto found = live_.find(sequence);
  return found == live_.end() ? nullptr : &found->second;
}

MessageTable::End MessageTable::end_of(std::uint64_t sequence) const {
  const auto piece = ends_.find(sequence / kPiece);
  if (piece == ends_.end()) return End::none;
  if (piece->second.is_unknown[sequence % kPiece]) return End::unknown;
  return piece->second.is_final[sequence % kPiece] ? End::final : End::none;
}

void MessageTable::end(std::uint64_t sequence, End how) {
  live_.erase(sequence);
  parts_.erase(sequence);
  Ends& piece = ends_[sequence / kPiece];
  piece.is_final[sequence % kPiece] = how != End::none;
  piece.is_unknown[sequence % kPiece] = how == End::unknown;
}

}  // namespace stentor::daemon
