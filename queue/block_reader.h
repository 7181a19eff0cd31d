// Reads the blocks of one journal file through a window of readahead, and checks them.
//
// Units    Octets; offsets are from the start of the file.
// Owns     The window; not the file.
// Errors   A block that does not verify is an ordinary answer; only the file system fails.
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "queue/error.h"
#include "queue/file_system.h"
#include "queue/journal_format.h"

namespace stentor::queue {

enum class BlockFault : std::uint8_t {
  none,
  no_header,  ///< no block header, or one that does not verify
  other_epoch,
  cut_short,  ///< the file ends within the block
  bad_payload
};
[[nodiscard]] std::string_view words(BlockFault fault) noexcept;

struct BlockRead {
  BlockFault fault = BlockFault::no_header;
  BlockHeader header;
  std::span<const std::uint8_t> payload;  ///< valid until the next call on the reader
};

class BlockReader {
 public:
  /// Reads up to `window_octets` at a time while it is asked onward, little after a jump.
  BlockReader(File& file, std::size_t window_octets) : file_(file), window_octets_(window_octets) {}

  /// Octets from `offset` on: `count`, or fewer at the end of the file. Valid until the next call.
  [[nodiscard]] result<std::span<const std::uint8_t>> octets(std::uint64_t offset,
                                                             std::size_t count);

  /// The block at `offset`, whole and verified, or what is wrong with it.
  [[nodiscard]] result<BlockRead> block(std::uint64_t offset, std::uint64_t epoch);

  struct Found {
    std::uint64_t offset = 0;
    BlockHeader header;
  };
  /// The first block header of this epoch at or behind `offset`; its payload is not looked at.
  [[nodiscard]] result<std::optional<Found>> find_header(std::uint64_t offset, std::uint64_t epoch);

  /// Where the last octet at or behind `offset` that is not zero ends; `offset` when all are.
  [[nodiscard]] result<std::uint64_t> end_of_non_zero(std::uint64_t offset);

  /// Reads anew from now on: the file may have changed.
  void forget() noexcept { window_.clear(); }

 private:
  File& file_;
  const std::size_t window_octets_;
  std::size_t ahead_octets_ = 0;
  std::uint64_t window_at_ = 0;
  std::vector<std::uint8_t> window_;
};

}  // namespace stentor::queue
