// The newest carried excerpt of a journal directory: where records lie that were carried out of
// files which are gone.
//
// Units    Octets.
// Owns     The open excerpt with a fence of 16 octets for each 64 KiB of it, and one block.
// Errors   no_such_record where the excerpt does not have the place, or there is none; else as
//          ExcerptReader.
// Threads  One thread.
// Spec     docs/journal.md, "Carried excerpts"
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "queue/error.h"
#include "queue/excerpt_reader.h"
#include "queue/file_system.h"

namespace stentor::queue {

inline constexpr std::string_view kCarriedPurpose = "carried";

[[nodiscard]] std::string carried_name(std::uint32_t before);
[[nodiscard]] result<ExcerptReader> open_carried(FileSystem& files,
                                                 const std::filesystem::path& directory,
                                                 std::uint32_t before);

/// The carried excerpts of a directory by `before`, the newest first.
[[nodiscard]] result<std::vector<std::uint32_t>> list_carried(
    FileSystem& files, const std::filesystem::path& directory);

class CarriedExcerpt {
 public:
  CarriedExcerpt(FileSystem& files, std::filesystem::path directory)
      : files_(files), directory_(std::move(directory)) {}

  /// The record that was carried from `place`, valid until the next call. An excerpt that has not
  /// got it may have been replaced: then the directory is looked at anew.
  [[nodiscard]] result<Record> find(Locator place);
  /// Lets go of an excerpt that a newer one has replaced: open, it would keep its space.
  void forget_before(std::uint32_t file);

 private:
  [[nodiscard]] result<bool> open_newer();

  FileSystem& files_;
  const std::filesystem::path directory_;
  std::optional<ExcerptReader> reader_;
};

}  // namespace stentor::queue
