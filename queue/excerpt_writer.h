// Writes an excerpt: a file of records taken out of the journal, complete or not there at all.
//
// Units    Octets.
// Owns     The file in making and one block in memory.
// Errors   errno from the file system; the file in making is left to the next start then, and
//          nobody takes it for an excerpt.
// Threads  One thread.
// Spec     docs/journal.md, "Excerpts".
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "queue/error.h"
#include "queue/excerpt_format.h"
#include "queue/file_system.h"

namespace stentor::queue {

class ExcerptWriter {
 public:
  /// Makes `directory`/`name`.making. A leftover of that name is removed.
  [[nodiscard]] static result<ExcerptWriter> start(FileSystem& files,
                                                   std::filesystem::path directory,
                                                   std::string name, ExcerptHeader header);

  /// Records come in the order of their places, unless find() is never asked of the excerpt.
  [[nodiscard]] result<void> add(const Record& record);
  /// Ends the file, syncs it, gives it its name, and syncs the directory: only then it counts.
  [[nodiscard]] result<void> finish();

  [[nodiscard]] std::uint64_t records() const noexcept { return records_; }
  [[nodiscard]] std::uint64_t octets() const noexcept { return offset_ + payload_.size(); }

 private:
  ExcerptWriter(FileSystem& files, std::filesystem::path directory, std::string name)
      : files_(&files), directory_(std::move(directory)), name_(std::move(name)) {}
  [[nodiscard]] result<void> flush(bool is_last);

  FileSystem* files_;
  std::filesystem::path directory_;
  std::string name_;
  std::unique_ptr<File> file_;
  std::uint64_t offset_ = kExcerptHeaderOctets;
  std::uint64_t synced_ = 0;
  std::uint64_t records_ = 0;
  std::uint32_t blocks_ = 0;
  std::uint64_t first_at_ = 0;
  std::vector<std::uint8_t> payload_;
};

}  // namespace stentor::queue
