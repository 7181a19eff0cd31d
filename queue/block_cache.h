// Blocks read back from journal files, each verified once, and the files they came from.
//
// Units    Octets.
// Owns     The blocks, up to a bound (the newest one whatever its size), and at most kFilesOpenMax
//          open files with a window of readahead each.
// Errors   no_such_record where no good block of that file lies; else errno.
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "queue/block_reader.h"
#include "queue/error.h"
#include "queue/file_system.h"
#include "queue/record_batch.h"
#include "queue/verified_blocks.h"

namespace stentor::queue {

/// A block in memory, with the offsets of its records.
struct CachedBlock {
  std::uint32_t file = 0;
  std::uint32_t at = 0;
  std::uint32_t next = 0;            ///< where the following block starts
  std::uint32_t previous_check = 0;  ///< what it says of the block before it, across files
  std::uint32_t check = 0;
  std::vector<std::uint8_t> payload{};
  std::vector<std::uint32_t> records{};

  /// The number of the first record at or behind `offset`; records.size() when there is none.
  [[nodiscard]] std::size_t first_at(std::uint32_t offset) const noexcept;
};

class BlockCache {
 public:
  BlockCache(FileSystem& files, std::filesystem::path directory, std::size_t octets_max);

  /// What a block is wanted for: to go through it, or for a record of it, when others of it may be
  /// wanted alone later and what checks them is kept.
  enum class For : std::uint8_t { going_through, records };
  /// The block at `at` of `file`; valid until the next call.
  [[nodiscard]] result<const CachedBlock*> block(std::uint32_t file, std::uint32_t at,
                                                 For purpose = For::going_through);

  /// One record of a block that was read For::records and has been let go since, read alone and
  /// checked alone (verified_blocks.h); nothing where the whole block is wanted. `at` and `offset`
  /// must be a record's. Valid until the next call.
  [[nodiscard]] std::optional<Record> record_alone(std::uint32_t file, std::uint32_t at,
                                                   std::uint32_t offset);

  /// Where a block header of `file` lies at or behind `at`; nothing up to the file's end.
  [[nodiscard]] result<std::optional<std::uint32_t>> find_block(std::uint32_t file,
                                                                std::uint32_t at);
  void forget_before(std::uint32_t file);
  [[nodiscard]] std::uint64_t blocks_read() const noexcept { return blocks_read_; }
  [[nodiscard]] std::uint64_t records_read_alone() const noexcept { return alone_; }

 private:
  struct OpenFile {
    std::uint32_t number = 0;
    std::uint64_t epoch = 0;
    std::unique_ptr<File> file;
    std::unique_ptr<BlockReader> reader;
  };
  using Place = std::pair<std::uint32_t, std::uint32_t>;

  [[nodiscard]] result<OpenFile*> open(std::uint32_t file);
  void make_room(std::size_t octets);
  [[nodiscard]] static std::size_t octets_of(const CachedBlock& block) noexcept;

  FileSystem& files_;
  const std::filesystem::path directory_;
  const std::size_t octets_max_;
  std::list<OpenFile> open_;       // most recently used first
  std::list<CachedBlock> blocks_;  // the same
  std::map<Place, std::list<CachedBlock>::iterator> places_;
  std::size_t octets_ = 0;
  std::uint64_t blocks_read_ = 0;
  VerifiedBlocks verified_;
  std::vector<std::uint8_t> record_;
  std::uint64_t alone_ = 0;
};

}  // namespace stentor::queue
