// The messages that are not final yet, while the journal is read: what was promised of each,
// written and answered.
//
// By accept sequence, in pieces of neighbours; a piece goes when all its messages are final. Pieces
// that nobody looked at for a while go to disk when there are many, so that a hundred million
// waiting messages take no more memory at a start than they did before it. Whoever reads a journal
// looks at neighbours: what is accepted, what is sent and what is reported on are a few places that
// move through the sequences, and each keeps its piece in memory.
//
// Units    Milliseconds of Unix time; `expires` is seconds.
// Owns     32 octets a message, of which Spill::octets at most in memory; 100 octets for each piece
//          of 1,024; a file without a name, the rest of them.
// Errors   A piece that cannot be written stays in memory, and so do those behind it: one line in
//          the log. One that cannot be read back ends the start: std::runtime_error.
// Threads  One thread.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "queue/file_system.h"
#include "queue/lanes.h"
#include "queue/locator.h"

namespace stentor::daemon {

class LiveTable {
 public:
  static constexpr std::uint16_t kNoCarrier = 0xffff;
  struct Entry {
    queue::Locator at;
    std::uint64_t due_ms : 42 = 0;        // until the year 2109
    std::uint64_t expires_early : 6 = 0;  // 64ths of a second before `expires`
    std::uint64_t carrier : 16 = kNoCarrier;
    queue::Flow flow = 0;
    std::uint32_t expires = 0;
    std::uint32_t key = 0;
    std::uint8_t parts = 0;  ///< 0: no live message here
    std::uint8_t attempts = 0;
    queue::Priority priority = queue::Priority::normal;
    bool intended : 1 = false;
    bool possible_duplicate : 1 = false;
    bool sent : 1 = false;
    bool paused : 1 = false;
    bool cleared : 1 = false;  ///< with all that waited at its carrier; its verdict is missing
  };
  static_assert(sizeof(Entry) == 32, "ten million of them are to start in 512 MiB");

  /// Where pieces go beyond so many octets of them in memory; without files all stay there.
  struct Spill {
    queue::FileSystem* files = nullptr;
    std::filesystem::path folder{};
    std::uint64_t octets = 0;
  };
  explicit LiveTable(Spill spill);

  /// Nothing where no message of that sequence lives. Good until the next find(), add() or end().
  [[nodiscard]] Entry* find(std::uint64_t sequence);
  /// Its place, which its caller fills: with at least one part it lives. Good for as long.
  [[nodiscard]] Entry& add(std::uint64_t sequence);
  /// It is final. `next`: no sequence from there on was given yet.
  void end(std::uint64_t sequence, std::uint64_t next);
  /// Shows all that live, in the order of their sequences, to be changed: parts stay.
  void for_each(const std::function<void(std::uint64_t, Entry&)>& visit);
  /// Likewise, and has none of them afterwards.
  void take_all(const std::function<void(std::uint64_t, const Entry&)>& visit);

  [[nodiscard]] std::size_t octets_in_memory() const noexcept {
    return in_memory_ * sizeof(Entries);
  }
  [[nodiscard]] std::size_t octets_on_disk() const noexcept { return on_disk_ * sizeof(Entries); }
  static constexpr std::size_t kPieceEntries = 1024;  ///< 32 KiB: what reading one back costs

 private:
  using Entries = std::array<Entry, kPieceEntries>;
  static constexpr std::uint64_t kNowhere = UINT64_MAX;
  struct Piece {
    std::unique_ptr<Entries> entries;  // none: on disk
    std::uint64_t offset = kNowhere;   // its room there, once it has some
    std::uint32_t live = 0;
    bool is_used = false;  // since the hand passed it
  };
  using Pieces = std::map<std::uint64_t, Piece>;  // by sequence / kPieceEntries

  [[nodiscard]] Entries& entries_of(Piece& piece);
  void read(Piece& piece);
  void make_room();
  [[nodiscard]] bool write(Piece& piece);
  [[nodiscard]] std::error_code put_on_disk(Piece& piece);
  [[nodiscard]] queue::result<void> open_file();
  void free(Piece& piece);

  const Spill spill_;
  std::size_t in_memory_max_;
  Pieces pieces_;
  std::uint64_t hand_ = 0;  // goes round the pieces: what was used since its last round stays
  std::unique_ptr<queue::File> file_;
  std::uint64_t file_end_ = 0;
  std::vector<std::uint64_t> free_;  // room of pieces that went
  std::size_t in_memory_ = 0;
  std::size_t on_disk_ = 0;
};

}  // namespace stentor::daemon
