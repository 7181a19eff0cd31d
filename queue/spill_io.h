// Writes and reads blocks of spill files out of the way of whoever spills.
//
// Spill files hold what does not fit in memory and can be made again from the journal: they are
// never synced, begin empty with each process, and go with it.
//
// Units    Octets.
// Owns     See SpillFiles and SpillThread.
// Errors   A job comes back with the error it met.
// Threads  submit() and collect() on one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

#include "queue/file_system.h"

namespace stentor::queue {

/// Shared, since a block on its way to the disk may be wanted again before it is there: from
/// submit() on nobody changes it.
using SpillOctets = std::shared_ptr<std::vector<std::uint8_t>>;

struct SpillJob;

/// Who gets a job back.
class SpillClient {
 public:
  virtual void on_done(const SpillJob& job) = 0;

 protected:
  ~SpillClient() = default;
};

struct SpillJob {
  enum class Kind : std::uint8_t {
    write,
    read,  ///< into `octets`, whose size says how many; `checksum` is what they must have
    clear  ///< gives the file's space back
  };
  Kind kind = Kind::write;
  std::uint32_t file = 0;  ///< a number; each is a file of its own, made at its first write
  std::uint32_t block = 0;
  std::uint64_t offset = 0;
  SpillOctets octets;
  std::uint32_t checksum = 0;  ///< of a write, when done
  std::error_code error;
  SpillClient* client = nullptr;
};

class SpillIo {
 public:
  virtual ~SpillIo() = default;
  /// Never waits. Jobs are done in the order of submission.
  virtual void submit(SpillJob job) = 0;
  /// Hands each finished job to its client; returns whether there was one.
  virtual bool collect() = 0;
};

/// Removes what an earlier process has left in `directory`. Call it while that process cannot live.
void remove_spill_files(FileSystem& files, const std::filesystem::path& directory);

/// Does the jobs, on the caller's thread.
class SpillFiles {
 public:
  /// The directory is made with the first file.
  SpillFiles(FileSystem& files, std::filesystem::path directory);
  /// Removes its files.
  ~SpillFiles();
  SpillFiles(const SpillFiles&) = delete;
  SpillFiles& operator=(const SpillFiles&) = delete;

  void perform(SpillJob& job);

 private:
  [[nodiscard]] std::filesystem::path path_of(std::uint32_t file) const;
  [[nodiscard]] result<File*> file_of(std::uint32_t file);

  FileSystem& files_;
  const std::filesystem::path directory_;
  bool is_made_ = false;
  std::map<std::uint32_t, std::unique_ptr<File>> open_;
};

}  // namespace stentor::queue
