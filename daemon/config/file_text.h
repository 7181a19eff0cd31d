// Reads a small file whole, together with who else may read it.
//
// Units    Octets.
// Errors   errno as std::error_code; file_too_large past the caller's bound.
// Threads  Call from anywhere; it blocks on the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <system_error>

namespace stentor::daemon::config_file {

struct FileText {
  std::string text;
  /// Group or world may read it. Taken from the descriptor the text came from, so that no one can
  /// swap the file between the look and the reading.
  bool open_to_others = false;
  unsigned mode = 0;        ///< permission bits only
  std::uint64_t inode = 0;  ///< which file of its file system it is
};

/// Refuses what is not a regular file: a FIFO would hold the start up for ever.
[[nodiscard]] std::expected<FileText, std::error_code> read_file_text(
    const std::filesystem::path& file, std::size_t octets_max);

}  // namespace stentor::daemon::config_file
