// What can go wrong with the journal, and the result type of this folder.
//
// Errors   JournalError converts to std::error_code, so one `result<T>` carries it and an errno
//          from the file system alike.
// Threads  Plain values.
#pragma once

#include <expected>
#include <system_error>

namespace stentor::queue {

template <class T>
using result = std::expected<T, std::error_code>;

enum class JournalError {  // NOLINT(performance-enum-size): std::error_code holds an int
  not_a_journal = 1,       ///< the file header is not ours; refuse to start and name the file
  newer_version,           ///< written by a newer format; refuse to start and name both versions
  damaged,                 ///< a block under the durable watermark is bad; refuse unless salvaging
  locked,                  ///< another process holds the directory; refuse to start
  too_large,               ///< a record is over kRecordOctetsMax; the caller's own bound is wrong
  poisoned,                ///< an earlier write or fsync failed; nothing is accepted any more
  disk_full,               ///< no room for another file; accept nothing, go on delivering
  numbers_used_up,         ///< the last file there can be is full; begin in an empty directory
  no_such_record  ///< the locator names nothing: the file is gone or the octets do not verify
};

[[nodiscard]] std::error_code make_error_code(JournalError error) noexcept;

/// A full disk by the journal's name for it, which says what goes on; any other error as it is.
[[nodiscard]] inline std::error_code as_journal_error(const std::error_code& error) noexcept {
  return error == std::errc::no_space_on_device ? make_error_code(JournalError::disk_full) : error;
}

}  // namespace stentor::queue

template <>
struct std::is_error_code_enum<stentor::queue::JournalError> : std::true_type {};
