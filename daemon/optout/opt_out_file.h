// The list of who wants no more messages as a file beside the journal, so that retention may take
// the records it was made from.
//
// Layout: "STENTORO", version (u32), the place in the journal it was begun at (u64), then for each
// number one block: number, sender, client as texts, since (u32), by (u8); an empty block; CRC-32C
// of all before it (u32). Written under another name, synced, renamed, the directory synced.
//
// Units    Octets.
// Owns     The file being written.
// Errors   error_code of the world; bad_message for octets that are no such file; newer_version
//          (magic, version and the check at the end keep their places in every later version).
// Threads  One thread writes at a time.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <system_error>

#include "daemon/optout/opt_out_list.h"
#include "daemon/records/fields.h"
#include "queue/locator.h"

namespace stentor::daemon {

inline constexpr std::uint32_t kOptOutFileVersion = 1;

class OptOutFileWriter {
 public:
  [[nodiscard]] static std::expected<std::unique_ptr<OptOutFileWriter>, std::error_code> create(
      const std::filesystem::path& path, queue::Locator begun_at);
  ~OptOutFileWriter();
  OptOutFileWriter(const OptOutFileWriter&) = delete;
  OptOutFileWriter& operator=(const OptOutFileWriter&) = delete;

  void add(const OptedOut& entry);
  /// Only after this is the file there, and durable.
  [[nodiscard]] std::error_code finish();

 private:
  OptOutFileWriter(std::filesystem::path path, int fd, queue::Locator begun_at);
  void write_out();

  std::filesystem::path path_;
  int fd_;
  FieldWriter entry_;
  FieldWriter buffer_;
  std::uint32_t checksum_ = 0;
  std::error_code failed_;
};

/// Shows every number of the file and answers where it was begun. No file is an empty list.
[[nodiscard]] std::expected<queue::Locator, std::error_code> read_opt_out_file(
    const std::filesystem::path& path, const std::function<void(const OptedOut&)>& see);

}  // namespace stentor::daemon
