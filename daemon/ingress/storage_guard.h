// Whether there is room enough to promise more: new messages are refused below what is kept free,
// what accepted messages will still need, and one journal file; and near the end of the numbers
// that journal files have.
//
// So that delivery of what was accepted never stops for want of space, refusing begins before a
// write fails. It ends when there is a little more than that, so that a disk on the edge does not
// let in and turn away by turns.
//
// Units    Octets, messages, segments.
// Threads  One thread.
// Spec     design.md, "The journal is the queue"
#pragma once

#include <cstdint>

#include "queue/journal_format.h"

namespace stentor::daemon {

/// One journal file: what an ordinary first one takes. Larger ones never take more than a quarter
/// of what may be taken, and where less is left the next one is smaller (queue/file_preparer.h).
inline constexpr std::uint64_t kDiskPerFile = 4u << 20;

/// The last numbers of journal files are for what was accepted: its outcomes, and the starts until
/// all of it is delivered. 1,024 of them are 4 GiB at the least, 128 GiB under load: outcomes of
/// ten million messages.
inline constexpr std::uint32_t kNumbersKept = 1024;
/// Here an operator is told: a tenth of the numbers.
inline constexpr std::uint32_t kNumbersFew = queue::kFileNumberMax / 10;

class StorageGuard {
 public:
  explicit StorageGuard(std::uint64_t free_octets_min) : free_octets_min_(free_octets_min) {}

  struct Look {
    std::uint64_t free_octets = 0;
    std::uint64_t waiting = 0;                           ///< messages
    std::uint64_t outstanding = 0;                       ///< segments whose receipt is due
    std::uint32_t numbers_left = queue::kFileNumberMax;  ///< of journal files
  };
  void look(const Look& look) noexcept;
  /// A commit has found no room, whatever the disk says: a quota, a limit on files.
  void on_disk_full() noexcept { is_low_ = true; }
  [[nodiscard]] bool is_low() const noexcept { return is_low_; }
  /// Nothing more is accepted, for good.
  [[nodiscard]] bool is_at_end() const noexcept { return numbers_left_ <= kNumbersKept; }
  [[nodiscard]] bool is_near_end() const noexcept { return numbers_left_ <= kNumbersFew; }

 private:
  const std::uint64_t free_octets_min_;
  bool is_low_ = false;
  std::uint32_t numbers_left_ = queue::kFileNumberMax;
};

}  // namespace stentor::daemon
