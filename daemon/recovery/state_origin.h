// Whether a state directory is the one that stentor wrote, on the machine that wrote it.
//
// A copy of the state, such as a backup that was restored or the disk of a cloned machine, holds
// messages that its original may have sent since. The file `origin` in the state directory says
// which machine wrote the state, and which file it is itself: a copy of it is another file. A
// snapshot of the whole file system, started on a machine of the same id, looks like the original.
//
// Owns     Nothing.
// Errors   A line that names the file: it cannot be read or written, or is not understood.
// Threads  One, at the start, under the journal's lock or before it is taken.
// Spec     docs/operations.md, "A copy of the state"
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

namespace stentor::daemon {

enum class StateOrigin : std::uint8_t {
  unclaimed,      ///< nothing is said: a new state, or one of a version that said nothing
  own,            ///< as it was left
  other_machine,  ///< another machine wrote it
  copied,         ///< its files are not those that were written
};

/// What tells this machine and its files from others.
struct MachineMarks {
  std::string id;            ///< derived from /etc/machine-id, which is nobody's business; "": none
  bool keeps_inodes = true;  ///< a file has its inode number for good, as on ext4, XFS and Btrfs

  /// Of this machine and the file system of `state_dir`.
  [[nodiscard]] static MachineMarks of(const std::filesystem::path& state_dir);
};

/// Where a mark is not known, then or now, it is not compared.
[[nodiscard]] std::expected<StateOrigin, std::string> origin_of(
    const std::filesystem::path& state_dir, const MachineMarks& marks);

/// From now on the state is this machine's own. Durable when it returns.
[[nodiscard]] std::expected<void, std::string> claim_state(const std::filesystem::path& state_dir,
                                                           const MachineMarks& marks);

}  // namespace stentor::daemon
