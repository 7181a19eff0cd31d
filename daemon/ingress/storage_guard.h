// Whether there is disk space enough to promise more: new messages are refused below what is kept
// free, what accepted messages will still need, and one journal file.
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

namespace stentor::daemon {

/// One journal file: what an ordinary first one takes. Larger ones never take more than a quarter
/// of what may be taken, and where less is left the next one is smaller (queue/file_preparer.h).
inline constexpr std::uint64_t kDiskPerFile = 4u << 20;

class StorageGuard {
 public:
  explicit StorageGuard(std::uint64_t free_octets_min) : free_octets_min_(free_octets_min) {}

  struct Look {
    std::uint64_t free_octets = 0;
    std::uint64_t waiting = 0;      ///< messages
    std::uint64_t outstanding = 0;  ///< segments whose receipt is due
  };
  void look(const Look& look) noexcept;
  /// A commit has found no room, whatever the disk says: a quota, a limit on files.
  void on_disk_full() noexcept { is_low_ = true; }
  [[nodiscard]] bool is_low() const noexcept { return is_low_; }

 private:
  const std::uint64_t free_octets_min_;
  bool is_low_ = false;
};

}  // namespace stentor::daemon
