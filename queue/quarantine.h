// What salvaging has set aside: damaged stretches of journal files, each copied to
// `quarantine/journal-00000003-4096-8192.bad` (file, from, to), so that later reads pass them over
// knowingly. A stretch from 0 means that the whole file is set aside or was never found.
//
// Units    Octets from the start of the file.
// Errors   errno from the file system.
// Threads  One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "queue/error.h"
#include "queue/file_system.h"
#include "queue/locator.h"

namespace stentor::queue {

class Quarantine {
 public:
  Quarantine(FileSystem& files, std::filesystem::path journal_directory);

  /// Learns what is there; a directory without quarantine is an empty one.
  [[nodiscard]] result<void> load();

  /// Where the bad stretch that starts at `from` ends.
  [[nodiscard]] std::optional<std::uint64_t> end_of(std::uint32_t file, std::uint64_t from) const;
  /// Where the bad stretch that `at` lies in ends: a place noted before the stretch was set aside
  /// may be in its midst.
  [[nodiscard]] std::optional<std::uint64_t> end_around(std::uint32_t file, std::uint64_t at) const;
  /// Does the record at `place` lie in what is set aside?
  [[nodiscard]] bool holds(Locator place) const;
  /// Does a stretch begin behind `after` and before `before`?
  [[nodiscard]] bool has_between(Locator after, Locator before) const;
  /// Where the last stretch begins; nowhere when there is none.
  [[nodiscard]] Locator last() const;
  [[nodiscard]] std::size_t stretches() const noexcept { return stretches_.size(); }
  [[nodiscard]] bool has_whole(std::uint32_t file) const { return end_of(file, 0).has_value(); }
  /// The highest file number set aside whole; 0 when none is.
  [[nodiscard]] std::uint32_t last_whole() const;

  /// Copies a stretch of `file` aside, for good; answers where to, from the journal directory.
  [[nodiscard]] result<std::string> set_aside(File& file, std::uint32_t number, std::uint64_t from,
                                              std::uint64_t to);
  /// Moves a whole file of `octets` aside.
  [[nodiscard]] result<std::string> set_file_aside(std::uint32_t number, std::uint64_t octets);
  /// Copies a whole excerpt of the journal's directory aside, for good.
  [[nodiscard]] result<std::string> set_excerpt_aside(const std::string& name);
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
  [[nodiscard]] result<void> copy(File& file, std::uint64_t from, std::uint64_t to,
                                  const std::string& name);

  FileSystem& files_;
  const std::filesystem::path journal_;
  const std::filesystem::path directory_;
  std::vector<Stretch> stretches_;
};

}  // namespace stentor::queue
