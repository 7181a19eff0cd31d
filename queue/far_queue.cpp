#include "queue/far_queue.h"

#include <cassert>
#include <cstring>

namespace stentor::queue {

void FarQueue::push(FarSpace& space, const FarEntry& entry) {
  if (pieces_.empty() || pieces_.back().is_spilled || pieces_.back().count == kPieceEntries ||
      pieces_.back().begin > 0) {
    pieces_.emplace_back();
  }
  Piece& piece = pieces_.back();
  piece.entries.push_back(entry);
  ++piece.count;
  ++count_;
  ++space.in_memory;
  least_offset_ = std::min(least_offset_, entry.offset_ms());
  most_offset_ = std::max(most_offset_, entry.offset_ms());
  if (space.wants_out(piece.count)) spill(space, piece);
}

std::optional<FarEntry> FarQueue::pop(FarSpace& space) {
  if (pieces_.empty() || !bring(space, pieces_.front())) return std::nullopt;
  Piece& piece = pieces_.front();
  const FarEntry entry = piece.entries[piece.begin++];
  --count_;
  --space.in_memory;
  const bool begins = piece.begin == 1;
  if (--piece.count == 0) pieces_.pop_front();
  if (begins && pieces_.size() > 1 && pieces_[1].is_spilled) {  // read ahead
    space.spill->fetch(pieces_[1].block, 0);
  }
  return entry;
}

std::size_t FarQueue::take_flow(FarSpace& space, Flow flow, std::size_t max, std::size_t& looks,
                                std::size_t& piece,
                                const std::function<void(const FarEntry&)>& sink) {
  std::size_t taken = 0;
  while (piece < pieces_.size() && taken < max && looks > 0) {
    Piece& here = pieces_[piece];
    const bool was_spilled = here.is_spilled;
    if (!bring(space, here)) break;
    looks -= std::min(looks, here.count);
    std::size_t kept = here.begin;
    for (std::size_t i = here.begin; i < here.entries.size(); ++i) {
      const FarEntry entry = here.entries[i];
      if (entry.flow == flow && taken < max) {
        ++taken;
        sink(entry);
      } else {
        here.entries[kept++] = entry;
      }
    }
    const std::size_t gone = here.entries.size() - kept;
    here.entries.resize(kept);
    here.count -= gone;
    count_ -= gone;
    space.in_memory -= gone;
    if (here.count == 0) {
      pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(piece));
      continue;
    }
    if (was_spilled) spill(space, here);
    if (taken < max) ++piece;
  }
  return taken;
}

// False while it is being read.
bool FarQueue::bring(FarSpace& space, Piece& piece) {
  if (!piece.is_spilled) return true;
  const SpillOctets octets = space.spill->take(piece.block);
  if (!octets) {
    space.spill->fetch(piece.block, 0);
    return false;
  }
  assert(octets->size() == piece.count * sizeof(FarEntry) && "a piece comes back as it went");
  piece.entries.resize(piece.count);
  std::memcpy(piece.entries.data(), octets->data(), octets->size());
  piece.is_spilled = false;
  spilled_ -= piece.count;
  space.in_memory += piece.count;
  return true;
}

void FarQueue::spill(FarSpace& space, Piece& piece) {
  std::vector<std::uint8_t> octets(piece.count * sizeof(FarEntry));
  std::memcpy(octets.data(), &piece.entries[piece.begin], octets.size());
  std::vector<FarEntry>().swap(piece.entries);
  piece.begin = 0;
  piece.block = space.spill->put(std::move(octets));
  piece.is_spilled = true;
  spilled_ += piece.count;
  space.in_memory -= piece.count;
}

void FarQueue::clear(FarSpace& space) noexcept {
  for (const Piece& piece : pieces_) {
    if (piece.is_spilled) {
      space.spill->drop(piece.block);
    } else {
      space.in_memory -= piece.count;
    }
  }
  pieces_.clear();
  count_ = spilled_ = 0;
}

}  // namespace stentor::queue
