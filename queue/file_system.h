// The few file operations the journal needs, so that tests can stand a failing disk behind it.
//
// Units    Octets and absolute offsets.
// Owns     A File closes itself.
// Errors   errno as std::error_code, with EFBIG and EDQUOT reported as ENOSPC.
// Threads  A FileSystem is used by any thread; one File by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "queue/error.h"

namespace stentor::queue {

class File {
 public:
  virtual ~File() = default;
  /// Writes all pieces at `offset` and makes them durable. Succeeds only when the length was exact
  /// and the sync returned 0. After a failure the file must not be written again.
  [[nodiscard]] virtual result<void> write_durable(
      std::uint64_t offset, std::span<const std::span<const std::uint8_t>> pieces) = 0;
  /// Writes without promising durability: for preparing a file ahead.
  [[nodiscard]] virtual result<void> write(std::uint64_t offset,
                                           std::span<const std::uint8_t> octets) = 0;
  /// Reads up to octets.size(); fewer only at the end of the file.
  [[nodiscard]] virtual result<std::size_t> read(std::uint64_t offset,
                                                 std::span<std::uint8_t> octets) = 0;
  [[nodiscard]] virtual result<void> allocate(std::uint64_t octets) = 0;  ///< reserves disk space
  [[nodiscard]] virtual result<void> truncate(std::uint64_t octets) = 0;
  [[nodiscard]] virtual result<void> sync() = 0;  ///< fsync: data and size
  [[nodiscard]] virtual result<std::uint64_t> size() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  using Path = std::filesystem::path;

  enum class Mode : std::uint8_t { read, write, create };  ///< create fails when the file exists
  [[nodiscard]] virtual result<std::unique_ptr<File>> open(const Path& path, Mode mode) = 0;
  [[nodiscard]] virtual result<void> rename(const Path& from, const Path& to) = 0;
  [[nodiscard]] virtual result<void> remove(const Path& path) = 0;
  [[nodiscard]] virtual result<void> make_directory(const Path& path) = 0;
  [[nodiscard]] virtual result<void> sync_directory(const Path& path) = 0;
  [[nodiscard]] virtual result<std::vector<std::string>> list(const Path& directory) = 0;
  [[nodiscard]] virtual result<std::uint64_t> free_octets(const Path& directory) = 0;
  /// Takes the directory for this process until the returned File closes; `locked` when taken.
  [[nodiscard]] virtual result<std::unique_ptr<File>> lock(const Path& directory) = 0;
};

/// How durable writes reach the kernel.
enum class IoBackend : std::uint8_t {
  automatic,  ///< the ring where the kernel allows it, else threads
  uring,      ///< write linked to fdatasync on an io_uring
  threads     ///< pwritev, then fdatasync, on the calling thread
};

/// The real thing. With IoBackend::uring fails where the kernel refuses a ring.
[[nodiscard]] result<std::unique_ptr<FileSystem>> make_posix_file_system(IoBackend backend);

}  // namespace stentor::queue
