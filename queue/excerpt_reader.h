// Reads an excerpt: all of it in order, or one record by its place.
//
// Units    Octets.
// Owns     The open file, one block in memory, and with index() a fence of 16 octets a block.
// Errors   damaged where a block does not verify or the end is missing; newer_version;
// no_such_record;
//          errno from the file system.
// Threads  One thread.
// Spec     docs/journal.md, "Excerpts".
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "queue/error.h"
#include "queue/excerpt_format.h"
#include "queue/file_system.h"

namespace stentor::queue {

class ExcerptReader {
 public:
  [[nodiscard]] static result<ExcerptReader> open(FileSystem& files,
                                                  const std::filesystem::path& path);

  [[nodiscard]] const ExcerptHeader& header() const noexcept { return header_; }
  [[nodiscard]] std::uint64_t octets() const noexcept { return octets_; }

  /// Every record in order; stops where `visit` fails. What was visited before damage was found
  /// must be thrown away: ask verify() first where that is not possible.
  using Visit = std::function<result<void>(const Record&)>;
  [[nodiscard]] result<void> for_each(const Visit& visit);
  /// Salvaging: every record of the blocks that verify, whatever lies between them. Answers how
  /// many blocks those are.
  [[nodiscard]] static result<std::uint64_t> for_each_good(FileSystem& files,
                                                           const std::filesystem::path& path,
                                                           const Visit& visit);
  /// Reads all of it and checks every block.
  [[nodiscard]] result<void> verify();

  /// Learns where blocks begin, for find().
  [[nodiscard]] result<void> index();
  /// The record taken from `place`; its payload is valid until the next call.
  [[nodiscard]] result<Record> find(Locator place);

 private:
  struct Fence {
    std::uint64_t first_at = 0;
    std::uint64_t offset = 0;
  };
  [[nodiscard]] result<ExcerptBlockHeader> load(std::uint64_t offset);
  [[nodiscard]] result<ExcerptBlockHeader> head_at(std::uint64_t offset);
  [[nodiscard]] result<std::uint64_t> find_head(std::uint64_t offset);
  [[nodiscard]] result<std::uint64_t> visit_loaded(const Visit& visit);

  std::unique_ptr<File> file_;
  ExcerptHeader header_;
  std::uint64_t octets_ = 0;
  std::vector<std::uint8_t> payload_;
  std::vector<Fence> fences_;
  std::uint64_t loaded_ = 0;  // offset of the block in payload_; 0: none
};

}  // namespace stentor::queue
