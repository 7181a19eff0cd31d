// What salvaging has set aside: damaged stretches of journal files, each copied to
// `quarantine/journal-00000003-4096-8192.bad` (file, from, to), so that later reads pass them over
// knowingly. A stretch from 0 means that the whole file is set aside or was never found.
//
// Units    Octets from the start of the file.
// Errors   errno from the file system.
// Threads  One thread, while the journal is recovered.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "queue/error.h"
#include "queue/file_system.h"

namespace stentor::queue {

class Quarantine {
 public:
  Quarantine(FileSystem& files, std::filesystem::path journal_directory);

  /// Learns what is there; a directory without quarantine is an empty one.
  [[nodiscard]] result<void> load();

  /// Where the bad stretch that starts at `from` ends.
  [[nodiscard]] std::optional<std::uint64_t> end_of(std::uint32_t file, std::uint64_t from) const;
  [[nodiscard]] bool has_whole(std::uint32_t file) const { return end_of(file, 0).has_value(); }
  /// The highest file number set aside whole; 0 when none is.
  [[nodiscard]] std::uint32_t last_whole() const;

  /// Copies a stretch of `file` aside, for good; answers where to, from the journal directory.
  [[nodiscard]] result<std::string> set_aside(File& file, std::uint32_t number, std::uint64_t from,
                                              std::uint64_t to);
  /// Moves a whole file of `octets` aside.
  [[nodiscard]] result<std::string> set_file_aside(std::uint32_t number, std::uint64_t octets);
  /// Notes that a file is missing.
  [[nodiscard]] result<std::string> note_missing(std::uint32_t number);

 private:
  struct Stretch {
    std::uint32_t file = 0;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };
  [[nodiscard]] static std::string name_of(const Stretch& stretch);
  [[nodiscard]] static std::optional<Stretch> stretch_of(const std::string& name);
  [[nodiscard]] result<void> open_directory();

  FileSystem& files_;
  const std::filesystem::path journal_;
  const std::filesystem::path directory_;
  std::vector<Stretch> stretches_;
};

}  // namespace stentor::queue
