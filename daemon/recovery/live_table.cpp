#include "daemon/recovery/live_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include "daemon/log.h"
#include "daemon/plain_octets.h"

namespace stentor::daemon {
namespace {

// Of the state's spill folder, whose files are removed at each start.
constexpr std::string_view kFileName = "start.spill";

// What is accepted, what is sent by priority, what is reported on: each needs a piece at a time.
constexpr std::size_t kPiecesMin = 4;

}  // namespace

LiveTable::LiveTable(Spill spill)
    : spill_(std::move(spill)),
      in_memory_max_(spill_.files == nullptr
                         ? SIZE_MAX
                         : std::max<std::size_t>(kPiecesMin, spill_.octets / sizeof(Entries))) {}

LiveTable::Entry* LiveTable::find(std::uint64_t sequence) {
  const auto piece = pieces_.find(sequence / kPieceEntries);
  if (piece == pieces_.end()) return nullptr;
  Entry& entry = entries_of(piece->second)[sequence % kPieceEntries];
  return entry.parts == 0 ? nullptr : &entry;
}

LiveTable::Entry& LiveTable::add(std::uint64_t sequence) {
  const auto [piece, is_new] = pieces_.try_emplace(sequence / kPieceEntries);
  if (is_new) {
    make_room();
    piece->second.entries = std::make_unique<Entries>();
    ++in_memory_;
  }
  Entry& entry = entries_of(piece->second)[sequence % kPieceEntries];
  if (entry.parts == 0) ++piece->second.live;
  return entry;
}

void LiveTable::end(std::uint64_t sequence, std::uint64_t next) {
  const auto piece = pieces_.find(sequence / kPieceEntries);
  assert(piece != pieces_.end() && "what ends was found alive");
  entries_of(piece->second)[sequence % kPieceEntries].parts = 0;
  if (--piece->second.live > 0 || (piece->first + 1) * kPieceEntries > next) return;
  free(piece->second);
  pieces_.erase(piece);
}

void LiveTable::for_each(const std::function<void(std::uint64_t, Entry&)>& visit) {
  for (auto& [number, piece] : pieces_) {
    Entries& entries = entries_of(piece);
    for (std::size_t i = 0; i < kPieceEntries; ++i) {
      if (entries[i].parts > 0) visit(number * kPieceEntries + i, entries[i]);
    }
  }
}

void LiveTable::take_all(const std::function<void(std::uint64_t, const Entry&)>& visit) {
  while (!pieces_.empty()) {
    const auto piece = pieces_.begin();
    const Entries& entries = entries_of(piece->second);
    for (std::size_t i = 0; i < kPieceEntries; ++i) {
      if (entries[i].parts > 0) visit(piece->first * kPieceEntries + i, entries[i]);
    }
    free(piece->second);  // what the lanes take of memory, this gives back
    pieces_.erase(piece);
  }
}

LiveTable::Entries& LiveTable::entries_of(Piece& piece) {
  if (!piece.entries) read(piece);
  piece.is_used = true;
  return *piece.entries;
}

void LiveTable::read(Piece& piece) {
  make_room();
  auto entries = std::make_unique<Entries>();
  const auto read = file_->read(piece.offset, room_of(*entries));
  if (!read || *read != sizeof(Entries)) {
    throw std::runtime_error(fmt::format(
        "{}: what this start has written of the waiting messages cannot be read back: {}",
        (spill_.folder / kFileName).string(), read ? "it ends early" : read.error().message()));
  }
  piece.entries = std::move(entries);
  ++in_memory_;
  --on_disk_;
}

// One more piece may be in memory when this returns, unless the disk refuses.
void LiveTable::make_room() {
  for (auto at = pieces_.lower_bound(hand_); in_memory_ >= in_memory_max_; ++at) {
    if (at == pieces_.end()) at = pieces_.begin();
    Piece& piece = at->second;
    if (!piece.entries || std::exchange(piece.is_used, false)) continue;
    hand_ = at->first + 1;
    if (!write(piece)) return;
  }
}

bool LiveTable::write(Piece& piece) {
  if (const std::error_code why = put_on_disk(piece)) {
    log::warn(
        "journal: waiting messages should go to {} while it is read, and cannot: {}; they "
        "stay in memory, 32 octets each",
        spill_.folder.string(), why.message());
    in_memory_max_ = SIZE_MAX;
    return false;
  }
  piece.entries.reset();
  --in_memory_;
  ++on_disk_;
  return true;
}

std::error_code LiveTable::put_on_disk(Piece& piece) {
  if (!file_) {
    if (const auto opened = open_file(); !opened) return opened.error();
  }
  if (piece.offset == kNowhere && !free_.empty()) {
    piece.offset = free_.back();
    free_.pop_back();
  } else if (piece.offset == kNowhere) {
    piece.offset = std::exchange(file_end_, file_end_ + sizeof(Entries));
  }
  if (const auto written = file_->write(piece.offset, octets_of(*piece.entries)); !written) {
    return written.error();
  }
  return {};
}

// Without a name from the start: what a crash leaves takes no room and confuses nobody.
queue::result<void> LiveTable::open_file() {
  const auto path = spill_.folder / kFileName;
  (void)spill_.files->make_directory(spill_.folder);  // the next step says what is wrong
  (void)spill_.files->remove(path);  // of a process that died between the two steps
  auto file = spill_.files->open(path, queue::FileSystem::Mode::create);
  if (!file) return std::unexpected(file.error());
  (void)spill_.files->remove(path);
  file_ = std::move(*file);
  return {};
}

void LiveTable::free(Piece& piece) {
  if (piece.entries) {
    --in_memory_;
  } else {
    --on_disk_;
  }
  if (piece.offset != kNowhere) free_.push_back(piece.offset);
}

}  // namespace stentor::daemon
