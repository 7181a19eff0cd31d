// Names in the order of their hashes within an open file, found by one read: the first key of each
// page stays in memory.
//
// Units    Entries of 16 octets.
// Owns     Its fences: 8 octets for each 256 names. Not the file.
// Errors   What cannot be read is not found.
// Threads  One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "daemon/history/index_entries.h"
#include "queue/file_system.h"

namespace stentor::daemon {

class NameTable {
 public:
  static constexpr std::size_t kPageEntries = 256;

  NameTable() = default;
  /// `count` entries from octet `at` on.
  NameTable(std::uint64_t at, std::size_t count, std::vector<std::uint64_t> fences)
      : at_(at), count_(count), fences_(std::move(fences)) {}

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// Appends the places of what has the name `key`, in order.
  void find(queue::File& file, std::uint64_t key, std::vector<std::uint64_t>& places);
  /// Reads up to `max` entries from the one of this number on; false when the disk will not.
  [[nodiscard]] bool read(queue::File& file, std::size_t first, std::size_t max,
                          std::vector<IndexEntry>& out) const;
  /// Nothing is found any more, but all can be read: for one whose names lie in another, too.
  void forget_fences() { fences_ = {}; }

 private:
  std::uint64_t at_ = 0;
  std::size_t count_ = 0;
  std::vector<std::uint64_t> fences_;
  std::vector<IndexEntry> page_;
};

}  // namespace stentor::daemon
